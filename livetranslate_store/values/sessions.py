"""A session as lists show it."""

from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from livetranslate_store.checks import JSONObject
from livetranslate_store.values.page import Page
from livetranslate_store.values.value import Value, freeze

#: What a list leaves out unless it is asked for: it takes a read of the whole meeting.
SessionDetail: TypeAlias = Literal["segments", "spoken_languages"]
SESSION_DETAILS: tuple[SessionDetail, ...] = get_args(SessionDetail)


class SessionSummary(Value, frozen=True):
    """A session with what a list shows of its meeting.

    `duration` is in seconds from the start to the end, None while the session has no end. `last_activity` is
    the end; before the end, the moment when the last segment of the timeline was written, or else the last
    recording, but never before the start or the making of the row. `speakers` are the names of the speakers,
    or labels of those without a name. `spoken_languages` are those of the transcripts, and `segments` is
    their number: both are None unless the list includes them. `tenant_id` is empty for a session without a
    tenant.
    """

    id: UUID
    tenant_id: str
    bot_id: str
    meeting_id: str
    external_id: str | None
    title: str | None
    uri: str | None
    status: str
    started_at: datetime
    ended_at: datetime | None
    duration: float | None
    last_activity: datetime
    target_languages: tuple[str, ...]
    spoken_languages: tuple[str, ...] | None
    speakers: tuple[str, ...]
    has_audio: bool
    segments: int | None
    metadata: JSONObject

    def __post_init__(self) -> None:
        """Freeze the sequences."""
        freeze(self, "target_languages", "spoken_languages", "speakers")


class SessionPage(Page[SessionSummary], frozen=True):
    """A page of a list of sessions; `total` is the length of the list if it was counted, else None."""

    total: int | None = None
