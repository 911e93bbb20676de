"""What statements that walk a session in the order of its timeline are made of.

`given` names what a caller asked for: a condition that is not needed is not in the statement.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    tuple_,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

from livetranslate_store.checks import checked_choice, checked_integer, checked_name, optional_number
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.models import Speaker, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.reading.cursor import Cursor
from livetranslate_store.values import ENTRY_KINDS, EntryKind

TRANSCRIPTS = table_of(Transcript)
TRANSLATIONS = table_of(Translation)
SPEAKERS = table_of(Speaker)


def checked_window(start: float | None, end: float | None) -> tuple[float | None, float | None]:
    """Return the bounds in seconds; raises InvalidInputError where nothing lies between them."""
    start, end = optional_number(start, "start"), optional_number(end, "end")
    if start is not None and end is not None and end <= start:
        raise InvalidInputError(f"The window ends at {end:g}, not after its start {start:g}.")
    return start, end


def checked_speakers(speakers: Sequence[str] | None) -> list[str] | None:
    """Return labels and names that can be looked for; raises InvalidInputError."""
    if isinstance(speakers, str):
        raise InvalidInputError("speakers must be a sequence such as ['SPEAKER_00'].")
    return None if speakers is None else [checked_name(each, "speakers") for each in speakers]


def checked_kinds(kinds: Sequence[EntryKind] | None) -> frozenset[EntryKind]:
    """Return the kinds of entries, all of them for None; raises InvalidInputError."""
    if isinstance(kinds, str):
        raise InvalidInputError("kinds must be a sequence such as ['transcript'].")
    if kinds is None:
        return frozenset(ENTRY_KINDS)
    if not kinds:
        raise InvalidInputError(f"kinds needs one of {', '.join(ENTRY_KINDS)} at least.")
    return frozenset(checked_choice(kind, "kinds", ENTRY_KINDS) for kind in kinds)


def checked_limit(limit: int | None) -> int | None:
    """Return how many are asked for at most; raises InvalidInputError."""
    return None if limit is None else checked_integer(limit, "limit", minimum=1)


def checked_cursor(cursor: str | None) -> Cursor | None:
    """Return the place to continue from; raises InvalidInputError."""
    return None if cursor is None else Cursor.decoded(cursor)


def language_patterns(languages: Sequence[str]) -> list[str]:
    """Return the patterns of LIKE that lower-case tags of these languages and their variants match."""
    return [pattern for tag in languages for pattern in (tag.lower(), f"{tag.lower()}-%")]


def cursor_values(cursor: Cursor | None) -> dict[str, Any]:
    """Return what is bound where a statement continues behind a cursor."""
    if cursor is None:
        return {}
    return {f"after_{name}": getattr(cursor, name) for name in Cursor.__struct_fields__}


def session_id() -> ColumnElement[UUID]:
    """Return the parameter that every statement has."""
    return bindparam("session_id", type_=Uuid)


def place(timestamp: ColumnElement[float]) -> Any:
    """Return the place of a transcript, or with another timestamp of what belongs to it."""
    return tuple_(timestamp, TRANSCRIPTS.c.segment_index, TRANSCRIPTS.c.id)


def after_place() -> Any:
    """Return the place of the transcript that the cursor names."""
    return tuple_(
        after_bound("timestamp", DOUBLE_PRECISION),
        after_bound("segment_index", BigInteger),
        after_bound("transcript_id", Uuid),
    )


def after_bound(field: str, kind: Any) -> ColumnElement[Any]:
    """Return a field of the cursor as a parameter."""
    return bindparam(f"after_{field}", type_=kind)


def duration(times: FromClause) -> ColumnElement[float]:
    """Return the seconds between both times, 0 where either is unknown."""
    # GREATEST passes over NULL.
    return func.greatest(times.c.end_time - times.c.start_time, literal_column("0.0"))


def with_speaker(rows: FromClause) -> FromClause:
    """Return the rows, transcripts among them, beside the speaker whose label they carry."""
    its_speaker = and_(
        SPEAKERS.c.session_id == TRANSCRIPTS.c.session_id, SPEAKERS.c.label == TRANSCRIPTS.c.speaker_label
    )
    return rows.outerjoin(SPEAKERS, its_speaker)


def filters(given: frozenset[str], times: FromClause, *, untimed: bool) -> list[ColumnElement[bool]]:
    """Return the conditions on session, window and speaker; the times are those of `times`."""
    has_no_time = and_(times.c.start_time.is_(None), times.c.end_time.is_(None))
    conditions: list[ColumnElement[bool]] = [TRANSCRIPTS.c.session_id == session_id()]
    window: list[ColumnElement[bool]] = []
    if "start" in given:
        start = bindparam("start", type_=DOUBLE_PRECISION)
        # An entry without length lies in the window that it begins in.
        window.append(or_(times.c.end_time > start, times.c.timestamp >= start))
    if "end" in given:
        window.append(times.c.timestamp < bindparam("end", type_=DOUBLE_PRECISION))
    if not untimed:
        conditions += [~has_no_time, *window]
    elif window:
        conditions.append(or_(has_no_time, and_(*window)))
    if "speakers" in given:
        speakers = bindparam("speakers", type_=ARRAY(Text))
        conditions.append(
            or_(TRANSCRIPTS.c.speaker_label == any_(speakers), SPEAKERS.c.name == any_(speakers))
        )
    return conditions


def matches(language: ColumnElement[str], patterns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Tell whether a tag matches one of the patterns of `language_patterns`."""
    return func.lower(language).op("LIKE")(any_(patterns))
