"""Columns become values by name: a statement selects the fields of a Struct, in their order."""

from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import ColumnElement, FromClause, Label, and_, func, literal_column

from livetranslate_store.models import Session, Speaker, Transcript, Translation
from livetranslate_store.models.base import table_of
from livetranslate_store.models.sparse import shown

SESSIONS = table_of(Session)
TRANSCRIPTS = table_of(Transcript)
TRANSLATIONS = table_of(Translation)
SPEAKERS = table_of(Speaker)

# A translation and its transcript.
MADE_FROM = and_(
    TRANSLATIONS.c.session_id == TRANSCRIPTS.c.session_id, TRANSLATIONS.c.transcript_id == TRANSCRIPTS.c.id
)

Made = TypeVar("Made", bound=Struct)


def columns_of(
    struct: type[Struct],
    sources: Sequence[FromClause],
    *,
    computed: Sequence[str] = (),
    **named: ColumnElement[Any],
) -> list[Label[Any]]:
    """Return a column for each field of `struct`, with its name.

    A field takes the column that is named for it, else the one of its name in the first of `sources` that has
    one. The last fields may be `computed`: `value_of` gets them from the reader. Raises TypeError if a field
    has no column, or a name no field.
    """
    fields = struct.__struct_fields__[: len(struct.__struct_fields__) - len(computed)]
    found = {name: table.c[name] for table in reversed(sources) for name in fields if name in table.c}
    columns = found | named
    if columns.keys() != set(fields) or (*fields, *computed) != struct.__struct_fields__:
        wrong = sorted(columns.keys() ^ set(fields) | set(computed).difference(struct.__struct_fields__))
        raise TypeError(f"{struct.__name__} and its columns differ in {', '.join(wrong) or 'their order'}.")
    return [shown(columns[name]).label(name) for name in fields]


def value_of(struct: type[Made], row: Sequence[Any], *computed: Any) -> Made:
    """Return the value of a row that begins with `columns_of(struct, …)`."""
    return struct(*row[: len(struct.__struct_fields__) - len(computed)], *computed)


def duration(times: FromClause) -> ColumnElement[float]:
    """Return the seconds between both times, 0 if either is unknown."""
    # GREATEST ignores NULL.
    return func.greatest(times.c.end_time - times.c.start_time, literal_column("0.0"))


def with_speaker(
    rows: FromClause, transcripts: FromClause = TRANSCRIPTS, speakers: FromClause = SPEAKERS
) -> FromClause:
    """Return `rows`, which hold `transcripts`, joined with the speaker of each transcript."""
    # Both columns from one table: with the session from another one, the planner looks up the label alone.
    its_speaker = and_(
        speakers.c.session_id == transcripts.c.session_id, speakers.c.label == transcripts.c.speaker_label
    )
    return rows.outerjoin(speakers, its_speaker)
