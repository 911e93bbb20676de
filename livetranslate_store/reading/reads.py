"""The reads of a store that need no unit of work; a replica answers them if it is fresh enough."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Unpack
from uuid import UUID

from livetranslate_store.checks import MAX_BIG_INTEGER, checked_name, optional_integer
from livetranslate_store.database.tenant import Tenant
from livetranslate_store.reading.meeting import meeting_request, read_meeting, stream_meeting
from livetranslate_store.reading.paging import Fetch
from livetranslate_store.reading.search.finding import find_at_once, find_in_steps
from livetranslate_store.reading.search.query import checked_search
from livetranslate_store.reading.search.reader import read_hits
from livetranslate_store.reading.sessions.query import SessionOrder, checked_list
from livetranslate_store.reading.sessions.reader import read_sessions
from livetranslate_store.reading.side_by_side import MISSING_TRANSLATIONS, TRANSCRIPT_VIEW, view_request
from livetranslate_store.reading.statistics.statistics import read_session_statistics
from livetranslate_store.reading.text_history import read_text_history
from livetranslate_store.reading.timeline import TIMELINE, timeline_request
from livetranslate_store.replicas.router import ReadRouter
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import (
    Detail,
    MeetingEntry,
    MeetingPage,
    SearchFilters,
    SearchPage,
    SegmentFilters,
    SessionDetail,
    SessionFilters,
    SessionPage,
    SessionStatistics,
    TextHistoryEntry,
    TimelineEntry,
    TimelineFilters,
    TimelineOrder,
    TimelinePage,
    TranscriptRow,
    TranscriptViewPage,
)


class Reads:
    """Reads that need no unit of work: each page is one statement, but for some on a cluster.

    A read shows all that this store has written into the session. With `min_position`, the `position` of a
    receipt from any store, it shows that write too. On a cluster every read does, whatever node has the
    session: no replica answers.
    """

    def __init__(self, router: ReadRouter, tracing: Tracing) -> None:
        self._router = router
        self._tracing = tracing
        self._tenant: Tenant | None = None

    async def timeline(
        self,
        session_id: UUID,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        order: TimelineOrder = "oldest",
        include: Collection[Detail] = (),
        min_position: int | None = None,
        **filters: Unpack[TimelineFilters],
    ) -> TimelinePage:
        """Return the transcripts and translations of a session in order.

        Filters:
            start, end: the window `[start, end)` in seconds; entries that overlap it are kept.
            untimed: False leaves out entries without any time, which lie in every window otherwise.
            languages: tags, which keep their variants too (`zh` also keeps `zh-Hans`).
            speakers: labels or given names.
            kinds: `"transcript"`, `"translation"`.
            finals_only: True leaves out segments that may still change.

        With a `limit`, pass the page's `next_cursor` as `cursor` for the next page. `order="newest"` goes
        from the end of the meeting back; a cursor continues in either order, so that a page's
        `previous_cursor`, with the other order, continues on its other side. `include` adds the `"words"`,
        the `"audio_file_id"` or the `"edits"` to the entries. An unknown session has an empty timeline.
        Raises InvalidInputError.
        """
        request = timeline_request(
            session_id, filters, limit=limit, cursor=cursor, order=order, include=include
        )
        return await TIMELINE.read(self._fetch(session_id, min_position), request, self._tracing)

    def stream_timeline(
        self,
        session_id: UUID,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        order: TimelineOrder = "oldest",
        include: Collection[Detail] = (),
        min_position: int | None = None,
        **filters: Unpack[TimelineFilters],
    ) -> AsyncIterator[TimelineEntry]:
        """Yield the entries of `timeline`, in bounded memory for a meeting of any length.

        The filters are those of `timeline`, as `order` and `include` are. Raises InvalidInputError at the
        call.
        """
        request = timeline_request(
            session_id, filters, limit=limit, cursor=cursor, order=order, include=include
        )
        return TIMELINE.stream(self._fetch(session_id, min_position), request, self._tracing)

    async def meeting_timeline(
        self,
        meeting_id: str,
        *,
        tenant: str | None = None,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        order: TimelineOrder = "oldest",
        include: Collection[Detail] = (),
        min_position: int | None = None,
        **filters: Unpack[TimelineFilters],
    ) -> MeetingPage:
        """Return the timelines of a meeting's sessions as one: bots that took turns, or were there at once.

        All times count from the start of the first session, also the window of `start` and `end`; the other
        arguments are those of `timeline`. At one time the session that started earlier comes first. A meeting
        that recurs has one id for all occasions: `started_from` and `started_before` bound the start of the
        sessions, the first inclusive, and 100 are the most. Without `tenant` the sessions are those of the
        store's own tenant, or without any. An unknown meeting has an empty timeline. A page is several
        statements, and no snapshot. Raises InvalidInputError, and UsageError for another tenant than the
        store's.
        """
        request = meeting_request(
            meeting_id,
            self._tenant_named(tenant),
            {"started_from": started_from, "started_before": started_before},
            filters,
            limit=limit,
            cursor=cursor,
            order=order,
            include=include,
        )
        return await read_meeting(partial(self._fetch, min_position=min_position), request, self._tracing)

    def stream_meeting_timeline(
        self,
        meeting_id: str,
        *,
        tenant: str | None = None,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        order: TimelineOrder = "oldest",
        include: Collection[Detail] = (),
        min_position: int | None = None,
        **filters: Unpack[TimelineFilters],
    ) -> AsyncIterator[MeetingEntry]:
        """Yield the entries of `meeting_timeline`, in bounded memory for a meeting of any length.

        The arguments are those of `meeting_timeline`. Raises InvalidInputError for them at the call.
        """
        request = meeting_request(
            meeting_id,
            self._tenant_named(tenant),
            {"started_from": started_from, "started_before": started_before},
            filters,
            limit=limit,
            cursor=cursor,
            order=order,
            include=include,
        )
        return stream_meeting(partial(self._fetch, min_position=min_position), request, self._tracing)

    async def transcript_view(
        self,
        session_id: UUID,
        languages: Sequence[str],
        *,
        limit: int | None = None,
        cursor: str | None = None,
        order: TimelineOrder = "oldest",
        include: Collection[Detail] = (),
        min_position: int | None = None,
        **filters: Unpack[SegmentFilters],
    ) -> TranscriptViewPage:
        """Return the transcripts of a session in order, each with its translations into `languages`.

        A row has one place per given language, in their order, also for one that is given twice: the
        translation with that tag, else the first of its variants in the order of tags, else None.
        The filters are those of `timeline` without `languages` and `kinds`; its cursors continue this view
        too, and `order` and `include` are the same. Raises InvalidInputError.
        """
        request = view_request(
            session_id, languages, filters, limit=limit, cursor=cursor, order=order, include=include
        )
        return await TRANSCRIPT_VIEW.read(self._fetch(session_id, min_position), request, self._tracing)

    def stream_transcript_view(
        self,
        session_id: UUID,
        languages: Sequence[str],
        *,
        limit: int | None = None,
        cursor: str | None = None,
        order: TimelineOrder = "oldest",
        include: Collection[Detail] = (),
        min_position: int | None = None,
        **filters: Unpack[SegmentFilters],
    ) -> AsyncIterator[TranscriptRow]:
        """Yield the rows of `transcript_view`, in bounded memory for a meeting of any length.

        The filters are those of `transcript_view`, as `order` and `include` are. Raises InvalidInputError
        at the call.
        """
        request = view_request(
            session_id, languages, filters, limit=limit, cursor=cursor, order=order, include=include
        )
        return TRANSCRIPT_VIEW.stream(self._fetch(session_id, min_position), request, self._tracing)

    async def missing_translations(
        self,
        session_id: UUID,
        language: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        order: TimelineOrder = "oldest",
        include: Collection[Detail] = (),
        min_position: int | None = None,
        **filters: Unpack[SegmentFilters],
    ) -> TranscriptViewPage:
        """Return the transcripts that still need a translation into `language`, in timeline order.

        A transcript needs one if it has none, or a machine's stale one, which its row shows. A transcript in
        the language, or in a variant of it, needs none; a person's translation needs the person, even if it
        is stale, because a machine's would be refused. The filters are those of `transcript_view`. Raises
        InvalidInputError.
        """
        request = view_request(
            session_id, [language], filters, limit=limit, cursor=cursor, order=order, include=include
        )
        return await MISSING_TRANSLATIONS.read(self._fetch(session_id, min_position), request, self._tracing)

    async def text_history(
        self,
        session_id: UUID,
        transcript_id: UUID,
        *,
        language: str | None = None,
        min_position: int | None = None,
    ) -> Sequence[TextHistoryEntry]:
        """Return the versions of a transcript, or of its translation into `language`, the current one last.

        Versions are kept when a person's edit replaces them; with `keep_refused_texts` also a machine's that
        came after an edit. Raises NotFoundError, and InvalidInputError.
        """
        fetch = self._fetch(session_id, min_position)
        return await read_text_history(fetch, session_id, transcript_id, language, self._tracing)

    async def session_statistics(
        self, session_id: UUID, *, min_position: int | None = None
    ) -> SessionStatistics:
        """Return a meeting in figures: speech, speakers, languages, translations, minutes.

        The database counts them, in one statement. Raises NotFoundError if the session does not exist.
        """
        return await read_session_statistics(self._fetch(session_id, min_position), session_id, self._tracing)

    async def find_sessions(
        self,
        *,
        order: SessionOrder = "newest",
        limit: int = 50,
        cursor: str | None = None,
        count: bool = False,
        include: Collection[SessionDetail] = (),
        min_position: int | None = None,
        **filters: Unpack[SessionFilters],
    ) -> SessionPage:
        """Return a page of sessions, by their start, each with what a list shows of its meeting.

        Filters:
            tenant, bot_id, meeting_id, status: only sessions with this value.
            languages: target languages, which keep their variants too (`zh` also keeps `zh-Hans`).
            started_from, started_before: the start of the meeting, the first inclusive.
            metadata: an object that the session's metadata contains, at any depth.
            text: an id, an external id, or beginnings of words of the title, in any order.
            has_audio: whether recordings are stored.
            active_since: only sessions whose `last_activity` is not older.
            silent_for: only sessions with the status (`"active"` if none is given) whose `last_activity` is
                longer ago.

        `order` is `"newest"` or `"oldest"`, and `limit` 1 to 1000. Pass the page's `next_cursor` as `cursor`,
        with the same order and filters, for the next page. `count` counts the whole list as `total`.
        `include` adds the number of `"segments"` or the `"spoken_languages"` of each session, which takes a
        read of the whole meeting. Raises InvalidInputError, and UsageError for another tenant than the
        store's.
        """
        fetch = self._fetch(None, min_position)
        if self._tenant is not None:
            self._tenant.check_name(filters.get("tenant") or self._tenant.name)
            filters["tenant"] = self._tenant.name
        query = checked_list(filters, order=order, limit=limit, cursor=cursor, count=count, include=include)
        if await self._router.is_distributed():
            query = query._replace(in_steps=True)
        return await read_sessions(fetch, query, self._tracing)

    async def search(
        self,
        query: str,
        *,
        translation_language: str | None = None,
        fuzzy: bool = False,
        limit: int = 20,
        cursor: str | None = None,
        min_position: int | None = None,
        **filters: Unpack[SearchFilters],
    ) -> SearchPage:
        """Return the transcripts and translations that match a web-style query, over all sessions.

        `"exact phrase"`, `-without` and `this or that` mean what they do on the web. The query is read in the
        language of each text: `meetings` finds "meeting", accents do not matter, and in scripts without
        spaces any piece of a text is found. `fuzzy` forgives typing mistakes after the second letter, in
        words of four letters or more. Each hit shows its original, and its translation into
        `translation_language`.

        Filters:
            session_ids: only these sessions.
            started_from, started_before: the start of the meeting, the first inclusive.
            languages, speakers, kinds, finals_only: as in `timeline`.

        The hits of the newest meetings come first, ranked in blocks of some 100 hits. `limit` is 1 to 1000;
        pass the page's `next_cursor` as `cursor`, with the same query and filters, for the next page. Raises
        InvalidInputError, also for a query that requires no word.
        """
        checked = checked_search(
            query,
            filters,
            translation_language=translation_language,
            fuzzy=fuzzy,
            limit=limit,
            cursor=cursor,
            tenant=None if self._tenant is None else self._tenant.name,
        )
        fetch = self._fetch(None, min_position)
        find = find_in_steps if await self._router.is_distributed() else find_at_once
        return await read_hits(find, fetch, checked, self._tracing)

    def _tenant_named(self, tenant: str | None) -> str:
        """Return the tenant that a read asks for, empty for none; raises UsageError for another's."""
        name = "" if tenant is None else checked_name(tenant, "tenant")
        if self._tenant is None:
            return name
        self._tenant.check_name(name or self._tenant.name)
        return self._tenant.name

    def _fetch(self, session_id: UUID | None, min_position: int | None) -> Fetch:
        position = checked_position(min_position)
        fetch = partial(self._router.fetch, session_id=session_id, min_position=position)
        if self._tenant is None or session_id is None:
            return fetch
        tenant, own = self._tenant, session_id
        return lambda bound: fetch(tenant.narrowed(bound, own))


def checked_position(min_position: int | None) -> int | None:
    """Return the position that a read demands; raises InvalidInputError."""
    return optional_integer(min_position, "min_position", maximum=MAX_BIG_INTEGER)
