"""A place in the timeline: as the text that one page returns for the next, and in SQL."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Self
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Text, Uuid, bindparam, desc, literal_column, tuple_
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.models.base import LANGUAGE_TAG
from livetranslate_store.reading.columns import TRANSCRIPTS
from livetranslate_store.reading.filters import Shape
from livetranslate_store.values import TimelineEntry, TranscriptRow


class EncodedCursor(msgspec.Struct, frozen=True, array_like=True):
    """A cursor that travels as opaque text, safe in a URL."""

    def encoded(self) -> str:
        """Return the cursor as text."""
        return urlsafe_b64encode(msgspec.msgpack.encode(self)).rstrip(b"=").decode()

    @classmethod
    def decoded(cls, text: str) -> Self:
        """Return the cursor in `text`; raises InvalidInputError unless `encoded` made it."""
        try:
            data = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
            cursor = msgspec.msgpack.decode(data, type=cls)
            cursor.check()
        except (ValueError, AttributeError, msgspec.MsgspecError) as error:
            raise InvalidInputError(
                "cursor is not a valid cursor: pass the next_cursor of a page unchanged."
            ) from error
        return cursor

    def check(self) -> None:
        """Raise ValueError if the fields contradict each other."""


def read_digest(what: object) -> bytes:
    """Return what tells one read from another, so that a cursor continues no other."""
    return blake2b(msgspec.json.encode(what, order="sorted"), digest_size=8).digest()


class Cursor(EncodedCursor, frozen=True, array_like=True):
    """The sort key of the entry next to the page; a transcript's own language sorts before any target."""

    timestamp: float
    segment_index: int
    transcript_id: UUID
    target_language: str

    @classmethod
    def at(cls, entry: TimelineEntry | TranscriptRow) -> Self:
        """Return the place of `entry`; for a row, that of its transcript."""
        if isinstance(entry, TranscriptRow):
            return cls(entry.timestamp, entry.segment_index, entry.transcript_id, "")
        language = entry.language if entry.kind == "translation" else ""
        return cls(entry.timestamp, entry.segment_index, entry.transcript_id, language)

    def values(self) -> dict[str, Any]:
        """Return the values of the parameters of `behind_cursor`."""
        return {f"cursor_{name}": getattr(self, name) for name in self.__struct_fields__}


_TYPES = {
    "timestamp": DOUBLE_PRECISION,
    "segment_index": BigInteger,
    "transcript_id": Uuid,
    "target_language": Text,
}

# A transcript comes before its translations.
NO_LANGUAGE: ColumnElement[str] = literal_column("''::text", LANGUAGE_TAG)


def place(timestamp: ColumnElement[float]) -> Any:
    """Return the place of a transcript or, with another timestamp, of one of its translations."""
    return tuple_(timestamp, TRANSCRIPTS.c.segment_index, TRANSCRIPTS.c.id)


def behind_cursor(
    shape: Shape,
    timestamp: ColumnElement[float],
    language: ColumnElement[str] = NO_LANGUAGE,
    *,
    near: ColumnElement[float] | None = None,
) -> Sequence[ColumnElement[bool]]:
    """Return the conditions that an entry comes after the cursor, if there is one.

    An index can answer the first of them alone: that of transcripts, or one with the timestamp `near`.
    """
    if "cursor" not in shape.given:
        return []
    transcript = tuple_(*map(_bound, ("timestamp", "segment_index", "transcript_id")))
    here, there = (place(timestamp), transcript) if near is None else (near, _bound("timestamp"))
    entry, last = tuple_(*place(timestamp), language), tuple_(*transcript, _bound("target_language"))
    return [here <= there, entry < last] if shape.is_newest_first else [here >= there, entry > last]


def in_order(shape: Shape, columns: Sequence[ColumnElement[Any]]) -> Sequence[ColumnElement[Any]]:
    """Return the order of a read by these columns, from the oldest on or from the newest back."""
    return [desc(each) for each in columns] if shape.is_newest_first else columns


def _bound(field: str) -> ColumnElement[Any]:
    return bindparam(f"cursor_{field}", type_=_TYPES[field])
