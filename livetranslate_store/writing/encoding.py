"""Inputs become rows: tuples in the order of columns that are derived from the models.

A row is the caller's input, encoded for the driver; the statements apply the rules to it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Table

from livetranslate_store.audio.storage import StagedAudio
from livetranslate_store.checks import JSONObject, encode_json
from livetranslate_store.ids import NumberKey, new_id, transcript_id_for
from livetranslate_store.known_speakers import SpeakerRow
from livetranslate_store.models import AudioFile, Speaker, TextVersion, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.models.sparse import stored_value
from livetranslate_store.values import TranscriptInput, TranslationInput, Word
from livetranslate_store.values.inputs import USUAL_SERVICE, USUAL_SOURCE

Row: TypeAlias = tuple[Any, ...]
#: Session and id of a row.
Key: TypeAlias = tuple[UUID, UUID]
#: Session, transcript and language.
TranslationKey: TypeAlias = tuple[UUID, UUID, str]
RowKey: TypeAlias = Key | TranslationKey
#: The same with the numbers that the UUIDs are: one statement writes it once.
WriteKey: TypeAlias = NumberKey | tuple[int, int, str]

# The database fills these.
_DATABASE_COLUMNS = {"created_at", "updated_at"}


def stored_columns(table: Table) -> tuple[str, ...]:
    """Return the names of the columns that a write fills, in the table's order."""
    return tuple(
        column.name
        for column in table.columns
        if column.computed is None and column.name not in _DATABASE_COLUMNS
    )


def _columns(table: Table, *made_here: str) -> tuple[tuple[str, ...], Callable[[Any], Row]]:
    """Return a row's columns, those `made_here` first, and a getter of all others."""
    copied = tuple(name for name in stored_columns(table) if name not in made_here)
    return (*made_here, *copied), attrgetter(*copied)


AUDIO_COLUMNS, _audio_copied = _columns(
    table_of(AudioFile), "session_id", "id", "storage_key", "sha256", "size_bytes", "metadata"
)
TRANSCRIPT_COLUMNS, _transcript_copied = _columns(
    table_of(Transcript),
    *("session_id", "id", "audio_file_id", "revision", "words", "metadata", "source", "text", "draft"),
)
TRANSLATION_COLUMNS, _translation_copied = _columns(
    table_of(Translation),
    *("session_id", "transcript_id", "target_language"),
    *("source_language", "transcript_revision", "metadata", "service"),
)
SPEAKER_COLUMNS = ("session_id", "label", "name")

#: The columns of each key; they come first in a row.
KEYS: Mapping[str, Sequence[str]] = {
    name: tuple(column.name for column in table_of(model).primary_key)
    for name, model in (
        ("audio_files", AudioFile),
        ("speakers", Speaker),
        ("transcripts", Transcript),
        ("translations", Translation),
        ("text_versions", TextVersion),
    )
}
COLUMNS: Mapping[str, Sequence[str]] = {
    "audio_files": AUDIO_COLUMNS,
    "speakers": SPEAKER_COLUMNS,
    "transcripts": TRANSCRIPT_COLUMNS,
    "translations": TRANSLATION_COLUMNS,
}


def audio_row(session_id: UUID, staged: StagedAudio) -> Row:
    """Return the row of a staged chunk, in the order of `AUDIO_COLUMNS`."""
    return (
        session_id,
        staged.audio_file_id,
        staged.storage_key,
        staged.sha256,
        staged.size_bytes,
        _json(staged.audio.metadata),
        *_audio_copied(staged.audio),
    )


def transcript_id_of(session_id: UUID, transcript: TranscriptInput) -> UUID:
    """Return the id of the transcript that the input is a revision of."""
    if transcript.id is not None:
        return transcript.id
    if transcript.segment_key is None:
        return new_id()
    return transcript_id_for(session_id, transcript.source, transcript.segment_key)


def transcript_row(
    session_id: UUID, transcript_id: UUID, audio_file_id: UUID | None, transcript: TranscriptInput
) -> Row:
    """Return a transcript's row, in the order of `TRANSCRIPT_COLUMNS`; revision 0 means "no number"."""
    return (
        session_id,
        transcript_id,
        audio_file_id or transcript.audio_file_id,
        transcript.revision or 0,
        _words(transcript.words),
        _sparse_json(transcript.metadata),
        stored_value(transcript.source, USUAL_SOURCE),
        transcript.text if transcript.is_final else None,
        None if transcript.is_final else transcript.text,
        *_transcript_copied(transcript),
    )


def translation_row(
    session_id: UUID,
    transcript_id: UUID,
    translation: TranslationInput,
    *,
    language: str | None = None,
    revision: int | None = None,
) -> Row:
    """Return a translation's row, in the order of `TRANSLATION_COLUMNS`.

    `language` and `revision` are the transcript's, if they are known; else the statement takes them from the
    transcript.
    """
    made_from = translation.transcript_revision
    return (
        session_id,
        transcript_id,
        translation.target_language,
        translation.source_language or language,
        revision if made_from is None else made_from,
        _sparse_json(translation.metadata),
        stored_value(translation.service, USUAL_SERVICE),
        *_translation_copied(translation),
    )


def _json(value: JSONObject) -> str:
    return _sparse_json(value) or "{}"


def _sparse_json(value: JSONObject) -> str | None:
    return encode_json(value).decode() if value else None


def _words(words: Sequence[Word] | None) -> str | None:
    return None if words is None else encode_json(words).decode()


def speaker_rows(
    segments: Iterable[tuple[UUID, TranscriptInput]],
) -> list[SpeakerRow]:
    """Return one row for each label in use, in the order of `SPEAKER_COLUMNS`, with its first name."""
    names: dict[tuple[UUID, str], str | None] = {}
    for session_id, transcript in segments:
        if transcript.speaker_label is not None:
            key = (session_id, transcript.speaker_label)
            names[key] = names.get(key) or transcript.speaker_name
    return [(*key, name) for key, name in names.items()]
