"""A session side by side: each transcript with its translations, in one statement.

It walks the transcripts in the order of the timeline, from the cursor on. For each of them, and for each
language, it looks up the translation by the index on its transcript. A deep page costs as much as the first.
"""

from collections.abc import Callable, Sequence
from typing import Any, Unpack
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

from livetranslate_store.checks import each_checked_language
from livetranslate_store.models.transcript import spoken_text
from livetranslate_store.reading.columns import (
    SPEAKERS,
    TRANSCRIPTS,
    TRANSLATIONS,
    columns_of,
    duration,
    value_of,
    with_speaker,
)
from livetranslate_store.reading.cursor import behind_cursor, in_order, place
from livetranslate_store.reading.details import (
    DETAIL_FIELDS,
    EDIT_FIELDS,
    detail_columns,
    edit_columns,
    left_out,
    words_of,
)
from livetranslate_store.reading.filters import (
    Entries,
    Shape,
    checked_filters,
    entry_conditions,
    is_variant,
    variant_pattern,
)
from livetranslate_store.reading.paging import PageOptions, PageReader, PageRequest, checked_request
from livetranslate_store.reading.translations import translation_into
from livetranslate_store.values import SegmentFilters, TranscriptRow, TranscriptViewPage, ViewedTranslation

_SESSION = bindparam("session_id", type_=Uuid)
_LIMIT = bindparam("limit", type_=BigInteger)
#: One pattern for each language.
_PATTERNS = bindparam("patterns", type_=ARRAY(Text))
_TRANSCRIPT_ID = TranscriptRow.__struct_fields__.index("transcript_id")


def view_request(
    session_id: UUID,
    languages: Sequence[str],
    filters: SegmentFilters,
    **options: Unpack[PageOptions],
) -> PageRequest:
    """Return the request for a page of the view; raises InvalidInputError."""
    patterns = [variant_pattern(tag) for tag in each_checked_language(languages, "languages")]
    checked = checked_filters(SegmentFilters.__optional_keys__, filters).with_value("patterns", patterns)
    return checked_request(session_id, checked, **options)


def _maker(shape: Shape) -> Callable[..., TranscriptRow]:
    """Return what makes a row: its columns end with the details, and an array for each field of a place."""
    places = len(_place_fields(shape))
    details = len(DETAIL_FIELDS) - len(left_out(shape))
    own = len(TranscriptRow.__struct_fields__) - len(DETAIL_FIELDS) - 1

    def row(*columns: Any) -> TranscriptRow:
        included = list(columns[own : own + details])
        if included:
            included[0] = words_of(columns[_TRANSCRIPT_ID], included[0])
        return value_of(TranscriptRow, (*columns[:own], _translations(columns[-places:]), *included))

    return row


def _translations(arrays: Sequence[Any]) -> tuple[ViewedTranslation | None, ...]:
    if arrays[0] is None:  # no language was asked for
        return ()
    places = zip(*arrays, strict=True)
    return tuple(None if place[0] is None else ViewedTranslation(*place) for place in places)


def _place_fields(shape: Shape) -> Sequence[str]:
    fields = ViewedTranslation.__struct_fields__
    return fields[: len(fields) - len(left_out(shape, EDIT_FIELDS))]


def _rows(shape: Shape) -> Select[Any]:
    transcripts = _transcripts(shape)
    if "limit" in shape.given:
        # Before translations are looked up: no more of them than the page has.
        transcripts = transcripts.order_by(*in_order(shape, [*place(TRANSCRIPTS.c.timestamp)])).limit(_LIMIT)
    rows, _, _ = _with_translations(transcripts, shape)
    return rows


def _missing(shape: Shape) -> Select[Any]:
    rows, transcripts, places = _with_translations(_transcripts(shape), shape)
    spoken_in_it = is_variant(transcripts.c.language, any_(_PATTERNS))
    rows = rows.where(~spoken_in_it, ~places.c.is_complete)
    return rows.limit(_LIMIT) if "limit" in shape.given else rows


def _transcripts(shape: Shape) -> Select[Any]:
    columns = columns_of(
        TranscriptRow,
        [TRANSCRIPTS],
        computed=["translations", *DETAIL_FIELDS],
        transcript_id=TRANSCRIPTS.c.id,
        duration=duration(TRANSCRIPTS),
        text=spoken_text(TRANSCRIPTS.c),
        speaker_name=SPEAKERS.c.name,
    )
    details = (column.label(name) for name, column in detail_columns(shape, TRANSCRIPTS).items())
    return (
        select(*columns, *details)
        .select_from(with_speaker(TRANSCRIPTS))
        .where(
            TRANSCRIPTS.c.session_id == _SESSION,
            *entry_conditions(shape, Entries(TRANSCRIPTS, TRANSCRIPTS.c.language)),
            *behind_cursor(shape, TRANSCRIPTS.c.timestamp),
        )
    )


def _with_translations(transcripts: Select[Any], shape: Shape) -> tuple[Select[Any], FromClause, FromClause]:
    """Return the rows of the view, in order, and the two sides that they are joined from."""
    spoken = transcripts.subquery("spoken")
    places = _places(spoken, shape)
    rows = (
        select(*spoken.c, *(places.c[name].label(f"place_{name}") for name in _place_fields(shape)))
        .select_from(spoken.join(places, true()))
        .order_by(*in_order(shape, [spoken.c.timestamp, spoken.c.segment_index, spoken.c.transcript_id]))
    )
    return rows, spoken, places


def _places(spoken: FromClause, shape: Shape) -> FromClause:
    """Return the translations of one transcript, as arrays with a place for each language."""
    asked = func.unnest(_PATTERNS).table_valued("pattern", with_ordinality="place")
    asked = asked.render_derived(name="asked")
    found = translation_into(
        asked.c.pattern,
        session_id=_SESSION,
        transcript_id=spoken.c.transcript_id,
        revision=spoken.c.revision,
        edits=edit_columns(shape, TRANSLATIONS),
    )
    each = found.correlate(spoken, asked).lateral("found")
    arrays = (
        func.array_agg(aggregate_order_by(each.c[name], asked.c.place)).label(name)
        for name in _place_fields(shape)
    )
    is_current = each.c.is_stale.is_not_distinct_from(literal_column("false"))
    # A machine's translation would be refused in place of a person's.
    is_complete = func.bool_and(or_(is_current, each.c.is_edit.is_(true())))
    return (
        select(*arrays, is_complete.label("is_complete"))
        .select_from(asked.outerjoin(each, true()))
        .lateral("places")
    )


TRANSCRIPT_VIEW = PageReader("transcript_view", "rows", _rows, _maker, TranscriptViewPage)
MISSING_TRANSLATIONS = PageReader("missing_translations", "rows", _missing, _maker, TranscriptViewPage)
