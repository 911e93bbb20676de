"""Inputs, checked when they are made: an input that exists can be written.

A decoder refuses a field that it does not know: a misspelled one would be lost in silence.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Required
from uuid import UUID

import msgspec
from msgspec.structs import force_setattr
from typing_extensions import TypedDict  # pydantic takes that of `typing` from Python 3.12 on

from livetranslate_store.checks import (
    MAX_AUDIO_BYTES,
    MAX_BIG_INTEGER,
    MAX_NAME_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    JSONObject,
    check_order,
    checked_choice,
    checked_flag,
    checked_instant,
    checked_integer,
    checked_json_object,
    checked_language,
    checked_languages,
    checked_name,
    checked_text,
    checked_uuid,
    optional_integer,
    optional_name,
    optional_number,
)
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.values.value import Value, freeze

SESSION_STATUSES = ("spawning", "active", "paused", "ended", "error")
# Of a session that is over, and can have an end.
STATUSES_OF_ENDED_SESSIONS = ("ended", "error")
# The source and the service of most rows, which the database stores as NULL.
USUAL_SOURCE = "transcriber"
USUAL_SERVICE = "translator"
AUDIO_STATUSES = ("pending", "processing", "completed", "failed")
# The origin of a speaker's name: the first is for a label without a name, the second for a name from the
# transcriber, the third for a name from a person.
IDENTIFICATION_METHODS = (
    "diarization",
    "transcriber",
    "manual",
    "voice_print",
    "correlation",
    "google_meet",
    "whisper_diarization",
)


class SessionInput(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bot's stay in one meeting.

    `external_id` is the caller's own name for it: a second write with the same one finds the same session.
    The status of a finished meeting is "ended"; without `ended_at` it ends now. It starts now unless
    `started_at` says when; `ended_at` needs it.
    """

    bot_id: str
    meeting_id: str
    external_id: str | None = None
    title: str | None = None
    uri: str | None = None
    status: str = "active"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    target_languages: Sequence[str] = ()
    metadata: JSONObject = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the fields and make the languages canonical; raises InvalidInputError."""
        _set(self, "bot_id", checked_name(self.bot_id, "bot_id"))
        _set(self, "meeting_id", checked_name(self.meeting_id, "meeting_id"))
        _set(self, "external_id", optional_name(self.external_id, "external_id"))
        _set(self, "title", optional_title(self.title, "title"))
        _set(self, "uri", optional_title(self.uri, "uri"))
        _set(self, "status", checked_choice(self.status, "status", SESSION_STATUSES))
        if self.started_at is not None:
            checked_instant(self.started_at, "started_at")
        if self.ended_at is not None:
            checked_end(self.ended_at, self.started_at, self.status)
        _set(self, "target_languages", tuple(checked_languages(self.target_languages, "target_languages")))
        checked_json_object(self.metadata, "metadata")


class Word(Value, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One word of a transcript, with its own times if the transcriber gives them."""

    text: str
    start_time: float | None = None
    end_time: float | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        """Check the fields; raises InvalidInputError."""
        _set(self, "text", checked_text(self.text, "words", maximum=MAX_NAME_CHARACTERS))
        _check_times(self)
        _set(self, "confidence", _confidence(self.confidence))


