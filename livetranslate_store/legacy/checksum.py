"""A checksum of rows in any order, so that two sides can be compared without holding either."""

from hashlib import blake2b
from uuid import UUID

import msgspec

_encode = msgspec.json.Encoder().encode
_BYTES = 16
_MODULUS = 1 << (8 * _BYTES)


class Checksum:
    """The sum of the hashes of all rows that were added, whatever their order."""

    def __init__(self) -> None:
        self._sum = 0

    def add(
        self, transcript_id: UUID, text: str, language: str, start_time: float | None, end_time: float | None
    ) -> None:
        """Add a transcript or a translation."""
        row = blake2b(_encode((transcript_id, text, language, start_time, end_time)), digest_size=_BYTES)
        self._sum = (self._sum + int.from_bytes(row.digest())) % _MODULUS

    def __str__(self) -> str:
        return f"{self._sum:0{2 * _BYTES}x}"
