"""Files that commands write and read, whole or not at all; `-` is standard input or output."""

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
    """Yield a file to write. It takes its name once it is complete, so that no file is ever half written."""
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
        # An error of the database would be a StoreError: this one comes from the file.
        raise InvalidInputError(f"{name} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


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
