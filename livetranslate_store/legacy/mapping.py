"""Rows of the older system become inputs of the store; nothing here reads or writes.

docs/moving.md has the mapping of each column.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, NamedTuple
from uuid import UUID

from livetranslate_store.checks import MAX_INTEGER, MAX_NAME_CHARACTERS, MAX_TITLE_CHARACTERS, JSONValue
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.legacy.row import UNDETERMINED, LegacyRow, canonical_language
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.values import (
    AUDIO_STATUSES,
    IDENTIFICATION_METHODS,
    SESSION_STATUSES,
    AudioInput,
    TranscriptInput,
    TranslationInput,
    Word,
)
from livetranslate_store.values.inputs import is_edit

# For bots and meetings that the older system did not name.
UNKNOWN = "unknown"
# A session without any moment; its original, NULL, is in the metadata.
_NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)

# How a deployment's own editor marked a text that a person corrected.
_EDIT_FIELDS = (("edited_by", "edited_at"), ("corrected_by", "corrected_at"))

# What transcribers call the fields of a word.
_WORD_FIELDS = {
    "text": "text", "word": "text",
    "start": "start_time", "start_time": "start_time",
    "end": "end_time", "end_time": "end_time",
    "confidence": "confidence", "probability": "confidence", "score": "confidence",
}  # fmt: skip


class MappedSession(NamedTuple):
    """What a session's row becomes."""

    external_id: str
    bot_id: str
    meeting_id: str
    title: str | None
    uri: str | None
    status: str
    started_at: datetime
    ended_at: datetime | None
    target_languages: Sequence[str]


class NamedSpeaker(NamedTuple):
    """A speaker with the name that an identity gave."""

    label: str
    name: str
    method: str
    confidence: float | None


def key_of(text: str) -> str:
    """Return an id of the older system as a key; a blank one is written as the literal that it is."""
    return text if text.strip() else repr(text)


def session_of(row: LegacyRow) -> MappedSession:
    """Map a session; the rest of the row is its metadata."""
    row.own_metadata("session_metadata")
    row.done("session_id")
    ended_at = row.instant("end_time")
    started_at = row.instant("start_time")
    if started_at is None:
        moments = (row.cells.get(column) for column in ("created_at", "updated_at", "end_time"))
        started_at = next((each for each in map(_moment, moments) if each is not None), _NO_MOMENT)
        row.replaced("start_time", f"there is none; taken as {started_at.isoformat()}")
    if ended_at is not None and ended_at < started_at:
        row.replaced("end_time", "is before the session's start")
        ended_at = None
    status = row.choice("status", SESSION_STATUSES, "error" if ended_at is None else "ended")
    if ended_at is None and status == "ended":
        ended_at = max(started_at, _moment(row.cells.get("updated_at")) or started_at)
        row.replaced("end_time", f"there is none; taken as {ended_at.isoformat()}")
    elif ended_at is not None and status not in ("ended", "error"):
        row.replaced("status", f"is {status}, and there is an end_time; taken as ended")
        status = "ended"
    return MappedSession(
        external_id=key_of(row.key),
        bot_id=row.name_or("bot_id", UNKNOWN),
        meeting_id=row.name_or("meeting_id", UNKNOWN),
        title=row.text("meeting_title", maximum=MAX_TITLE_CHARACTERS),
        uri=row.text("meeting_uri", maximum=MAX_TITLE_CHARACTERS),
        status=status,
        started_at=started_at,
        ended_at=ended_at,
        target_languages=_target_languages(row),
    )


def speakers_of(rows: Iterable[LegacyRow]) -> tuple[list[NamedSpeaker], dict[str, JSONValue]]:
    """Return the speakers that have a name, and by label the rest of every identity."""
    named, left = [], dict[str, JSONValue]()
    for row in rows:
        label, name = row.name("speaker_label"), row.name("identified_name")
        # The first method, `diarization`, says that there is no name.
        method = row.choice("identification_method", IDENTIFICATION_METHODS, "transcriber")
        confidence = row.number("identification_confidence", minimum=0.0, maximum=1.0)
        row.done("session_id")
        rest = row.whole() if label is None or name is None else row.rest()
        left[key_of(row.key) if label is None else label] = rest
        if label is not None and name is not None:
            named.append(NamedSpeaker(label, name, method, confidence))
    return named, left


