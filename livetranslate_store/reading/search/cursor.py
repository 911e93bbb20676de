"""A place among the hits of a search, as opaque text that one page hands out and the next continues from."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID

import msgspec

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.values import EntryKind


class HitKey(msgspec.Struct, frozen=True, array_like=True):
    """What orders texts, the newest meeting first."""

    started_at: datetime
    session_id: UUID
    id: UUID


class SearchCursor(msgspec.Struct, frozen=True, array_like=True):
    """Which block of hits a page lies in, and the hit before it.

    A block begins before `before`, at the newest hit where that is None, and ends with `end`, which is not
    known yet where the block has not been read. `more` tells whether hits follow the block.
    """

    before: HitKey | None
    end: HitKey | None
    more: bool
    rank: float | None
    after: HitKey | None
    walked: frozenset[EntryKind]

    def encoded(self) -> str:
        """Return the cursor as text that is safe in a URL."""
        return urlsafe_b64encode(msgspec.msgpack.encode(self)).rstrip(b"=").decode()

    @classmethod
    def decoded(cls, text: str) -> "SearchCursor":
        """Return the cursor in `text`; raises InvalidInputError for what was not made by `encoded`."""
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
        """Raise ValueError where there is no such place."""
        keys = [key for key in (self.before, self.end, self.after) if key is not None]
        known = {self.end is None, self.after is None, self.rank is None}
        if len(known) > 1 or any(key.started_at.tzinfo is None for key in keys):
            raise ValueError("not a place among hits")

    @classmethod
    def block_before(cls, end: HitKey | None) -> "SearchCursor":
        """Return the beginning of the block that follows `end`, of the first one where that is None."""
        return cls(end, None, more=False, rank=None, after=None, walked=frozenset())


FIRST_BLOCK = SearchCursor.block_before(None)
