"""A page of hits in SQL: the hits that are ranked together, those of the page, and what is shown of each."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    Label,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, array

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
from livetranslate_store.reading.search.readings import materialized, number
from livetranslate_store.reading.search.shape import BLOCK, SearchShape, newest_first
from livetranslate_store.values import SearchHit


def block_of(hits: Select[Any] | CompoundSelect[Any], shape: SearchShape) -> tuple[CTE, CTE]:
    """Return the hits that are ranked together, and the last of them."""
    all_hits = hits.subquery("hit")
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


def page_of(block: CTE, shape: SearchShape) -> FromClause:
    """Return the hits of the page, and one more if the block has more."""
    page = select(*block.c).order_by(*best_first(block))
    if shape.is_known:
        rank = bindparam("after_rank", type_=DOUBLE_PRECISION)
        place = tuple_(block.c.rank, *(block.c[name] for name in HitKey.__struct_fields__))
        page = page.where(place < tuple_(rank, *key_place("after").clauses))
    return page.limit(bindparam("limit", type_=Integer) + number(1)).subquery("page")


def best_first(hits: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Return the order of the hits of a block."""
    return (hits.c.rank.desc(), *newest_first(hits))


#: Returns the translations of a transcript into the language asked for, and how they are joined.
Translations: TypeAlias = Callable[[FromClause], tuple[FromClause, ColumnElement[bool]]]


class Shown(NamedTuple):
    """What is shown of hits: the columns of SearchHit, and the text that matched, in its language."""

    columns: Sequence[Label[Any]]
    rows: FromClause
    matched: ColumnElement[str]
    language: ColumnElement[str]


def shown(
    hits: FromClause,
    joined: FromClause,
    shape: SearchShape,
    *,
    translations: Translations,
    computed: Sequence[str],
    **named: ColumnElement[Any],
) -> Shown:
    """Return what is shown of `hits`, which have the columns of a HitKey and are part of `joined`.

    If the search asks for a translation, `translations` has those of a transcript that may be it.
    The last fields of SearchHit may be `computed`; columns that no table has are `named`.
    """
    translated, spoken = TRANSLATIONS.alias("translated"), TRANSCRIPTS
    its_translation = and_(
        translated.c.session_id == spoken.c.session_id,
        translated.c.transcript_id == spoken.c.id,
        translated.c.target_language == hits.c.language,
    )
    rows = with_speaker(
        joined.join(
            spoken, and_(spoken.c.session_id == hits.c.session_id, spoken.c.id == hits.c.transcript_id)
        )
        .outerjoin(translated, its_translation)
        .join(SESSIONS, SESSIONS.c.id == spoken.c.session_id)
    )
    texts: list[tuple[ColumnElement[Any], ...]] = [
        (translated.c.text, translated.c.target_language, translated.c.transcript_revision)
    ]
    if shape.has("translation_language"):
        asked_for, is_its_own = translations(spoken)
        rows = rows.outerjoin(asked_for, is_its_own)
        texts.insert(0, (asked_for.c.text, asked_for.c.language, asked_for.c.transcript_revision))
    translation, translation_language, revision = (func.coalesce(*each) for each in zip(*texts, strict=True))
    language = func.coalesce(translated.c.target_language, spoken.c.language)
    columns = columns_of(
        SearchHit,
        [spoken, hits],
        computed=computed,
        session_title=SESSIONS.c.title,
        meeting_id=SESSIONS.c.meeting_id,
        session_started_at=hits.c.started_at,
        session_id=hits.c.session_id,
        transcript_id=hits.c.transcript_id,
        text=spoken_text(spoken.c),
        timestamp=func.coalesce(translated.c.timestamp, spoken.c.timestamp),
        speaker_name=SPEAKERS.c.name,
        translation=translation,
        translation_language=translation_language,
        matched_language=language,
        is_stale=func.coalesce(revision != spoken.c.revision, literal_column("false")),
        **named,
    )
    return Shown(columns, rows, func.coalesce(translated.c.text, spoken_text(spoken.c)), language)


def positions(words: ColumnElement[Any], reading: FromClause) -> Label[Any]:
    """Return the positions in a text of the words to highlight."""
    word = func.unnest(words).table_valued("lexeme", "positions").alias("word")
    position = func.unnest(word.c.positions).table_valued("place").render_derived(name="position")
    is_shown = func.array_to_tsvector(array([word.c.lexeme])).bool_op("@@")(reading.c.shown)
    found = (
        select(position.c.place).select_from(word.join(position, true())).where(is_shown).correlate(reading)
    )
    return func.array(found.scalar_subquery()).label("positions")
