"""Progress and report of a restore."""

from collections.abc import Sequence
from uuid import UUID

from livetranslate_store.values.imports import ImportCounts, Refusal
from livetranslate_store.values.receipts import Outcome
from livetranslate_store.values.value import Value


class RestoreProgress(Value, frozen=True):
    """How far a restore is: `lines` of the backup are written; nothing is durable before the end."""

    lines: int


class RestoreReport(Value, frozen=True):
    """What a restore did: rows inserted, and rows unchanged because they were there already.

    `left_out` tells of each audio file whose bytes are neither in the backup nor in the audio storage, by
    the line of its row; its transcripts were restored without it.
    """

    session_id: UUID
    session: Outcome
    speakers: ImportCounts
    audio_files: ImportCounts
    transcripts: ImportCounts
    translations: ImportCounts
    text_versions: ImportCounts
    left_out: Sequence[Refusal]