class AudioInput(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One recorded chunk: its bytes, and facts about them.

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
    metadata: JSONObject = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the fields; raises InvalidInputError."""
        if not isinstance(self.data, bytes):
            raise InvalidInputError(f"data must be bytes, not {type(self.data).__name__}.")
        checked_integer(len(self.data), "the size of data in bytes", maximum=MAX_AUDIO_BYTES)
        _set(self, "format", checked_name(self.format, "format"))
        _check_times(self)
        _set(self, "duration", optional_number(self.duration, "duration", minimum=0.0))
        optional_integer(self.sample_rate, "sample_rate", minimum=1)
        optional_integer(self.channels, "channels", minimum=1)
        _set(self, "quality_score", optional_number(self.quality_score, "quality_score", minimum=0.0))
        _set(self, "status", checked_choice(self.status, "status", AUDIO_STATUSES))
        checked_json_object(self.metadata, "metadata")

    def __repr__(self) -> str:
        """Show the size instead of the recording."""
        return f"AudioInput({len(self.data)} bytes of {self.format!r}, start_time={self.start_time})"


class AudioFacts(TypedDict, total=False):
    """The facts about a recording whose bytes come as a stream: the fields of AudioInput without its data."""

    format: Required[str]
    start_time: float | None
    end_time: float | None
    duration: float | None
    sample_rate: int | None
    channels: int | None
    quality_score: float | None
    status: str
    metadata: JSONObject


class TranscriptInput(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One revision of a transcribed segment of speech.

    `segment_key` is the transcriber's own name for the segment: a second write with the same `source` and
    key is another revision of it. Without a key (and without an `id`) every write is a new segment.
    `revision` numbers the versions from 1 if the transcriber counts them; without it the last write
    wins. `speaker_name` names a speaker that has no name yet.

    With `edited_by` and `edited_at` the text is a person's, from elsewhere: it is final, and replaces every
    machine's text and every earlier edit.
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
    source: str = USUAL_SOURCE
    revision: int | None = None
    is_final: bool = False
    audio_file_id: UUID | None = None
    words: Sequence[Word] | None = None
    metadata: JSONObject = msgspec.field(default_factory=dict)
    edited_by: str | None = None
    edited_at: datetime | None = None

    def __post_init__(self) -> None:
        """Check the fields and make the language canonical; raises InvalidInputError."""
        _set(self, "text", checked_text(self.text, "text"))
        _set(self, "language", checked_language(self.language))
        _check_id(self.id)
        if self.id is not None and self.segment_key is not None:
            raise InvalidInputError("Give id or segment_key, not both: the key derives the id.")
        _check_times(self)
        _set(self, "speaker_label", optional_name(self.speaker_label, "speaker_label"))
        _set(self, "speaker_name", optional_name(self.speaker_name, "speaker_name"))
        if self.speaker_name is not None and self.speaker_label is None:
            raise InvalidInputError("speaker_name needs the speaker_label that it names.")
        _set(self, "confidence", _confidence(self.confidence))
        checked_integer(self.segment_index, "segment_index")
        _set(self, "segment_key", optional_name(self.segment_key, "segment_key"))
        _set(self, "source", checked_name(self.source, "source"))
        # 0 is what the store itself gives to a first version without a number.
        optional_integer(self.revision, "revision", minimum=1, maximum=MAX_BIG_INTEGER // 2)
        checked_flag(self.is_final, "is_final")
        if self.audio_file_id is not None:
            checked_uuid(self.audio_file_id, "audio_file_id")
        freeze(self, "words")
        if self.words is not None and not all(isinstance(word, Word) for word in self.words):
            raise InvalidInputError("words must be a sequence of Word.")
        checked_json_object(self.metadata, "metadata")
        _set(self, "edited_by", optional_name(self.edited_by, "edited_by"))
        if is_edit(self.edited_by, self.edited_at) and not self.is_final:
            raise InvalidInputError("A text that a person edited is final: give is_final=True.")


class TranslationInput(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A segment in one target language.

    Without times of its own it inherits both from its transcript. `source_language` is the transcript's and
    `transcript_revision` its current one unless given. With `edited_by` and `edited_at` the text is a
    person's, from elsewhere: it replaces every machine's text and every earlier edit.
    """

    text: str
    target_language: str
    source_language: str | None = None
    start_time: float | None = None
    end_time: float | None = None
    confidence: float | None = None
    service: str = USUAL_SERVICE
    model: str | None = None
    transcript_revision: int | None = None
    metadata: JSONObject = msgspec.field(default_factory=dict)
    edited_by: str | None = None
    edited_at: datetime | None = None

    def __post_init__(self) -> None:
        """Check the fields and make the languages canonical; raises InvalidInputError."""
        _set(self, "text", checked_text(self.text, "text"))
        _set(self, "target_language", checked_language(self.target_language, "target_language"))
        if self.source_language is not None:
            _set(self, "source_language", checked_language(self.source_language, "source_language"))
        _check_times(self)
        _set(self, "confidence", _confidence(self.confidence))
        _set(self, "service", checked_name(self.service, "service"))
        _set(self, "model", optional_name(self.model, "model"))
        optional_integer(self.transcript_revision, "transcript_revision", maximum=MAX_BIG_INTEGER // 2)
        checked_json_object(self.metadata, "metadata")
        _set(self, "edited_by", optional_name(self.edited_by, "edited_by"))
        is_edit(self.edited_by, self.edited_at)


class SegmentInput(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A segment to import; `line` is its line in the source.

    Without a line, a refusal names its position in the import, from 1. The import checks the parts against
    each other, and refuses a bad segment alone.
    """

    session_id: UUID
    transcript: TranscriptInput
    translations: Sequence[TranslationInput] = ()
    audio: AudioInput | None = None
    line: int | None = None

    def __post_init__(self) -> None:
        """Freeze the translations; the import checks the rest."""
        freeze(self, "translations")


def optional_title(value: str | None, field: str) -> str | None:
    """Return a title or an address if it can be stored, None for None; raises InvalidInputError."""
    return None if value is None else checked_text(value, field, maximum=MAX_TITLE_CHARACTERS)


def checked_end(ended_at: datetime, started_at: datetime | None, status: str) -> datetime:
    """Return the end of a session; raises InvalidInputError if the session goes on, or starts later."""
    checked_instant(ended_at, "ended_at")
    if status not in STATUSES_OF_ENDED_SESSIONS:
        needed = " or ".join(map(repr, STATUSES_OF_ENDED_SESSIONS))
        raise InvalidInputError(f"ended_at needs the status {needed}, not {status!r}.")
    if started_at is None:
        raise InvalidInputError("ended_at needs started_at.")
    if ended_at < started_at:
        raise InvalidInputError(f"ended_at {ended_at} is before the session's start {started_at}.")
    return ended_at


def is_edit(edited_by: str | None, edited_at: datetime | None) -> bool:
    """Return whether a text is a person's; raises InvalidInputError."""
    if edited_by is None and edited_at is None:
        return False
    if edited_by is None or edited_at is None:
        raise InvalidInputError("Give edited_by and edited_at together: who edited the text, and when.")
    checked_name(edited_by, "edited_by")
    checked_instant(edited_at, "edited_at")
    return True


# msgspec's frozen values are set once, here, while they are being made.
_set = force_setattr


def _check_times(value: Any) -> None:
    start, end = optional_number(value.start_time, "start_time"), optional_number(value.end_time, "end_time")
    check_order(start, end)
    _set(value, "start_time", start)
    _set(value, "end_time", end)


def _check_id(value: UUID | None) -> None:
    if value is not None:
        checked_uuid(value, "id")


def _confidence(value: float | None) -> float | None:
    return optional_number(value, "confidence", minimum=0.0, maximum=1.0)
