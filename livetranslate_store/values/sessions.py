"""A session as lists show it."""

from datetime import datetime
from uuid import UUID

from livetranslate_store.checks import JSONObject
from livetranslate_store.values.page import Page
from livetranslate_store.values.value import Value, freeze


class SessionSummary(Value, frozen=True):
    """A session with what a list shows of its meeting.

    `duration` is in seconds from the start to the end, None while the session has no end. `last_activity` is
    the end; before the end, the moment when a segment or a recording was last added, or the start if none
    was. `spoken_languages` are those of the transcripts; `speakers` the names of the speakers, or labels of
    those without a name. `segments` is their number if the list counts them, else None. `tenant_id` is empty
    for a session without a tenant.
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
    spoken_languages: tuple[str, ...]
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
