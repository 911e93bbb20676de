"""The revision rules against a reference in plain Python, over generated orders of arrival."""

import asyncio
from typing import NamedTuple

import pytest
from helpers.support import transcript
from helpers.write_paths import WHOLE_SEGMENTS, Write, in_a_unit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store import Outcome, Store, TranscriptInput
from livetranslate_store.models import Transcript

pytestmark = pytest.mark.slow


SETTINGS = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Version(NamedTuple):
    text: str
    is_final: bool
    revision: int | None

    def input(self) -> TranscriptInput:
        return transcript(self.text, is_final=self.is_final, revision=self.revision, segment_key="seg-1")


class Stored(NamedTuple):
    text: str
    is_final: bool
    revision: int


def arrive(stored: Stored | None, new: Version) -> tuple[Stored, Outcome]:
    """What the rules of the design say, word by word."""
    if stored is None:
        return Stored(new.text, new.is_final, new.revision or 0), Outcome.INSERTED
    same = (stored.text, stored.is_final) == (new.text, new.is_final)
    if stored.is_final != new.is_final:
        accepted = new.is_final
    elif new.revision is None:
        accepted = not same
    else:
        accepted = new.revision > stored.revision
    if accepted:
        revision = max(new.revision or 0, stored.revision + 1)
        return Stored(new.text, new.is_final, revision), Outcome.UPDATED
    return stored, Outcome.UNCHANGED if same else Outcome.STALE


versions = st.builds(
    Version,
    st.sampled_from(["Good", "Good mor", "Good morning."]),
    st.booleans(),
    st.one_of(st.none(), st.integers(1, 4)),
)


async def only_transcript(store: Store, arrivals: list[Version], ways: list[Write]) -> list[object]:
    """Write the arrivals one by one and return the outcomes, then what is stored."""
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    outcomes: list[object] = []
    for each, write in zip(arrivals, ways, strict=True):
        written = await write(store, session.id, each.input())
        outcomes.append((written.outcome, written.revision))
    async with store.read() as reader:
        row: Transcript
        (row,) = await reader.transcripts.list_for_session(session.id)
    return [*outcomes, Stored(row.text, row.is_final, row.revision)]


@SETTINGS
@given(st.lists(st.tuples(versions, st.sampled_from([*WHOLE_SEGMENTS, in_a_unit])), min_size=1, max_size=8))
def test_every_arrival_ends_as_the_reference_says_whatever_its_way(
    database_url: str, arriving: list[tuple[Version, Write]]
) -> None:
    arrivals, ways = [list(each) for each in zip(*arriving, strict=True)]
    expected: list[object] = []
    stored: Stored | None = None
    for each in arrivals:
        stored, outcome = arrive(stored, each)
        expected.append((outcome, stored.revision))

    async def example() -> None:
        async with Store.open(database_url, min_connections=1, max_connections=2) as store:
            assert await only_transcript(store, arrivals, ways) == [*expected, stored]

    asyncio.run(example())


@SETTINGS
@given(st.data(), st.integers(1, 6))
def test_numbered_versions_end_the_same_in_every_order(
    database_url: str, data: st.DataObject, count: int
) -> None:
    finals_from = data.draw(st.integers(1, count + 1))
    numbered = [Version(f"text {n}", n >= finals_from, n) for n in range(1, count + 1)]
    arrivals = data.draw(st.permutations(numbered))

    async def example() -> None:
        async with Store.open(database_url, min_connections=1, max_connections=4) as store:
            async with store.unit_of_work() as uow:
                session = await uow.sessions.create(bot_id="b", meeting_id="m")
            await asyncio.gather(
                *(store.record_segment(session.id, transcript=each.input()) for each in arrivals)
            )
            (entry,) = await store.timeline(session.id)
            assert (entry.text, entry.is_final, entry.revision) == numbered[-1]

    asyncio.run(example())
