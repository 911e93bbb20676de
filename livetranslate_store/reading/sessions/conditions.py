"""Which sessions each filter keeps, and how they are found.

Plans are made without the values, so the statement itself says which index to use.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    FromClause,
    Interval,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from livetranslate_store.models.session import LANGUAGE_OF_TITLES
from livetranslate_store.reading.filters import MOMENT, START_FILTERS, is_variant
from livetranslate_store.reading.search.readings import functions
from livetranslate_store.reading.search.shape import words_of
from livetranslate_store.reading.sessions.heard import has_recordings, heard_at
from livetranslate_store.reading.sessions.query import ListShape

#: Returns whether a filter keeps a session, by the columns of a table of sessions.
Keeps: TypeAlias = Callable[[FromClause, ListShape], ColumnElement[bool]]

# The sessions that are passed at most before an index has to find the rest. Most conditions take less than a
# microsecond; those on languages take some, and reading the words of a title takes many.
WALKED = 5_000
WALKED_LANGUAGES = 2_000
WALKED_TITLES = 300


class Condition(NamedTuple):
    """The sessions that a filter keeps; `indexed` is the same in the form that an index answers, if any.

    An index that `is_ordered` has the sessions in the order of the list. Without an index, and for one that
    is, the walk has no end but the page's.
    """

    keeps: Keeps
    indexed: Keeps | None = None
    is_ordered: bool = False
    walked: int = WALKED


def _ordered(column: str, asked: Callable[[ListShape], ColumnElement[Any]]) -> Condition:
    def keeps(sessions: FromClause, shape: ListShape) -> ColumnElement[bool]:
        kept: ColumnElement[bool] = sessions.c[column] == asked(shape)
        return kept

    return Condition(keeps, keeps, is_ordered=True)


def _contains(sessions: FromClause, _: ListShape) -> ColumnElement[bool]:
    contained: ColumnElement[bool] = sessions.c.metadata.bool_op("@>")(bindparam("metadata", type_=JSONB))
    return contained


def _is_translated(sessions: FromClause, _: ListShape) -> ColumnElement[bool]:
    tag = func.unnest(sessions.c.target_languages).column_valued("tag")
    patterns = bindparam("language_patterns", type_=ARRAY(Text))
    found = select(func.bool_or(is_variant(tag, any_(patterns)))).correlate(sessions).scalar_subquery()
    return func.coalesce(found, literal_column("false"))


def _lists_language(sessions: FromClause, _: ListShape) -> ColumnElement[bool]:
    listed = functions.languages_listed(sessions.c.target_languages)
    found: ColumnElement[bool] = listed.bool_op("&&")(bindparam("languages", type_=ARRAY(Text)))
    return found


def _is_named(sessions: FromClause, shape: ListShape) -> ColumnElement[bool]:
    names = [
        sessions.c.external_id == bindparam("text", type_=Text),
        sessions.c.id == bindparam("text_id", type_=Uuid),
    ]
    if "title_words" in shape.given:
        words = words_of(literal_column(f"'{LANGUAGE_OF_TITLES}'"), sessions.c.title)
        asked = func.to_tsquery(literal_column("'pg_catalog.simple'"), bindparam("title_words", type_=Text))
        names.append(and_(sessions.c.title.is_not(None), words.bool_op("@@")(asked)))
    return or_(*names)


def _has_audio(sessions: FromClause, _: ListShape) -> ColumnElement[bool]:
    has: ColumnElement[bool] = has_recordings(sessions) == bindparam("has_audio", type_=Boolean)
    return has


def _is_active_since(sessions: FromClause, _: ListShape) -> ColumnElement[bool]:
    since = bindparam("active_since", type_=MOMENT)
    ended_at = sessions.c.ended_at
    # The planner takes a range with two ends for a narrow one, and finds it by the index.
    within = and_(ended_at >= since, ended_at < literal_column("'infinity'"))
    return or_(within, and_(ended_at.is_(None), heard_at(sessions) >= since))


def _is_silent(sessions: FromClause, _: ListShape) -> ColumnElement[bool]:
    silence = bindparam("silent_for", type_=Interval)
    return and_(sessions.c.ended_at.is_(None), heard_at(sessions) < func.now() - silence)


#: By filter. The first one given that is ordered leads the walk: a meeting has the fewest sessions.
CONDITIONS: Mapping[str, Condition] = {
    "meeting_id": _ordered("meeting_id", lambda _: bindparam("meeting_id", type_=Text)),
    "bot_id": _ordered("bot_id", lambda _: bindparam("bot_id", type_=Text)),
    "tenant": _ordered("tenant_id", lambda _: bindparam("tenant", type_=Text)),
    # Of a closed set.
    "status": _ordered("status", lambda shape: literal_column(f"'{shape.status}'", Text)),
    "metadata": Condition(_contains, _contains),
    "languages": Condition(_is_translated, _lists_language, walked=WALKED_LANGUAGES),
    "text": Condition(_is_named, _is_named, walked=WALKED_TITLES),
    "has_audio": Condition(_has_audio),
    "active_since": Condition(_is_active_since, _is_active_since),
    "silent_for": Condition(_is_silent),
}


def started_within(sessions: FromClause, shape: ListShape) -> list[ColumnElement[bool]]:
    """Return the bounds of the start that were given."""
    return [
        each.keeps(sessions) for name, each in START_FILTERS.items() if name in shape.given and each.keeps
    ]
