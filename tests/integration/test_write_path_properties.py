"""Whatever mixture of ways the segments come in by, the tables are those of one statement after another."""

import asyncio
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest
from helpers.support import audio, transcript, translation
from helpers.write_paths import WHOLE_SEGMENTS, Write, Written, alone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store import AudioInput, Store, TranscriptInput, TranslationInput

pytestmark = pytest.mark.slow


SETTINGS = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

# All but times and what is derived from the session's own id.
TABLES = {
    "transcripts": """
        SELECT segment_key, text, language, start_time, speaker_label, is_final, revision, words, metadata,
               (SELECT sha256 FROM livetranslate.audio_files a
                WHERE a.session_id = t.session_id AND a.id = t.audio_file_id)
        FROM livetranslate.transcripts t WHERE session_id = %s ORDER BY segment_key
    """,
    "translations": """
        SELECT segment_key, target_language, x.source_language, x.text, x.transcript_revision
        FROM livetranslate.translations x
        JOIN livetranslate.transcripts t ON t.session_id = x.session_id AND t.id = x.transcript_id
        WHERE x.session_id = %s ORDER BY segment_key, target_language
    """,
    "speakers": """
        SELECT label, name, identification_method FROM livetranslate.speakers
        WHERE session_id = %s ORDER BY label
    """,
    "audio_files": """
        SELECT sha256, start_time, size_bytes FROM livetranslate.audio_files
        WHERE session_id = %s ORDER BY sha256, start_time
    """,
}


class Arrival(NamedTuple):
    spoken: TranscriptInput
    translated: list[TranslationInput]
    recorded: AudioInput | None
    way: Write


def _arrival(
    *,
    key: int,
    text: str,
    is_final: bool,
    revision: int | None,
    speaker: tuple[str | None, str | None],
    translated: dict[str, tuple[str, int | None]],
    recorded: bytes | None,
    way: Write,
) -> Arrival:
    label, name = speaker
    spoken = transcript(
        text,
        segment_key=f"seg-{key}",
        start_time=float(key),
        is_final=is_final,
        revision=revision,
        speaker_label=label,
        speaker_name=name,
    )
    others = [translation(said, tag, transcript_revision=made) for tag, (said, made) in translated.items()]
    return Arrival(spoken, others, None if recorded is None else audio(recorded, start_time=0.0), way)


numbers = st.one_of(st.none(), st.integers(1, 4))
arrivals = st.builds(
    _arrival,
    key=st.integers(0, 2),
    text=st.sampled_from(["Good", "Good mor", "Good morning."]),
    is_final=st.booleans(),
    revision=numbers,
    speaker=st.sampled_from([(None, None), ("S0", None), ("S0", "Ada"), ("S0", "Grace"), ("S1", "Alan")]),
    translated=st.dictionaries(
        st.sampled_from(["es", "ja", "zh-Hans"]), st.tuples(st.sampled_from(["uno", "dos"]), numbers)
    ),
    recorded=st.one_of(st.none(), st.sampled_from([b"one", b"two"])),
    way=st.sampled_from(WHOLE_SEGMENTS),
)


async def played(store: Store, arriving: list[Arrival], *, mixed: bool) -> tuple[UUID, list[Written]]:
    """Write the arrivals into a session of their own, each its way or all of them alone."""
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    written = [
        await (way if mixed else alone)(store, session.id, spoken, translated, recorded)
        for spoken, translated, recorded, way in arriving
    ]
    return session.id, written


def tables(program: psycopg.Connection[Any], session_id: UUID) -> dict[str, list[Any]]:
    found = {name: program.execute(query, [session_id]).fetchall() for name, query in TABLES.items()}
    program.rollback()
    return found


@SETTINGS
@given(st.lists(arrivals, min_size=1, max_size=10))
def test_any_mixture_of_ways_gives_the_same_tables(
    database_url: str,
    audio_folder: Path,
    other_program: psycopg.Connection[Any],
    arriving: list[Arrival],
) -> None:
    async def example() -> None:
        async with Store.open(
            database_url, audio_url=f"file:{audio_folder}", min_connections=1, max_connections=4
        ) as store:
            mixed, outcomes = await played(store, arriving, mixed=True)
            expected, expected_outcomes = await played(store, arriving, mixed=False)
        assert [each[1:] for each in outcomes] == [each[1:] for each in expected_outcomes]
        assert tables(other_program, mixed) == tables(other_program, expected)

    asyncio.run(example())
