"""A place in the timeline, as opaque text that a page hands out and the next one continues from."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import msgspec

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.values import TimelineEntry, TranscriptRow


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The sort key of the entry before the page; a transcript's own language sorts before any target."""

    timestamp: float
    segment_index: int
    transcript_id: UUID
    target_language: str
    id: UUID

    @classmethod
    def after(cls, entry: TimelineEntry | TranscriptRow) -> "Cursor":
        """Return the place right behind `entry`; that of a row is the place behind its transcript."""
        if isinstance(entry, TranscriptRow):
            return cls(entry.timestamp, entry.segment_index, entry.transcript_id, "", entry.transcript_id)
        language = entry.language if entry.kind == "translation" else ""
        return cls(entry.timestamp, entry.segment_index, entry.transcript_id, language, entry.id)

    def encoded(self) -> str:
        """Return the cursor as text that is safe in a URL."""
        return urlsafe_b64encode(msgspec.msgpack.encode(self)).rstrip(b"=").decode()

    @classmethod
    def decoded(cls, text: str) -> "Cursor":
        """Return the cursor in `text`; raises InvalidInputError for what was not made by `encoded`."""
        try:
            data = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
            return msgspec.msgpack.decode(data, type=cls)
        except (ValueError, AttributeError, msgspec.MsgspecError) as error:
            raise InvalidInputError(
                "cursor is not a valid cursor: pass the next_cursor of a page unchanged."
            ) from error
