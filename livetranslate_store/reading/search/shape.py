"""What the statement of a search depends on, and the two tables that it searches."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Integer, Table, bindparam

from livetranslate_store.reading.columns import MADE_FROM, TRANSCRIPTS, TRANSLATIONS, with_speaker
from livetranslate_store.reading.filters import Entries, Shape
from livetranslate_store.values import EntryKind

BLOCK: ColumnElement[int] = bindparam("block", type_=Integer)


class SearchShape(NamedTuple):
    """What the text of a statement depends on.

    A block `is_later` unless it is the first, and `is_known` if a page of it was read before; `walked` are
    the kinds whose hits were found by walking then. `similar` counts the words that may be mistyped, for
    each branch of the query.
    """

    filters: Shape
    is_later: bool
    is_known: bool
    one_reading: bool
    similar: tuple[int, ...]
    walked: frozenset[EntryKind]

    def has(self, name: str) -> bool:
        """Return whether a filter was given."""
        return name in self.filters.given


class Source(NamedTuple):
    """A table that is searched: the kind of its hits, and its column of languages."""

    kind: EntryKind
    table: Table
    language: ColumnElement[str]

    @property
    def entries(self) -> Entries:
        """The columns that filters compare."""
        return Entries(self.table, self.language)

    def joined(self, shape: SearchShape) -> FromClause:
        """Return the table, joined with the transcripts and speakers that the filters compare."""
        rows: FromClause = self.table
        if self.table is TRANSLATIONS and (shape.has("finals_only") or shape.has("speakers")):
            rows = rows.join(TRANSCRIPTS, MADE_FROM)
        return with_speaker(rows) if shape.has("speakers") else rows


SOURCES = (
    Source("transcript", TRANSCRIPTS, TRANSCRIPTS.c.language),
    Source("translation", TRANSLATIONS, TRANSLATIONS.c.target_language),
)


def newest_first(rows: Any) -> tuple[ColumnElement[Any], ...]:
    """Return the order of texts, of rows that have the columns of a HitKey."""
    return rows.c.started_at.desc(), rows.c.session_id.desc(), rows.c.id.desc()
