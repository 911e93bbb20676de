"""The filters of reads, each said once: the methods of a store take them as keywords."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from typing_extensions import TypedDict  # pydantic takes that of `typing` from Python 3.12 on

from livetranslate_store.checks import JSONObject
from livetranslate_store.values.timeline import EntryKind


class SegmentFilters(TypedDict, total=False):
    """Which segments of a session are read; a filter that is left out, or None, keeps all.

    `start` and `end` bound a window `[start, end)` in seconds, which keeps everything that overlaps it.
    Segments without any time lie in every window; `untimed=False` leaves them out. `speakers` are labels or
    given names. `finals_only` leaves out segments that may still change.
    """

    start: float | None
    end: float | None
    untimed: bool
    speakers: Sequence[str] | None
    finals_only: bool


class TimelineFilters(SegmentFilters, total=False):
    """Which entries of a session are read: those of `SegmentFilters`, narrowed further.

    `languages` keep their variants too (`zh` also keeps `zh-Hans`); `kinds` are transcripts or translations.
    """

    languages: Sequence[str] | None
    kinds: Sequence[EntryKind] | None


class SearchFilters(TypedDict, total=False):
    """Which texts are searched; a filter that is left out, or None, keeps all.

    `started_from` and `started_before` bound the start of the meeting, the first inclusive. The others are
    those of `TimelineFilters`.
    """

    session_ids: Sequence[UUID] | None
    started_from: datetime | None
    started_before: datetime | None
    languages: Sequence[str] | None
    speakers: Sequence[str] | None
    kinds: Sequence[EntryKind] | None
    finals_only: bool


class SessionFilters(TypedDict, total=False):
    """Which sessions a list has; a filter that is left out, or None, keeps all.

    `languages` are target languages, which keep their variants too. `started_from` and `started_before` bound
    the start, the first inclusive. `metadata` is contained in the session's. `text` is an id, an external id,
    or beginnings of words of the title. `active_since` keeps sessions whose last activity is not older;
    `silent_for` those that go on without any for so long.
    """

    tenant: str | None
    bot_id: str | None
    meeting_id: str | None
    status: str | None
    languages: Sequence[str] | None
    started_from: datetime | None
    started_before: datetime | None
    metadata: JSONObject | None
    text: str | None
    has_audio: bool | None
    active_since: datetime | None
    silent_for: timedelta | None
