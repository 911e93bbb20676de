"""Lists of sessions: every filter, both orders, pages that continue, and what is shown of each meeting."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import audio, transcript, translation
from psycopg.types.json import Jsonb

from livetranslate_store import InvalidInputError, SessionPage, SessionSummary, Store, UsageError
from livetranslate_store.reading.sessions import statement
from livetranslate_store.reading.sessions.conditions import CONDITIONS

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
TITLES = (None, "Weekly sales", "Weekly hiring", "Über das Budget", "予算会議の予定")
STATUSES = ("active", "ended", "error", "paused")


class Known(NamedTuple):
    """What was stored of a session."""

    id: UUID
    tenant: str
    bot_id: str
    meeting_id: str
    external_id: str | None
    title: str | None
    status: str
    started_at: datetime
    ended_at: datetime | None
    languages: list[str]
    metadata: dict[str, Any]
    #: The language and the moment of each segment, and the moments of recordings.
    spoken: list[tuple[str, datetime]]
    recorded: list[datetime]

    @property
    def last_activity(self) -> datetime:
        # Of the last segment of the timeline; without any, of the last recording.
        heard = self.spoken[-1][1] if self.spoken else max(self.recorded, default=self.started_at)
        return self.ended_at or max(self.started_at, heard)


def made_up(number: int, dice: Random) -> Known:
    # Some start at the same moment.
    started_at = BEGINNING + timedelta(hours=number // 3)
    status = dice.choice(STATUSES)
    moments = [started_at + timedelta(minutes=dice.randrange(600)) for _ in range(dice.choice((0, 0, 3)))]
    return Known(
        id=UUID(int=dice.getrandbits(128)),
        tenant=dice.choice(("", "acme", "globex")),
        bot_id=f"bot-{dice.randrange(3)}",
        meeting_id=f"meeting-{dice.randrange(5)}",
        external_id=dice.choice((None, f"meet {number}", "-" * (number + 1))),
        title=dice.choice(TITLES),
        status=status,
        started_at=started_at,
        ended_at=started_at + timedelta(hours=dice.randrange(1, 9)) if status == "ended" else None,
        languages=dice.sample(["es", "zh-Hans", "zh-TW", "ja", "pt-BR"], dice.randrange(3)),
        metadata={"team": dice.choice(("sales", "hr")), "tags": dice.sample(["a", "b", "c"], 2)},
        spoken=[(dice.choice(("en", "de", "en-GB")), moment) for moment in moments],
        recorded=[started_at + timedelta(minutes=7)] if dice.random() < 0.3 else [],
    )


@pytest.fixture
def known(other_program: Program) -> list[Known]:
    """Sixty sessions of every kind, the newest first."""
    dice = Random(13)
    sessions = [made_up(number, dice) for number in range(60)]
    for each in sessions:
        insert(other_program, each)
    other_program.commit()
    return sorted(sessions, key=lambda each: (each.started_at, each.id.bytes), reverse=True)


def insert(program: Program, session: Known) -> None:
    program.execute(
        "INSERT INTO livetranslate.sessions (id, tenant_id, bot_id, meeting_id, external_id, title, status,"
        " started_at, ended_at, target_languages, metadata, created_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [*session[:9], session.languages, Jsonb(session.metadata), session.started_at],
    )
    for number, (language, moment) in enumerate(session.spoken):
        program.execute(
            "INSERT INTO livetranslate.transcripts (session_id, id, text, language, created_at, is_final)"
            " VALUES (%s, %s, 'text', %s, %s, true)",
            [session.id, UUID(int=number), language, moment],
        )
    for moment in session.recorded:
        program.execute(
            "INSERT INTO livetranslate.audio_files"
            " (session_id, id, storage_key, format, size_bytes, sha256, created_at)"
            " VALUES (%s, %s, 'key', 'wav', 4, repeat('0', 64), %s)",
            [session.id, UUID(int=1), moment],
        )


@pytest.fixture(params=["walked", "found by an index"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both ways to find a page: the second one is for longer lists."""
    if request.param == "found by an index":
        conditions = {name: each._replace(walked=2) for name, each in CONDITIONS.items()}
        monkeypatch.setattr(statement, "CONDITIONS", conditions)
    statement.page_statement.cache_clear()
    yield
    statement.page_statement.cache_clear()


