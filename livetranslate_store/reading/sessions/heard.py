"""When something was last heard in a session, and in which languages."""

from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from livetranslate_store.models import AudioFile
from livetranslate_store.models.base import table_of
from livetranslate_store.reading.columns import TRANSCRIPTS
from livetranslate_store.reading.search.readings import materialized

AUDIO_FILES = table_of(AudioFile)


def recorded_at(sessions: FromClause) -> ColumnElement[Any]:
    """Return when a recording was last added, NULL if the session has none."""
    newest = select(func.max(AUDIO_FILES.c.created_at)).where(AUDIO_FILES.c.session_id == sessions.c.id)
    return newest.correlate(sessions).scalar_subquery()


def spoken_at(sessions: FromClause, *, in_steps: bool) -> ColumnElement[Any]:
    """Return when a segment was last added, NULL if the session has none.

    It is looked up language by language. A cluster reads all index entries of the session instead: it has no
    recursive queries over several shards.
    """
    here = TRANSCRIPTS.c.session_id == sessions.c.id
    if in_steps:
        newest = select(func.max(TRANSCRIPTS.c.created_at)).where(here)
        return newest.correlate(sessions).scalar_subquery()
    first = select(func.min(TRANSCRIPTS.c.language).label("language")).where(here).correlate(sessions)
    each = first.cte("spoken", recursive=True, nesting=True)
    each = each.union_all(select(_next_language(each, sessions)).where(each.c.language.is_not(None)))
    newest = select(func.max(_newest_in(each, sessions))).select_from(each)
    return newest.correlate(sessions).scalar_subquery()


def languages_spoken(page: CTE) -> CTE:
    """Return the `languages` of each session of a page by its `id`, and when a segment was last added.

    As in `spoken_at`, the index is read at the first and last entry of each language.
    """
    first = select(func.min(TRANSCRIPTS.c.language)).where(TRANSCRIPTS.c.session_id == page.c.id)
    firsts = select(page.c.id, first.correlate(page).scalar_subquery().label("language"))
    each = firsts.cte("spoken", recursive=True)
    each = each.union_all(select(each.c.id, _next_language(each, each)).where(each.c.language.is_not(None)))
    newest = select(each.c.id, each.c.language, _newest_in(each, each).label("spoken_at"))
    found = newest.where(each.c.language.is_not(None)).subquery("language")
    languages = func.array_agg(aggregate_order_by(found.c.language, found.c.language)).label("languages")
    grouped = select(found.c.id, languages, func.max(found.c.spoken_at).label("spoken_at"))
    return materialized(grouped.group_by(found.c.id), "heard")


def _next_language(each: CTE, sessions: FromClause) -> ColumnElement[Any]:
    session_id, language = TRANSCRIPTS.c.session_id, TRANSCRIPTS.c.language
    found = select(func.min(language)).where(session_id == sessions.c.id, language > each.c.language)
    return found.correlate(sessions, each).scalar_subquery()


def _newest_in(each: CTE, sessions: FromClause) -> ColumnElement[Any]:
    session_id, language = TRANSCRIPTS.c.session_id, TRANSCRIPTS.c.language
    newest = select(func.max(TRANSCRIPTS.c.created_at)).where(
        session_id == sessions.c.id, language == each.c.language
    )
    return newest.correlate(sessions, each).scalar_subquery()


def heard_at(sessions: FromClause, spoken: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the last activity of a session that goes on; `spoken` is when a segment was last added."""
    # GREATEST ignores NULL.
    return func.greatest(sessions.c.started_at, sessions.c.created_at, spoken, recorded_at(sessions))
