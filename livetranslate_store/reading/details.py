"""What a read includes only if it is asked for: words, the audio file, and who edited a text."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, FromClause, literal_column

from livetranslate_store.errors import StoreError
from livetranslate_store.reading.columns import TRANSCRIPTS
from livetranslate_store.reading.filters import Shape
from livetranslate_store.values import DETAILS, Word

#: The last fields of an entry and of a row, in their order.
DETAIL_FIELDS = ("words", "audio_file_id", "edited_by", "edited_at")
#: The last fields of a translation in a row.
EDIT_FIELDS = ("edited_by", "edited_at")


def left_out(shape: Shape, fields: Sequence[str] = DETAIL_FIELDS) -> Sequence[str]:
    """Return those of the fields that a read has no columns for: all of them, or none."""
    return () if shape.includes(*DETAILS) else fields


def detail_columns(shape: Shape, texts: FromClause) -> dict[str, ColumnElement[Any]]:
    """Return the columns of DETAIL_FIELDS for the transcripts or translations `texts`, if one is included."""
    if not shape.includes(*DETAILS):
        return {}
    has_words = shape.includes("words") and texts is TRANSCRIPTS
    return {
        "words": TRANSCRIPTS.c.words if has_words else literal_column("NULL::jsonb"),
        "audio_file_id": TRANSCRIPTS.c.audio_file_id
        if shape.includes("audio_file_id")
        else literal_column("NULL::uuid"),
        **edit_columns(shape, texts),
    }


def edit_columns(shape: Shape, texts: FromClause) -> dict[str, ColumnElement[Any]]:
    """Return the columns of EDIT_FIELDS, if a detail is included."""
    if not shape.includes(*DETAILS):
        return {}
    if shape.includes("edits"):
        return {name: texts.c[name] for name in EDIT_FIELDS}
    return {"edited_by": literal_column("NULL::text"), "edited_at": literal_column("NULL::timestamptz")}


def words_of(transcript_id: UUID, stored: object) -> Sequence[Word] | None:
    """Return stored words; raises StoreError if another program stored something else."""
    if stored is None:
        return None
    try:
        return msgspec.convert(stored, tuple[Word, ...])
    except msgspec.ValidationError as error:
        raise StoreError(
            f"The words of transcript {transcript_id} are not a list of words: {error}. "
            "Correct them, or read without words."
        ) from error