NOON = BEGINNING + timedelta(hours=12)

FILTERS: dict[str, tuple[dict[str, Any], Any]] = {
    "all": ({}, lambda _: True),
    "none of them": (dict.fromkeys(("tenant", "status", "metadata", "text", "has_audio")), lambda _: True),
    "tenant": ({"tenant": "acme"}, lambda each: each.tenant == "acme"),
    "bot": ({"bot_id": "bot-1"}, lambda each: each.bot_id == "bot-1"),
    "meeting": ({"meeting_id": "meeting-2"}, lambda each: each.meeting_id == "meeting-2"),
    "status": ({"status": "error"}, lambda each: each.status == "error"),
    "from": ({"started_from": NOON}, lambda each: each.started_at >= NOON),
    "before": ({"started_before": NOON}, lambda each: each.started_at < NOON),
    "metadata": ({"metadata": {"team": "hr"}}, lambda each: each.metadata["team"] == "hr"),
    "metadata, an element": ({"metadata": {"tags": ["a"]}}, lambda each: "a" in each.metadata["tags"]),
    "metadata, empty": ({"metadata": {}}, lambda _: True),
    "metadata, nowhere": ({"metadata": {"team": "x"}}, lambda _: False),
    "language": ({"languages": ["ja"]}, lambda each: "ja" in each.languages),
    "language, variants": (
        {"languages": ["ZH"]},
        lambda each: {"zh-Hans", "zh-TW"} & {*each.languages},
    ),
    "language, one variant": ({"languages": ["zh-hans"]}, lambda each: "zh-Hans" in each.languages),
    "languages": ({"languages": ["es", "pt"]}, lambda each: {"es", "pt-BR"} & {*each.languages}),
    "title": ({"text": "sal week"}, lambda each: each.title == "Weekly sales"),
    "title, accents": ({"text": "UBER"}, lambda each: each.title == "Über das Budget"),
    "title, unspaced": ({"text": "会議"}, lambda each: each.title == "予算会議の予定"),
    "title, one letter": ({"text": "予"}, lambda each: each.title == "予算会議の予定"),
    "title, apart": ({"text": "予議"}, lambda _: False),
    "audio": ({"has_audio": True}, lambda each: each.recorded),
    "no audio": ({"has_audio": False}, lambda each: not each.recorded),
    "active since": ({"active_since": NOON}, lambda each: each.last_activity >= NOON),
    "silent": (
        {"silent_for": timedelta(hours=1)},
        lambda each: each.status == "active" and each.last_activity < datetime.now(UTC) - timedelta(hours=1),
    ),
    "silent, paused": (
        {"silent_for": timedelta(hours=1), "status": "paused"},
        lambda each: each.status == "paused",
    ),
    "several": (
        {"tenant": "acme", "bot_id": "bot-1", "metadata": {"team": "sales"}, "started_before": NOON},
        lambda each: (
            (each.tenant, each.bot_id, each.metadata["team"]) == ("acme", "bot-1", "sales")
            and each.started_at < NOON
        ),
    ),
    "several without an index": (
        {"has_audio": True, "active_since": NOON, "languages": ["es"]},
        lambda each: each.recorded and each.last_activity >= NOON and "es" in each.languages,
    ),
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("filters", "keeps"), FILTERS.values(), ids=FILTERS)
async def test_a_list_has_the_sessions_that_its_filters_keep_in_both_orders(
    store: Store, known: list[Known], filters: dict[str, Any], keeps: Any
) -> None:
    expected = [each.id for each in known if keeps(each)]
    page = await store.find_sessions(**filters, limit=100, count=True)
    assert [each.id for each in page] == expected
    assert (page.next_cursor, page.total) == (None, len(expected))
    assert ids(await pages(store, 7, **filters)) == expected
    assert ids(await pages(store, 7, **filters, order="oldest")) == expected[::-1]


