"""What a caller asks of the search, checked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from livetranslate_store.checks import (
    checked_instant,
    checked_integer,
    checked_language,
    checked_languages,
    checked_uuid,
)
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.reading import timeline_parts as parts
from livetranslate_store.reading.search.cursor import FIRST_BLOCK, HitKey, SearchCursor
from livetranslate_store.reading.search.languages import SIMPLE, readings
from livetranslate_store.reading.search.parts import Shape
from livetranslate_store.reading.search.statement import search_statement
from livetranslate_store.reading.search.words import SearchWords, parsed
from livetranslate_store.values import EntryKind

# Hits are ranked within blocks: so many of the newest, or a few pages of them, then as many of the next.
BLOCK_HITS = 100
MAX_PAGE_HITS = 1_000


class SearchQuery(NamedTuple):
    """Which texts, of which sessions; None leaves a filter out."""

    words: SearchWords
    session_ids: Sequence[UUID] | None
    languages: Sequence[str] | None
    speakers: Sequence[str] | None
    kinds: frozenset[EntryKind]
    started_from: datetime | None
    started_before: datetime | None
    finals_only: bool
    translation_language: str | None
    fuzzy: bool
    limit: int
    #: How many hits are ranked together.
    block: int
    cursor: SearchCursor

    def statement(self) -> BoundStatement:
        """Return the statement with the values bound."""
        fuzzy = [branch.similar for branch in self.words.branches] if self.fuzzy else []
        one_reading = self.words.same_in_all_languages
        given = {
            name
            for name in ("session_ids", "languages", "speakers", "started_from", "started_before")
            if getattr(self, name) is not None
        }
        given |= {name for name in ("before", "end") if getattr(self.cursor, name) is not None}
        given |= {"translation_language"} if self.translation_language is not None else set()
        shape = Shape(
            given=frozenset(given),
            kinds=self.kinds,
            finals_only=self.finals_only,
            one_reading=one_reading,
            similar=tuple(map(len, fuzzy)) if any(fuzzy) else (),
            walked=self.cursor.walked,
        )
        return search_statement(shape).bind(self._values(one_reading=one_reading))

    def _values(self, *, one_reading: bool) -> dict[str, Any]:
        read = [SIMPLE] if one_reading else readings(self.languages)
        branches = self.words.branches
        values: dict[str, Any] = {
            "configurations": [each.configuration for each in read],
            "stopping": [each.stopping for each in read],
            **{
                name: [getattr(branch, name) for branch in branches]
                for name in ("plain", "strict", "shown_plain", "shown_strict", "rest")
            },
            "session_ids": self.session_ids,
            "languages": parts.language_patterns(self.languages or ()),
            "speakers": self.speakers,
            "started_from": self.started_from,
            "started_before": self.started_before,
            "block": self.block,
            "limit": self.limit,
            "translation_language": parts.language_patterns([self.translation_language or ""]),
            "after_rank": self.cursor.rank,
        }
        values |= {
            f"similar_{branch}_{word}": text
            for branch, each in enumerate(branches, 1)
            for word, text in enumerate(each.similar, 1)
        }
        values |= {f"beginnings_{branch}": each.beginnings for branch, each in enumerate(branches, 1)}
        for name in ("before", "end", "after"):
            key: HitKey | None = getattr(self.cursor, name)
            if key is not None:
                values |= {f"{name}_{field}": getattr(key, field) for field in HitKey.__struct_fields__}
        return values


def checked_search(
    query: str,
    *,
    session_ids: Sequence[UUID] | None,
    languages: Sequence[str] | None,
    speakers: Sequence[str] | None,
    kinds: Sequence[EntryKind] | None,
    started_from: datetime | None,
    started_before: datetime | None,
    finals_only: bool,
    translation_language: str | None,
    fuzzy: bool,
    limit: int,
    cursor: str | None,
) -> SearchQuery:
    """Return the search that the arguments describe; raises InvalidInputError."""
    if any(isinstance(each, str | UUID) for each in (session_ids, speakers, kinds)):
        raise InvalidInputError("session_ids, speakers and kinds are sequences, such as ['SPEAKER_00'].")
    limit = checked_integer(limit, "limit", minimum=1, maximum=MAX_PAGE_HITS)
    return SearchQuery(
        words=parsed(query),
        session_ids=None
        if session_ids is None
        else [checked_uuid(each, "session_ids") for each in session_ids],
        languages=None if languages is None else checked_languages(languages, "languages"),
        speakers=parts.checked_speakers(speakers),
        kinds=parts.checked_kinds(kinds),
        started_from=None if started_from is None else checked_instant(started_from, "started_from"),
        started_before=None if started_before is None else checked_instant(started_before, "started_before"),
        finals_only=finals_only,
        translation_language=None
        if translation_language is None
        else checked_language(translation_language, "translation_language"),
        fuzzy=fuzzy,
        limit=limit,
        # Whole pages, so that most of them are read at once.
        block=max(1, BLOCK_HITS // limit) * limit,
        cursor=FIRST_BLOCK if cursor is None else SearchCursor.decoded(cursor),
    )
