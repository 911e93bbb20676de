"""The statements that answer a search on a cluster, one after the other.

A cluster does not plan the statement of a single server, and plans each of its own anew: so these are short.
The first and the last read no table. Between them the newest texts that may match are found: by a walk
through the newest sessions, each on its own shard, or by the index of words on every shard. Then what is
shown of them is read, from the shards that have them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    column,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import OID

from livetranslate_store.database.statement import Statement
from livetranslate_store.models.base import LANGUAGE_TAG
from livetranslate_store.reading.columns import SESSIONS, TRANSCRIPTS, TRANSLATIONS
from livetranslate_store.reading.filters import entry_conditions, is_variant
from livetranslate_store.reading.search.cursor import HitKey
from livetranslate_store.reading.search.hits import in_block, is_its_reading, matching, on_sessions, possible
from livetranslate_store.reading.search.page import best_first, block_of, page_of, positions, shown
from livetranslate_store.reading.search.readings import (
    any_reading,
    given_readings,
    number,
    readings_as_text,
)
from livetranslate_store.reading.search.shape import SOURCES, SearchShape, Source, words_of

_KEY = (
    ("started_at", DateTime(timezone=True)),
    ("session_id", Uuid()),
    ("transcript_id", Uuid()),
    ("language", Text()),
)
_TEXT = (("text_language", Text()), ("text", Text()))

_TEXTS: ColumnElement[int] = bindparam("texts", type_=BigInteger)


@lru_cache(maxsize=1)
def readings_statement() -> Statement:
    """Return the read of the readings of a query, as text, and the number of shards of a table."""
    table = f"'{SESSIONS.fullname}'::regclass"
    count = f"(SELECT count(*) FROM pg_catalog.pg_dist_shard WHERE logicalrelid = {table})"  # noqa: S608 (a constant)
    shards = literal_column(count, BigInteger)
    return Statement.compiled("search.readings", readings_as_text().add_columns(shards.label("shards")))


@lru_cache(maxsize=256)
def sessions_statement(shape: SearchShape) -> Statement:
    """Return the read of the newest sessions of a block, at most `sessions`."""
    key = (SESSIONS.c.started_at, SESSIONS.c.id)
    newest = select(*key).where(*on_sessions(shape)).order_by(*(each.desc() for each in key))
    return Statement.compiled("search.sessions", newest.limit(bindparam("sessions", type_=BigInteger)))


@lru_cache(maxsize=256)
def walked_statement(shape: SearchShape) -> Statement:
    """Return the read of `texts` of one session, the newest first: those that may match, and the last one.

    A row has the key of a text in its session, whether it may match, and its number in the walk; the last one
    has the `bytes` of a shard of a table. The texts lie before the place `after`, and not before `until`.
    """
    parts = [_texts_of_a_session(each, shape) for each in SOURCES if each.kind in shape.filters.kinds]
    texts = union_all(*parts).subquery("stored")
    newest = select(*texts.c).order_by(*_backwards(texts)).limit(_TEXTS).subquery("newest")
    words = words_of(newest.c.text_language, newest.c.text)
    # OFFSET: words are read once for each text.
    read = select(*_place(newest), newest.c.shard, words.label("words")).offset(number(0)).subquery("text")
    numbered = select(
        *_place(read),
        possible(read.c.words, shape, any_reading()).label("may_match"),
        func.row_number().over(order_by=_backwards(read)).label("number"),
        func.count().over().label("last"),
        func.max(read.c.shard).over().label("shard"),
    ).subquery("numbered")
    is_last = numbered.c.number == numbered.c.last
    stored = case((is_last, func.pg_relation_size(numbered.c.shard))).label("bytes")
    rows = select(*_place(numbered), numbered.c.may_match, numbered.c.number, stored).where(
        or_(numbered.c.may_match, is_last)
    )
    return Statement.compiled("search.walked", rows.order_by(numbered.c.number))


def _texts_of_a_session(source: Source, shape: SearchShape) -> Select[Any]:
    after, until = (
        [bindparam(f"{name}_transcript_id", type_=Uuid), bindparam(f"{name}_language", type_=LANGUAGE_TAG)]
        for name in ("after", "until")
    )
    transcript_id = source.key[0]
    # On a worker that is the shard.
    shard = literal_column(f"{source.table.fullname}.tableoid", OID).label("shard")
    return (
        select(*source.place, *source.text(source.table), shard)
        .select_from(source.joined(shape))
        .where(
            source.table.c.session_id == bindparam("session_id", type_=Uuid),
            # The index can answer this part of the condition on the place.
            transcript_id <= after[0],
            transcript_id >= until[0],
            tuple_(*source.key) < tuple_(*after),
            tuple_(*source.key) >= tuple_(*until),
            *entry_conditions(shape.filters, source.entries),
        )
        .order_by(*(each.desc() for each in source.key))
        .limit(_TEXTS)
    )


def _place(texts: FromClause) -> tuple[ColumnElement[Any], ...]:
    return texts.c.transcript_id, texts.c.language


def _backwards(texts: FromClause) -> tuple[ColumnElement[Any], ...]:
    return tuple(each.desc() for each in _place(texts))


@lru_cache(maxsize=256)
def candidates_statements(shape: SearchShape) -> tuple[Statement, ...]:
    """Return the reads of the keys of texts that may match, the newest first: `candidates` at most of each.

    A block that was read before is bounded by its end.
    """
    sources = [each for each in SOURCES if each.kind in shape.filters.kinds]
    parts = [part for each in sources for part in _candidates(each, shape)]
    # An outer join in a union is planned on its own, and all of its rows are sent to every node.
    unions = [[part] for part in parts] if shape.has("speakers") else [parts]
    return tuple(Statement.compiled("search.candidates", _newest(union, shape)) for union in unions)


def _candidates(source: Source, shape: SearchShape) -> list[Select[Any]]:
    """Return the texts that may match, in parts that have an index each."""
    conditions = entry_conditions(shape.filters, source.entries)
    if shape.has("session_ids"):
        conditions.append(source.table.c.session_id == any_(bindparam("session_ids", type_=ARRAY(Uuid))))
    keys = select(source.table.c.session_id, *source.place).select_from(source.joined(shape))
    parts = source.possible(lambda words: possible(words, shape, any_reading()))
    return [keys.where(part, *conditions) for part in parts]


def _newest(parts: Sequence[Select[Any]], shape: SearchShape) -> Select[Any]:
    text = union_all(*parts).subquery("text")
    started_at, *rest = key = (
        SESSIONS.c.started_at,
        text.c.session_id,
        text.c.transcript_id,
        text.c.language,
    )
    # Not in the order of an index: a shard would go through its meetings, and for each through all matches.
    order = (func.timezone(literal_column("'UTC'"), started_at), *rest)
    found = (
        select(*key)
        .select_from(text.join(SESSIONS, SESSIONS.c.id == text.c.session_id))
        .where(*on_sessions(shape), *in_block(shape, *key))
        .order_by(*(each.desc() for each in order))
    )
    return found if shape.is_known else found.limit(bindparam("candidates", type_=BigInteger))


@lru_cache(maxsize=256)
def shown_statement(shape: SearchShape) -> Statement:
    """Return the read of what is shown of candidates: the fields of SearchHit, but for its last three.

    Of several rows of a candidate the first counts: the others have other translations.
    """
    keys, asked_for = _arrays("candidate", _KEY), _into_language_asked_for()
    is_spoken = keys.c.language == literal_column("''")
    hit = shown(
        keys,
        keys,
        shape,
        translations=lambda spoken: (
            asked_for,
            and_(asked_for.c.session_id == spoken.c.session_id, asked_for.c.transcript_id == spoken.c.id),
        ),
        computed=["rank", "snippet", "highlights"],
        kind=case((is_spoken, literal_column("'transcript'")), else_=literal_column("'translation'")),
    )
    sessions = bindparam("candidate_session_id", type_=ARRAY(Uuid))
    rows = (
        select(*hit.columns, hit.matched.label("matched"), keys.c.language.label("key_language"))
        .select_from(hit.rows)
        .where(
            # Of both tables: a join with arrays names no shard.
            TRANSCRIPTS.c.session_id == any_(sessions),
            SESSIONS.c.id == any_(sessions),
            # A translation may have been deleted since it was found.
            or_(is_spoken, keys.c.language == hit.language),
        )
    )
    if shape.has("translation_language"):
        # A language sorts before its variants.
        rows = rows.order_by(asked_for.c.language)
    return Statement.compiled("search.shown", rows)


def _into_language_asked_for() -> FromClause:
    key, language = TRANSLATIONS.primary_key, TRANSLATIONS.c.target_language.label("language")
    texts = (TRANSLATIONS.c.text, TRANSLATIONS.c.transcript_revision)
    asked = bindparam("translation_language", type_=Text)
    return select(*key, language, *texts).where(is_variant(language, asked)).subquery("asked_for")


@lru_cache(maxsize=256)
def page_statement(shape: SearchShape) -> Statement:
    """Return the choice of a page among texts: its hits with their positions, and the end of the block."""
    given = _arrays("text", (*_KEY, *_TEXT))
    readings = given_readings()
    block, end = block_of(matching(given, shape, readings), shape)
    page, reading = page_of(block, shape), readings.each
    is_same = and_(*(given.c[name] == page.c[name] for name in HitKey.__struct_fields__))
    rows = (
        select(
            *(page.c[name] for name in (*HitKey.__struct_fields__, "rank")),
            positions(words_of(given.c.text_language, given.c.text), reading),
            *end.c,
        )
        .select_from(
            page.join(end, true())
            .join(given, is_same)
            .outerjoin(reading, is_its_reading(given.c.text_language, shape, readings))
        )
        .order_by(*best_first(page))
    )
    return Statement.compiled("search.page", rows)


def _arrays(name: str, columns: Any) -> Any:
    """Return arrays side by side, as rows."""
    arrays = [bindparam(f"{name}_{each}", type_=ARRAY(kind)) for each, kind in columns]
    table = func.unnest(*arrays).table_valued(*(column(each, kind) for each, kind in columns))
    return table.render_derived(name=name)
