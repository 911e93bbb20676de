"""The hits of a block in one table, found in one of two ways.

If the planner's statistics say that a word is common, the newest texts are walked through until there are
enough hits, within bounds. If it is rare, or the walk found too few, the index of words finds all matches.
Both ways give the same hits.
"""

from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION

from livetranslate_store.models import SCHEMA
from livetranslate_store.reading.columns import SESSIONS
from livetranslate_store.reading.filters import entry_conditions, session_conditions
from livetranslate_store.reading.search.cursor import HitKey, key_place
from livetranslate_store.reading.search.own import OwnSessions, OwnTexts, own_sessions
from livetranslate_store.reading.search.readings import Readings, functions, materialized, number
from livetranslate_store.reading.search.shape import BLOCK, SearchShape, Source, newest_first, words_of

# A walk reads at most this many texts, and none if the index finds only a few hits.
WALKED_TEXTS = 20_000
FEW_HITS = 1_000
# A walk reads this many times the texts that hold a block on average: hits are not spread evenly.
WALK_MARGIN = 3
# It may read one text for this many hits of the index: a third of the walk is expected to do.
WALK_PRICE = 2
# Comparing trigrams takes longer than comparing words.
WALKED_ALIKE = 2_000
# The share of a word's trigrams that another word must have. A letter left out, added, changed or swapped in
# a word of six letters leaves half of them.
ALIKE = 0.5

TENANT: ColumnElement[str] = bindparam("tenant", type_=Text)


class Walk(NamedTuple):
    """The hits among the newest texts; for a tenant, whether those were all of its texts."""

    hits: CTE
    is_all: ColumnElement[bool] | None = None
    #: Whether the index of words is asked alone, if the walk is not enough.
    by_words: ColumnElement[bool] | None = None

    @property
    def is_enough(self) -> ColumnElement[bool]:
        """Whether it found a whole block, or all hits."""
        has_block = _count(self.hits) > BLOCK
        return has_block if self.is_all is None else or_(self.is_all, has_block)


class Hits(NamedTuple):
    """The hits of one table; a block that was read before is read in the same way again."""

    source: Source
    walk: Walk | None
    found: CTE | None

    @property
    def is_walk_enough(self) -> ColumnElement[bool]:
        """Whether the walk found enough."""
        assert self.walk is not None  # noqa: S101 (a block that is read for the first time is walked first)
        return self.walk.is_enough

    def selected(self) -> list[Select[Any]]:
        """Return the hits of the walk if it found enough, else those of the index."""
        both = [each for each in (self.walk and self.walk.hits, self.found) if each is not None]
        parts = [
            select(literal_column(f"'{self.source.kind}'", Text).label("kind"), *each.c) for each in both
        ]
        if len(parts) > 1:
            parts[0] = parts[0].where(self.is_walk_enough)
        return parts


def own_sessions_of(shape: SearchShape) -> OwnSessions | None:
    """Return the tenant's sessions that are searched; None without a tenant."""
    return own_sessions(on_sessions(shape)) if shape.has("tenant") else None


def hits_in(source: Source, shape: SearchShape, readings: Readings, own: OwnSessions | None) -> Hits:
    """Return the hits in one table; of `own` sessions if a tenant searches."""
    if shape.is_known:
        if source.kind in shape.walked:
            return Hits(source, Walk(_walked(source, shape, readings, None)), None)
        return Hits(source, None, _found(source, shape, readings, own, None))
    texts = None if own is None else own.texts_in(source.table)
    length = _walk_length(source, shape, readings, texts)
    walked = _walked(source, shape, readings, select(length.c.texts).scalar_subquery())
    walk = Walk(walked)
    if own is not None:
        columns = (length.c.is_all, length.c.by_words)
        walk = Walk(walked, *(select(each).scalar_subquery() for each in columns))
    return Hits(source, walk, _found(source, shape, readings, own, walk))


