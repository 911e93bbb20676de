"""Files that commands write and read: whole or not at all, `-` for the pipe."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from livetranslate_store.errors import InvalidInputError

STANDARD = "-"


@contextmanager
def replacing(name: str) -> Iterator[BinaryIO]:
    """Yield a file to write; it takes its name when the block ends well, so that none is ever half there."""
    if name == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("xb") as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        # Errors of the database are the store's own by now: this one is of the file.
        raise InvalidInputError(f"{name} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


async def lines_of(name: str, advance: Callable[[int, int | None], None]) -> AsyncIterator[bytes]:
    """Yield the lines of a file, and tell how many of its bytes were read."""
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
