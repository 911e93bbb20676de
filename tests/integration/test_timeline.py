"""The timeline: NULL-safe and totally ordered, whatever is in the tables."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import audio, explained, transcript, translation

from livetranslate_store import (
    Detail,
    InvalidInputError,
    Store,
    StoreError,
    TimelineEntry,
    TimelineOrder,
    TranscriptRow,
    Word,
)
from livetranslate_store.ids import new_id
from livetranslate_store.reading.timeline import TIMELINE, timeline_request

NULL_AND_NOT = [(None, None), (5.0, None), (None, 6.0), (5.0, 6.0), (5.0, 5.0)]


def texts(entries: Sequence[TimelineEntry]) -> list[str]:
    return [entry.text for entry in entries]


@pytest.mark.parametrize(("start", "end"), NULL_AND_NOT)
async def test_a_transcript_is_placed_by_what_is_known_of_its_times(
    store: Store, session_id: UUID, start: float | None, end: float | None
) -> None:
    await store.record_segment(session_id, transcript=transcript(start_time=start, end_time=end))
    (entry,) = await store.timeline(session_id)
    assert entry.timestamp == (start if start is not None else end if end is not None else 0.0)
    assert entry.duration == (end - start if start is not None and end is not None else 0.0)
    assert (entry.start_time, entry.end_time) == (start, end)


@pytest.mark.parametrize(("start", "end"), NULL_AND_NOT)
async def test_a_translation_without_times_takes_both_of_its_transcripts(
    store: Store, session_id: UUID, start: float | None, end: float | None
) -> None:
    spoken = transcript(start_time=1.0, end_time=4.0)
    translated = translation(start_time=start, end_time=end)
    await store.record_segment(session_id, transcript=spoken, translations=[translated])
    entry = (await store.timeline(session_id))[1]
    if start is None and end is None:
        assert (entry.start_time, entry.end_time, entry.timestamp, entry.duration) == (1.0, 4.0, 1.0, 3.0)
    else:
        # One known side is a time of its own: the other stays unknown.
        assert (entry.start_time, entry.end_time) == (start, end)
        assert entry.timestamp == (start if start is not None else end)


async def test_equal_starts_are_ordered_by_segment_index_then_transcript_then_language(
    store: Store, session_id: UUID
) -> None:
    for index in (2, 0, 1):
        await store.record_segment(
            session_id,
            transcript=transcript(f"{index}", start_time=3.0, segment_index=index),
            translations=[translation(f"{index} {tag}", tag) for tag in ("ja", "ar", "es")],
        )
    expected = [text for i in range(3) for text in (f"{i}", f"{i} ar", f"{i} es", f"{i} ja")]
    assert texts(await store.timeline(session_id)) == expected


async def test_overlapping_segments_come_in_the_order_of_their_starts(store: Store, session_id: UUID) -> None:
    for text, start, end in (("short", 2.0, 3.0), ("long", 1.0, 9.0), ("late", 2.5, 4.0)):
        await store.record_segment(session_id, transcript=transcript(text, start_time=start, end_time=end))
    assert texts(await store.timeline(session_id)) == ["long", "short", "late"]


async def test_rows_that_other_programs_write_straight_into_the_tables_are_in_order(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    ids = sorted((new_id() for _ in range(3)), reverse=True)
    for place, row_id in enumerate(ids):
        other_program.execute(
            "INSERT INTO livetranslate.transcripts (session_id, id, text, language, speaker_label)"
            " VALUES (%s, %s, %s, 'en', 'nobody knows')",
            (session_id, row_id, f"untimed {2 - place}"),
        )
    for tag in ("es", "no tag of ours"):
        other_program.execute(
            "INSERT INTO livetranslate.translations"
            " (session_id, transcript_id, text, source_language, target_language, end_time)"
            " VALUES (%s, %s, 'twice', 'en', %s, 0.5)",
            (session_id, ids[0], tag),
        )
    other_program.commit()
    await store.record_segment(session_id, transcript=transcript("timed", start_time=0.25))

    whole = await store.timeline(session_id)
    assert texts(whole) == ["untimed 0", "untimed 1", "untimed 2", "timed", "twice", "twice"]
    assert whole[0].speaker_name is None
    assert await pages(store, session_id, 1) == list(whole)


async def pages(store: Store, session_id: UUID, size: int, **filters: Any) -> list[TimelineEntry]:
    entries: list[TimelineEntry] = []
    page = await store.timeline(session_id, limit=size, **filters)
    entries += page
    while page.next_cursor is not None:
        assert len(page) == size
        page = await store.timeline(session_id, limit=size, cursor=page.next_cursor, **filters)
        entries += page
    return entries


async def twelve_entries(store: Store, session_id: UUID) -> None:
    for second in range(4):
        await store.record_segment(
            session_id,
            transcript=transcript(f"en {second}", start_time=float(second), is_final=second % 2 == 0),
            translations=[translation(f"es {second}"), translation(f"ja {second}", "ja")],
        )


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 12, 13])
async def test_pages_continue_from_the_cursor_without_gap_or_repetition(
    store: Store, session_id: UUID, size: int
) -> None:
    await twelve_entries(store, session_id)
    whole = await store.timeline(session_id)
    assert len(whole) == 12
    assert whole.next_cursor is None
    assert await pages(store, session_id, size) == list(whole)
    filtered = await store.timeline(session_id, languages=["ja"], start=1.0)
    assert await pages(store, session_id, size, languages=["ja"], start=1.0) == list(filtered)


async def test_a_page_sees_what_came_after_the_one_before(store: Store, session_id: UUID) -> None:
    await twelve_entries(store, session_id)
    first = await store.timeline(session_id, limit=11)
    await store.record_segment(session_id, transcript=transcript("late", start_time=9.0))
    second = await store.timeline(session_id, cursor=first.next_cursor)
    assert texts(second) == ["ja 3", "late"]


async def test_a_stream_is_the_whole_timeline(store: Store, session_id: UUID) -> None:
    await twelve_entries(store, session_id)
    whole = list(await store.timeline(session_id))
    assert [entry async for entry in store.stream_timeline(session_id)] == whole
    assert [entry async for entry in store.stream_timeline(session_id, limit=5)] == whole[:5]
    cursor = (await store.timeline(session_id, limit=5)).next_cursor
    assert [entry async for entry in store.stream_timeline(session_id, cursor=cursor)] == whole[5:]


async def test_a_stream_of_many_pages_holds_no_connection_between_them(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    other_program.execute(
        "INSERT INTO livetranslate.transcripts (session_id, id, text, language, start_time)"
        " SELECT %s, gen_random_uuid(), n::text, 'en', n FROM generate_series(1, 2500) AS n",
        (session_id,),
    )
    other_program.commit()
    seen = 0
    async for entry in store.stream_timeline(session_id):
        seen += 1
        assert entry.text == str(seen)
        assert store.statistics().pool.in_use == 0
    assert seen == 2500


WINDOWS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["untimed", "0 to 2", "point 2", "2 to 4", "from 3", "until 4"]),
    ({"start": 2.0, "end": 3.0}, ["untimed", "point 2", "2 to 4"]),
    ({"start": 1.0, "end": 2.0}, ["untimed", "0 to 2"]),
    ({"start": 1.5}, ["untimed", "0 to 2", "point 2", "2 to 4", "from 3", "until 4"]),
    ({"start": 3.5}, ["untimed", "2 to 4", "until 4"]),
    ({"end": 2.0}, ["untimed", "0 to 2"]),
    ({"end": 4.0}, ["untimed", "0 to 2", "point 2", "2 to 4", "from 3"]),
    ({"start": 100.0}, ["untimed"]),
]


@pytest.mark.parametrize(("window", "expected"), WINDOWS)
async def test_a_window_keeps_what_overlaps_it_and_what_has_no_time(
    store: Store, session_id: UUID, window: dict[str, Any], expected: list[str]
) -> None:
    for text, start, end in (
        ("untimed", None, None),
        ("0 to 2", 0.0, 2.0),
        ("point 2", 2.0, 2.0),
        ("2 to 4", 2.0, 4.0),
        ("from 3", 3.0, None),
        ("until 4", None, 4.0),
    ):
        spoken = transcript(text, start_time=start, end_time=end, segment_key=text)
        await store.record_segment(session_id, transcript=spoken, translations=[translation(text)])
    for kind in ("transcript", "translation"):
        found = texts(await store.timeline(session_id, kinds=[kind], **window))
        # Equal starts without an index are ordered by id, which says nothing here.
        assert sorted(found) == sorted(expected)
        timed = await store.timeline(session_id, kinds=[kind], untimed=False, **window)
        assert sorted(texts(timed)) == sorted(set(expected) - {"untimed"})


async def test_a_language_matches_its_variants_and_nothing_else(store: Store, session_id: UUID) -> None:
    tags = ("zh", "zh-Hans", "zh-Hant-TW", "zha", "es")
    await store.record_segment(
        session_id, transcript=transcript(), translations=[translation(tag, tag) for tag in tags]
    )
    languages = [e.language for e in await store.timeline(session_id, languages=["ZH"])]
    assert languages == ["zh", "zh-Hans", "zh-Hant-TW"]
    assert len(await store.timeline(session_id, languages=["zh-Hant", "en"])) == 2
    assert len(await store.timeline(session_id, languages=[])) == 0


async def test_filters_by_speaker_kind_and_finality(store: Store, session_id: UUID) -> None:
    for label, final in (("SPEAKER_00", True), ("SPEAKER_01", False)):
        spoken = transcript(label, speaker_label=label, is_final=final)
        await store.record_segment(session_id, transcript=spoken, translations=[translation(label)])
    async with store.unit_of_work() as uow:
        await uow.speakers.rename(session_id, "SPEAKER_01", "Grace")
    assert len(await store.timeline(session_id, kinds=["translation"])) == 2
    assert texts(await store.timeline(session_id, finals_only=True)) == ["SPEAKER_00"] * 2
    for speaker in ("SPEAKER_01", "Grace"):
        entries = await store.timeline(session_id, speakers=[speaker])
        assert texts(entries) == ["SPEAKER_01"] * 2
        assert {entry.speaker_name for entry in entries} == {"Grace"}


async def test_an_unknown_session_has_an_empty_timeline(store: Store) -> None:
    assert list(await store.timeline(new_id())) == []
    assert [entry async for entry in store.stream_timeline(new_id())] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": float("nan")}, "start must be a finite number"),
        ({"start": 2.0, "end": 2.0}, "not after its start"),
        ({"languages": ["english"]}, "not a BCP-47 language tag"),
        ({"languages": "en"}, "must be a sequence of BCP-47 tags"),
        ({"speakers": "SPEAKER_00"}, "speakers must be a sequence"),
        ({"kinds": "transcript"}, "kinds must be a sequence"),
        ({"kinds": []}, "kinds needs at least one of"),
        ({"kinds": ["audio"]}, "kinds must be one of transcript, translation"),
        ({"limit": 0}, "limit must be from 1"),
        ({"cursor": "!!!"}, "not a valid cursor"),
        ({"cursor": "lctAAAAAAAAAAADZ"}, "not a valid cursor"),
        ({"cursor": 7}, "not a valid cursor"),
    ],
)
async def test_wrong_arguments_say_what_would_be_right(
    store: Store, session_id: UUID, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await store.timeline(session_id, **arguments)
    with pytest.raises(InvalidInputError, match=message):
        store.stream_timeline(session_id, **arguments)


@pytest.fixture
async def long_meeting(session_id: UUID, other_program: Program) -> UUID:
    """A session of 20,000 segments in two languages, of which the planner knows nothing yet."""
    for table in ("transcripts", "translations"):
        other_program.execute(f"ALTER TABLE livetranslate.{table} SET (autovacuum_enabled = false)")
    other_program.execute(
        "INSERT INTO livetranslate.transcripts (session_id, id, text, language, start_time)"
        " SELECT %s, gen_random_uuid(), n::text, 'en', n FROM generate_series(1, 20000) AS n",
        (session_id,),
    )
    other_program.execute(
        "INSERT INTO livetranslate.translations"
        " (session_id, transcript_id, text, source_language, target_language)"
        " SELECT session_id, id, text, 'en', 'es' FROM livetranslate.transcripts"
    )
    other_program.commit()
    return session_id


async def page_plan(
    store: Store, session_id: UUID, *, after_half: bool, order: TimelineOrder = "oldest"
) -> str:
    """Return how the server answers a page of the session, with what it met."""
    entries = await store.timeline(session_id, limit=20_000)
    cursor = entries.next_cursor if after_half else None
    request = timeline_request(session_id, {}, limit=200, cursor=cursor, order=order)
    plan_of = explained(TIMELINE.bound(request))
    return "\n".join(row[0] for row in await store._database.fetch(plan_of))


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize("after_half", [False, True])
async def test_a_page_walks_the_index_and_sorts_no_session(
    store: Store, long_meeting: UUID, other_program: Program, after_half: bool, order: TimelineOrder
) -> None:
    other_program.autocommit = True
    other_program.execute("ANALYZE livetranslate.transcripts, livetranslate.translations")
    plan = await page_plan(store, long_meeting, after_half=after_half, order=order)
    assert "Seq Scan on transcripts" not in plan
    assert "Seq Scan on translations" not in plan
    # No step comes near the 40,000 rows of the session.
    rows = [float(found) for found in re.findall(r"actual [^)]*rows=([\d.]+)", plan)]
    assert rows
    assert max(rows) < 1_000, plan


async def test_right_after_an_import_a_page_goes_over_a_meeting_once_at_most(
    store: Store, long_meeting: UUID
) -> None:
    plan = await page_plan(store, long_meeting, after_half=True)
    assert "Index Scan using pk_translations" in plan
    # Of the 10,000 segments that are left, and never for each of them again.
    met = re.findall(r"actual [^)]*rows=([\d.]+) loops=(\d+)", plan)
    assert max(float(rows) * int(loops) for rows, loops in met) <= 20_000, plan


async def test_details_are_there_if_they_are_included_and_only_then(store: Store, session_id: UUID) -> None:
    spoken = transcript("one", words=[Word("one", 0.0, 0.5, 0.75)], segment_key="1")
    receipt = await store.record_segment(
        session_id, transcript=spoken, translations=[translation("uno")], audio=audio()
    )
    async with store.unit_of_work() as uow:
        await uow.translations.edit(session_id, receipt.transcript_id, "es", text="Uno.", edited_by="ana")

    def details(entry: TimelineEntry | TranscriptRow) -> tuple[object, ...]:
        return entry.words, entry.audio_file_id, entry.edited_by, entry.edited_at is not None

    nothing = (None, None, None, False)
    assert [details(entry) for entry in await store.timeline(session_id)] == [nothing] * 2
    every: list[Detail] = ["words", "audio_file_id", "edits"]
    original, translated = await store.timeline(session_id, include=every)
    assert details(original) == ((Word("one", 0.0, 0.5, 0.75),), receipt.audio_file_id, None, False)
    assert details(translated) == (None, receipt.audio_file_id, "ana", True)
    [streamed, _] = [each async for each in store.stream_timeline(session_id, include=["words"])]
    assert details(streamed) == (original.words, None, None, False)
    [row] = await store.transcript_view(session_id, ["es", "ja"], include=every)
    assert details(row) == details(original)
    assert row.translations[0] is not None
    assert (row.translations[0].edited_by, row.translations[0].edited_at) == ("ana", translated.edited_at)
    [row] = await store.transcript_view(session_id, ["es"])
    assert details(row) == nothing
    assert row.translations[0] is not None
    assert row.translations[0].edited_by is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"order": "latest"}, "order must be one of oldest, newest"),
        ({"include": "words"}, "include must be a sequence"),
        ({"include": ["word"]}, "include must be one of words, audio_file_id, edits"),
    ],
)
async def test_a_wrong_order_or_detail_says_what_would_be_right(
    store: Store, session_id: UUID, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await store.timeline(session_id, **wrong)
    with pytest.raises(InvalidInputError, match=message):
        store.stream_transcript_view(session_id, ["es"], **wrong)


async def test_words_of_another_program_that_are_none_are_an_error_only_if_they_are_included(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    await store.record_segment(session_id, transcript=transcript("one"))
    other_program.execute("""UPDATE livetranslate.transcripts SET words = '{"a": 1}'""")
    other_program.commit()
    assert [entry.text for entry in await store.timeline(session_id)] == ["one"]
    with pytest.raises(StoreError, match="not a list of words"):
        await store.timeline(session_id, include=["words"])
