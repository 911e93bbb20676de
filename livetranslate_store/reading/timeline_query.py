"""What a caller asks of the timeline, checked, and the one statement that answers it.

Three ordered parts are merged: transcripts, translations that take the times of their transcript, and
translations that have times of their own. Each walks an index in the order of the timeline, from the cursor
on and no further than the limit, so that a page reads as many rows wherever it lies.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Self
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

from livetranslate_store.checks import checked_languages, checked_uuid
from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.reading import timeline_parts as parts
from livetranslate_store.reading.cursor import Cursor
from livetranslate_store.reading.timeline_parts import SPEAKERS, TRANSCRIPTS, TRANSLATIONS
from livetranslate_store.values import EntryKind


class TimelineQuery(NamedTuple):
    """Which entries of which session; None leaves a filter out."""

    session_id: UUID
    start: float | None
    end: float | None
    languages: Sequence[str] | None
    speakers: Sequence[str] | None
    kinds: frozenset[EntryKind]
    finals_only: bool
    untimed: bool
    limit: int | None
    cursor: Cursor | None

    def paged(self, limit: int | None, cursor: Cursor | None) -> Self:
        """Return the same for another page."""
        return self._replace(limit=limit, cursor=cursor)

    def statement(self) -> BoundStatement:
        """Return the statement with the values bound; its columns are the fields of TimelineEntry."""
        given = frozenset(
            name
            for name in ("start", "end", "languages", "speakers", "limit", "cursor")
            if getattr(self, name) is not None
        )
        statement = _statement(given, self.kinds, self.finals_only, self.untimed)
        values = self._asdict() | parts.cursor_values(self.cursor)
        if self.languages is not None:
            values["languages"] = parts.language_patterns(self.languages)
        return statement.bind(values)


def checked_query(
    session_id: UUID,
    *,
    start: float | None,
    end: float | None,
    languages: Sequence[str] | None,
    speakers: Sequence[str] | None,
    kinds: Sequence[EntryKind] | None,
    finals_only: bool,
    untimed: bool,
    limit: int | None,
    cursor: str | None,
) -> TimelineQuery:
    """Return the query that the arguments describe; raises InvalidInputError."""
    checked_uuid(session_id, "session_id")
    start, end = parts.checked_window(start, end)
    return TimelineQuery(
        session_id=session_id,
        start=start,
        end=end,
        languages=None if languages is None else checked_languages(languages, "languages"),
        speakers=parts.checked_speakers(speakers),
        kinds=parts.checked_kinds(kinds),
        finals_only=finals_only,
        untimed=untimed,
        limit=parts.checked_limit(limit),
        cursor=parts.checked_cursor(cursor),
    )


@lru_cache(maxsize=256)
def _statement(
    given: frozenset[str], kinds: frozenset[EntryKind], finals_only: bool, untimed: bool
) -> Statement:
    branches = []
    if "transcript" in kinds:
        branches.append(_transcripts(given, untimed=untimed))
    if "translation" in kinds:
        branches.append(_translations(given, own_times=False, untimed=untimed))
        branches.append(_translations(given, own_times=True, untimed=untimed))
    if finals_only:
        branches = [part.where(TRANSCRIPTS.c.is_final) for part in branches]
    order: list[ColumnElement[Any]] = [
        literal_column(name)
        for name in ("timestamp", "segment_index", "transcript_id", "kind", "language", "id")
    ]
    if "limit" in given:
        limit = bindparam("limit", type_=BigInteger)
        branches = [part.order_by(*order).limit(limit) for part in branches]
        return Statement.compiled(
            "timeline",
            branches[0] if len(branches) == 1 else union_all(*branches).order_by(*order).limit(limit),
        )
    return Statement.compiled("timeline", union_all(*branches).order_by(*order))


def _transcripts(given: frozenset[str], *, untimed: bool) -> Select[Any]:
    part = _select(
        kind="transcript",
        row=TRANSCRIPTS,
        times=TRANSCRIPTS,
        source_language=TRANSCRIPTS.c.language,
        language=TRANSCRIPTS.c.language,
        source=TRANSCRIPTS.c.source,
        revision=TRANSCRIPTS.c.revision,
        is_stale=literal_column("false"),
    ).select_from(parts.with_speaker(TRANSCRIPTS))
    if "cursor" in given:
        part = part.where(parts.place(TRANSCRIPTS.c.timestamp) > parts.after_place())
    return part.where(*_filters(given, TRANSCRIPTS, TRANSCRIPTS.c.language, untimed=untimed))


def _translations(given: frozenset[str], *, own_times: bool, untimed: bool) -> Select[Any]:
    translations, joined = _beside_transcripts(looked_up="limit" in given and not own_times)
    times = translations if own_times else TRANSCRIPTS
    part = (
        _select(
            kind="translation",
            row=translations,
            times=times,
            source_language=translations.c.source_language,
            language=translations.c.target_language,
            source=translations.c.service,
            revision=translations.c.transcript_revision,
            is_stale=translations.c.transcript_revision != TRANSCRIPTS.c.revision,
        )
        .select_from(parts.with_speaker(joined))
        .where(
            translations.c.session_id == parts.session_id(),
            translations.c.timestamp.is_not(None) if own_times else translations.c.timestamp.is_(None),
        )
    )
    if "cursor" in given:
        inside = tuple_(*parts.place(times.c.timestamp), translations.c.target_language, translations.c.id)
        reached = inside > tuple_(
            *parts.after_place(), parts.after_bound("target_language", Text), parts.after_bound("id", Uuid)
        )
        # The first condition alone can be answered by the index.
        first = (
            translations.c.timestamp >= parts.after_bound("timestamp", DOUBLE_PRECISION)
            if own_times
            else parts.place(TRANSCRIPTS.c.timestamp) >= parts.after_place()
        )
        part = part.where(first, reached)
    return part.where(*_filters(given, times, translations.c.target_language, untimed=untimed))


def _beside_transcripts(*, looked_up: bool) -> tuple[FromClause, FromClause]:
    """Return the translations, and them joined with their transcripts.

    Where they are looked up it is for one transcript after the other. Left alone a planner that knows nothing
    of the tables yet, as right after an import, goes over a whole meeting for each of its translations.
    """
    its_own = and_(
        TRANSLATIONS.c.session_id == TRANSCRIPTS.c.session_id,
        TRANSLATIONS.c.transcript_id == TRANSCRIPTS.c.id,
    )
    if not looked_up:
        return TRANSLATIONS, TRANSCRIPTS.join(TRANSLATIONS, its_own)
    # OFFSET keeps the planner from turning the lookup around.
    translations = select(TRANSLATIONS).where(its_own).offset(literal_column("0")).lateral("translations")
    return translations, TRANSCRIPTS.join(translations, true())


def _select(
    *,
    kind: EntryKind,
    row: FromClause,
    times: FromClause,
    source_language: ColumnElement[str],
    language: ColumnElement[str],
    source: ColumnElement[str],
    revision: ColumnElement[int],
    is_stale: ColumnElement[bool],
) -> Select[Any]:
    """Return the columns of one part, in the order of the fields of TimelineEntry."""
    return select(
        literal_column(f"'{kind}'").label("kind"),
        row.c.id.label("id"),
        TRANSCRIPTS.c.id.label("transcript_id"),
        times.c.timestamp.label("timestamp"),
        parts.duration(times).label("duration"),
        times.c.start_time.label("start_time"),
        times.c.end_time.label("end_time"),
        row.c.text.label("text"),
        language.label("language"),
        source_language.label("source_language"),
        TRANSCRIPTS.c.speaker_label,
        SPEAKERS.c.name.label("speaker_name"),
        row.c.confidence.label("confidence"),
        TRANSCRIPTS.c.segment_index.label("segment_index"),
        source.label("source"),
        revision.label("revision"),
        TRANSCRIPTS.c.is_final,
        is_stale.label("is_stale"),
        row.c.metadata.label("metadata"),
    )


def _filters(
    given: frozenset[str], times: FromClause, language: ColumnElement[str], *, untimed: bool
) -> list[ColumnElement[bool]]:
    conditions = parts.filters(given, times, untimed=untimed)
    if "languages" in given:
        conditions.append(parts.matches(language, bindparam("languages", type_=ARRAY(Text))))
    return conditions
