"""One meeting of several sessions as one timeline."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from helpers.support import transcript, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store import InvalidInputError, MeetingEntry, MeetingPage, SessionInput, Store, UsageError
from livetranslate_store.ids import new_id
from livetranslate_store.reading import meeting, paging
from livetranslate_store.reading.cursor import Cursor
from livetranslate_store.reading.meeting import MeetingCursor

BEGAN = datetime(2026, 5, 1, 9, tzinfo=UTC)


class Said(NamedTuple):
    """A text in a session, at a time there."""

    session: int
    start: float | None
    is_translated: bool = False


async def held(store: Store, starts: Sequence[float], said: Sequence[Said]) -> tuple[str, list[UUID]]:
    """Write a meeting of sessions that start so many seconds after another."""
    meeting_id = f"meeting-{new_id()}"
    inputs = [
        SessionInput(bot_id=f"bot-{n}", meeting_id=meeting_id, started_at=BEGAN + timedelta(seconds=start))
        for n, start in enumerate(starts)
    ]
    async with store.unit_of_work() as uow:
        ids = [each.id for each in await uow.sessions.create_many(inputs)]
    for each in said:
        await store.record_segment(
            ids[each.session],
            transcript=transcript(start_time=each.start, speaker_label=f"S{each.session}"),
            translations=[translation()] if each.is_translated else [],
        )
    return meeting_id, ids


async def paged(store: Store, meeting_id: str, size: int, **options: Any) -> list[MeetingEntry]:
    entries: list[MeetingEntry] = []
    cursor = None
    while True:
        page = await store.meeting_timeline(meeting_id, limit=size, cursor=cursor, **options)
        assert len(page) <= size
        entries += page
        cursor = page.next_cursor
        if cursor is None:
            return entries
        assert len(page) == size


async def test_sessions_are_merged_by_the_time_since_the_first_one_began(store: Store) -> None:
    said = [Said(1, 0.0, is_translated=True), Said(0, 5.0), Said(0, 15.0), Said(1, 12.0), Said(0, None)]
    meeting_id, ids = await held(store, [0.0, 10.0], said)
    page = await store.meeting_timeline(meeting_id)
    assert (page.started_at, page.next_cursor) == (BEGAN, None)
    assert [(each.timestamp, ids.index(each.session_id), each.entry.kind) for each in page] == [
        (0.0, 0, "transcript"),
        (5.0, 0, "transcript"),
        (10.0, 1, "transcript"),
        (10.0, 1, "translation"),
        (15.0, 0, "transcript"),
        (22.0, 1, "transcript"),
    ]
    assert [each.entry.timestamp for each in page] == [0.0, 5.0, 0.0, 0.0, 15.0, 12.0]
    assert [each async for each in store.stream_meeting_timeline(meeting_id)] == [*page]
    newest = await store.meeting_timeline(meeting_id, order="newest")
    assert [*newest] == [*page][::-1]


async def test_the_window_and_the_filters_are_those_of_the_meeting(store: Store) -> None:
    meeting_id, _ = await held(store, [0.0, 10.0], [Said(0, 5.0), Said(0, 11.0), Said(1, 1.5, True)])

    async def timestamps(**filters: Any) -> list[float]:
        return [each.timestamp for each in await store.meeting_timeline(meeting_id, **filters)]

    assert await timestamps(start=6.0) == [11.0, 11.5, 11.5]
    assert await timestamps(start=6.0, end=11.5) == [11.0]
    assert await timestamps(kinds=["translation"]) == [11.5]
    assert await timestamps(speakers=["S0"]) == [5.0, 11.0]
    [edit, *_] = await store.meeting_timeline(meeting_id, include=["words", "audio_file_id"])
    assert edit.entry.audio_file_id is None


async def test_a_recurring_meeting_is_bounded_by_the_start_of_its_sessions(store: Store) -> None:
    week = timedelta(weeks=1).total_seconds()
    meeting_id, ids = await held(store, [0.0, week, week + 60.0], [Said(n, 1.0) for n in range(3)])
    second = {
        "started_from": BEGAN + timedelta(days=6),
        "started_before": BEGAN + timedelta(days=8),
    }
    page = await store.meeting_timeline(meeting_id, **second)  # type: ignore[arg-type]
    assert [(each.timestamp, each.session_id) for each in page] == [(1.0, ids[1]), (61.0, ids[2])]
    assert page.started_at == BEGAN + timedelta(weeks=1)


async def test_an_unknown_meeting_has_an_empty_timeline(store: Store) -> None:
    assert await store.meeting_timeline("nobody's") == MeetingPage((), None)
    first = await store.meeting_timeline("nobody's", limit=1)
    assert (len(first), first.started_at) == (0, None)


async def test_a_meeting_belongs_to_one_tenant(store: Store) -> None:
    meeting_id, [own, *_] = await held(store, [0.0], [Said(0, 1.0)])
    acme = store.for_tenant("acme")
    async with acme.unit_of_work() as uow:
        theirs = await uow.sessions.create(bot_id="b", meeting_id=meeting_id)
    await acme.record_segment(theirs.id, transcript=transcript())
    for page, session_id in (
        (await store.meeting_timeline(meeting_id), own),
        (await store.meeting_timeline(meeting_id, tenant="acme"), theirs.id),
        (await acme.meeting_timeline(meeting_id), theirs.id),
    ):
        assert [each.session_id for each in page] == [session_id]
    with pytest.raises(UsageError, match="of the tenant 'acme'"):
        await acme.meeting_timeline(meeting_id, tenant="beta")


async def test_wrong_arguments_say_what_would_be_right(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting_id, ids = await held(store, [0.0, 5.0], [Said(0, 1.0), Said(0, 2.0), Said(1, 1.0)])
    cursor = (await store.meeting_timeline(meeting_id, limit=1)).next_cursor
    single = (await store.timeline(ids[0], limit=1)).next_cursor
    lost = MeetingCursor(b"", BEGAN, ids[0], Cursor(float("nan"), 0, ids[0], "")).encoded()
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("meeting_id", {"meeting_id": " "}),
        ("limit", {"limit": 0}),
        ("order", {"order": "up"}),
        ("include", {"include": "words"}),
        ("not a valid cursor", {"cursor": single}),
        ("not a valid cursor", {"cursor": "?"}),
        ("not a valid cursor", {"cursor": lost}),
        ("continues another meeting", {"meeting_id": "another", "cursor": cursor}),
        ("continues another meeting", {"cursor": cursor, "started_from": BEGAN}),
        ("continues another meeting", {"cursor": cursor, "tenant": "acme"}),
        ("not after started_from", {"started_from": BEGAN, "started_before": BEGAN}),
        ("not after its start", {"start": 2.0, "end": 1.0}),
    ]
    for said, arguments in wrong:
        with pytest.raises(InvalidInputError, match=said):
            await store.meeting_timeline(**{"meeting_id": meeting_id} | arguments)
        with pytest.raises(InvalidInputError, match=said):
            store.stream_meeting_timeline(**{"meeting_id": meeting_id} | arguments)
    monkeypatch.setattr(meeting, "MAX_SESSIONS", 1)
    with pytest.raises(InvalidInputError, match="more than 1 sessions: give started_from"):
        await store.meeting_timeline(meeting_id)


async def test_a_page_goes_on_if_its_last_session_was_deleted_meanwhile(store: Store) -> None:
    meeting_id, ids = await held(store, [0.0, 5.0], [Said(0, 1.0), Said(1, 1.0), Said(0, 7.0), Said(1, 9.0)])
    page = await store.meeting_timeline(meeting_id, limit=2)
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(ids[1])
    rest = await store.meeting_timeline(meeting_id, cursor=page.next_cursor)
    assert [each.timestamp for each in rest] == [7.0]


async def test_a_page_reads_no_entries_in_front_of_its_cursor(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [Said(number % 2, None) for number in range(40)]
    meeting_id, _ = await held(store, [0.0, 0.0], said)
    monkeypatch.setattr(meeting, "_SMALLEST_PART", 5)
    cursor = None
    for _ in range(4):
        before = calls(store)
        page = await store.meeting_timeline(meeting_id, limit=10, cursor=cursor)
        assert calls(store) - before <= 4
        cursor = page.next_cursor
    assert cursor is None


async def test_a_deep_page_asks_each_session_once_or_for_a_part_more(store: Store) -> None:
    said = [Said(number % 3, float(number)) for number in range(300)]
    meeting_id, _ = await held(store, [0.0, 0.5, 1000.0], said)

    async def asked(cursor: str | None) -> tuple[MeetingPage, int]:
        before = calls(store)
        page = await store.meeting_timeline(meeting_id, limit=60, cursor=cursor)
        return page, calls(store) - before

    page, first = await asked(None)
    page, _ = await asked(page.next_cursor)
    page, deep = await asked(page.next_cursor)
    # Two sessions have 30 entries of it each, and come in parts of 25.
    assert (len(page), first, deep) == (60, 5, 5)


def calls(store: Store) -> int:
    found = store.statistics().statements.get("timeline")
    return 0 if found is None else found.calls


# Few values, so that equal moments are frequent; sums of the last ones are rounded.
STARTS = st.lists(st.sampled_from([0.0, 1.0, 2.5, 0.1, 86_400.3, 1e9]), min_size=1, max_size=4)
TIMES = st.sampled_from([None, -1.0, 0.0, 0.1, 1.0, 1.5, 1.5 + 2e-16, 1e-9, 1e-17, 2.4, 86_400.2, 1e9])


@st.composite
def meetings(draw: st.DrawFn) -> tuple[list[float], list[Said]]:
    starts = draw(STARTS)
    said = st.builds(Said, st.integers(0, len(starts) - 1), TIMES, st.booleans())
    return starts, draw(st.lists(said, max_size=12))


@pytest.mark.slow
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    held_so=meetings(),
    size=st.integers(1, 5),
    part=st.integers(1, 3),
    start=st.sampled_from([None, 1.0, 2.0]),
    kinds=st.sampled_from([None, ["transcript"]]),
)
async def test_pages_and_streams_are_those_of_a_reference(
    store: Store,
    *,
    held_so: tuple[list[float], list[Said]],
    size: int,
    part: int,
    start: float | None,
    kinds: Any,
) -> None:
    meeting_id, ids = await held(store, *held_so)
    filters: dict[str, Any] = {"kinds": kinds}
    began = [BEGAN + timedelta(seconds=each) for each in held_so[0]]
    expected = []
    for session_id, moment in zip(ids, began, strict=True):
        offset = (moment - min(began)).total_seconds()
        own = filters if start is None else filters | {"start": start - offset}
        for place, entry in enumerate(await store.timeline(session_id, **own)):
            expected.append((offset + entry.timestamp, moment, session_id, place, entry))
    reference = [MeetingEntry(key[2], key[0], key[4]) for key in sorted(expected, key=lambda key: key[:4])]
    filters["start"] = start
    with pytest.MonkeyPatch.context() as patch:
        # Parts end within pages.
        patch.setattr(meeting, "_SMALLEST_PART", part)
        patch.setattr(meeting, "STREAM_PAGE", part)
        patch.setattr(paging, "STREAM_PAGE", part)
        whole = await store.meeting_timeline(meeting_id, **filters)
        assert [*whole] == reference
        assert await paged(store, meeting_id, size, **filters) == reference
        assert await paged(store, meeting_id, size, order="newest", **filters) == reference[::-1]
        middle = await store.meeting_timeline(meeting_id, limit=size, **filters)
        if middle.next_cursor is not None:
            rest = await store.meeting_timeline(meeting_id, cursor=middle.next_cursor, **filters)
            assert [*middle, *rest] == reference
            back = await store.meeting_timeline(
                meeting_id, cursor=rest.previous_cursor, order="newest", **filters
            )
            assert [*back] == [*middle][::-1]
