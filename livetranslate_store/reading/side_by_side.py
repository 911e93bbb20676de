"""A session side by side: each transcript with its translations, in one statement.

It walks the transcripts in the order of the timeline, from the cursor on. For each of them, and for each
language, it looks up the translation by the index on its transcript. A deep page costs as much as the first.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    FromClause,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from livetranslate_store.checks import checked_languages
from livetranslate_store.models.transcript import spoken_text
from livetranslate_store.reading.columns import (
    SPEAKERS,
    TRANSCRIPTS,
    columns_of,
    duration,
    value_of,
    with_speaker,
)
from livetranslate_store.reading.cursor import cursor_place, place
from livetranslate_store.reading.filters import (
    Entries,
    Shape,
    checked_filters,
    entry_conditions,
    is_variant,
    variant_pattern,
)
from livetranslate_store.reading.paging import PageReader, PageRequest, checked_request
from livetranslate_store.reading.translations import translation_into
from livetranslate_store.values import SegmentFilters, TranscriptRow, TranscriptViewPage, ViewedTranslation

_SESSION = bindparam("session_id", type_=Uuid)
_LIMIT = bindparam("limit", type_=BigInteger)
#: One pattern for each language.
_PATTERNS = bindparam("patterns", type_=ARRAY(Text))
_PLACES = len(ViewedTranslation.__struct_fields__)


def view_request(
    session_id: UUID,
    languages: Sequence[str],
    filters: SegmentFilters,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> PageRequest:
    """Return the request for a page of the view; raises InvalidInputError."""
    patterns = [variant_pattern(tag) for tag in checked_languages(languages, "languages")]
    checked = checked_filters(SegmentFilters.__optional_keys__, filters).with_value("patterns", patterns)
    return checked_request(session_id, checked, limit=limit, cursor=cursor)


def transcript_row(*columns: Any) -> TranscriptRow:
    """Return the value of a row, which ends with an array for each field of ViewedTranslation."""
    arrays = columns[-_PLACES:]
    if arrays[0] is None:  # no language was asked for
        return value_of(TranscriptRow, columns, ())
    places = (None if place[0] is None else ViewedTranslation(*place) for place in zip(*arrays, strict=True))
    return value_of(TranscriptRow, columns, tuple(places))


def _rows(shape: Shape) -> Select[Any]:
    transcripts = _transcripts(shape)
    if "limit" in shape.given:
        # Before translations are looked up: no more of them than the page has.
        transcripts = transcripts.order_by(*place(TRANSCRIPTS.c.timestamp)).limit(_LIMIT)
    rows, _, _ = _with_translations(transcripts)
    return rows


def _missing(shape: Shape) -> Select[Any]:
    rows, transcripts, places = _with_translations(_transcripts(shape))
    spoken_in_it = is_variant(transcripts.c.language, any_(_PATTERNS))
    rows = rows.where(~spoken_in_it, ~places.c.is_complete)
    return rows.limit(_LIMIT) if "limit" in shape.given else rows


def _transcripts(shape: Shape) -> Select[Any]:
    columns = columns_of(
        TranscriptRow,
        [TRANSCRIPTS],
        computed=["translations"],
        transcript_id=TRANSCRIPTS.c.id,
        duration=duration(TRANSCRIPTS),
        text=spoken_text(TRANSCRIPTS.c),
        speaker_name=SPEAKERS.c.name,
    )
    rows = (
        select(*columns)
        .select_from(with_speaker(TRANSCRIPTS))
        .where(
            TRANSCRIPTS.c.session_id == _SESSION,
            *entry_conditions(shape, Entries(TRANSCRIPTS, TRANSCRIPTS.c.language)),
        )
    )
    if "cursor" in shape.given:
        rows = rows.where(place(TRANSCRIPTS.c.timestamp) > cursor_place())
    return rows


def _with_translations(transcripts: Select[Any]) -> tuple[Select[Any], FromClause, FromClause]:
    """Return the rows of the view, in order, and the two sides that they are joined from."""
    spoken = transcripts.subquery("spoken")
    places = _places(spoken)
    rows = (
        select(*spoken.c, *(places.c[name] for name in ViewedTranslation.__struct_fields__))
        .select_from(spoken.join(places, true()))
        .order_by(spoken.c.timestamp, spoken.c.segment_index, spoken.c.transcript_id)
    )
    return rows, spoken, places


def _places(spoken: FromClause) -> FromClause:
    """Return the translations of one transcript, as arrays with a place for each language."""
    asked = func.unnest(_PATTERNS).table_valued("pattern", with_ordinality="place")
    asked = asked.render_derived(name="asked")
    found = translation_into(
        asked.c.pattern,
        session_id=_SESSION,
        transcript_id=spoken.c.transcript_id,
        revision=spoken.c.revision,
    )
    each = found.correlate(spoken, asked).lateral("found")
    arrays = (
        func.array_agg(aggregate_order_by(each.c[name], asked.c.place)).label(name)
        for name in ViewedTranslation.__struct_fields__
    )
    is_current = each.c.is_stale.is_not_distinct_from(literal_column("false"))
    # A machine's translation would be refused in place of a person's.
    is_complete = func.bool_and(or_(is_current, each.c.edited_by.is_not(None)))
    return (
        select(*arrays, is_complete.label("is_complete"))
        .select_from(asked.outerjoin(each, true()))
        .lateral("places")
    )


TRANSCRIPT_VIEW = PageReader("transcript_view", "rows", _rows, transcript_row, TranscriptViewPage)
MISSING_TRANSLATIONS = PageReader(
    "missing_translations", "rows", _missing, transcript_row, TranscriptViewPage
)
