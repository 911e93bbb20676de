"""Probes: `health` returns the problem of each part, within one limit, and raises nothing."""

import asyncio
import logging
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import take_away

from livetranslate_store import PartHealth, Store, StoreHealth
from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.engine import Database
from livetranslate_store.schema.upgrade import newest_revision


async def test_a_store_that_lacks_nothing_is_healthy_and_leaves_nothing_behind(
    store: Store, audio_folder: Path
) -> None:
    for _ in range(3):
        health = await store.health()
        assert health.problems == {}
        assert health.is_healthy
        assert all(part.seconds < 5.0 for part in (health.database, health.migrations, health.storage))
    assert below(audio_folder) == []
    assert store.statistics().gate.completed == 0


def below(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


async def test_a_database_that_is_gone_is_told_and_not_raised(
    database_url: str, other_program: Program, audio_folder: Path
) -> None:
    async with Store.open(database_url, audio_url=f"file:{audio_folder}", min_connections=1) as store:
        give_back = take_away(other_program)
        health = await store.health()
        assert set(health.problems) == {"database", "migrations"}
        assert "does not exist" in health.problems["database"]
        give_back()
        assert (await store.health()).is_healthy


async def test_a_schema_that_is_behind_says_what_to_run_and_one_that_is_ahead_will_do(
    store: Store, other_program: Program
) -> None:
    advice = "run `livetranslate-store upgrade`."
    for version, problem in (
        (None, f"The schema is at no revision, and {newest_revision()} is needed: {advice}"),
        # While a new version is rolled out, this one goes on running on its schema.
        ("of-a-later-version", None),
    ):
        other_program.execute("DELETE FROM livetranslate.alembic_version")
        if version is not None:
            other_program.execute("INSERT INTO livetranslate.alembic_version VALUES (%s)", (version,))
        other_program.commit()
        health = await store.health()
        assert health.migrations.problem == problem
        assert health.database.is_healthy
    other_program.execute("DROP TABLE livetranslate.alembic_version")
    other_program.commit()
    assert "`livetranslate-store upgrade`" in (await store.health()).problems["migrations"]


async def test_a_storage_that_takes_nothing_is_told(store: Store, audio_folder: Path) -> None:
    # A file where the folder should be: nobody, not even root, can write below it.
    await asyncio.to_thread((audio_folder / str(UUID(int=0))).write_text, "in the way")
    health = await store.health()
    assert health.problems == {"storage": "The audio storage cannot be written: Not a directory."}


async def test_a_part_that_hangs_holds_back_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = asyncio.Event()

    async def hang(_storage: AudioStorage) -> None:
        while not hanging.is_set():
            try:
                await hanging.wait()
            except asyncio.CancelledError:
                continue  # as what does not hear of it

    monkeypatch.setattr(AudioStorage, "check", hang)
    async with asyncio.timeout(10):
        health = await store.health(time_limit=0.5)
    assert health.problems == {"storage": "No answer within 0.5 s."}
    assert health.database.seconds < health.storage.seconds
    hanging.set()


async def test_all_checks_together_have_one_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(_storage: AudioStorage) -> None:
        await asyncio.sleep(0.8)

    async def hang(_storage: AudioStorage, _ask: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(AudioStorage, "check", slow)
    monkeypatch.setattr(AudioStorage, "check_owner", hang)
    health = await store.health(time_limit=1.0)
    assert health.problems == {"storage": "No answer within 1 s."}
    # With a limit for each check it would be 1.8.
    assert health.storage.seconds < 1.7


async def test_a_probe_waits_for_a_connection_no_longer_than_its_limit(
    database_url: str, audio_folder: Path
) -> None:
    limits: dict[str, Any] = {"min_connections": 1, "max_connections": 1}
    async with Store.open(database_url, audio_url=f"file:{audio_folder}", **limits) as store:
        held = await store._database.lease()
        health = await store.health(time_limit=0.2)
        assert set(health.problems) == {"database", "migrations"}
        held.close()
        assert (await store.health()).is_healthy
        assert store.statistics().pool.waiting == store.statistics().pool.in_use == 0


async def test_what_nobody_foresaw_is_told_by_its_type(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_database: Database, *_: object) -> None:
        raise ZeroDivisionError("with a secret")

    monkeypatch.setattr(Database, "fetch_once", fail)
    with caplog.at_level(logging.DEBUG):
        health = await store.health()
    assert health.problems["database"] == "An error of type ZeroDivisionError."
    assert "secret" not in caplog.text


async def test_a_probe_that_is_cancelled_leaves_nothing_under_way(store: Store) -> None:
    before = asyncio.all_tasks()
    probe = asyncio.create_task(store.health())
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    async with asyncio.timeout(10):
        while asyncio.all_tasks() - before:
            await asyncio.wait(asyncio.all_tasks() - before)
    assert store.statistics().pool.in_use == 0


def test_what_is_told_is_frozen() -> None:
    part = PartHealth(None, 0.1)
    health = StoreHealth(part, part, PartHealth("broken", 0.1), part)
    assert (health.is_healthy, health.problems) == (False, {"storage": "broken"})
    without_a_replica = StoreHealth(part, part, part, PartHealth("b is lagging: it is not read from.", 0.0))
    assert without_a_replica.is_healthy
    assert set(without_a_replica.problems) == {"replicas"}
    with pytest.raises(AttributeError):
        health.storage = part  # type: ignore[misc]  # that is the point
