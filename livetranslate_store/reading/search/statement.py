"""The one statement that answers a search.

Texts are ordered by their meeting, the newest first, and hits are ranked in blocks of that order: ranking all
hits of a common word would read all of them.

Each text is compared with the query as the language of the text reads it. The index looks up any reading.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, array

from livetranslate_store.database.statement import Statement
from livetranslate_store.models.transcript import spoken_text
from livetranslate_store.reading.columns import (
    SESSIONS,
    SPEAKERS,
    TRANSCRIPTS,
    TRANSLATIONS,
    columns_of,
    with_speaker,
)
from livetranslate_store.reading.search.cursor import HitKey, key_place
from livetranslate_store.reading.search.hits import Hits, hits_in, is_its_reading
from livetranslate_store.reading.search.readings import Readings, materialized, number, query_readings
from livetranslate_store.reading.search.shape import (
    BLOCK,
    SOURCES,
    SearchShape,
    newest_first,
    words_of,
)
from livetranslate_store.reading.translations import translation_into
from livetranslate_store.values import SearchHit


@lru_cache(maxsize=256)
def search_statement(shape: SearchShape) -> Statement:
    """Return the statement; its rows begin with the fields of SearchHit that are not computed."""
    readings = query_readings()
    hits = [hits_in(each, shape, readings) for each in SOURCES if each.kind in shape.filters.kinds]
    block, end = _block(hits, shape)
    return Statement.compiled("search", _page(hits, block, end, shape, readings))


def _block(hits: Sequence[Hits], shape: SearchShape) -> tuple[CTE, CTE]:
    """Return the hits that are ranked together, and the last of them."""
    all_hits = union_all(*(part for each in hits for part in each.selected())).subquery("hit")
    place = func.row_number().over(order_by=newest_first(all_hits)).label("place")
    numbered = materialized(select(*all_hits.c, place), "numbered")
    inside = true() if shape.is_known else numbered.c.place <= BLOCK
    block = materialized(select(*numbered.c).where(inside), "block")
    last = select(func.max(numbered.c.place)).scalar_subquery()
    end = (
        select(
            block.c.started_at.label("end_started_at"),
            block.c.session_id.label("end_session_id"),
            block.c.transcript_id.label("end_transcript_id"),
            block.c.language.label("end_language"),
            (block.c.place < last).label("more"),
        )
        .order_by(block.c.place.desc())
        .limit(number(1))
    )
    return block, materialized(end, "block_end")


def _page(hits: Sequence[Hits], block: CTE, end: CTE, shape: SearchShape, readings: Readings) -> Select[Any]:
    page = _page_of_block(block, shape)
    translated, spoken, reading = TRANSLATIONS.alias("translated"), TRANSCRIPTS, readings.each
    joined: FromClause = (
        page.join(end, true())
        .outerjoin(
            translated,
            and_(
                translated.c.session_id == page.c.session_id,
                translated.c.transcript_id == page.c.transcript_id,
                translated.c.target_language == page.c.language,
            ),
        )
        .join(
            spoken,
            and_(spoken.c.session_id == page.c.session_id, spoken.c.id == page.c.transcript_id),
        )
        .join(SESSIONS, SESSIONS.c.id == page.c.session_id)
    )
    language = func.coalesce(translated.c.target_language, spoken.c.language)
    matched = func.coalesce(translated.c.text, spoken_text(spoken.c))
    joined = with_speaker(joined).outerjoin(reading, is_its_reading(language, shape, readings))
    shown: list[tuple[ColumnElement[Any], ...]] = [
        (translated.c.text, translated.c.target_language, translated.c.transcript_revision)
    ]
    if shape.has("translation_language"):
        asked_for = (
            translation_into(
                bindparam("translation_language", type_=Text),
                session_id=page.c.session_id,
                transcript_id=spoken.c.id,
                revision=spoken.c.revision,
            )
            .correlate(page, spoken)
            .lateral("asked_for")
        )
        joined = joined.outerjoin(asked_for, true())
        shown.insert(0, (asked_for.c.text, asked_for.c.language, asked_for.c.transcript_revision))
    translation, translation_language, revision = (func.coalesce(*each) for each in zip(*shown, strict=True))
    columns = columns_of(
        SearchHit,
        [spoken, page],
        computed=["snippet", "highlights"],
        session_title=SESSIONS.c.title,
        meeting_id=SESSIONS.c.meeting_id,
        session_started_at=page.c.started_at,
        session_id=page.c.session_id,
        transcript_id=page.c.transcript_id,
        text=spoken_text(spoken.c),
        timestamp=func.coalesce(translated.c.timestamp, spoken.c.timestamp),
        speaker_name=SPEAKERS.c.name,
        translation=translation,
        translation_language=translation_language,
        matched_language=language,
        is_stale=func.coalesce(revision != spoken.c.revision, literal_column("false")),
    )
    return (
        select(
            *columns,
            matched.label("matched"),
            _positions(words_of(language, matched), reading).label("positions"),
            *end.c,
            _walked(hits, shape).label("walked"),
        )
        .select_from(joined)
        .order_by(page.c.rank.desc(), *newest_first(page))
    )


def _page_of_block(block: CTE, shape: SearchShape) -> FromClause:
    page = select(*block.c).order_by(block.c.rank.desc(), *newest_first(block))
    if shape.is_known:
        rank = bindparam("after_rank", type_=DOUBLE_PRECISION)
        place = tuple_(block.c.rank, *(block.c[name] for name in HitKey.__struct_fields__))
        page = page.where(place < tuple_(rank, *key_place("after").clauses))
    return page.limit(bindparam("limit", type_=Integer) + number(1)).subquery("page")


def _positions(words: ColumnElement[Any], reading: FromClause) -> ColumnElement[Any]:
    """Return the positions in a text of the words to highlight."""
    word = func.unnest(words).table_valued("lexeme", "positions").alias("word")
    position = func.unnest(word.c.positions).table_valued("place").render_derived(name="position")
    is_shown = func.array_to_tsvector(array([word.c.lexeme])).bool_op("@@")(reading.c.shown)
    found = (
        select(position.c.place).select_from(word.join(position, true())).where(is_shown).correlate(reading)
    )
    return func.array(found.scalar_subquery())


def _walked(hits: Sequence[Hits], shape: SearchShape) -> ColumnElement[Any]:
    """Return the kinds whose hits the walk found, when a block is read for the first time."""
    if shape.is_known:
        return literal_column("NULL::text[]")
    kinds = [case((each.is_walk_enough, literal_column(f"'{each.source.kind}'", Text))) for each in hits]
    return func.array_remove(array(kinds), literal_column("NULL"))
