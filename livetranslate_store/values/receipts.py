"""What comes back from a write: what it did, and under which keys.

`position` is what a read on any server can demand with `min_position`: the number of the transaction.
"""

from enum import StrEnum
from uuid import UUID

from livetranslate_store.values.value import Value


class Outcome(StrEnum):
    """What a write did: a stale one was older than what is stored, and changed nothing."""

    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"


class SessionReceipt(Value, frozen=True):
    """What became of `create`: inserted, or unchanged if the external id names a session already.

    `differs` names the given values that the stored session has otherwise: they were not applied.
    """

    id: UUID
    outcome: Outcome
    differs: tuple[str, ...] = ()


class AudioReceipt(Value, frozen=True, gc=False):
    """What became of an audio file: inserted, or unchanged where the same chunk was there already."""

    session_id: UUID
    audio_file_id: UUID
    outcome: Outcome
    position: int


class TranscriptReceipt(Value, frozen=True, gc=False):
    """What became of a transcript; `revision` is the one stored now, whoever wrote it."""

    session_id: UUID
    transcript_id: UUID
    outcome: Outcome
    revision: int
    position: int


class TranslationReceipt(Value, frozen=True, gc=False):
    """What became of a translation; `transcript_revision` is the one that it was made from."""

    session_id: UUID
    translation_id: UUID
    target_language: str
    outcome: Outcome
    transcript_revision: int
    position: int


class SegmentReceipt(Value, frozen=True, gc=False):
    """What became of a segment: its transcript, its translations in the order given, its audio."""

    transcript: TranscriptReceipt
    translations: tuple[TranslationReceipt, ...]
    audio: AudioReceipt | None

    @property
    def session_id(self) -> UUID:
        """The session that the segment belongs to."""
        return self.transcript.session_id

    @property
    def transcript_id(self) -> UUID:
        """The key under which later translations are added."""
        return self.transcript.transcript_id

    @property
    def outcome(self) -> Outcome:
        """What became of the transcript."""
        return self.transcript.outcome

    @property
    def revision(self) -> int:
        """The transcript's revision that is stored now."""
        return self.transcript.revision

    @property
    def position(self) -> int:
        """What a read can demand to see with `min_position`."""
        return self.transcript.position

    @property
    def audio_file_id(self) -> UUID | None:
        """The key of the stored audio, None where the segment came without."""
        return None if self.audio is None else self.audio.audio_file_id


class DeletedSession(Value, frozen=True):
    """What the deletion of a session removed, as numbers of rows and of stored audio objects."""

    session_id: UUID
    transcripts: int
    translations: int
    speakers: int
    audio_files: int


class DeletedSpeakerContent(Value, frozen=True):
    """What was removed of a speaker, as numbers of rows; each audio file's object goes with its row."""

    session_id: UUID
    label: str
    transcripts: int
    translations: int
    audio_files: int


class SweepReport(Value, frozen=True):
    """What a sweep of the audio storage found: objects seen, and orphans removed among them."""

    objects: int
    orphans_removed: int
