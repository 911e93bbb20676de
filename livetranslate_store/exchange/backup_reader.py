"""A backup as it is read: each line checked, the first and the last one understood, the rows handed on."""

from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator
from typing import NamedTuple, TypeVar

import msgspec

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.exchange.backup_lines import END, FORMAT, HEADER, VERSION, End, Header, LineReader

T = TypeVar("T")


class Line(NamedTuple):
    """A line between the first and the last: its number, its kind and its value, which is JSON text."""

    number: int
    kind: str
    value: msgspec.Raw


class BackupReader:
    """Reads one backup; every error names the line."""

    def __init__(self, lines: AsyncIterable[bytes]) -> None:
        self._lines = self._read(lines)
        self._reader = LineReader()
        #: How many lines of each kind there are so far.
        self.counts: Counter[str] = Counter()

    async def header(self) -> Header:
        """Return the first line; raises InvalidInputError for what is no backup that can be read here."""
        line = await anext(self._lines, None)
        if line is None:
            raise self._cut()
        if line.kind != HEADER:
            raise self.refused("this is no backup of a session")
        header = self.decoded(line.value, Header)
        if header.format != FORMAT:
            raise self.refused("this is no backup of a session")
        if header.version != VERSION:
            raise self.refused(f"it is of version {header.version}, and only {VERSION} is known here")
        return header

    async def rows(self) -> AsyncIterator[Line]:
        """Yield what follows; raises InvalidInputError where it is damaged, cut or goes on after its end."""
        ended = False
        checksum = self._reader.checksum()
        async for line in self._lines:
            if ended:
                raise self.refused("there is more after its end")
            if line.kind == END:
                self._check_end(self.decoded(line.value, End), checksum)
                ended = True
                continue
            self.counts[line.kind] += 1
            yield line
            checksum = self._reader.checksum()
        if not ended:
            raise self._cut()

    async def _read(self, lines: AsyncIterable[bytes]) -> AsyncIterator[Line]:
        async for line in lines:
            kind, value = self._reader.read(line)
            yield Line(self._reader.number, kind, value)

    def _check_end(self, end: End, checksum: str) -> None:
        if end.lines != self.counts or end.sha256 != checksum or self.counts["sessions"] != 1:
            raise self.refused("its counts or its checksum are not those of the lines before it")

    def _cut(self) -> InvalidInputError:
        self._reader.number += 1
        return self.refused("it ends before it, and lacks the line that ends a backup")

    def decoded(self, value: msgspec.Raw, kind: type[T]) -> T:
        """Return a value of the line that was read last; raises InvalidInputError."""
        try:
            return msgspec.json.decode(value, type=kind)
        except msgspec.DecodeError as error:
            raise self.refused(f"it does not hold what it must ({error})") from error

    def refused(self, reason: str) -> InvalidInputError:
        """Return the error that refuses the line that was read last."""
        return self._reader.refused(reason)