def audio_of(row: LegacyRow, data: bytes, limits: SizeLimits) -> AudioInput:
    """Map an audio file whose bytes were found."""
    row.own_metadata("metadata")
    suffix = PurePath(row.cells.get("file_name") or row.cells.get("file_path") or "").suffix.lstrip(".")
    for column in ("session_id", "file_hash"):
        row.done(column)
    if row.cells.get("file_size") == str(len(data)):
        row.done("file_size")
    start_time, end_time = row.times("chunk_start_time", "chunk_end_time")
    return AudioInput(
        data=data,
        format=row.name_or("file_format", suffix.lower() or UNKNOWN),
        start_time=start_time,
        end_time=end_time,
        duration=row.number("duration_seconds", minimum=0.0),
        sample_rate=row.integer("sample_rate", minimum=1, maximum=MAX_INTEGER),
        channels=row.integer("channels", minimum=1, maximum=MAX_INTEGER),
        quality_score=row.number("audio_quality_score", minimum=0.0),
        status=row.choice("processing_status", AUDIO_STATUSES, "completed"),
        metadata=row.metadata(limits),
    )


def transcript_of(
    row: LegacyRow,
    *,
    names: Mapping[str, str],
    audio: Mapping[str, UUID],
    lost_audio: Mapping[str, JSONValue],
    limits: SizeLimits,
) -> TranscriptInput:
    """Map a transcript; raises InvalidInputError if it cannot be stored.

    `names` are those that the speakers have here, `audio` the recordings that were stored, by their old ids,
    and `lost_audio` the facts about those that were not.
    """
    own = row.own_metadata("processing_metadata")
    row.done("session_id")
    row.done("transcript_id")
    start_time, end_time = row.times("start_timestamp", "end_timestamp")
    label, name = _speaker(row)
    given = names.get(label) if label is not None else None
    if name is not None and name != given:
        row.keep("speaker_name", name)
    segment_index = row.integer("segment_index", minimum=0, maximum=MAX_INTEGER)
    # The older system marked only interim transcripts: all others are final.
    is_final = _flag(own, "is_final", default=True)
    edited_by, edited_at = _edit(own) if is_final else (None, None)
    transcript = TranscriptInput(
        text=_text(row, "transcript_text"),
        language=row.language("language_code"),
        start_time=start_time,
        end_time=end_time,
        speaker_label=label,
        speaker_name=given,
        confidence=row.number("confidence_score", minimum=0.0, maximum=1.0),
        segment_index=segment_index or 0,
        segment_key=key_of(row.key),
        source=row.name_or("source_type", UNKNOWN),
        is_final=is_final,
        audio_file_id=_audio_file_id(row, audio, lost_audio),
        words=_words(own),
        edited_by=edited_by,
        edited_at=edited_at,
        metadata=row.metadata(limits),
    )
    limits.check_transcript(transcript)
    return transcript


def translation_of(
    row: LegacyRow,
    transcript: TranscriptInput,
    transcript_cells: Mapping[str, str | None],
    limits: SizeLimits,
) -> TranslationInput:
    """Map a translation of `transcript`; raises InvalidInputError if it cannot be stored."""
    own = row.own_metadata("processing_metadata")
    for column in ("session_id", "source_transcript_id"):
        row.done(column)
    for column in ("speaker_id", "speaker_name"):  # read from the transcript here
        if row.cells.get(column) == transcript_cells.get(column):
            row.done(column)
    times = row.times("start_timestamp", "end_timestamp")
    if times == (transcript.start_time, transcript.end_time):
        times = (None, None)
    source_language = row.language("source_language")
    edited_by, edited_at = _edit(own)
    translation = TranslationInput(
        text=_text(row, "translated_text"),
        target_language=row.language("target_language"),
        # Where it is not known it is the transcript's.
        source_language=None if source_language == UNDETERMINED else source_language,
        start_time=times[0],
        end_time=times[1],
        confidence=row.number("translation_confidence", minimum=0.0, maximum=1.0),
        service=row.name_or("translation_service", UNKNOWN),
        model=_model(own),
        edited_by=edited_by,
        edited_at=edited_at,
        metadata=row.metadata(limits),
    )
    limits.check_translation(translation)
    return translation


