"""The side-by-side view: one row per transcript, one place per language, and what is missing in it."""

import re
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import explained, transcript, translation

from livetranslate_store import InvalidInputError, Store
from livetranslate_store.ids import new_id
from livetranslate_store.reading.side_by_side import MISSING_TRANSLATIONS, TRANSCRIPT_VIEW, view_request
from livetranslate_store.values import TranscriptRow

pytestmark = pytest.mark.slow


def places(row: TranscriptRow) -> list[str | None]:
    return [None if each is None else each.text for each in row.translations]


async def test_a_row_has_a_place_for_each_language_in_the_order_asked_for(
    store: Store, session_id: UUID
) -> None:
    spoken = transcript(
        "Hello.", start_time=1.0, end_time=3.5, speaker_label="SPEAKER_00", speaker_name="Ada", confidence=0.5
    )
    written = await store.record_segment(
        session_id,
        transcript=spoken,
        translations=[translation("Hola.", confidence=0.25, service="a"), translation("やあ。", "ja")],
    )
    (row,) = await store.transcript_view(session_id, ["ja", "de", "es"])
    assert places(row) == ["やあ。", None, "Hola."]
    assert (row.transcript_id, row.text, row.language) == (written.transcript_id, "Hello.", "en")
    assert (row.timestamp, row.duration, row.start_time, row.end_time) == (1.0, 2.5, 1.0, 3.5)
    assert (row.speaker_label, row.speaker_name, row.confidence) == ("SPEAKER_00", "Ada", 0.5)
    assert (row.segment_index, row.source, row.revision, row.is_final) == (0, "transcriber", 0, False)
    spanish = row.translations[2]
    assert spanish is not None
    assert (spanish.language, spanish.confidence, spanish.service) == ("es", 0.25, "a")
    assert (spanish.transcript_revision, spanish.is_stale) == (0, False)


async def test_a_row_has_one_place_for_each_given_language_however_it_is_written(
    store: Store, session_id: UUID
) -> None:
    await store.record_segment(session_id, transcript=transcript(), translations=[translation("Hola.")])
    (row,) = await store.transcript_view(session_id, ["es", "ja", "spa", "ES"])
    assert places(row) == ["Hola.", None, "Hola.", "Hola."]


async def test_without_languages_the_rows_are_the_transcripts_alone(store: Store, session_id: UUID) -> None:
    await store.record_segment(session_id, transcript=transcript(), translations=[translation()])
    assert [row.translations for row in await store.transcript_view(session_id, [])] == [()]


async def test_a_translation_of_an_earlier_revision_is_stale_in_its_place(
    store: Store, session_id: UUID
) -> None:
    first = transcript("Hell", segment_key="1")
    await store.record_segment(session_id, transcript=first, translations=[translation("Hola")])
    await store.record_segment(session_id, transcript=transcript("Hello.", segment_key="1"))
    (row,) = await store.transcript_view(session_id, ["es"])
    (place,) = row.translations
    assert (row.text, row.revision) == ("Hello.", 1)
    assert place is not None
    assert (place.text, place.is_stale, place.transcript_revision) == ("Hola", True, 0)


async def test_the_tag_asked_for_wins_over_its_variants_and_they_stand_in_for_it_in_the_order_of_tags(
    store: Store, session_id: UUID
) -> None:
    tags = ["zh-Hant", "zh-Hans", "zha"]
    for index, more in enumerate([[], ["zh"]]):
        await store.record_segment(
            session_id,
            transcript=transcript(segment_index=index),
            translations=[translation(tag, tag) for tag in tags + more],
        )
    rows = await store.transcript_view(session_id, ["ZH", "zh-Hant"])
    assert [places(row) for row in rows] == [["zh-Hans", "zh-Hant"], ["zh", "zh-Hant"]]


async def meeting(store: Store, session_id: UUID) -> None:
    for second in range(6):
        await store.record_segment(
            session_id,
            transcript=transcript(
                f"{second}",
                start_time=float(second) if second else None,
                end_time=second + 1.5 if second else None,
                speaker_label=f"SPEAKER_0{second % 2}",
                is_final=second % 3 == 0,
            ),
            translations=[translation(f"es {second}")] if second % 2 else (),
        )


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7])
async def test_pages_and_streams_are_the_whole_view(store: Store, session_id: UUID, size: int) -> None:
    await meeting(store, session_id)
    whole = list(await store.transcript_view(session_id, ["es"]))
    assert [row.text for row in whole] == ["0", "1", "2", "3", "4", "5"]
    assert [row async for row in store.stream_transcript_view(session_id, ["es"])] == whole
    limited = [row async for row in store.stream_transcript_view(session_id, ["es"], limit=size)]
    assert limited == whole[:size]
    paged: list[TranscriptRow] = []
    cursor = None
    while True:
        page = await store.transcript_view(session_id, ["es"], limit=size, cursor=cursor)
        paged += page
        if (cursor := page.next_cursor) is None:
            break
    assert paged == whole


