"""Inputs become rows: tuples in the order of columns that are derived from the models.

A row is what the caller sent, encoded for the driver; the statements decide what becomes of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import Table

from livetranslate_store.audio.storage import StagedAudio
from livetranslate_store.checks import JSONObject
from livetranslate_store.ids import new_id, transcript_id_for
from livetranslate_store.models import AudioFile, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.values import TranscriptInput, TranslationInput, Word

Row: TypeAlias = tuple[Any, ...]
#: Session and row, as the numbers that their UUIDs are: these are quick to look up.
Key: TypeAlias = tuple[int, int]

# Given by the database.
_DATABASE_COLUMNS = {"created_at", "updated_at"}

_encode = msgspec.json.Encoder().encode


def key_of(session_id: UUID, row_id: UUID) -> Key:
    """Return the key by which rows on their way in are told apart."""
    return session_id.int, row_id.int


def stored_columns(table: Table) -> tuple[str, ...]:
    """Return the names of the columns that a write fills, in the table's order."""
    return tuple(
        column.name
        for column in table.columns
        if column.computed is None and column.name not in _DATABASE_COLUMNS
    )


def _columns(table: Table, *made_here: str) -> tuple[tuple[str, ...], Callable[[Any], Row]]:
    """Return a row's columns, those that are `made_here` first, and a getter for all the others."""
    copied = tuple(name for name in stored_columns(table) if name not in made_here)
    return (*made_here, *copied), attrgetter(*copied)


AUDIO_COLUMNS, _audio_copied = _columns(
    table_of(AudioFile), "session_id", "id", "storage_key", "sha256", "size_bytes", "metadata"
)
TRANSCRIPT_COLUMNS, _transcript_copied = _columns(
    table_of(Transcript), "session_id", "id", "audio_file_id", "revision", "words", "metadata"
)
TRANSLATION_COLUMNS, _translation_copied = _columns(
    table_of(Translation),
    *("session_id", "id", "transcript_id", "source_language", "transcript_revision", "metadata"),
)
SPEAKER_COLUMNS = ("session_id", "label", "name")

COLUMNS: Mapping[str, Sequence[str]] = {
    "audio_files": AUDIO_COLUMNS,
    "speakers": SPEAKER_COLUMNS,
    "transcripts": TRANSCRIPT_COLUMNS,
    "translations": TRANSLATION_COLUMNS,
}


def audio_row(session_id: UUID, staged: StagedAudio) -> Row:
    """Return the row of `AUDIO_COLUMNS` for a chunk that was staged."""
    return (
        session_id,
        staged.audio_file_id,
        staged.storage_key,
        staged.sha256,
        len(staged.audio.data),
        _json(staged.audio.metadata),
        *_audio_copied(staged.audio),
    )


def transcript_id_of(session_id: UUID, transcript: TranscriptInput) -> UUID:
    """Return the id of the segment that `transcript` is a revision of."""
    if transcript.id is not None:
        return transcript.id
    if transcript.segment_key is None:
        return new_id()
    return transcript_id_for(session_id, transcript.source, transcript.segment_key)


def transcript_row(
    session_id: UUID, transcript_id: UUID, audio_file_id: UUID | None, transcript: TranscriptInput
) -> Row:
    """Return the row of `TRANSCRIPT_COLUMNS`; revision 0 stands for "without a number"."""
    return (
        session_id,
        transcript_id,
        audio_file_id or transcript.audio_file_id,
        transcript.revision or 0,
        _words(transcript.words),
        _json(transcript.metadata),
        *_transcript_copied(transcript),
    )


def translation_row(
    session_id: UUID,
    translation_id: UUID,
    transcript_id: UUID,
    translation: TranslationInput,
    *,
    language: str | None = None,
    revision: int | None = None,
) -> Row:
    """Return the row of `TRANSLATION_COLUMNS`.

    `language` and `revision` are the transcript's, where they are known: what is None in the row is taken
    from the transcript by the statement.
    """
    made_from = translation.transcript_revision
    return (
        session_id,
        translation_id,
        transcript_id,
        translation.source_language or language,
        revision if made_from is None else made_from,
        _json(translation.metadata),
        *_translation_copied(translation),
    )


def _json(value: JSONObject) -> str:
    return _encode(value).decode() if value else "{}"


def _words(words: Sequence[Word] | None) -> str | None:
    return None if words is None else _encode(words).decode()


def speaker_rows(
    segments: Iterable[tuple[UUID, TranscriptInput]],
) -> list[Row]:
    """Return the rows of `SPEAKER_COLUMNS` for the labels in use, each once, with the first name given."""
    names: dict[tuple[UUID, str], str | None] = {}
    for session_id, transcript in segments:
        if transcript.speaker_label is not None:
            key = (session_id, transcript.speaker_label)
            names[key] = names.get(key) or transcript.speaker_name
    return [(*key, name) for key, name in names.items()]
