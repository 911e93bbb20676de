"""The end of a session settles its drafts: no revision is expected, so they are indexed as finals are."""

from functools import cache

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam, func, literal_column, null, select, update

from livetranslate_store.database.statement import Statement
from livetranslate_store.models import Session, Transcript
from livetranslate_store.models.base import table_of
from livetranslate_store.values.inputs import STATUSES_OF_ENDED_SESSIONS

_SESSIONS = table_of(Session)
_TRANSCRIPTS = table_of(Transcript)


@cache
def settle_statement() -> Statement:
    """Return the statement that settles those of the sessions `session_ids` that are over.

    A draft that another transaction revises at this moment stays one. On a cluster the sessions are of one
    shard: every table names them, so that the shard's node gets the whole statement.
    """
    session_ids = bindparam("session_ids", type_=ARRAY(Uuid()))
    over: list[ColumnElement[str]] = [literal_column(f"'{status}'") for status in STATUSES_OF_ENDED_SESSIONS]
    left = (
        select(_TRANSCRIPTS.c.session_id, _TRANSCRIPTS.c.id)
        .select_from(_TRANSCRIPTS.join(_SESSIONS, _SESSIONS.c.id == _TRANSCRIPTS.c.session_id))
        .where(
            _TRANSCRIPTS.c.session_id == any_(session_ids),
            _SESSIONS.c.id == any_(session_ids),
            _TRANSCRIPTS.c.text.is_(None),
            _SESSIONS.c.status.in_(over),
        )
        .with_for_update(of=_TRANSCRIPTS, skip_locked=True)
        .cte("left_over")
    )
    settled = (
        update(_TRANSCRIPTS)
        .where(
            _TRANSCRIPTS.c.session_id == any_(session_ids),
            _TRANSCRIPTS.c.session_id == left.c.session_id,
            _TRANSCRIPTS.c.id == left.c.id,
        )
        .values(text=_TRANSCRIPTS.c.draft, draft=null())
        .returning(literal_column("1"))
        .cte("settled")
    )
    return Statement.compiled("transcripts.settle", select(func.count()).select_from(settled))
