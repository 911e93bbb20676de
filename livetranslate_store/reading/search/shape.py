"""What the statement of a search depends on, and the two tables that it searches."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Integer, Table, bindparam, false, func, literal_column

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


class Source(NamedTuple):
    """A table that is searched: the kind of its hits, and the columns that both tables have in common.

    `key` is the end of a HitKey, and `words` are the words of a text. The index has those of `indexed`; the
    rows that are `unindexed` are read as well.
    """

    kind: EntryKind
    table: Table
    language: ColumnElement[str]
    key: tuple[ColumnElement[Any], ColumnElement[Any]]
    words: ColumnElement[Any]
    indexed: ColumnElement[Any]
    unindexed: ColumnElement[bool]

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


def words_of(text: FromClause, language: ColumnElement[str]) -> ColumnElement[Any]:
    """Return the words of a text, read from it."""
    words: ColumnElement[Any] = functions.search_vector(language, text.c.text)
    return words


def words_of_transcript(transcript: FromClause) -> ColumnElement[Any]:
    """Return the words of a transcript: the stored ones if it has them."""
    return func.coalesce(transcript.c.search, words_of(transcript, transcript.c.language))


SOURCES = (
    Source(
        "transcript",
        TRANSCRIPTS,
        TRANSCRIPTS.c.language,
        (TRANSCRIPTS.c.id, literal_column("''::text", LANGUAGE_TAG)),
        words=words_of_transcript(TRANSCRIPTS),
        indexed=TRANSCRIPTS.c.search,
        unindexed=TRANSCRIPTS.c.search.is_(None),
    ),
    Source(
        "translation",
        TRANSLATIONS,
        TRANSLATIONS.c.target_language,
        (TRANSLATIONS.c.transcript_id, TRANSLATIONS.c.target_language),
        words=words_of(TRANSLATIONS, TRANSLATIONS.c.target_language),
        indexed=words_of(TRANSLATIONS, TRANSLATIONS.c.target_language),
        unindexed=false(),
    ),
)


def newest_first(rows: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Return the order of texts, of rows that have the columns of a HitKey."""
    return tuple(rows.c[name].desc() for name in HitKey.__struct_fields__)
