"""The history of a text: the versions that were kept, then the current one, in one statement."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    Uuid,
    bindparam,
    case,
    literal_column,
    select,
    union_all,
)

from livetranslate_store.checks import checked_language, checked_uuid
from livetranslate_store.database.statement import Statement
from livetranslate_store.errors import NotFoundError
from livetranslate_store.models import TextVersion
from livetranslate_store.models.base import table_of
from livetranslate_store.models.text_version import SPOKEN
from livetranslate_store.models.transcript import spoken_text
from livetranslate_store.reading.columns import TRANSCRIPTS, TRANSLATIONS, columns_of, value_of
from livetranslate_store.reading.paging import Fetch
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import TextHistoryEntry

_VERSIONS = table_of(TextVersion)
_SESSION = bindparam("session_id", type_=Uuid)
_TRANSCRIPT = bindparam("transcript_id", type_=Uuid)
_LANGUAGE = bindparam("language", type_=Text)
_NOBODY: ColumnElement[Any] = literal_column("NULL::text")
_NEVER: ColumnElement[Any] = literal_column("NULL::timestamptz")


async def read_text_history(
    fetch: Fetch, session_id: UUID, transcript_id: UUID, language: str | None, tracing: Tracing
) -> Sequence[TextHistoryEntry]:
    """Return the versions of a text, the current one last; raises NotFoundError."""
    checked_uuid(session_id, "session_id")
    checked_uuid(transcript_id, "transcript_id")
    tag = SPOKEN if language is None else checked_language(language, "language")
    values = {"session_id": session_id, "transcript_id": transcript_id, "language": tag}
    with tracing.span("text_history", session_id=session_id):
        rows = await fetch(_statement(is_spoken=language is None).bind(values))
    if not rows:
        what = "transcript" if language is None else f"translation into {tag} of transcript"
        raise NotFoundError(f"There is no {what} {transcript_id} in session {session_id}.")
    return [value_of(TextHistoryEntry, tuple(row)) for row in rows]


@cache
def _statement(*, is_spoken: bool) -> Statement:
    kept = select(
        *columns_of(
            TextHistoryEntry,
            [_VERSIONS],
            status=case(
                (_VERSIONS.c.replaced_by.is_(None), literal_column("'refused'", Text)),
                else_=literal_column("'replaced'", Text),
            ),
            kept_at=_VERSIONS.c.created_at,
        )
    ).where(
        _VERSIONS.c.session_id == _SESSION,
        _VERSIONS.c.transcript_id == _TRANSCRIPT,
        _VERSIONS.c.target_language == _LANGUAGE,
    )
    table = TRANSCRIPTS if is_spoken else TRANSLATIONS
    text = spoken_text(TRANSCRIPTS.c) if is_spoken else TRANSLATIONS.c.text
    revision = TRANSCRIPTS.c.revision if is_spoken else TRANSLATIONS.c.transcript_revision
    key = TRANSCRIPTS.c.id if is_spoken else TRANSLATIONS.c.transcript_id
    current = select(
        *columns_of(
            TextHistoryEntry,
            [table],
            status=literal_column("'current'", Text),
            text=text,
            revision=revision,
            replaced_by=_NOBODY,
            kept_at=_NEVER,
        )
    ).where(table.c.session_id == _SESSION, key == _TRANSCRIPT)
    if not is_spoken:
        current = current.where(TRANSLATIONS.c.target_language == _LANGUAGE)
    order = ("kept_at", "revision", "edited_at")
    versions = union_all(kept, current).order_by(*(literal_column(f"{name} NULLS LAST") for name in order))
    return Statement.compiled("text_history", versions)
