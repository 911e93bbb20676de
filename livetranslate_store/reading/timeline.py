"""The timeline of a session, in one statement.

It merges three ordered parts: transcripts, translations that take the times of their transcript, and
translations that have times of their own. Each part walks an index in the order of the timeline, from the
cursor up to the limit, so that a deep page reads as many rows as the first.
"""

from collections.abc import Callable
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    FromClause,
    Select,
    Uuid,
    bindparam,
    literal_column,
    select,
    true,
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
    value_of,
    with_speaker,
)
from livetranslate_store.reading.cursor import behind_cursor, in_order
from livetranslate_store.reading.details import detail_columns, left_out, words_of
from livetranslate_store.reading.filters import Entries, Shape, checked_filters, entry_conditions
from livetranslate_store.reading.paging import PageOptions, PageReader, PageRequest, checked_request
from livetranslate_store.values import TimelineEntry, TimelineFilters, TimelinePage

_SESSION = bindparam("session_id", type_=Uuid)
_LIMIT = bindparam("limit", type_=BigInteger)
_TRANSCRIPT_ID = TimelineEntry.__struct_fields__.index("transcript_id")
_WORDS = TimelineEntry.__struct_fields__.index("words")
_ORDER = ("timestamp", "segment_index", "transcript_id", "kind", "language")


def timeline_request(
    session_id: UUID, filters: TimelineFilters, **options: Unpack[PageOptions]
) -> PageRequest:
    """Return the request for a page of the timeline; raises InvalidInputError."""
    checked = checked_filters(TimelineFilters.__optional_keys__, filters)
    return checked_request(session_id, checked, **options)


def _entries(shape: Shape) -> CompoundSelect[Any] | Select[Any]:
    parts = []
    if "transcript" in shape.kinds:
        parts.append(_transcripts(shape))
    if "translation" in shape.kinds:
        parts += [_translations(shape, own_times=False), _translations(shape, own_times=True)]
    order = in_order(shape, [literal_column(name) for name in _ORDER])
    if "limit" not in shape.given:
        return union_all(*parts).order_by(*order)
    parts = [part.order_by(*order).limit(_LIMIT) for part in parts]
    return parts[0] if len(parts) == 1 else union_all(*parts).order_by(*order).limit(_LIMIT)


def _transcripts(shape: Shape) -> Select[Any]:
    columns = columns_of(
        TimelineEntry,
        [TRANSCRIPTS],
        computed=left_out(shape),
        kind=literal_column("'transcript'"),
        transcript_id=TRANSCRIPTS.c.id,
        duration=duration(TRANSCRIPTS),
        text=spoken_text(TRANSCRIPTS.c),
        source_language=TRANSCRIPTS.c.language,
        speaker_name=SPEAKERS.c.name,
        is_stale=literal_column("false"),
        **detail_columns(shape, TRANSCRIPTS),
    )
    return (
        select(*columns)
        .select_from(with_speaker(TRANSCRIPTS))
        .where(
            TRANSCRIPTS.c.session_id == _SESSION,
            *entry_conditions(shape, Entries(TRANSCRIPTS, TRANSCRIPTS.c.language)),
            *behind_cursor(shape, TRANSCRIPTS.c.timestamp),
        )
    )


def _translations(shape: Shape, *, own_times: bool) -> Select[Any]:
    translations, joined = _with_transcripts(looked_up="limit" in shape.given and not own_times)
    times = translations if own_times else TRANSCRIPTS
    columns = columns_of(
        TimelineEntry,
        [translations, TRANSCRIPTS],
        computed=left_out(shape),
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
        **detail_columns(shape, translations),
    )
    # The index of translations has no more than the timestamp.
    near = translations.c.timestamp if own_times else None
    return (
        select(*columns)
        .select_from(with_speaker(joined))
        .where(
            translations.c.session_id == _SESSION,
            TRANSCRIPTS.c.session_id == _SESSION,
            translations.c.timestamp.is_not(None) if own_times else translations.c.timestamp.is_(None),
            *entry_conditions(shape, Entries(times, translations.c.target_language)),
            *behind_cursor(shape, times.c.timestamp, translations.c.target_language, near=near),
        )
    )


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


def _maker(shape: Shape) -> Callable[..., TimelineEntry]:
    return _with_words if shape.includes("words") else TimelineEntry


def _with_words(*columns: Any) -> TimelineEntry:
    most, stored, rest = columns[:_WORDS], columns[_WORDS], columns[_WORDS + 1 :]
    return value_of(TimelineEntry, (*most, words_of(columns[_TRANSCRIPT_ID], stored), *rest))


TIMELINE = PageReader("timeline", "entries", _entries, _maker, TimelinePage)
