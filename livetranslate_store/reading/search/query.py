"""What a caller searches for, checked."""

from typing import Any, NamedTuple

from livetranslate_store.checks import checked_integer, checked_language, checked_languages
from livetranslate_store.reading.filters import CheckedFilters, checked_filters, variant_pattern
from livetranslate_store.reading.search.cursor import FIRST_BLOCK, SearchCursor
from livetranslate_store.reading.search.languages import SIMPLE, Reading, readings
from livetranslate_store.reading.search.shape import SearchShape
from livetranslate_store.reading.search.words import SearchWords, parsed
from livetranslate_store.values import SearchFilters

# Hits are ranked in blocks of about this many.
BLOCK_HITS = 100
MAX_PAGE_HITS = 1_000


class SearchQuery(NamedTuple):
    """The words, the filters, and the page of hits."""

    words: SearchWords
    readings: tuple[Reading, ...]
    filters: CheckedFilters
    fuzzy: bool
    limit: int
    #: How many hits are ranked together.
    block: int
    cursor: SearchCursor

    @property
    def similar(self) -> list[str]:
        """The words that may be mistyped."""
        return [word for branch in self.words.branches for word in branch.similar] if self.fuzzy else []

    @property
    def shape(self) -> SearchShape:
        """What the text of a statement depends on."""
        return SearchShape(
            self.filters.shape,
            is_later=self.cursor.before is not None,
            is_known=self.cursor.end is not None,
            one_reading=self.words.same_in_all_languages,
            similar=tuple(len(branch.similar) for branch in self.words.branches) if self.similar else (),
            walked=self.cursor.walked,
        )

    def values(self) -> dict[str, Any]:
        """Return the values to bind."""
        return {
            **self.filters.values,
            **self.cursor.values(),
            **self.words.values(),
            "configurations": [each.configuration for each in self.readings],
            "stopping": [each.stopping for each in self.readings],
            "block": self.block,
            "limit": self.limit,
        }


def checked_search(
    query: str,
    filters: SearchFilters,
    *,
    translation_language: str | None = None,
    fuzzy: bool = False,
    limit: int = 20,
    cursor: str | None = None,
    tenant: str | None = None,
) -> SearchQuery:
    """Return the search that the arguments describe; raises InvalidInputError."""
    words = parsed(query)
    checked = checked_filters(SearchFilters.__optional_keys__, filters)
    languages = filters.get("languages")
    read_in = None if languages is None else checked_languages(languages, "languages")
    if translation_language is not None:
        pattern = variant_pattern(checked_language(translation_language, "translation_language"))
        checked = checked.with_value("translation_language", pattern)
    if tenant is not None:
        checked = checked.with_value("tenant", tenant)
    limit = checked_integer(limit, "limit", minimum=1, maximum=MAX_PAGE_HITS)
    return SearchQuery(
        words=words,
        readings=(SIMPLE,) if words.same_in_all_languages else readings(read_in),
        filters=checked,
        fuzzy=fuzzy,
        limit=limit,
        # Whole pages, so that one statement reads most of them.
        block=max(1, BLOCK_HITS // limit) * limit,
        cursor=FIRST_BLOCK if cursor is None else SearchCursor.decoded(cursor),
    )
