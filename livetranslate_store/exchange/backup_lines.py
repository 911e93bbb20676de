"""The lines of a backup: JSON, each with a checksum over all lines up to it, which tells where damage is.

The checksum finds damage, not forgery: whoever wants that signs the file.
"""

import hashlib
from uuid import UUID

import msgspec

from livetranslate_store.errors import InvalidInputError

#: What the header calls the file, and which version of it this is.
FORMAT = "livetranslate-store backup"
VERSION = 1

#: The kinds of lines beside those of rows, which are named after their table.
HEADER = "backup"
AUDIO_BYTES = "audio_bytes"
END = "end"

# 64 bits tell any damage that happens by itself.
_DIGITS = 16
_OPENING = b'{"check":"'
_CLOSING = b'",'
_BODY = len(_OPENING) + _DIGITS + len(_CLOSING)


class Header(msgspec.Struct, frozen=True):
    """The first line: what the file is, and whether the bytes of the audio are in it."""

    format: str
    version: int
    session_id: UUID
    audio: bool


class End(msgspec.Struct, frozen=True):
    """The last line: how many lines there are of each kind, and the checksum of all before it."""

    lines: dict[str, int]
    sha256: str


class LineWriter:
    """Makes the lines of one backup."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def line(self, kind: str, value: str) -> bytes:
        """Return the line of this kind with `value`, JSON text, ending with a newline."""
        body = f'"{kind}":{value}}}\n'.encode()
        self._sum.update(body)
        return b"".join((_OPENING, self._sum.hexdigest()[:_DIGITS].encode(), _CLOSING, body))

    def checksum(self) -> str:
        """Return the SHA-256 of all lines so far, each without its own checksum."""
        return self._sum.hexdigest()


class LineReader:
    """Reads the lines of one backup and checks each."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()
        #: The line that was read last, from 1.
        self.number = 0

    def read(self, line: bytes) -> tuple[str, msgspec.Raw]:
        """Return the line's kind and its value, JSON text; raises InvalidInputError for a damaged line."""
        self.number += 1
        line = line.rstrip(b"\r\n")
        body = line[_BODY:]
        self._sum.update(body + b"\n")
        check = self._sum.hexdigest()[:_DIGITS].encode()
        if line[:_BODY] != _OPENING + check + _CLOSING:
            raise self.refused(
                "this is no backup of a session, or it was changed or cut here"
                if self.number == 1
                else "it was changed or cut here, or a line before it is missing"
            )
        try:
            members = msgspec.json.decode(line.decode(), type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self.refused("it is not JSON in UTF-8") from error
        members.pop("check", None)
        if len(members) != 1:
            raise self.refused("it must hold one thing beside its checksum")
        return members.popitem()

    def checksum(self) -> str:
        """Return what `LineWriter.checksum` did."""
        return self._sum.hexdigest()

    def refused(self, reason: str) -> InvalidInputError:
        """Return the error that refuses the line that was read last."""
        return InvalidInputError(f"Line {self.number} of the backup: {reason}; nothing was restored.")
