"""The timeline against a reference in plain Python, over generated meetings."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from helpers.support import transcript, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store import Store, TimelineEntry

pytestmark = pytest.mark.slow


# Few values, so that equal ones are frequent.
TIMES = st.sampled_from([None, -1.0, 0.0, 0.5, 1.0, 2.0, 1e9])
TAGS = ["ar", "es", "zh", "zh-Hans"]


class Times(NamedTuple):
    start: float | None
    end: float | None


def ordered(start: float | None, end: float | None) -> Times:
    return Times(*sorted((start, end))) if start is not None and end is not None else Times(start, end)


times = st.builds(ordered, TIMES, TIMES)


class Segment(NamedTuple):
    times: Times
    place: int
    language: str
    speaker: str | None
    final: bool
    translations: dict[str, Times]


segments = st.builds(
    Segment,
    times,
    st.integers(0, 1),
    st.sampled_from(["en", "zh-Hant"]),
    st.sampled_from([None, "SPEAKER_00", "SPEAKER_01"]),
    st.booleans(),
    st.dictionaries(st.sampled_from(TAGS), times, max_size=3),
)


class Filters(NamedTuple):
    start: float | None
    end: float | None
    languages: list[str] | None
    speakers: list[str] | None
    kinds: list[str] | None
    finals_only: bool
    untimed: bool


filters = st.builds(
    Filters,
    st.sampled_from([None, -1.0, 0.5, 1.0]),
    st.sampled_from([None, 1.5, 2.0, 1e10]),
    st.sampled_from([None, ["zh"], ["es", "zh-Hans"], ["en"]]),
    st.sampled_from([None, ["SPEAKER_00"], ["SPEAKER_01", "nobody"]]),
    st.sampled_from([None, ["transcript"], ["translation"]]),
    st.booleans(),
    st.booleans(),
)


class Expected(NamedTuple):
    """One entry as the reference has it; its fields sort as the timeline does."""

    timestamp: float
    place: int
    transcript_id: UUID
    is_translation: bool
    language: str
    times: Times
    speaker: str | None
    final: bool


def reference(meeting: Sequence[tuple[UUID, Segment]], want: Filters) -> list[Expected]:
    entries = []
    for key, segment in meeting:
        sides = {
            tag: own if own != (None, None) else segment.times for tag, own in segment.translations.items()
        }
        for language, (start, end) in [(segment.language, segment.times), *sides.items()]:
            timestamp = start if start is not None else end if end is not None else 0.0
            is_translation = language != segment.language
            entries.append(
                Expected(
                    timestamp, segment.place, key, is_translation, language, Times(start, end), *segment[3:5]
                )
            )
    return sorted(entry for entry in entries if matches(entry, want))


def matches(entry: Expected, want: Filters) -> bool:
    start, end = entry.times
    until = end if start is not None and end is not None else entry.timestamp
    inside = (want.end is None or entry.timestamp < want.end) and (
        want.start is None or until > want.start or entry.timestamp >= want.start
    )
    kind = "translation" if entry.is_translation else "transcript"
    return (
        (want.untimed if entry.times == (None, None) else inside)
        and (
            want.languages is None
            or any(f"{entry.language}-".startswith(f"{tag}-") for tag in want.languages)
        )
        and (want.speakers is None or entry.speaker in want.speakers)
        and (want.kinds is None or kind in want.kinds)
        and (entry.final or not want.finals_only)
    )


def seen(entry: TimelineEntry) -> Expected:
    return Expected(
        entry.timestamp,
        entry.segment_index,
        entry.transcript_id,
        entry.kind == "translation",
        entry.language,
        Times(entry.start_time, entry.end_time),
        entry.speaker_label,
        entry.is_final,
    )


async def write(store: Store, meeting: Sequence[Segment]) -> tuple[UUID, list[tuple[UUID, Segment]]]:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    written = []
    for segment in meeting:
        receipt = await store.record_segment(
            session.id,
            transcript=transcript(
                start_time=segment.times.start,
                end_time=segment.times.end,
                segment_index=segment.place,
                language=segment.language,
                speaker_label=segment.speaker,
                is_final=segment.final,
            ),
            translations=[
                translation(target_language=tag, start_time=own.start, end_time=own.end)
                for tag, own in segment.translations.items()
            ],
        )
        written.append((receipt.transcript_id, segment))
    return session.id, written


async def in_pages(store: Store, session_id: UUID, size: int, want: dict[str, Any]) -> list[TimelineEntry]:
    page = await store.timeline(session_id, limit=size, **want)
    entries = list(page)
    while page.next_cursor is not None:
        page = await store.timeline(session_id, limit=size, cursor=page.next_cursor, **want)
        entries += page
    return entries


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(segments, max_size=8), filters, st.integers(1, 5))
def test_the_timeline_is_what_the_reference_says(
    database_url: str, meeting: list[Segment], want: Filters, size: int
) -> None:
    async def example() -> None:
        async with Store.open(database_url, min_connections=1, max_connections=2) as store:
            session_id, written = await write(store, meeting)
            expected = reference(written, want)
            whole = await store.timeline(session_id, **want._asdict())
            assert [seen(entry) for entry in whole] == expected
            assert all(entry.duration >= 0.0 for entry in whole)
            assert await in_pages(store, session_id, size, want._asdict()) == list(whole)
            streamed = [entry async for entry in store.stream_timeline(session_id, **want._asdict())]
            assert streamed == list(whole)
            back = want._asdict() | {"order": "newest"}
            assert await in_pages(store, session_id, size, back) == [*reversed(whole)]
            streamed = [entry async for entry in store.stream_timeline(session_id, **back)]
            assert streamed == [*reversed(whole)]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(segments, min_size=1, max_size=8), st.integers(1, 4), st.integers(1, 20))
def test_a_cursor_continues_on_both_sides_of_a_page(
    database_url: str, meeting: list[Segment], size: int, limit: int
) -> None:
    async def example() -> None:
        async with Store.open(database_url, min_connections=1, max_connections=2) as store:
            session_id, _ = await write(store, meeting)
            whole = [*await store.timeline(session_id)]
            first = await store.timeline(session_id, limit=limit)
            page = await store.timeline(session_id, limit=size, cursor=first.next_cursor)
            before = await store.timeline(session_id, order="newest", cursor=page.previous_cursor)
            place = limit if first.next_cursor else 0
            assert [*page] == whole[place : place + size]
            assert [*before] == whole[:place][::-1]
            last = await store.timeline(session_id, limit=size, order="newest")
            assert [*last] == whole[::-1][:size]
            assert len(await store.timeline(session_id, cursor=last.previous_cursor)) == 0
            rows = [*await store.transcript_view(session_id, ["es"])]
            at_end = await store.transcript_view(session_id, ["es"], limit=size, order="newest")
            rest = await store.transcript_view(session_id, ["es"], order="newest", cursor=at_end.next_cursor)
            assert [*at_end, *(rest if at_end.next_cursor else ())] == rows[::-1]

    asyncio.run(example())