async def pages(store: Store, limit: int, **arguments: Any) -> list[SessionPage]:
    found = [await store.find_sessions(**arguments, limit=limit)]
    while found[-1].next_cursor is not None:
        assert len(found[-1]) == limit
        found.append(await store.find_sessions(**arguments, limit=limit, cursor=found[-1].next_cursor))
    return found


def ids(found: list[SessionPage]) -> list[UUID]:
    return [each.id for page in found for each in page]


@pytest.mark.parametrize("name", ["id", "external_id"])
@pytest.mark.usefixtures("way")
async def test_a_session_is_found_by_its_own_id_and_external_id(
    store: Store, known: list[Known], name: str
) -> None:
    for each in known:
        if (text := getattr(each, name)) is not None:
            assert [found.id for found in await store.find_sessions(text=str(text))] == [each.id]


async def test_a_summary_has_what_a_list_shows_of_the_meeting(store: Store, known: list[Known]) -> None:
    page = await store.find_sessions(limit=100, include=["segments", "spoken_languages"])
    for session, summary in zip(known, page, strict=True):
        assert (summary.title, summary.metadata) == (session.title, session.metadata)
        assert summary.last_activity == session.last_activity
        spoken = tuple(sorted({language for language, _ in session.spoken}))
        assert summary.spoken_languages == spoken
        assert (summary.has_audio, summary.segments) == (bool(session.recorded), len(session.spoken))
        length = None if session.ended_at is None else session.ended_at - session.started_at
        assert summary.duration == (None if length is None else length.total_seconds())
    left_out = {(each.segments, each.spoken_languages) for each in await store.find_sessions()}
    assert left_out == {(None, None)}


async def test_speakers_have_their_names_each_once(store: Store, session_id: UUID) -> None:
    for label in ("S2", "S1", "S0"):
        await store.record_segment(session_id, transcript=transcript(speaker_label=label))
    async with store.unit_of_work() as uow:
        for label in ("S0", "S1"):
            await uow.speakers.rename(session_id, label, "Ana")
    (summary,) = await store.find_sessions()
    assert summary.speakers == ("Ana", "S2")


