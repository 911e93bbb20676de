"""The versions that a text had, and those that were refused."""

from datetime import datetime
from typing import Literal, TypeAlias

from livetranslate_store.checks import JSONObject
from livetranslate_store.values.value import Value

VersionStatus: TypeAlias = Literal["current", "replaced", "refused"]


class TextHistoryEntry(Value, frozen=True):
    """A version of a transcript or of a translation.

    `status` is "current", "replaced" by a person's edit, or "refused" because a person's text stood already.
    `revision` is the transcript's, or that of the transcript that a translation was made from. `edited_by`
    and `edited_at` name the person whose words the version is, and are None for a machine's. `replaced_by`
    names the person whose edit replaced it. `kept_at` is the moment when it was replaced or refused, None for
    the current one.
    """

    status: VersionStatus
    text: str
    revision: int
    edited_by: str | None
    edited_at: datetime | None
    replaced_by: str | None
    kept_at: datetime | None
    metadata: JSONObject
