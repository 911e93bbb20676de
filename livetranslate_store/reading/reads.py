"""What a store answers: timelines, views, statistics and searches, from a replica where that is fresh."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from livetranslate_store.checks import checked_integer
from livetranslate_store.reading.paging import Fetch
from livetranslate_store.reading.search.pages import read_hits
from livetranslate_store.reading.search.query import checked_search
from livetranslate_store.reading.side_by_side import MISSING_TRANSLATIONS, TRANSCRIPT_VIEW
from livetranslate_store.reading.side_by_side_query import checked_view_query
from livetranslate_store.reading.statistics.statistics import read_session_statistics
from livetranslate_store.reading.timeline import TIMELINE
from livetranslate_store.reading.timeline_query import checked_query
from livetranslate_store.replicas.router import ReadRouter
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import (
    EntryKind,
    SearchPage,
    SessionStatistics,
    TimelineEntry,
    TimelinePage,
    TranscriptRow,
    TranscriptViewPage,
)


class Reads:
    """Reads that need no unit of work: each is one statement, or one for each page."""

    def __init__(self, router: ReadRouter, tracing: Tracing) -> None:
        self._router = router
        self._tracing = tracing

    async def timeline(
        self,
        session_id: UUID,
        *,
        start: float | None = None,
        end: float | None = None,
        languages: Sequence[str] | None = None,
        speakers: Sequence[str] | None = None,
        kinds: Sequence[EntryKind] | None = None,
        finals_only: bool = False,
        untimed: bool = True,
        limit: int | None = None,
        cursor: str | None = None,
        min_position: int | None = None,
    ) -> TimelinePage:
        """Return the transcripts and translations of a session in order.

        The window `[start, end)` in seconds keeps what overlaps it; entries without any time are kept in
        every window unless `untimed` is False. `languages` match their variants too (`zh` also `zh-Hans`);
        `speakers` are labels or given names. With a `limit` the page's `next_cursor`, passed as `cursor`,
        continues it. An unknown session has an empty timeline. It shows all that this store has written into
        the session, and with `min_position`, the `position` of a receipt of any store's, that write. Raises
        InvalidInputError.
        """
        query = checked_query(
            session_id,
            start=start,
            end=end,
            languages=languages,
            speakers=speakers,
            kinds=kinds,
            finals_only=finals_only,
            untimed=untimed,
            limit=limit,
            cursor=cursor,
        )
        return await TIMELINE.read(self._fetch(session_id, min_position), query, self._tracing)

    def stream_timeline(
        self,
        session_id: UUID,
        *,
        start: float | None = None,
        end: float | None = None,
        languages: Sequence[str] | None = None,
        speakers: Sequence[str] | None = None,
        kinds: Sequence[EntryKind] | None = None,
        finals_only: bool = False,
        untimed: bool = True,
        limit: int | None = None,
        cursor: str | None = None,
        min_position: int | None = None,
    ) -> AsyncIterator[TimelineEntry]:
        """Yield what `timeline` returns, in bounded memory however long the meeting was."""
        query = checked_query(
            session_id,
            start=start,
            end=end,
            languages=languages,
            speakers=speakers,
            kinds=kinds,
            finals_only=finals_only,
            untimed=untimed,
            limit=limit,
            cursor=cursor,
        )
        return TIMELINE.stream(self._fetch(session_id, min_position), query, self._tracing)

    async def transcript_view(
        self,
        session_id: UUID,
        languages: Sequence[str],
        *,
        start: float | None = None,
        end: float | None = None,
        speakers: Sequence[str] | None = None,
        finals_only: bool = False,
        untimed: bool = True,
        limit: int | None = None,
        cursor: str | None = None,
        min_position: int | None = None,
    ) -> TranscriptViewPage:
        """Return the transcripts of a session in order, each beside its translations into `languages`.

        A row has one place for each of them, in that order. A language is matched by its variants too: the
        translation with that very tag stands in its place, else the first in the order of tags. A gap is
        None. The rest is as for `timeline`, whose cursors can be used here. Raises InvalidInputError.
        """
        query = checked_view_query(
            session_id,
            languages,
            start=start,
            end=end,
            speakers=speakers,
            finals_only=finals_only,
            untimed=untimed,
            limit=limit,
            cursor=cursor,
        )
        return await TRANSCRIPT_VIEW.read(self._fetch(session_id, min_position), query, self._tracing)

    def stream_transcript_view(
        self,
        session_id: UUID,
        languages: Sequence[str],
        *,
        start: float | None = None,
        end: float | None = None,
        speakers: Sequence[str] | None = None,
        finals_only: bool = False,
        untimed: bool = True,
        limit: int | None = None,
        cursor: str | None = None,
        min_position: int | None = None,
    ) -> AsyncIterator[TranscriptRow]:
        """Yield what `transcript_view` returns, in bounded memory however long the meeting was."""
        query = checked_view_query(
            session_id,
            languages,
            start=start,
            end=end,
            speakers=speakers,
            finals_only=finals_only,
            untimed=untimed,
            limit=limit,
            cursor=cursor,
        )
        return TRANSCRIPT_VIEW.stream(self._fetch(session_id, min_position), query, self._tracing)

    async def missing_translations(
        self,
        session_id: UUID,
        language: str,
        *,
        finals_only: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
        min_position: int | None = None,
    ) -> TranscriptViewPage:
        """Return what a translator into `language` has to do, in order, as `transcript_view` shows it.

        These are the transcripts that have no translation into it, or one that is stale and stands in its
        place. Those that were spoken in the language, or a variant of it, need none. Raises
        InvalidInputError.
        """
        query = checked_view_query(
            session_id, [language], finals_only=finals_only, limit=limit, cursor=cursor, missing=True
        )
        return await MISSING_TRANSLATIONS.read(self._fetch(session_id, min_position), query, self._tracing)

    async def session_statistics(
        self, session_id: UUID, *, min_position: int | None = None
    ) -> SessionStatistics:
        """Return a meeting in figures: speech, speakers, languages, translations, minutes.

        They are counted in the database, in one statement. Raises NotFoundError where the session is not
        there.
        """
        return await read_session_statistics(self._fetch(session_id, min_position), session_id, self._tracing)

    async def search(
        self,
        query: str,
        *,
        session_ids: Sequence[UUID] | None = None,
        languages: Sequence[str] | None = None,
        speakers: Sequence[str] | None = None,
        kinds: Sequence[EntryKind] | None = None,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        finals_only: bool = False,
        translation_language: str | None = None,
        fuzzy: bool = False,
        limit: int = 20,
        cursor: str | None = None,
    ) -> SearchPage:
        """Return the transcripts and translations that match a web-style query, over all sessions.

        `"exact phrase"`, `-without` and `this or that` mean what they do on the web. Each text is read in its
        own language, so that `meetings` finds "meeting", accents do not matter, and in scripts without spaces
        any piece of a text is found. `fuzzy` forgives typing mistakes behind the second letter
        of words of four letters and more.
        `started_from` and `started_before` bound the start of the meeting, from the one on and before the
        other. Each hit shows its original and its translation into `translation_language`.

        The hits of the newest meetings come first, the best of every 100 before the others; `limit` is 1 to
        1000, and the page's `next_cursor`, passed as `cursor` with the same query, continues it. Raises
        InvalidInputError, also for a query without a word that must be there.
        """
        checked = checked_search(
            query,
            session_ids=session_ids,
            languages=languages,
            speakers=speakers,
            kinds=kinds,
            started_from=started_from,
            started_before=started_before,
            finals_only=finals_only,
            translation_language=translation_language,
            fuzzy=fuzzy,
            limit=limit,
            cursor=cursor,
        )
        return await read_hits(self._fetch(None, None), checked, self._tracing)

    def _fetch(self, session_id: UUID | None, min_position: int | None) -> Fetch:
        position = checked_position(min_position)
        return partial(self._router.fetch, session_id=session_id, min_position=position)


def checked_position(min_position: int | None) -> int | None:
    """Return the position that a read demands; raises InvalidInputError."""
    return None if min_position is None else checked_integer(min_position, "min_position", minimum=0)
