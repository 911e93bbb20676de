"""The log: one event when trouble begins and one when it is over, each with fields and without its noise."""

import asyncio
import logging
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import audio, sql, take_away, transcript

from livetranslate_store import (
    OutcomeUnknownError,
    PoolTimeoutError,
    Store,
    StoreUnavailableError,
    WriteRejectedError,
)
from livetranslate_store.database.breaker import FAILURES_TO_OPEN, Breaker

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "observability.md"
PACKAGE = Path(__file__).resolve().parents[2] / "livetranslate_store"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="livetranslate_store")
    return caplog


def events(log: pytest.LogCaptureFixture) -> list[str]:
    """Return the events of the store, in order; each has a name."""
    return [vars(each)["event"] for each in log.records if each.name.startswith("livetranslate_store")]


def fields(log: pytest.LogCaptureFixture, event: str) -> dict[str, Any]:
    (found,) = [vars(each) for each in log.records if vars(each).get("event") == event]
    return found


async def test_a_day_without_trouble_is_silent(
    store: Store, session_id: UUID, log: pytest.LogCaptureFixture
) -> None:
    for number in range(20):
        await store.record_segment(session_id, transcript=transcript(segment_key=f"{number % 3}"))
    assert events(log) == []


async def test_an_outage_of_the_database_is_told_once_and_so_is_its_end(
    database_url: str, other_program: Program, log: pytest.LogCaptureFixture
) -> None:
    async with Store.open(database_url, min_connections=2, retry_timeout=0) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        give_back = take_away(other_program)
        for _ in range(11):
            # The answer of the first is lost with its connection.
            with pytest.raises((StoreUnavailableError, OutcomeUnknownError)):
                await store.record_segment(session.id, transcript=transcript())
        assert events(log) == ["database_unavailable_began"]
        give_back()
        for _ in range(3):
            await store.record_segment(session.id, transcript=transcript())
    assert events(log) == ["database_unavailable_began", "database_unavailable_over"]
    began, over = fields(log, "database_unavailable_began"), fields(log, "database_unavailable_over")
    assert (began["levelname"], began["error"]) == ("WARNING", "StoreUnavailableError")
    assert "does not exist" in began["reason"]
    assert over["levelname"] == "INFO"
    assert over["failures"] >= 10
    assert over["seconds"] > 0.0


def test_failing_fast_is_told_once_and_so_is_its_end(log: pytest.LogCaptureFixture) -> None:
    breaker = Breaker("reads", after=0.0)
    for _ in range(FAILURES_TO_OPEN + 5):
        breaker.failed()
    breaker.answered()
    assert events(log) == ["failing_fast_began", "failing_fast_over"]
    assert fields(log, "failing_fast_began")["calls"] == fields(log, "failing_fast_over")["calls"] == "reads"


async def test_an_outage_of_the_storage_is_told_once_and_so_is_its_end(
    store: Store, session_id: UUID, audio_folder: Path, log: pytest.LogCaptureFixture
) -> None:
    in_the_way = audio_folder / str(session_id)
    await asyncio.to_thread(in_the_way.write_text, "in the way")
    for number in range(10):
        with pytest.raises(StoreUnavailableError):
            await store.record_segment(session_id, transcript=transcript(), audio=audio(start_time=number))
    assert events(log) == ["storage_unavailable_began"]
    await asyncio.to_thread(in_the_way.unlink)
    await store.record_segment(session_id, transcript=transcript(), audio=audio())
    assert events(log) == ["storage_unavailable_began", "storage_unavailable_over"]
    assert fields(log, "storage_unavailable_over")["failures"] >= 10


async def test_rejections_are_told_once_and_so_is_their_end(
    database_url: str, log: pytest.LogCaptureFixture
) -> None:
    limits: dict[str, Any] = {"max_concurrent_writes": 1, "max_waiting_writes": 1, "min_connections": 1}
    async with Store.open(database_url, **limits) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        async with store.unit_of_work():
            writes = [
                asyncio.create_task(store.record_segment(session.id, transcript=transcript()))
                for _ in range(10)
            ]
            results = await asyncio.gather(*writes[1:], return_exceptions=True)
            assert {type(each) for each in results} == {WriteRejectedError}
            assert events(log) == ["writes_rejected_began"]
        await writes[0]
    assert events(log) == ["writes_rejected_began", "writes_rejected_over"]
    assert fields(log, "writes_rejected_over")["failures"] == 9


async def test_a_pool_that_is_too_small_is_told_once_and_so_is_its_end(
    database_url: str, log: pytest.LogCaptureFixture
) -> None:
    limits: dict[str, Any] = {"min_connections": 1, "max_connections": 1, "connection_timeout": 0.2}
    async with Store.open(database_url, **limits) as store:
        held = await store._database.lease()
        results = await asyncio.gather(*(store._database.lease() for _ in range(5)), return_exceptions=True)
        assert {type(each) for each in results} == {PoolTimeoutError}
        held.close()
        await store._database.fetch(sql("SELECT 1"))
    assert events(log) == ["pool_exhausted_began", "pool_exhausted_over"]


def test_every_event_is_documented_and_every_documented_one_exists() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    incidents = re.findall(r'Incident\(\s*logger, "(\w+)"', sources)
    named = set(re.findall(r'"event": "(\w+)"', sources))
    named |= {f"{each}_{end}" for each in incidents for end in ("began", "over")}
    documented = set(re.findall(r"^\| `(\w+)`", section("## Log"), re.MULTILINE))
    assert len(incidents) >= 5
    assert documented == named


def section(heading: str) -> str:
    _, _, rest = DOCUMENTATION.read_text(encoding="utf-8").partition(f"{heading}\n")
    return rest.partition("\n## ")[0]
