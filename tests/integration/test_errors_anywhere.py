"""An unforeseen error at any step of a call is its caller's alone: everything is given back."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from helpers.support import audio, transcript, translation, until

from livetranslate_store import SegmentInput, Store, StoreError
from livetranslate_store.audio import lane
from livetranslate_store.audio.lane import Lane
from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.breaker import Breaker
from livetranslate_store.database.engine import Database
from livetranslate_store.database.statement import Statement
from livetranslate_store.database.statement_times import StatementTimes
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.replicas.router import ReadRouter
from livetranslate_store.segment_cache import SegmentCache
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.tracing import Tracing
from livetranslate_store.writing import segment_writer, translations
from livetranslate_store.writing.group_commit import GroupCommit

pytestmark = pytest.mark.slow

# The steps of calls that read values, reach out, or turn an answer into values.
STEPS: tuple[tuple[Any, str], ...] = (
    (AudioStorage, "claim"),
    (AudioStorage, "stage"),
    (AudioStorage, "put"),
    (AudioStorage, "begin_discard"),
    (Lane, "_take_place"),
    (ThreadPoolExecutor, "submit"),
    (SegmentCache, "knows"),
    (SegmentCache, "publish"),
    (SizeLimits, "check_transcript"),
    (Statement, "bind"),
    (StatementTimes, "fetch"),
    (Tracing, "span"),
    (Breaker, "check"),
    (Breaker, "admit"),
    (ReadRouter, "wrote"),
    (ReadRouter, "choose"),
    (Database, "lease"),
    (Database, "fetch_on"),
    (GroupCommit, "_next_group"),
    (segment_writer, "segment_rows"),
    (segment_writer, "forms_of"),
    (segment_writer, "receipt_of"),
    (segment_writer, "receipt_of_inserted"),
    (segment_writer, "lookup_of"),
    (translations, "translation_row"),
    (Transaction, "fetch"),
    (Transaction, "flush"),
)


class UnforeseenError(Exception):
    """Something that no code expects."""


class Bomb:
    """Makes one call of a step fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.calls = 0
        self._at = 0
        original = getattr(owner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self._at:
                raise UnforeseenError(name)
            return original(*arguments, **named)

        monkeypatch.setattr(owner, name, call)

    def arm(self, at: int) -> None:
        """Let the call with this number fail; 0 lets none."""
        self._at, self.calls = at, 0


async def segment(store: Store, session_id: UUID) -> None:
    await store.record_segment(
        session_id,
        transcript=transcript(segment_key="k", speaker_label="S"),
        translations=[translation()],
        audio=audio(),
    )


async def segments(store: Store, session_id: UUID) -> None:
    await asyncio.gather(
        *(store.record_segment(session_id, transcript=transcript(f"{n}")) for n in range(3)),
        return_exceptions=True,
    )


async def late(store: Store, session_id: UUID) -> None:
    receipt = await store.record_segment(session_id, transcript=transcript(segment_key="l"))
    await store.add_translation(session_id, receipt.transcript_id, translation())


async def unit(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        await uow.audio_files.add(session_id, audio(start_time=1.0))
        receipt = await uow.transcripts.add(session_id, transcript())
        await uow.translations.add(session_id, receipt.transcript_id, translation())


async def imported(store: Store, session_id: UUID) -> None:
    await store.import_segments(
        SegmentInput(session_id=session_id, transcript=transcript(segment_key=f"i{n}"), audio=audio())
        for n in range(3)
    )


async def reads(store: Store, session_id: UUID) -> None:
    await store.timeline(session_id, limit=5)
    async with store.read() as reader:
        await reader.sessions.get(session_id)


async def health(store: Store, _session_id: UUID) -> None:
    await store.health()


Work = Callable[[Store, UUID], Awaitable[None]]


WORKS: tuple[Work, ...] = (segment, segments, late, unit, imported, reads, health)


@pytest.mark.parametrize(("owner", "name"), STEPS, ids=lambda value: value if isinstance(value, str) else "")
async def test_an_unforeseen_error_of_a_step_gives_connections_slots_and_threads_back(
    store: Store, session_id: UUID, owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for work in WORKS:
        await work(store, session_id)
    bomb = Bomb(monkeypatch, owner, name)
    reached = 0
    for work in WORKS:
        before = asyncio.all_tasks()
        for at in (1, 2, 3):
            bomb.arm(at)
            with suppress(UnforeseenError, StoreError):
                async with asyncio.timeout(10):
                    await work(store, session_id)
            reached += bomb.calls >= at
            bomb.arm(0)
            await until(lambda: is_idle(store) and asyncio.all_tasks() <= before, seconds=5.0)  # noqa: B023
    assert reached
    for work in WORKS:
        await work(store, session_id)
    assert (await store.health()).is_healthy


def is_idle(store: Store) -> bool:
    now = store.statistics()
    objects = store._storage._configured
    assert objects is not None
    return (
        now.gate.in_flight == now.gate.waiting == now.pool.in_use == now.pool.waiting == 0
        and objects._lane._places._value == lane.THREADS
    )