def _walk_length(source: Source, shape: SearchShape, readings: Readings, own: OwnTexts | None) -> CTE:
    """Return how many `texts` the walk may read; 0 if the index finds the hits sooner.

    For a tenant, `is_all` is whether these are all of its texts, and `by_words` whether the index of words is
    to be asked alone.
    """
    name = f"{source.table.name}_walk"
    if shape.similar:
        # The server has no statistics of mistyped words.
        texts = select(literal_column(f"{WALKED_ALIKE}", BigInteger).label("texts"))
        # A walk reads all that are counted.
        if own is not None:
            by_words: ColumnElement[bool] = own.texts.is_(None)
            texts = texts.add_columns(own.are_counted.label("is_all"), by_words.label("by_words"))
        return materialized(texts, name)
    table: ColumnElement[str] = literal_column(f"'{SCHEMA}.{source.table.name}'")
    estimate = functions.search_estimate(table, readings.any.c.query).table_valued("matching", "stored")
    estimate = estimate.alias("estimate")
    matching: ColumnElement[float] = estimate.c.matching
    # The server has -1 for a table that it has not counted yet.
    stored: ColumnElement[float] = func.greatest(estimate.c.stored, number(0))
    if own is not None:
        # The tenant has its share of the hits.
        texts_of_tenant = func.coalesce(own.texts, stored)
        matching = matching * texts_of_tenant / func.greatest(stored, texts_of_tenant, number(1))
    most = number(WALKED_TEXTS)
    needed: ColumnElement[int] = func.ceil(number(WALK_MARGIN) * BLOCK * stored / estimate.c.matching)
    if shape.has("session_ids"):
        needed = number(WALKED_TEXTS // WALK_PRICE)
    pays = and_(matching > number(FEW_HITS), needed <= most, needed * number(WALK_PRICE) <= matching)
    length: ColumnElement[Any] = case((pays, needed), else_=number(0))
    of_tenant: list[ColumnElement[Any]] = []
    if own is not None:
        is_all = own.are_few(estimate.c.matching)
        by_words = own.are_many(estimate.c.matching)
        length = case((is_all, most), else_=length)
        of_tenant = [is_all.label("is_all"), by_words.label("by_words")]
    rows: Select[Any] = select(cast(length, BigInteger).label("texts"), *of_tenant)
    return materialized(rows.select_from(readings.any.join(estimate, true())), name)


def _walked(source: Source, shape: SearchShape, readings: Readings, length: ColumnElement[int] | None) -> CTE:
    sessions = select(SESSIONS.c.id, SESSIONS.c.started_at).where(*on_sessions(shape))
    if length is not None:
        sessions = sessions.where(length > number(0))
    # Only the meetings are sorted: a nested loop keeps their order and that of the texts in each, so that all
    # steps stop as soon as the last one has enough. OFFSET and LIMIT keep the planner from merging them.
    session = (
        sessions.order_by(SESSIONS.c.started_at.desc(), SESSIONS.c.id.desc())
        .offset(number(0))
        .subquery("session")
    )
    table = source.table
    entry = (
        select(*source.place, *source.text(table))
        .select_from(source.joined(shape))
        .where(
            table.c.session_id == session.c.id,
            *entry_conditions(shape.filters, source.entries),
            *in_block(shape, session.c.started_at, session.c.id, *source.key),
        )
        .order_by(*(each.desc() for each in source.key))
        .limit(number(WALKED_TEXTS))
        .correlate(session)
        .lateral("entry")
    )
    texts = (
        select(session.c.started_at, session.c.id.label("session_id"), *entry.c)
        .select_from(session.join(entry, true()))
        .limit(length)
        .subquery("newest")
    )
    hits = matching(texts, shape, readings)
    return materialized(hits if length is None else hits.limit(BLOCK + number(1)), f"{table.name}_walked")


def _found(
    source: Source, shape: SearchShape, readings: Readings, own: OwnSessions | None, walk: Walk | None
) -> CTE:
    def question(words: ColumnElement[Any]) -> ColumnElement[bool]:
        return possible(words, shape, _any(readings))

    conditions = [source.is_possible(question)]
    if own is not None:
        # In parts, so that the planner joins the hits of the index with the keys of the tenant's sessions.
        of_own = source.table.c.session_id == any_(own.ids)
        by_words: ColumnElement[bool] = own.ids.is_(None)
        if walk is not None and walk.by_words is not None:
            by_words = walk.by_words
        conditions = [and_(not_(by_words), of_own, part) for part in source.possible(question)]
        conditions.append(and_(by_words, source.is_possible(question)))
    parts = [_places(source, shape, condition, walk) for condition in conditions]
    # Keys are sorted, and then only the texts of one block are read.
    places = (parts[0] if len(parts) == 1 else union_all(*parts)).subquery("found")
    place = select(places).order_by(*newest_first(places)).offset(number(0)).subquery("place")
    there = source.text_at(place)
    texts = select(*place.c, *there.c).select_from(place.join(there, true())).subquery("indexed")
    hits = matching(texts, shape, readings)
    # Its end bounds a block that was read before, even if hits were added since.
    return materialized(hits if walk is None else hits.limit(BLOCK + number(1)), f"{source.table.name}_found")


def _places(
    source: Source, shape: SearchShape, condition: ColumnElement[bool], walk: Walk | None
) -> Select[Any]:
    """Return the keys of texts under a condition, which an index answers."""
    table = source.table
    session = (
        select(SESSIONS.c.id, SESSIONS.c.started_at)
        .where(SESSIONS.c.id == table.c.session_id, *on_sessions(shape))
        .offset(number(0))
        .correlate(table)
        .lateral("session")
    )
    places = (
        select(session.c.started_at, table.c.session_id, *source.place)
        .select_from(source.joined(shape).join(session, true()))
        .where(
            condition,
            *entry_conditions(shape.filters, source.entries),
            *in_block(shape, session.c.started_at, session.c.id, *source.key),
        )
    )
    if shape.has("session_ids"):
        places = places.where(table.c.session_id == any_(bindparam("session_ids", type_=ARRAY(Uuid))))
    return places if walk is None else places.where(not_(walk.is_enough))


def matching(texts: FromClause, shape: SearchShape, readings: Readings) -> Select[Any]:
    """Return those of the texts that match, in their order, as hits with their ranks."""
    # OFFSET: words are read once for each text.
    read = select(*texts.c, words_of(texts.c.text_language, texts.c.text).label("words")).offset(number(0))
    text = read.subquery("text")
    reading = (
        select(readings.each.c.query, readings.each.c.rests)
        .where(is_its_reading(text.c.text_language, shape, readings))
        .limit(number(1))
        .correlate(text)
        .lateral("reading")
    )
    match = _Match(shape, text, reading)
    return (
        select(*(text.c[name] for name in HitKey.__struct_fields__), match.rank.label("rank"))
        .select_from(text.join(reading, true()))
        .where(possible(text.c.words, shape, _any(readings)), match.certain)
    )


def possible(words: ColumnElement[Any], shape: SearchShape, query: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the question for the index: any reading, `query`, or the beginnings of similar words."""
    branches = [branch for branch, words in enumerate(shape.similar, 1) if words]
    return or_(_has(words, query), *(_begins(words, branch) for branch in branches))


class _Match:
    """Whether a text matches the reading of its language, and how well."""

    def __init__(self, shape: SearchShape, text: FromClause, reading: FromClause) -> None:
        self._similar = {branch: words for branch, words in enumerate(shape.similar, 1) if words}
        self._words = text.c.words
        self._text = text.c.text
        self._reading = reading

    @property
    def certain(self) -> ColumnElement[bool]:
        """Whether the text matches the reading of its language, or has words that are similar enough."""
        alike = []
        for branch, words in self._similar.items():
            rest = self._reading.c.rests[number(branch)]
            has_rest = or_(cast(rest, Text) == literal_column("''"), _has(self._words, rest))
            similar = [
                self._similarity(branch, word) >= literal_column(f"{ALIKE}") for word in range(1, words + 1)
            ]
            alike.append(and_(_begins(self._words, branch), *similar, has_rest))
        return or_(_has(self._words, self._reading.c.query), *alike)

    @property
    def rank(self) -> ColumnElement[float]:
        """The rank: exact matches come first, then the most similar."""
        exact = cast(func.ts_rank(self._words, self._reading.c.query, number(1)), DOUBLE_PRECISION)
        if not self._similar:
            return exact
        alike = [
            func.least(*(self._similarity(branch, word) for word in range(1, words + 1)))
            for branch, words in self._similar.items()
        ]
        return case(
            (_has(self._words, self._reading.c.query), number(1) + exact),
            else_=cast(func.greatest(*alike), DOUBLE_PRECISION),
        )

    def _similarity(self, branch: int, word: int) -> ColumnElement[float]:
        asked = bindparam(f"similar_{branch}_{word}", type_=Text)
        similarity: ColumnElement[float] = functions.search_similarity(asked, self._text)
        return similarity


def _has(words: ColumnElement[Any], query: ColumnElement[Any]) -> ColumnElement[bool]:
    return words.bool_op("@@")(query)


def _begins(words: ColumnElement[Any], branch: int) -> ColumnElement[bool]:
    beginnings = bindparam(f"beginnings_{branch}", type_=Text)
    return _has(words, func.to_tsquery(literal_column("'pg_catalog.simple'"), beginnings))


def is_its_reading(
    language: ColumnElement[str], shape: SearchShape, readings: Readings
) -> ColumnElement[bool]:
    """Return whether a reading is the one for texts in `language`."""
    if shape.one_reading:
        return true()
    is_its_own: ColumnElement[bool] = readings.each.c.configuration == functions.search_configuration(
        language
    )
    return is_its_own


def on_sessions(shape: SearchShape) -> list[ColumnElement[bool]]:
    """Return the conditions on the meetings of hits."""
    conditions = session_conditions(shape.filters, SESSIONS)
    if shape.has("tenant"):
        conditions.append(SESSIONS.c.tenant_id == TENANT)
    # The index of sessions can answer this part of the condition on the place.
    place, fields = tuple_(SESSIONS.c.started_at, SESSIONS.c.id), ("started_at", "session_id")
    if shape.is_later:
        conditions.append(place <= key_place("before", fields))
    if shape.is_known:
        conditions.append(place >= key_place("end", fields))
    return conditions


def in_block(shape: SearchShape, *key: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """Return the conditions on the key of a hit: it lies in the block."""
    place = tuple_(*key)
    conditions: list[ColumnElement[bool]] = []
    if shape.is_later:
        conditions.append(place < key_place("before"))
    if shape.is_known:
        conditions.append(place >= key_place("end"))
    return conditions


def _any(readings: Readings) -> ColumnElement[Any]:
    return select(readings.any.c.query).scalar_subquery()


def _count(hits: CTE) -> ColumnElement[int]:
    return select(func.count()).select_from(hits).scalar_subquery()
