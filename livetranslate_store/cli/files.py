"""Files that commands write and read, whole or not at all; `-` is standard input or output."""

import os
import stat
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from livetranslate_store.errors import InvalidInputError, StoreError

STANDARD = "-"


@contextmanager
def replacing(name: str) -> Iterator[BinaryIO]:
    """Yield a file to write. It takes its name once it is complete, so that no file is ever half written.

    A device or a pipe is written as it is. Raises InvalidInputError if the file cannot be opened, and
    StoreError if it cannot be written to its end.
    """
    if name in {STANDARD, "/dev/stdout"}:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if name.rpartition("/")[2] in {"", os.curdir, os.pardir}:
        raise InvalidInputError(f"{name!r} names no file to write.")
    # Of a link, the file behind it is replaced.
    path = Path(os.path.realpath(name))
    unfinished = path.with_name(f".{path.name}.{token_hex(8)}.unfinished")
    try:
        mode = _mode_of(name)
        is_whole = mode is None or stat.S_ISREG(mode)
        file = unfinished.open("xb") if is_whole else Path(name).open("wb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise InvalidInputError(f"{name} cannot be written: {error.strerror}.") from error
    try:
        with file:
            if is_whole and mode is not None:
                unfinished.chmod(stat.S_IMODE(mode))
            yield file
        if is_whole:
            unfinished.replace(path)
    except BrokenPipeError:
        # The reader of a pipe has enough.
        raise
    except OSError as error:
        # An error of the database would be a StoreError already: this one comes from the file.
        raise StoreError(f"{name} cannot be written: {error.strerror}.") from error
    finally:
        if is_whole:
            unfinished.unlink(missing_ok=True)


def _mode_of(name: str) -> int | None:
    """Return the mode of the file behind a name; None if there is none."""
    try:
        return Path(name).stat().st_mode
    except FileNotFoundError:
        return None


async def lines_of(name: str, advance: Callable[[int, int | None], None]) -> AsyncIterator[bytes]:
    """Yield the lines of a file; `advance` gets the bytes read so far, and the size."""
    with _reading(name) as file:
        size = None if name == STANDARD else os.fstat(file.fileno()).st_size
        done = 0
        for line in file:
            yield line
            done += len(line)
            advance(done, size)


def _reading(name: str) -> AbstractContextManager[BinaryIO]:
    if name == STANDARD:
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise InvalidInputError(f"{name} cannot be read: {error.strerror}.") from error
