"""A value that only looks like another is stored as that, or fails alone: no other write, no connection."""

import asyncio
from collections import ChainMap, deque
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import audio, counts, transcript, translation

from livetranslate_store import InvalidInputError, SegmentReceipt, Store, StoreError, Word


class Text(str):
    """As a library's own kind of text."""

    __slots__ = ()


class Number(float):
    """As numpy's float64."""


class Team(str, Enum):  # noqa: UP042 (whose str() is another)
    SALES = "sales"


class Choice(str, Enum):  # noqa: UP042 (as above)
    ENDED = "ended"
    NEWEST = "newest"
    WORDS = "words"
    SPANISH = "es"


WORD = Word(text="Good")
METADATA: tuple[tuple[Any, dict[str, Any]], ...] = (
    (MappingProxyType({"a": Text("b")}), {"a": "b"}),
    (ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
    ({"a": Number(1.5), "b": [MappingProxyType({"c": 1})]}, {"a": 1.5, "b": [{"c": 1}]}),
    ({Team.SALES: Team.SALES}, {"sales": "sales"}),
)


@pytest.mark.parametrize("words", [deque([WORD]), {1: WORD}.values(), iter([WORD]), [WORD]])
async def test_words_are_taken_from_any_sequence(
    store: Store, session_id: UUID, words: Iterable[Word]
) -> None:
    spoken = transcript(words=words)
    assert spoken.words == (WORD,)
    receipt = await store.record_segment(session_id, transcript=spoken)
    async with store.read() as reader:
        row = await reader.transcripts.get(session_id, receipt.transcript_id)
    assert row.words == [{"text": "Good"}]


async def test_a_server_of_many_years_gives_positions_that_a_read_may_demand(
    store: Store, session_id: UUID
) -> None:
    await store.record_segment(session_id, transcript=transcript())
    assert len(await store.timeline(session_id, min_position=2**40)) == 1
    with pytest.raises(InvalidInputError, match="min_position"):
        await store.timeline(session_id, min_position=2**63)


@pytest.mark.parametrize("words", ["Good", b"Good", {"text": "Good"}, 5, [WORD, "Good"]])
def test_words_of_another_kind_are_refused_when_the_value_is_made(words: Any) -> None:
    with pytest.raises(InvalidInputError, match="words must be a sequence"):
        transcript(words=words)


@pytest.mark.parametrize(("given", "stored"), METADATA)
async def test_metadata_that_is_accepted_is_stored_by_every_way_in(
    store: Store, session_id: UUID, given: Any, stored: dict[str, Any]
) -> None:
    receipt = await store.record_segment(
        session_id,
        transcript=transcript(metadata=given, words=[Word(text=Text("Good"))]),
        translations=[translation(metadata=given)],
        audio=audio(metadata=given),
    )
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id=Text("b"), meeting_id="m", metadata=given)
        row = await uow.transcripts.get(session_id, receipt.transcript_id)
        assert (await uow.sessions.get(session.id)).metadata_ == stored
    assert row.metadata_ == stored


async def test_a_member_of_an_enumeration_names_the_same_rows_as_its_value(store: Store) -> None:
    named: list[UUID] = []
    for name in (Team.SALES, "sales"):
        tenant = store.for_tenant(name)
        async with tenant.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id=name, meeting_id=name, external_id=name)
            found = await uow.sessions.named(name)
        assert found is not None
        assert found.id == session.id
        receipt = await tenant.record_segment(
            session.id,
            transcript=transcript(source=name, segment_key=name, speaker_label=name),
            translations=[translation(service=name)],
        )
        named += [session.id, receipt.transcript_id]
    assert named[:2] == named[2:]


async def test_a_member_of_an_enumeration_chooses_what_its_value_does(store: Store, session_id: UUID) -> None:
    spoken = transcript(words=[WORD])
    await store.record_segment(session_id, transcript=spoken, translations=[translation()])
    async with store.unit_of_work() as uow:
        await uow.sessions.update(session_id, status=Choice.ENDED)
    words: Any = Choice.WORDS
    newest: Any = Choice.NEWEST
    found = await store.find_sessions(status=Choice.ENDED, order=newest)
    assert [each.id for each in found] == [session_id]
    entries = await store.timeline(
        session_id, include=[words], order=newest, languages=[Choice.SPANISH, "en"]
    )
    assert [each.words for each in entries if each.kind == "transcript"] == [(WORD,)]


async def test_parts_of_another_kind_are_refused_before_anything_is_touched(
    store: Store, session_id: UUID
) -> None:
    wrong: Any = "Good morning."
    for call in (
        store.record_segment(session_id, transcript=wrong),
        store.record_segment(session_id, transcript=transcript(), translations=[wrong]),
        store.record_segment(session_id, transcript=transcript(), translations=wrong),
        store.record_segment(session_id, transcript=transcript(), audio=wrong),
        store.add_translation(session_id, session_id, wrong),
    ):
        with pytest.raises(InvalidInputError, match="not str"):
            await call
    assert store.statistics().gate.failed == 0


class Spoilt(Mapping[str, int]):
    """Good when it is checked, and broken when the group is encoded."""

    def __init__(self) -> None:
        self._reads = 0

    def __getitem__(self, key: str) -> int:
        self._reads += 1
        # The first two check the value and its size.
        return 1 // (self._reads <= 2)

    def __iter__(self) -> Iterator[str]:
        return iter(("number",))

    def __len__(self) -> int:
        return 1


async def test_a_value_that_was_spoilt_after_its_check_fails_alone_and_keeps_no_connection(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    async def record(number: int) -> SegmentReceipt:
        metadata = Spoilt() if number % 10 == 3 else {"number": number}
        return await store.record_segment(session_id, transcript=transcript(f"{number}", metadata=metadata))

    for _ in range(3):
        before = counts(other_program)["transcripts"]
        results = await asyncio.gather(*(record(n) for n in range(40)), return_exceptions=True)
        failures = [each for each in results if not isinstance(each, SegmentReceipt)]
        assert [type(each) for each in failures] == [StoreError] * 4
        assert {type(each.__cause__) for each in failures} == {ZeroDivisionError}
        assert counts(other_program)["transcripts"] - before == 36
        now = store.statistics()
        assert now.pool.in_use == now.gate.in_flight == 0
    assert (await store.health()).is_healthy
