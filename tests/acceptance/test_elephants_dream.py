"""The main job on real captions: five languages of one meeting, nothing lost, nothing twice."""

from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from livetranslate_store import Outcome, Store, TimelineEntry
from livetranslate_store.cli.demo.captions import Cue, captions_meeting, read_webvtt
from livetranslate_store.cli.demo.meeting import Meeting
from livetranslate_store.cli.demo.replay import replay

OTHERS = ("sv", "ru", "ja", "ar")


@pytest.fixture
def meeting(captions_folder: Path) -> Meeting:
    return captions_meeting([f"{tag}={captions_folder}/captions.{tag}.vtt" for tag in ("en", *OTHERS)])


def cues(folder: Path, language: str) -> list[Cue]:
    return read_webvtt(folder / f"captions.{language}.vtt")


def overlap(cue: Cue, start: float, end: float) -> float:
    return min(cue.end, end) - max(cue.start, start)


async def test_every_cue_is_stored_once_at_the_segment_that_it_overlaps_most(
    store: Store, meeting: Meeting, captions_folder: Path
) -> None:
    done = await replay(store, meeting)
    timeline = list(await store.timeline(done.session_id))
    spoken = [entry for entry in timeline if entry.kind == "transcript"]

    english = cues(captions_folder, "en")
    assert len(english) == 78
    assert [(e.start_time, e.end_time, e.text) for e in spoken] == english
    assert all(entry.is_final and entry.language == "en" for entry in spoken)
    by_id = {entry.transcript_id: entry for entry in spoken}

    for language in OTHERS:
        stored: list[tuple[Cue, UUID]] = []
        for entry in timeline:
            if entry.kind == "translation" and entry.language == language:
                own = [Cue(**cue) for cue in entry.metadata["cues"]]  # type: ignore[union-attr, arg-type]  # JSON
                assert entry.text == "\n".join(cue.text for cue in own)
                stored += ((cue, entry.transcript_id) for cue in own)
        # Verbatim, each once, none lost.
        assert sorted(cue for cue, _ in stored) == sorted(cues(captions_folder, language))
        for cue, transcript_id in stored:
            best = max(overlap(cue, e.start_time or 0.0, e.end_time or 0.0) for e in spoken)
            mine = by_id[transcript_id]
            assert overlap(cue, mine.start_time or 0.0, mine.end_time or 0.0) == best
    assert_in_order(timeline)


def assert_in_order(timeline: list[TimelineEntry]) -> None:
    keys = [
        (e.timestamp, e.segment_index, e.transcript_id, e.kind == "translation", e.language) for e in timeline
    ]
    assert keys == sorted(keys)
    assert not any(entry.is_stale for entry in timeline)


async def test_the_same_run_twice_changes_nothing(
    store: Store, meeting: Meeting, other_program: psycopg.Connection[Any]
) -> None:
    def everything() -> dict[str, list[tuple[Any, ...]]]:
        found = {
            table: other_program.execute(
                f"SELECT xmin, ctid, {table}::text FROM livetranslate.{table} ORDER BY 3"
            ).fetchall()
            for table in ("audio_files", "transcripts", "translations", "speakers")
        }
        other_program.rollback()
        return found

    first = await replay(store, meeting)
    before = everything()
    second = await replay(store, meeting)
    assert second.session_id == first.session_id
    assert everything() == before
    assert {outcome for _, outcome in second.outcomes} == {Outcome.UNCHANGED, Outcome.STALE}


async def test_the_live_run_has_everything_that_a_live_transcriber_sends(
    store: Store, meeting: Meeting
) -> None:
    outcomes = (await replay(store, meeting)).outcomes
    assert outcomes["transcripts", Outcome.INSERTED] == 78
    assert min(outcomes["transcripts", outcome] for outcome in Outcome) > 0
    assert outcomes["audio files", Outcome.INSERTED] == 78
    translations = Counter({o: n for (kind, o), n in outcomes.items() if kind == "translations"})
    assert set(translations) == {Outcome.INSERTED}
