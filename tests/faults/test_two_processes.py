"""Two processes write the same keyed segments in different orders: the end is the same as with one."""

import asyncio
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from faults import revisions
from faults.conftest import StartRun
from faults.crowd import new_session
from faults.ledger import Findings
from faults.place import Place
from faults.processes import running
from faults.revisions import REVISIONS, SEGMENTS, write_all
from faults.table import TWO_PROCESSES

from livetranslate_store import Store
from livetranslate_store.ids import transcript_id_for

PROCESS_SECONDS = 120.0

# Everything but ids that hang on the session, moments and places of objects.
_STATE = """
    SELECT segment_key, text, revision, is_final, start_time, end_time, speaker_label,
        (SELECT sha256 FROM livetranslate.audio_files
         WHERE audio_files.session_id = transcripts.session_id AND audio_files.id = audio_file_id),
        (SELECT jsonb_agg(jsonb_build_array(target_language, translations.text, source_language,
                                            transcript_revision) ORDER BY target_language)
         FROM livetranslate.translations
         WHERE translations.session_id = transcripts.session_id AND transcript_id = transcripts.id)
    FROM livetranslate.transcripts WHERE session_id = %(session)s
    UNION ALL
    SELECT label, name, NULL, NULL, NULL, NULL, identification_method, NULL, NULL
    FROM livetranslate.speakers WHERE session_id = %(session)s
    UNION ALL
    SELECT sha256, format, size_bytes, NULL, start_time, end_time, status, NULL, NULL
    FROM livetranslate.audio_files WHERE session_id = %(session)s
    ORDER BY 1, 2
"""


def state(program: psycopg.Connection[Any], session_id: UUID) -> list[Any]:
    with program.transaction():
        return program.execute(_STATE, {"session": session_id}).fetchall()


async def test_two_processes_in_different_orders_end_in_the_state_of_one(
    fault: StartRun, store: Store, place: Place
) -> None:
    run = fault(TWO_PROCESSES, full=10, short=1)
    alone = await new_session(store)
    await write_all(store, alone, Random("one process"))
    expected = state(place.program, alone)
    finals = [each for each in expected if each[3]]
    assert len(finals) == SEGMENTS
    assert {each[2] for each in finals} == {REVISIONS}

    for _ in range(run.tries):
        session_id = await new_session(store)
        given = (revisions.write, place.url, place.audio_url, session_id)
        with (
            running(*given, run.chance.random()) as one,
            running(*given, run.chance.random()) as another,
            running(*given, run.chance.random()) as killed,
        ):
            for program in (one, another, killed):
                program.begin()
            # A third one does not get far, and must not matter.
            await asyncio.sleep(run.chance.uniform(0.05, 0.2))
            killed.kill()
            for program in (one, another):
                await asyncio.to_thread(program.wait, PROCESS_SECONDS)
        found = state(place.program, session_id)
        missing = [each for each in expected if each not in found]
        other = [each for each in found if each not in expected]
        print("missing:", *missing, "instead:", *other, sep="\n")
        run.found(Findings(2 * SEGMENTS * REVISIONS, len(missing), len(other)))
        run.tried()
        # Each is read under the id that any process derives.
        async with store.read() as reader:
            for each in revisions.revisions(session_id):
                assert each.transcript.segment_key is not None
                transcript_id = transcript_id_for(session_id, "transcriber", each.transcript.segment_key)
                assert (await reader.transcripts.get(session_id, transcript_id)).is_final