async def test_the_view_is_filtered_as_the_timeline_is(store: Store, session_id: UUID) -> None:
    await meeting(store, session_id)
    filters: list[dict[str, Any]] = [
        {"start": 2.0, "end": 4.0},
        {"start": 2.0, "untimed": False},
        {"speakers": ["SPEAKER_01"]},
        {"finals_only": True},
        {"end": 3.0, "speakers": ["SPEAKER_00"], "limit": 2},
    ]
    for each in filters:
        entries = await store.timeline(session_id, kinds=["transcript"], **each)
        rows = await store.transcript_view(session_id, ["es"], **each)
        assert [row.transcript_id for row in rows] == [entry.transcript_id for entry in entries]
        assert rows.next_cursor == entries.next_cursor


async def test_an_unknown_session_has_an_empty_view(store: Store) -> None:
    assert list(await store.transcript_view(new_id(), ["es"])) == []
    assert list(await store.missing_translations(new_id(), "es")) == []


async def test_what_is_missing_is_without_a_translation_or_has_a_stale_one(
    store: Store, session_id: UUID
) -> None:
    await meeting(store, session_id)
    await store.record_segment(session_id, transcript=transcript("ya", language="es-MX", start_time=9.0))
    stale = transcript("old", segment_key="k", start_time=10.0)
    await store.record_segment(session_id, transcript=stale, translations=[translation("viejo")])
    await store.record_segment(session_id, transcript=transcript("new", segment_key="k", start_time=10.0))

    missing = await store.missing_translations(session_id, "es")
    assert [(row.text, places(row)) for row in missing] == [
        ("0", [None]),
        ("2", [None]),
        ("4", [None]),
        ("new", ["viejo"]),
    ]
    first = await store.missing_translations(session_id, "es", limit=3)
    rest = await store.missing_translations(session_id, "es", limit=3, cursor=first.next_cursor)
    assert [*first, *rest] == list(missing)
    assert rest.next_cursor is None
    finals = await store.missing_translations(session_id, "es", finals_only=True)
    assert [row.text for row in finals] == ["0"]
    window = await store.missing_translations(session_id, "es", start=9.5, speakers=["SPEAKER_00"])
    assert [row.text for row in window] == ["0"]
    timed = await store.missing_translations(session_id, "es", start=9.5, untimed=False)
    assert [row.text for row in timed] == ["new"]
    assert len(await store.missing_translations(session_id, "es", speakers=["nobody"])) == 0
    # What was said in Mexican Spanish is no translation into it of the rest.
    assert len(await store.missing_translations(session_id, "es-MX")) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"languages": "es"}, "must be a sequence of BCP-47 tags"),
        ({"languages": ["spanish"]}, "not a BCP-47 language tag"),
        ({"languages": ["es"], "start": 2.0, "end": 1.0}, "not after its start"),
        ({"languages": ["es"], "speakers": "SPEAKER_00"}, "speakers must be a sequence"),
        ({"languages": ["es"], "limit": 0}, "limit must be from 1"),
        ({"languages": ["es"], "cursor": "!!!"}, "not a valid cursor"),
    ],
)
async def test_wrong_arguments_say_what_would_be_right(
    store: Store, session_id: UUID, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await store.transcript_view(session_id, **arguments)
    with pytest.raises(InvalidInputError, match=message):
        store.stream_transcript_view(session_id, **arguments)


async def test_what_is_missing_is_asked_for_in_one_language(store: Store, session_id: UUID) -> None:
    with pytest.raises(InvalidInputError, match="not a BCP-47 language tag"):
        await store.missing_translations(session_id, "spanish")


def long_meeting(other_program: Program, session_id: UUID) -> None:
    other_program.execute(
        "INSERT INTO livetranslate.transcripts (session_id, id, text, language, start_time)"
        " SELECT %s, gen_random_uuid(), n::text, 'en', n FROM generate_series(1, 20000) AS n",
        (session_id,),
    )
    other_program.execute(
        "INSERT INTO livetranslate.translations"
        " (session_id, transcript_id, text, source_language, target_language)"
        " SELECT session_id, id, text, 'en', tag"
        " FROM livetranslate.transcripts, unnest(ARRAY['es', 'ja']) AS tag WHERE start_time > 4 OR tag = 'ja'"
    )
    other_program.commit()


@pytest.mark.parametrize("after_half", [False, True])
@pytest.mark.parametrize("missing", [False, True])
async def test_a_page_walks_the_index_and_sorts_no_session(
    store: Store, session_id: UUID, other_program: Program, after_half: bool, missing: bool
) -> None:
    long_meeting(other_program, session_id)
    other_program.autocommit = True
    other_program.execute("ANALYZE livetranslate.transcripts, livetranslate.translations")
    view = await store.transcript_view(session_id, [], limit=10_000)
    cursor = view.next_cursor if after_half else None
    # In one of these languages nothing is done.
    reader = MISSING_TRANSLATIONS if missing else TRANSCRIPT_VIEW
    request = view_request(session_id, ["ja", "de"], {}, limit=200, cursor=cursor)
    plan_of = explained(reader.bound(request))
    plan = "\n".join(row[0] for row in await store._database.fetch(plan_of))
    assert "Seq Scan on transcripts" not in plan
    assert "Seq Scan on translations" not in plan
    rows = [float(found) for found in re.findall(r"actual [^)]*rows=([\d.]+)", plan)]
    assert rows
    assert max(rows) < 1_000, plan
