"""What the statement of a search depends on, and the two tables that it searches."""

from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Table,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from livetranslate_store.models.base import LANGUAGE_TAG
from livetranslate_store.reading.columns import MADE_FROM, TRANSCRIPTS, TRANSLATIONS, with_speaker
from livetranslate_store.reading.filters import Entries, Shape
from livetranslate_store.reading.search.cursor import HitKey
from livetranslate_store.reading.search.readings import functions
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


# The names of the columns of a HitKey after the session.
_PLACE = HitKey.__struct_fields__[2:]


class Source(NamedTuple):
    """A table that is searched: the kind of its hits, and the columns that both tables have in common.

    `key` is the end of a HitKey, and `indexed` are the words that the index has. A walk may read one text for
    each `walk_price` hits of the index.
    """

    kind: EntryKind
    table: Table
    language: Column[str]
    key: tuple[ColumnElement[Any], ColumnElement[Any]]
    indexed: ColumnElement[Any]
    walk_price: int

    @property
    def place(self) -> list[ColumnElement[Any]]:
        """The end of the key of a text."""
        return [column.label(name) for name, column in zip(_PLACE, self.key, strict=True)]

    def text(self, table: FromClause) -> list[ColumnElement[Any]]:
        """Return a text of the table with its language, and the words that are stored."""
        stored = [table.c.search] if self._stores_words else []
        return [table.c[self.language.key].label("text_language"), table.c.text, *stored]

    def text_at(self, place: FromClause) -> FromClause:
        """Return the text whose key `place` has."""
        table = self.table.alias("there")
        columns = zip(_PLACE, self.key, strict=True)
        same = [table.c[each.key] == place.c[name] for name, each in columns if isinstance(each, Column)]
        found = select(*self.text(table)).where(table.c.session_id == place.c.session_id, *same)
        return found.offset(literal_column("0", Integer)).correlate(place).lateral("there")

    def words(self, texts: FromClause, language: ColumnElement[str]) -> ColumnElement[Any]:
        """Return the words of `texts`, which have `columns`: the stored ones, or read from the text."""
        read = functions.search_vector(language, texts.c.text)
        return func.coalesce(texts.c.search, read) if self._stores_words else read

    def is_possible(self, is_in_index: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return whether the index has a text; the words of an unfinished transcript are not in it."""
        return or_(is_in_index, self.table.c.search.is_(None)) if self._stores_words else is_in_index

    @property
    def _stores_words(self) -> bool:
        return self.table is TRANSCRIPTS

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
    Source(
        "transcript",
        TRANSCRIPTS,
        TRANSCRIPTS.c.language,
        (TRANSCRIPTS.c.id, literal_column("''::text", LANGUAGE_TAG)),
        indexed=TRANSCRIPTS.c.search,
        walk_price=1,
    ),
    Source(
        "translation",
        TRANSLATIONS,
        TRANSLATIONS.c.target_language,
        (TRANSLATIONS.c.transcript_id, TRANSLATIONS.c.target_language),
        indexed=functions.search_vector(TRANSLATIONS.c.target_language, TRANSLATIONS.c.text),
        # Its words are read, and a third of the walk is expected to do.
        walk_price=2,
    ),
)
OF_TRANSCRIPTS, OF_TRANSLATIONS = SOURCES


def newest_first(rows: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Return the order of texts, of rows that have the columns of a HitKey."""
    return tuple(rows.c[name].desc() for name in HitKey.__struct_fields__)
