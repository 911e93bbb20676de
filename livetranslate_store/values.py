"""The frozen values that go in and come out: inputs, receipts, timeline entries, statistics.

An input is checked when it is made, so that one which exists can be written. Times of speech are
seconds since the session's start, as float; None means that the time is not known.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal, TypeAlias, overload
from uuid import UUID

from msgspec import Struct
from msgspec.structs import force_setattr

from livetranslate_store.checks import (
    MAX_BIG_INTEGER,
    MAX_NAME_CHARACTERS,
    JSONObject,
    check_order,
    checked_choice,
    checked_integer,
    checked_json_object,
    checked_language,
    checked_name,
    checked_text,
    checked_uuid,
    optional_integer,
    optional_name,
    optional_number,
)
from livetranslate_store.errors import InvalidInputError

SESSION_STATUSES = ("spawning", "active", "paused", "ended", "error")
AUDIO_STATUSES = ("pending", "processing", "completed", "failed")
# How a speaker came by the name: the first means that there is only a diarization label yet, the second
# that the transcriber sent the name along, the third that a person gave it.
IDENTIFICATION_METHODS = (
    "diarization",
    "transcriber",
    "manual",
    "voice_print",
    "correlation",
    "google_meet",
    "whisper_diarization",
)

# One chunk of a live recording; hours of it belong in several chunks, and bytes are held in memory.
MAX_AUDIO_BYTES = 512 * 1024 * 1024

EntryKind: TypeAlias = Literal["transcript", "translation"]
ENTRY_KINDS: tuple[EntryKind, ...] = ("transcript", "translation")


class Word(Struct, frozen=True, omit_defaults=True):
    """One word of a transcript with its own times, where the transcriber gives them."""

    text: str
    start_time: float | None = None
    end_time: float | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        """Check the fields; raises InvalidInputError."""
        checked_text(self.text, "words", maximum=MAX_NAME_CHARACTERS)
        _check_times(self)
        _set(self, "confidence", _confidence(self.confidence))


class AudioInput(Struct, frozen=True, kw_only=True):
    """One recorded chunk: its bytes and what is known about them.

    `format` names the encoding ("wav", "ogg", …); it never becomes part of a path. The same bytes at the
    same start time are the same chunk, however often they are written.
    """

    data: bytes
    format: str
    start_time: float | None = None
    end_time: float | None = None
    duration: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    quality_score: float | None = None
    status: str = "completed"
    metadata: JSONObject = {}

    def __post_init__(self) -> None:
        """Check the fields; raises InvalidInputError."""
        if not isinstance(self.data, bytes):
            raise InvalidInputError(f"data must be bytes, not {type(self.data).__name__}.")
        checked_integer(len(self.data), "the size of data in bytes", maximum=MAX_AUDIO_BYTES)
        checked_name(self.format, "format")
        _check_times(self)
        _set(self, "duration", optional_number(self.duration, "duration", minimum=0.0))
        optional_integer(self.sample_rate, "sample_rate", minimum=1)
        optional_integer(self.channels, "channels", minimum=1)
        _set(self, "quality_score", optional_number(self.quality_score, "quality_score", minimum=0.0))
        checked_choice(self.status, "status", AUDIO_STATUSES)
        checked_json_object(self.metadata, "metadata")

    def __repr__(self) -> str:
        """Show the size instead of the recording."""
        return f"AudioInput({len(self.data)} bytes of {self.format!r}, start_time={self.start_time})"


class TranscriptInput(Struct, frozen=True, kw_only=True):
    """One revision of a transcribed segment of speech.

    `segment_key` is the transcriber's own name for the segment: a second write with the same `source` and
    key is another revision of it. Without a key (and without an `id`) every write is a new segment.
    `revision` numbers the versions from 1 where the transcriber counts them; without it the last write
    wins. `speaker_name` names a speaker that has no name yet.
    """

    text: str
    language: str
    id: UUID | None = None
    start_time: float | None = None
    end_time: float | None = None
    speaker_label: str | None = None
    speaker_name: str | None = None
    confidence: float | None = None
    segment_index: int = 0
    segment_key: str | None = None
    source: str = "transcriber"
    revision: int | None = None
    is_final: bool = False
    audio_file_id: UUID | None = None
    words: Sequence[Word] | None = None
    metadata: JSONObject = {}

    def __post_init__(self) -> None:
        """Check the fields and make the language canonical; raises InvalidInputError."""
        checked_text(self.text, "text")
        _set(self, "language", checked_language(self.language))
        _check_id(self.id)
        if self.id is not None and self.segment_key is not None:
            raise InvalidInputError("Give id or segment_key, not both: the key derives the id.")
        _check_times(self)
        optional_name(self.speaker_label, "speaker_label")
        optional_name(self.speaker_name, "speaker_name")
        if self.speaker_name is not None and self.speaker_label is None:
            raise InvalidInputError("speaker_name needs the speaker_label that it names.")
        _set(self, "confidence", _confidence(self.confidence))
        checked_integer(self.segment_index, "segment_index")
        optional_name(self.segment_key, "segment_key")
        checked_name(self.source, "source")
        # 0 is what the store itself gives to a first version without a number.
        optional_integer(self.revision, "revision", minimum=1, maximum=MAX_BIG_INTEGER // 2)
        _check_flag(self.is_final, "is_final")
        if self.audio_file_id is not None:
            checked_uuid(self.audio_file_id, "audio_file_id")
        if self.words is not None and not all(isinstance(word, Word) for word in self.words):
            raise InvalidInputError("words must be a sequence of Word.")
        checked_json_object(self.metadata, "metadata")


class TranslationInput(Struct, frozen=True, kw_only=True):
    """A segment in one target language.

    Without times of its own it takes both of its transcript's. `source_language` is the transcript's and
    `transcript_revision` its current one unless given.
    """

    text: str
    target_language: str
    source_language: str | None = None
    start_time: float | None = None
    end_time: float | None = None
    confidence: float | None = None
    service: str = "translator"
    model: str | None = None
    transcript_revision: int | None = None
    metadata: JSONObject = {}

    def __post_init__(self) -> None:
        """Check the fields and make the languages canonical; raises InvalidInputError."""
        checked_text(self.text, "text")
        _set(self, "target_language", checked_language(self.target_language, "target_language"))
        if self.source_language is not None:
            _set(self, "source_language", checked_language(self.source_language, "source_language"))
        _check_times(self)
        _set(self, "confidence", _confidence(self.confidence))
        checked_name(self.service, "service")
        optional_name(self.model, "model")
        optional_integer(self.transcript_revision, "transcript_revision", maximum=MAX_BIG_INTEGER // 2)
        checked_json_object(self.metadata, "metadata")


class Outcome(StrEnum):
    """What a write did: a stale one was older than what is stored, and changed nothing."""

    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"


class AudioReceipt(Struct, frozen=True):
    """What became of an audio file: inserted, or unchanged where the same chunk was there already."""

    session_id: UUID
    audio_file_id: UUID
    outcome: Outcome


class TranscriptReceipt(Struct, frozen=True):
    """What became of a transcript; `revision` is the one stored now, whoever wrote it."""

    session_id: UUID
    transcript_id: UUID
    outcome: Outcome
    revision: int


class TranslationReceipt(Struct, frozen=True):
    """What became of a translation; `transcript_revision` is the one that it was made from."""

    session_id: UUID
    translation_id: UUID
    target_language: str
    outcome: Outcome
    transcript_revision: int


class SegmentReceipt(Struct, frozen=True):
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
    def audio_file_id(self) -> UUID | None:
        """The key of the stored audio, None where the segment came without."""
        return None if self.audio is None else self.audio.audio_file_id


class SegmentLookup(Struct, frozen=True):
    """What a translation that arrives later needs to know of its transcript."""

    session_id: UUID
    transcript_id: UUID
    language: str
    revision: int


class TimelineEntry(Struct, frozen=True):
    """A transcript or a translation at its place in the meeting.

    `timestamp` is the start, or the end where only that is known, or 0.0 where neither is; `duration` is
    0.0 where either is unknown. For a translation `source` is the service that made it, `revision` the
    transcript revision that it was made from, `is_final` its transcript's, and `is_stale` tells that the
    transcript has moved on since.
    """

    kind: EntryKind
    id: UUID
    transcript_id: UUID
    timestamp: float
    duration: float
    start_time: float | None
    end_time: float | None
    text: str
    language: str
    source_language: str
    speaker_label: str | None
    speaker_name: str | None
    confidence: float | None
    segment_index: int
    source: str
    revision: int
    is_final: bool
    is_stale: bool
    metadata: JSONObject


class TimelinePage(Sequence[TimelineEntry]):
    """A sequence of entries in order; `next_cursor` continues after the last, None at the end."""

    __slots__ = ("_entries", "next_cursor")

    def __init__(self, entries: Sequence[TimelineEntry], next_cursor: str | None) -> None:
        self._entries = entries
        self.next_cursor = next_cursor

    @overload
    def __getitem__(self, index: int) -> TimelineEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[TimelineEntry]: ...
    def __getitem__(self, index: int | slice) -> TimelineEntry | Sequence[TimelineEntry]:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"TimelinePage({len(self)} entries, next_cursor={self.next_cursor!r})"


class DeletedSession(Struct, frozen=True):
    """What the deletion of a session removed, as numbers of rows and of stored audio objects."""

    session_id: UUID
    transcripts: int
    translations: int
    speakers: int
    audio_files: int


class SweepReport(Struct, frozen=True):
    """What a sweep of the audio storage found: objects seen, and orphans removed among them."""

    objects: int
    orphans_removed: int


class CacheStatistics(Struct, frozen=True):
    """The segment cache: entries now and at most, and counts since the start; rate from 0 to 1."""

    size: int
    limit: int
    hits: int
    misses: int
    evictions: int
    hit_rate: float


class GateStatistics(Struct, frozen=True):
    """The write gate: writes now, counts since the start, and seconds that writes spent waiting.

    `rejection_rate` is the rejected share, 0 to 1, of the writes that were decided on.
    """

    limit: int
    in_flight: int
    waiting: int
    completed: int
    failed: int
    rejected: int
    rejection_rate: float
    seconds_waited: float


class PoolStatistics(Struct, frozen=True):
    """The connection pool: connections open, idle and in use, and callers waiting for one.

    `utilization` is the share in use of the most that may be open, 0 to 1; `opened` and `recycled` count
    since the start.
    """

    size: int
    idle: int
    in_use: int
    waiting: int
    utilization: float
    opened: int
    recycled: int


class StoreStatistics(Struct, frozen=True):
    """The store's own figures, taken at one moment."""

    cache: CacheStatistics
    gate: GateStatistics
    pool: PoolStatistics


# msgspec's frozen values are set once, here, while they are being made.
_set = force_setattr


def _check_times(value: Any) -> None:
    for field in ("start_time", "end_time"):
        _set(value, field, optional_number(getattr(value, field), field))
    check_order(value.start_time, value.end_time)


def _check_id(value: UUID | None) -> None:
    if value is not None:
        checked_uuid(value, "id")


def _check_flag(value: bool, field: str) -> None:
    if not isinstance(value, bool):
        raise InvalidInputError(f"{field} must be True or False, not {type(value).__name__}.")


def _confidence(value: float | None) -> float | None:
    return optional_number(value, "confidence", minimum=0.0, maximum=1.0)