async def test_a_meeting_that_just_wrote_is_not_silent(store: Store, session_id: UUID) -> None:
    before = (await store.find_sessions())[0].last_activity
    await store.record_segment(
        session_id, transcript=transcript(), translations=[translation()], audio=audio()
    )
    (summary,) = await store.find_sessions(active_since=before + timedelta(microseconds=1))
    assert summary.last_activity > before
    assert not await store.find_sessions(silent_for=timedelta(minutes=1))
    assert await store.find_sessions(silent_for=timedelta(microseconds=1))
    async with store.unit_of_work() as uow:
        await uow.sessions.end(session_id)
    assert not await store.find_sessions(silent_for=timedelta(microseconds=1))


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_pages_are_the_whole_list_while_newer_sessions_begin(
    store: Store, known: list[Known], order: Any
) -> None:
    stop = asyncio.Event()

    async def begin_meetings() -> None:
        while not stop.is_set():
            async with store.unit_of_work() as uow:
                await uow.sessions.create(bot_id="bot-9", meeting_id="later")

    meetings = asyncio.create_task(begin_meetings())
    cursor: str | None = None
    found: list[UUID] = []
    while len(found) < len(known):
        page = await store.find_sessions(order=order, limit=3, cursor=cursor, started_before=None)
        found += [each.id for each in page if each.meeting_id != "later"]
        cursor = page.next_cursor
        if cursor is None:
            break
    stop.set()
    await meetings
    assert found == [each.id for each in (known if order == "newest" else known[::-1])]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit": 0}, "limit must be from 1 to 1000"),
        ({"limit": 1001}, "limit must be from 1 to 1000"),
        ({"order": "best"}, "order must be one of newest, oldest"),
        ({"count": 1}, "count must be True or False"),
        ({"status": "over"}, "status must be one of spawning, active"),
        ({"tenant": ""}, "tenant must not be empty"),
        ({"bot_id": " "}, "bot_id must not be empty"),
        ({"meeting_id": 7}, "meeting_id must be text"),
        ({"text": ""}, "text must not be empty"),
        ({"text": "a " * 40}, "at most 32 are looked for"),
        ({"languages": []}, "languages needs at least one tag"),
        ({"languages": ["no language"]}, "not a BCP-47 language tag"),
        ({"metadata": ["sales"]}, "metadata must be a JSON object"),
        ({"has_audio": "yes"}, "has_audio must be True or False"),
        ({"started_from": datetime(2026, 1, 1)}, "started_from must be a datetime with a time zone"),  # noqa: DTZ001
        ({"started_from": NOON, "started_before": NOON}, "not after started_from"),
        ({"active_since": "today"}, "active_since must be a datetime"),
        ({"silent_for": 60}, "silent_for must be a timedelta"),
        ({"silent_for": timedelta(0)}, "silent_for must be more than zero"),
        ({"silent_for": timedelta.max}, "at most 3650 days"),
        ({"silent_for": timedelta(hours=1), "status": "ended"}, "silent_for finds sessions that go on"),
        ({"cursor": "nonsense"}, "not a valid cursor"),
        ({"cursor": 7}, "not a valid cursor"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(
    store: Store, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await store.find_sessions(**arguments)


async def test_an_unknown_filter_is_an_unknown_keyword(store: Store) -> None:
    unknown: dict[str, Any] = {"room": "blue"}
    with pytest.raises(TypeError, match="Unknown filter room; the filters are active_since, bot_id"):
        await store.find_sessions(**unknown)


async def test_a_cursor_continues_its_own_list_only(
    store: Store, known: list[Known], session_id: UUID
) -> None:
    assert len(known) > 3
    wide: dict[str, Any] = {"started_from": BEGINNING, "metadata": {"team": "sales", "tags": ["a"]}}
    cursor = (await store.find_sessions(**wide, limit=2)).next_cursor
    same: dict[str, Any] = {
        "started_from": BEGINNING.astimezone(None),
        "metadata": {"tags": ["a"], "team": "sales"},
        "tenant": None,
    }
    assert await store.find_sessions(**same, limit=3, cursor=cursor)
    others: list[dict[str, Any]] = [
        {},
        wide | {"tenant": "acme"},
        wide | {"status": "active"},
        wide | {"order": "oldest"},
    ]
    for other in [*others, wide | {"started_from": NOON}]:
        with pytest.raises(InvalidInputError, match="other filters or another order"):
            await store.find_sessions(**other, cursor=cursor)
    for number in range(2):
        await store.record_segment(session_id, transcript=transcript(start_time=float(number)))
    of_others = [
        (await store.timeline(session_id, limit=1)).next_cursor,
        (await store.search("morning", limit=1)).next_cursor,
    ]
    for other_cursor in of_others:
        assert other_cursor is not None
        with pytest.raises(InvalidInputError, match="not a valid cursor"):
            await store.find_sessions(cursor=other_cursor)
    with pytest.raises(InvalidInputError, match="not a valid cursor"):
        await store.timeline(session_id, cursor=cursor)


async def test_a_summary_is_a_frozen_value(store: Store, session_id: UUID) -> None:
    (summary,) = await store.find_sessions()
    assert isinstance(summary, SessionSummary)
    assert summary.id == session_id
    assert (summary.target_languages, summary.spoken_languages, summary.speakers) == ((), None, ())


@pytest.mark.usefixtures("way")
async def test_the_store_of_a_tenant_lists_its_own_sessions(store: Store, known: list[Known]) -> None:
    acme = store.for_tenant("acme")
    own = [each for each in known if each.tenant == "acme"]
    assert ids(await pages(acme, 7)) == [each.id for each in own]
    page = await acme.find_sessions(metadata={"team": "hr"}, tenant="acme", count=True)
    assert page.total == len([each for each in own if each.metadata["team"] == "hr"])
    with pytest.raises(UsageError, match="of the tenant 'acme': it has no others"):
        await acme.find_sessions(tenant="globex")
    cursor = (await store.find_sessions(tenant="globex", limit=1)).next_cursor
    with pytest.raises(InvalidInputError, match="other filters"):
        await acme.find_sessions(cursor=cursor)
