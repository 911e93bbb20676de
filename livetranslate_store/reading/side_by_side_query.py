"""What a caller asks of the side-by-side view, checked, and the one statement that answers it.

Transcripts are walked in the order of the timeline, from the cursor on; for each of them, and each language
that is asked for, its translation is looked up by the index on its transcript. A page costs the same
wherever it lies.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Self
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Text,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from livetranslate_store.checks import checked_languages, checked_uuid
from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.reading import timeline_parts as parts
from livetranslate_store.reading.cursor import Cursor
from livetranslate_store.reading.timeline_parts import SPEAKERS, TRANSCRIPTS, TRANSLATIONS


class TranscriptViewQuery(NamedTuple):
    """Which transcripts of which session, beside which languages; None leaves a filter out.

    With `missing` only those that a translator still has to do, in each of the languages.
    """

    session_id: UUID
    languages: Sequence[str]
    start: float | None
    end: float | None
    speakers: Sequence[str] | None
    finals_only: bool
    untimed: bool
    limit: int | None
    cursor: Cursor | None
    missing: bool = False

    def paged(self, limit: int | None, cursor: Cursor | None) -> Self:
        """Return the same for another page."""
        return self._replace(limit=limit, cursor=cursor)

    def statement(self) -> BoundStatement:
        """Return the statement with the values bound; its rows are what `transcript_row` takes."""
        given = frozenset(
            name
            for name in ("start", "end", "speakers", "limit", "cursor")
            if getattr(self, name) is not None
        )
        statement = _statement(
            given, finals_only=self.finals_only, untimed=self.untimed, missing=self.missing
        )
        values = self._asdict() | parts.cursor_values(self.cursor)
        values["languages"] = [tag.lower() for tag in self.languages]
        values["patterns"] = parts.language_patterns(self.languages)
        return statement.bind(values)


def checked_view_query(
    session_id: UUID,
    languages: Sequence[str],
    *,
    start: float | None = None,
    end: float | None = None,
    speakers: Sequence[str] | None = None,
    finals_only: bool = False,
    untimed: bool = True,
    limit: int | None = None,
    cursor: str | None = None,
    missing: bool = False,
) -> TranscriptViewQuery:
    """Return the query that the arguments describe; raises InvalidInputError."""
    checked_uuid(session_id, "session_id")
    start, end = parts.checked_window(start, end)
    return TranscriptViewQuery(
        session_id=session_id,
        languages=checked_languages(languages, "languages"),
        start=start,
        end=end,
        speakers=parts.checked_speakers(speakers),
        finals_only=finals_only,
        untimed=untimed,
        limit=parts.checked_limit(limit),
        cursor=parts.checked_cursor(cursor),
        missing=missing,
    )


@lru_cache(maxsize=128)
def _statement(given: frozenset[str], *, finals_only: bool, untimed: bool, missing: bool) -> Statement:
    spoken = _spoken(given, finals_only=finals_only, untimed=untimed, limited=not missing)
    places = _places(spoken)
    shown = (column for column in (*spoken.c, *places.c) if column is not places.c.is_complete)
    rows = (
        select(*shown)
        .select_from(spoken.join(places, true()))
        .order_by(spoken.c.timestamp, spoken.c.segment_index, spoken.c.id)
    )
    if missing:
        patterns = bindparam("patterns", type_=ARRAY(Text))
        rows = rows.where(~parts.matches(spoken.c.language, patterns), ~places.c.is_complete)
        if "limit" in given:
            rows = rows.limit(_limit())
    return Statement.compiled("missing_translations" if missing else "transcript_view", rows)


def _spoken(given: frozenset[str], *, finals_only: bool, untimed: bool, limited: bool) -> FromClause:
    """Return the transcripts, whatever their translations are."""
    rows = (
        select(
            TRANSCRIPTS.c.id,
            TRANSCRIPTS.c.timestamp,
            parts.duration(TRANSCRIPTS).label("duration"),
            TRANSCRIPTS.c.start_time,
            TRANSCRIPTS.c.end_time,
            TRANSCRIPTS.c.text,
            TRANSCRIPTS.c.language,
            TRANSCRIPTS.c.speaker_label,
            SPEAKERS.c.name,
            TRANSCRIPTS.c.confidence,
            TRANSCRIPTS.c.segment_index,
            TRANSCRIPTS.c.source,
            TRANSCRIPTS.c.revision,
            TRANSCRIPTS.c.is_final,
        )
        .select_from(parts.with_speaker(TRANSCRIPTS))
        .where(*parts.filters(given, TRANSCRIPTS, untimed=untimed))
    )
    if finals_only:
        rows = rows.where(TRANSCRIPTS.c.is_final)
    if "cursor" in given:
        rows = rows.where(parts.place(TRANSCRIPTS.c.timestamp) > parts.after_place())
    if limited and "limit" in given:
        # Before translations are looked up: no more of them than the page has.
        rows = rows.order_by(*parts.place(TRANSCRIPTS.c.timestamp)).limit(_limit())
    return rows.subquery("spoken")


def _limit() -> ColumnElement[int]:
    return bindparam("limit", type_=BigInteger)


def _places(spoken: FromClause) -> FromClause:
    """Return, for one transcript, its translations as arrays with a place for each language asked for."""
    languages = bindparam("languages", type_=ARRAY(Text))
    asked = func.unnest(languages).table_valued("language", with_ordinality="place")
    asked = asked.render_derived(name="asked")
    found = _translation(spoken, asked)
    columns = (
        func.array_agg(aggregate_order_by(column, asked.c.place)).label(column.name) for column in found.c
    )
    is_complete = func.bool_and(found.c.is_stale.is_not_distinct_from(literal_column("false")))
    return (
        select(*columns, is_complete.label("is_complete"))
        .select_from(asked.outerjoin(found, true()))
        .lateral("places")
    )


def _translation(spoken: FromClause, asked: FromClause) -> FromClause:
    """Return the one translation that stands for a language: the tag itself, which sorts first, or a variant.

    Another program may have left two with one tag; the one that is not stale wins.
    """
    language: ColumnElement[str] = asked.c.language
    tag = func.lower(TRANSLATIONS.c.target_language)
    is_stale = TRANSLATIONS.c.transcript_revision != spoken.c.revision
    return (
        select(
            TRANSLATIONS.c.id,
            TRANSLATIONS.c.text,
            TRANSLATIONS.c.target_language,
            TRANSLATIONS.c.confidence,
            TRANSLATIONS.c.service,
            TRANSLATIONS.c.transcript_revision,
            is_stale.label("is_stale"),
        )
        .where(
            TRANSLATIONS.c.session_id == parts.session_id(),
            TRANSLATIONS.c.transcript_id == spoken.c.id,
            or_(tag == language, func.starts_with(tag, language.concat(literal_column("'-'")))),
        )
        .order_by(TRANSLATIONS.c.target_language, is_stale, TRANSLATIONS.c.id)
        .limit(literal_column("1"))
        .correlate(spoken, asked)
        .lateral("found")
    )
