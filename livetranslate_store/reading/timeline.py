"""The timeline of a session, in one statement.

It merges three ordered parts: transcripts, translations that take the times of their transcript, and
translations that have times of their own. Each part walks an index in the order of the timeline, from the
cursor up to the limit, so that a deep page reads as many rows as the first.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    Uuid,
    bindparam,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)

from livetranslate_store.models.transcript import spoken_text
from livetranslate_store.reading.columns import (
    MADE_FROM,
    SPEAKERS,
    TRANSCRIPTS,
    TRANSLATIONS,
    columns_of,
    duration,
    with_speaker,
)
from livetranslate_store.reading.cursor import cursor_bound, cursor_place, place
from livetranslate_store.reading.filters import Entries, Shape, checked_filters, entry_conditions
from livetranslate_store.reading.paging import PageReader, PageRequest, checked_request
from livetranslate_store.values import TimelineEntry, TimelineFilters, TimelinePage

_SESSION = bindparam("session_id", type_=Uuid)
_LIMIT = bindparam("limit", type_=BigInteger)
_ORDER = ("timestamp", "segment_index", "transcript_id", "kind", "language")


def timeline_request(
    session_id: UUID, filters: TimelineFilters, *, limit: int | None = None, cursor: str | None = None
) -> PageRequest:
    """Return the request for a page of the timeline; raises InvalidInputError."""
    checked = checked_filters(TimelineFilters.__optional_keys__, filters)
    return checked_request(session_id, checked, limit=limit, cursor=cursor)


def _entries(shape: Shape) -> CompoundSelect[Any] | Select[Any]:
    parts = []
    if "transcript" in shape.kinds:
        parts.append(_transcripts(shape))
    if "translation" in shape.kinds:
        parts += [_translations(shape, own_times=False), _translations(shape, own_times=True)]
    order: list[ColumnElement[Any]] = [literal_column(name) for name in _ORDER]
    if "limit" not in shape.given:
        return union_all(*parts).order_by(*order)
    parts = [part.order_by(*order).limit(_LIMIT) for part in parts]
    return parts[0] if len(parts) == 1 else union_all(*parts).order_by(*order).limit(_LIMIT)


def _transcripts(shape: Shape) -> Select[Any]:
    columns = columns_of(
        TimelineEntry,
        [TRANSCRIPTS],
        kind=literal_column("'transcript'"),
        transcript_id=TRANSCRIPTS.c.id,
        duration=duration(TRANSCRIPTS),
        text=spoken_text(TRANSCRIPTS.c),
        source_language=TRANSCRIPTS.c.language,
        speaker_name=SPEAKERS.c.name,
        is_stale=literal_column("false"),
    )
    part = (
        select(*columns)
        .select_from(with_speaker(TRANSCRIPTS))
        .where(
            TRANSCRIPTS.c.session_id == _SESSION,
            *entry_conditions(shape, Entries(TRANSCRIPTS, TRANSCRIPTS.c.language)),
        )
    )
    if "cursor" in shape.given:
        part = part.where(place(TRANSCRIPTS.c.timestamp) > cursor_place())
    return part


def _translations(shape: Shape, *, own_times: bool) -> Select[Any]:
    translations, joined = _with_transcripts(looked_up="limit" in shape.given and not own_times)
    times = translations if own_times else TRANSCRIPTS
    columns = columns_of(
        TimelineEntry,
        [translations, TRANSCRIPTS],
        kind=literal_column("'translation'"),
        timestamp=times.c.timestamp,
        duration=duration(times),
        start_time=times.c.start_time,
        end_time=times.c.end_time,
        language=translations.c.target_language,
        speaker_name=SPEAKERS.c.name,
        source=translations.c.service,
        revision=translations.c.transcript_revision,
        is_stale=translations.c.transcript_revision != TRANSCRIPTS.c.revision,
    )
    part = (
        select(*columns)
        .select_from(with_speaker(joined))
        .where(
            translations.c.session_id == _SESSION,
            TRANSCRIPTS.c.session_id == _SESSION,
            translations.c.timestamp.is_not(None) if own_times else translations.c.timestamp.is_(None),
            *entry_conditions(shape, Entries(times, translations.c.target_language)),
        )
    )
    if "cursor" not in shape.given:
        return part
    behind = tuple_(*place(times.c.timestamp), translations.c.target_language) > tuple_(
        *cursor_place(), cursor_bound("target_language")
    )
    # The index can answer this condition alone.
    near = (
        translations.c.timestamp >= cursor_bound("timestamp")
        if own_times
        else place(TRANSCRIPTS.c.timestamp) >= cursor_place()
    )
    return part.where(near, behind)


def _with_transcripts(*, looked_up: bool) -> tuple[FromClause, FromClause]:
    """Return the translations, and their join with their transcripts.

    With `looked_up` each transcript looks up its own translations. Without statistics, as right after an
    import, the planner would otherwise read the whole meeting once for each translation.
    """
    if not looked_up:
        return TRANSLATIONS, TRANSCRIPTS.join(TRANSLATIONS, MADE_FROM)
    # OFFSET keeps the planner from turning the lookup around, and a cluster from seeing the session outside.
    its_own = (TRANSLATIONS.c.session_id == _SESSION, TRANSLATIONS.c.transcript_id == TRANSCRIPTS.c.id)
    translations = select(TRANSLATIONS).where(*its_own).offset(literal_column("0")).lateral("translations")
    return translations, TRANSCRIPTS.join(translations, true())


TIMELINE = PageReader("timeline", "entries", _entries, TimelineEntry, TimelinePage)
