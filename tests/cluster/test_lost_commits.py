"""A write is acknowledged only if the node of its shard has committed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import counts, transcript

from livetranslate_store import OutcomeUnknownError, SegmentInput, Store

# At its commit a node finds something wrong, as if it had died then.
_REFUSE = """
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION USING MESSAGE = ''The node fails.''; END'
"""
_DEFERRED = """
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON %s
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.refuse()
"""


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with Store.open(database_url, min_connections=1, retry_timeout=0) as store:
        yield store


@pytest.fixture(autouse=True)
def nodes_fail_at_commit(other_program: Program) -> Iterator[None]:
    other_program.execute(_REFUSE)
    other_program.commit()
    made = other_program.execute(
        "SELECT bool_and(success) FROM run_command_on_shards('livetranslate.transcripts', %s)", [_DEFERRED]
    )
    assert made.fetchone() == (True,)
    other_program.commit()
    yield
    assert counts(other_program)["transcripts"] == 0


@pytest.mark.parametrize("together", [1, 3])
async def test_segments_that_their_node_has_lost_are_not_acknowledged(
    store: Store, session_id: UUID, together: int
) -> None:
    writes = (
        store.record_segment(session_id, transcript=transcript(segment_key=f"{number}"))
        for number in range(together)
    )
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert {type(each) for each in results} == {OutcomeUnknownError}


@pytest.mark.parametrize("how_many", [1, 30])
async def test_an_import_that_its_node_has_lost_is_not_acknowledged(
    store: Store, session_id: UUID, how_many: int
) -> None:
    segments = [
        SegmentInput(session_id=session_id, transcript=transcript(segment_key=f"{number}", is_final=True))
        for number in range(how_many)
    ]
    report = await store.import_segments(segments)
    assert (report.transcripts.inserted, report.refused) == (0, how_many)