def in_use(rows: Iterable[LegacyRow]) -> dict[str, list[LegacyRow]]:
    """Return a transcript's translations by canonical target language, the one in use first.

    It is the newest that has a text; `rows` come newest first.
    """
    found: dict[str, list[LegacyRow]] = {}
    for row in sorted(rows, key=lambda row: row.cells.get("translated_text") is None):
        found.setdefault(canonical_language(row.cells.get("target_language")), []).append(row)
    return found


def _speaker(row: LegacyRow) -> tuple[str | None, str | None]:
    """Return label and name; who has a name alone, as in the captions of a meeting, is known by it."""
    label, name = row.name("speaker_id"), row.name("speaker_name")
    if label is None and name is not None:
        row.left.setdefault("speaker_id", None)
        label = name
    return label, name


def _text(row: LegacyRow, column: str) -> str:
    text = row.text(column)
    if text is None:
        row.replaced(column, "there is none; taken as empty")
    return text or ""


def _audio_file_id(
    row: LegacyRow, audio: Mapping[str, UUID], lost_audio: Mapping[str, JSONValue]
) -> UUID | None:
    key = row.text("audio_file_id")
    if key is None:
        return None
    if key in audio:
        row.keep("audio_file_id", key)
        return audio[key]
    if key in lost_audio:
        row.keep("audio_file", lost_audio[key])
        return None
    row.replaced("audio_file_id", "the session has no such audio file")
    return None


def _target_languages(row: LegacyRow) -> list[str]:
    value = row.json("target_languages")
    codes = value if isinstance(value, list) else []
    tags = [canonical_language(code) for code in codes if isinstance(code, str)]
    known = list(dict.fromkeys(tag for tag in tags if tag != UNDETERMINED))
    if value is not None and known != value:
        row.keep("target_languages", value)
    return known


def _flag(own: dict[str, JSONValue], field: str, *, default: bool) -> bool:
    value = own.get(field)
    if isinstance(value, bool):
        del own[field]
        return value
    return default


def _model(own: dict[str, JSONValue]) -> str | None:
    model = own.get("model_name")
    if isinstance(model, str) and model.strip() and len(model) <= MAX_NAME_CHARACTERS:
        del own["model_name"]
        return model
    return None


def _edit(own: dict[str, JSONValue]) -> tuple[str, datetime] | tuple[None, None]:
    """Return who corrected the text, and when, if the metadata has both; otherwise they stay there."""
    for by, at in _EDIT_FIELDS:
        name, cell = own.get(by), own.get(at)
        moment = _moment(cell) if isinstance(cell, str) else None
        if not isinstance(name, str) or moment is None:
            continue
        try:
            is_edit(name, moment)
        except InvalidInputError:
            continue
        del own[by], own[at]
        return name, moment
    return None, None


def _words(own: dict[str, JSONValue]) -> list[Word] | None:
    """Return the words if every field of theirs has its place; otherwise they stay in the metadata."""
    words = own.get("words")
    if not isinstance(words, list):
        return None
    try:
        mapped = [_word(word) for word in words]
    except InvalidInputError:
        return None
    del own["words"]
    return mapped


def _word(word: JSONValue) -> Word:
    if not isinstance(word, Mapping):
        raise InvalidInputError("a word is not an object")
    fields: dict[str, Any] = {}
    for field, value in word.items():
        ours = _WORD_FIELDS.get(field)
        if ours is None or ours in fields:
            raise InvalidInputError("a word has a field that has no place")
        fields[ours] = value
    if "text" not in fields:
        raise InvalidInputError("a word has no text")
    return Word(**fields)


def _moment(cell: str | None) -> datetime | None:
    return LegacyRow("", "", {"": cell}).instant("")
