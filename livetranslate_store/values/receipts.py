"""Receipts of writes: the outcome, and the keys.

`position` is the number of the transaction: a read that demands it as `min_position` shows the write, on any
server. On a cluster it is the number on the node that has the session: compare positions of one session only.
"""

from enum import StrEnum
from uuid import UUID

from livetranslate_store.values.value import Value


class Outcome(StrEnum):
    """The outcome of a write; a stale one was older than the stored version, and changed nothing."""

    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"


class SessionReceipt(Value, frozen=True):
    """What became of `create`: inserted, or unchanged if the external id names a session already.

    `differs` names the given values that the stored session has otherwise, and its status if that is another
    one than the given or usual "active": they were not applied.
    """

    id: UUID
    outcome: Outcome
    differs: tuple[str, ...] = ()


class AudioReceipt(Value, frozen=True, gc=False):
    """The receipt of an audio file: inserted, or unchanged if the same chunk exists."""

    session_id: UUID
    audio_file_id: UUID
    outcome: Outcome
    position: int


class TranscriptReceipt(Value, frozen=True, gc=False):
    """The receipt of a transcript; `revision` is the stored one, also if another write made it."""

    session_id: UUID
    transcript_id: UUID
    outcome: Outcome
    revision: int
    position: int


class TranslationReceipt(Value, frozen=True, gc=False):
    """The receipt of a translation; `transcript_revision` is the revision that the stored one was made from.

    It is None if none is stored: the translation was refused together with its transcript.
    """

    session_id: UUID
    transcript_id: UUID
    target_language: str
    outcome: Outcome
    transcript_revision: int | None
    position: int


class SegmentReceipt(Value, frozen=True, gc=False):
    """The receipts of a segment: its transcript, its translations in the order given, its audio."""

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
        """The outcome of the transcript."""
        return self.transcript.outcome

    @property
    def revision(self) -> int:
        """The transcript's revision that is stored now."""
        return self.transcript.revision

    @property
    def position(self) -> int:
        """The `min_position` for reads that must show this write."""
        return self.transcript.position

    @property
    def audio_file_id(self) -> UUID | None:
        """The key of the stored audio, None for a segment without audio."""
        return None if self.audio is None else self.audio.audio_file_id


class DeletedSession(Value, frozen=True):
    """The numbers of rows and stored audio objects that went with a session."""

    session_id: UUID
    transcripts: int
    translations: int
    text_versions: int
    speakers: int
    audio_files: int


class DeletedSpeakerContent(Value, frozen=True):
    """The numbers of a speaker's deleted rows; each audio file's object goes with its row."""

    session_id: UUID
    label: str
    transcripts: int
    translations: int
    audio_files: int


class DeletedAudioFile(Value, frozen=True):
    """A deleted audio file; `transcripts` is the number of transcripts that are without audio now."""

    session_id: UUID
    audio_file_id: UUID
    size_bytes: int
    transcripts: int


class SweepReport(Value, frozen=True):
    """The result of a sweep: all objects, the orphans among them, their size, and the removed ones.

    A dry run removes none. `keys` are those of the first thousand orphans.
    """

    objects: int
    orphans: int
    orphan_bytes: int
    orphans_removed: int
    keys: tuple[str, ...]
