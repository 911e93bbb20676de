"""What the statement of a search depends on, and the two tables that it searches."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Table,
    and_,
    bindparam,
    literal_column,
    or_,
    select,
)

from livetranslate_store.models.base import LANGUAGE_TAG
from livetranslate_store.models.transcript import spoken_text
from livetranslate_store.reading.columns import (
    MADE_FROM,
    TRANSCRIPTS,
    TRANSLATIONS,
    with_speaker,
)
from livetranslate_store.reading.filters import Entries, Shape
from livetranslate_store.reading.search.cursor import HitKey
from livetranslate_store.reading.search.readings import functions
from livetranslate_store.values import EntryKind

#: Asks about the words of a text.
Question: TypeAlias = Callable[[ColumnElement[Any]], ColumnElement[bool]]

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

    `key` is the end of a HitKey.
    """

    kind: EntryKind
    table: Table
    language: Column[str]
    key: tuple[ColumnElement[Any], ColumnElement[Any]]

    @property
    def place(self) -> list[ColumnElement[Any]]:
        """The end of the key of a text."""
        return [column.label(name) for name, column in zip(_PLACE, self.key, strict=True)]

    def text(self, table: FromClause) -> list[ColumnElement[Any]]:
        """Return a text of the table with its language."""
        text = spoken_text(table.c) if self._has_drafts else table.c.text
        return [table.c[self.language.key].label("text_language"), text.label("text")]

    def text_at(self, place: FromClause) -> FromClause:
        """Return the text whose key `place` has."""
        table = self.table.alias("there")
        columns = zip(_PLACE, self.key, strict=True)
        same = [table.c[each.key] == place.c[name] for name, each in columns if isinstance(each, Column)]
        found = select(*self.text(table)).where(table.c.session_id == place.c.session_id, *same)
        return found.offset(literal_column("0", Integer)).correlate(place).lateral("there")

    @property
    def indexed(self) -> ColumnElement[Any]:
        """The words that the index has: those of drafts are not in it."""
        return words_of(self.language, self.table.c.text)

    def is_possible(self, question: Question) -> ColumnElement[bool]:
        """Return whether the index answers the question about a text with yes, or the text is a draft."""
        is_in_index = question(self.indexed)
        if not self._has_drafts:
            return is_in_index
        is_draft = self.table.c.text.is_(None)
        return or_(and_(~is_draft, is_in_index), is_draft)

    def possible(self, question: Question) -> list[ColumnElement[bool]]:
        """Return whether the answer is yes, drafts included, in parts: each text belongs to one at most."""
        is_in_index = question(self.indexed)
        if not self._has_drafts:
            return [is_in_index]
        is_draft = self.table.c.text.is_(None)
        is_in_draft = question(words_of(self.language, self.table.c.draft))
        return [and_(~is_draft, is_in_index), and_(is_draft, is_in_draft)]

    @property
    def _has_drafts(self) -> bool:
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


def words_of(language: ColumnElement[str], text: ColumnElement[str]) -> ColumnElement[Any]:
    """Return the words of a text in that language."""
    words: ColumnElement[Any] = functions.search_vector(language, text)
    return words


SOURCES = (
    Source(
        "transcript",
        TRANSCRIPTS,
        TRANSCRIPTS.c.language,
        (TRANSCRIPTS.c.id, literal_column("''::text", LANGUAGE_TAG)),
    ),
    Source(
        "translation",
        TRANSLATIONS,
        TRANSLATIONS.c.target_language,
        (TRANSLATIONS.c.transcript_id, TRANSLATIONS.c.target_language),
    ),
)


def newest_first(rows: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Return the order of texts, of rows that have the columns of a HitKey."""
    return tuple(rows.c[name].desc() for name in HitKey.__struct_fields__)
