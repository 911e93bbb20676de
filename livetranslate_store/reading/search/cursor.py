"""A place among the hits of a search: as the text that one page returns for the next, and in SQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, DateTime, Uuid, bindparam, tuple_
from sqlalchemy.types import TypeEngine

from livetranslate_store.models.base import LANGUAGE_TAG
from livetranslate_store.reading.cursor import EncodedCursor
from livetranslate_store.values import EntryKind


class HitKey(msgspec.Struct, frozen=True, array_like=True):
    """The order of texts: the newest meeting first, and in it the newest text.

    `language` is the target language of a translation; a transcript has none.
    """

    started_at: datetime
    session_id: UUID
    transcript_id: UUID
    language: str


class SearchCursor(EncodedCursor, frozen=True, array_like=True):
    """The block of hits that a page lies in, and the hit before the page.

    A block begins after the hit `before`, or at the newest hit if that is None, and ends with `end`, which is
    None until the block has been read. `more` is whether hits follow the block. `walked` are the kinds whose
    hits in the block were found by walking.
    """

    before: HitKey | None
    end: HitKey | None
    more: bool
    rank: float | None
    after: HitKey | None
    walked: frozenset[EntryKind]

    def check(self) -> None:
        """Raise ValueError if the fields contradict each other."""
        keys = [key for key in (self.before, self.end, self.after) if key is not None]
        known = {self.end is None, self.after is None, self.rank is None}
        if len(known) > 1 or any(key.started_at.tzinfo is None for key in keys):
            raise ValueError("not a place among hits")

    @classmethod
    def block_after(cls, end: HitKey | None) -> Self:
        """Return the beginning of the block after `end`, or of the first one for None."""
        return cls(end, None, more=False, rank=None, after=None, walked=frozenset())

    def values(self) -> dict[str, Any]:
        """Return the values of the parameters of `key_bound`, and the rank of the hit before the page."""
        keys = {"before": self.before, "end": self.end, "after": self.after}
        return {"after_rank": self.rank} | {
            f"{name}_{field}": getattr(key, field)
            for name, key in keys.items()
            if key is not None
            for field in HitKey.__struct_fields__
        }


FIRST_BLOCK = SearchCursor.block_after(None)

_TYPES: Mapping[str, TypeEngine[Any]] = {
    "started_at": DateTime(timezone=True),
    "session_id": Uuid(),
    "transcript_id": Uuid(),
    "language": LANGUAGE_TAG,
}


def key_bound(name: str, field: str) -> ColumnElement[Any]:
    """Return a field of the cursor's key `before`, `end` or `after`, as a parameter."""
    return bindparam(f"{name}_{field}", type_=_TYPES[field])


def key_place(name: str, fields: tuple[str, ...] = HitKey.__struct_fields__) -> Any:
    """Return the cursor's key, or its first fields, as a row."""
    return tuple_(*(key_bound(name, field) for field in fields))
