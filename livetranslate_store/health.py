"""Probes: every part that the store needs is asked at the same time, each within a limit of its own."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from time import monotonic
from typing import Any

import asyncpg
from msgspec import structs

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.engine import Database
from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.errors import StoreError, StoreUnavailableError
from livetranslate_store.models import SCHEMA
from livetranslate_store.replicas.router import ReadRouter
from livetranslate_store.values import PartHealth, ReplicaStatistics, StoreHealth

_ANSWERS = Statement("health", "SELECT 1")
_APPLIED = Statement("health.schema", f"SELECT version_num FROM {SCHEMA}.alembic_version")  # noqa: S608 (a constant)


async def check_health(
    database: Database, router: ReadRouter, storage: AudioStorage, *, time_limit: float
) -> StoreHealth:
    """Ask every part, each for `time_limit` seconds at most; what is wrong is told and never raised.

    Replicas are looked at all the time: they are not asked once more.
    """
    parts = await asyncio.gather(
        _part(partial(_check_database, database), time_limit),
        _part(partial(_check_migrations, database), time_limit),
        _part(storage.check, time_limit),
    )
    found = StoreHealth(*parts, replicas=_replicas(router.statistics()))
    if not found.is_healthy:
        return found
    # Only a database that answers can say whose storage it is.
    owned = await _part(partial(storage.check_owner, partial(_ask, database)), time_limit)
    return structs.replace(found, storage=PartHealth(owned.problem, found.storage.seconds + owned.seconds))


def _replicas(found: Sequence[ReplicaStatistics]) -> PartHealth:
    problems = [f"{each.name} is {each.state}" for each in found if each.state != "fresh"]
    return PartHealth(f"{', '.join(problems)}: it is not read from." if problems else None, 0.0)


async def _check_database(database: Database) -> None:
    await _ask(database, _ANSWERS.bind())


async def _ask(database: Database, question: BoundStatement) -> list[asyncpg.Record]:
    try:
        return await database.fetch_once(question)
    except StoreUnavailableError:
        # A connection of the pool may have died unseen, which no caller would have noticed either.
        return await database.fetch_once(question)


async def _check_migrations(database: Database) -> None:
    rows = await _ask(database, _APPLIED.bind())
    # Alembic takes a while to import and reads files: neither may hold up the loop.
    await asyncio.to_thread(_refuse_old_schema, {row["version_num"] for row in rows})


def _refuse_old_schema(applied: set[str]) -> None:
    from livetranslate_store.schema.upgrade import check_applied  # noqa: PLC0415

    check_applied(applied)


async def _part(check: Callable[[], Coroutine[Any, Any, None]], time_limit: float) -> PartHealth:
    began = monotonic()
    task = asyncio.create_task(check())
    try:
        # Not asyncio.timeout: it waits for what it cancels, and what hangs may not hear of it.
        done, _ = await asyncio.wait([task], timeout=time_limit)
    finally:
        task.cancel()
        task.add_done_callback(_ignore)
    problem = _problem_of(task) if done else f"No answer within {time_limit:g} s."
    return PartHealth(problem, monotonic() - began)


def _problem_of(task: "asyncio.Task[None]") -> str | None:
    error = task.exception()
    if error is None:
        return None
    # Only our own messages are known to hold no secret.
    return str(error) if isinstance(error, StoreError) else f"An error of type {type(error).__name__}."


def _ignore(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()
