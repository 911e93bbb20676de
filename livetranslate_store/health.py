"""Health checks: all parts of the store, side by side and within one time limit."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from time import monotonic
from typing import Any, NamedTuple, Self

import asyncpg
from msgspec import structs

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.engine import READ_ONLY_BY_SETTING, Database
from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.errors import StoreError, StoreUnavailableError
from livetranslate_store.models import SCHEMA
from livetranslate_store.replicas.router import ReadRouter
from livetranslate_store.schema.cluster_health import ClusterState, read_cluster_state
from livetranslate_store.values import ClusterHealth, PartHealth, ReplicaStatistics, StoreHealth

# A user who may only read is no problem, and neither is a schema that is missing: others say so.
_ANSWERS = Statement(
    "health",
    f"""
SELECT current_setting('transaction_read_only') = 'on'
    AND has_table_privilege(to_regclass('{SCHEMA}.transcripts'), 'INSERT') AS takes_no_writes,
    pg_is_in_recovery() AS is_standby
""",
)
_APPLIED = Statement("health.schema", f"SELECT version_num FROM {SCHEMA}.alembic_version")  # noqa: S608 (a constant)
_STANDBY = "The database takes no writes: the server is a standby."


class _TimeLimit(NamedTuple):
    """The seconds that all checks may take together, and when they end by the monotonic clock."""

    seconds: float
    ends_at: float

    @classmethod
    def of(cls, seconds: float) -> Self:
        return cls(seconds, monotonic() + seconds)


async def check_health(
    database: Database, router: ReadRouter, storage: AudioStorage, *, time_limit: float
) -> StoreHealth:
    """Check every part, all within `time_limit` seconds; problems are returned, never raised.

    The router watches the replicas all the time: they are not asked again.
    """
    limit = _TimeLimit.of(time_limit)
    parts = await asyncio.gather(
        _part(partial(_check_database, database), limit),
        _part(partial(_check_migrations, database), limit),
        _part(storage.check, limit),
    )
    found = StoreHealth(*parts, replicas=_replicas(router.statistics()))
    if not found.is_healthy:
        return found
    # Only a database that answers can say whose storage it is.
    owned, cluster = await asyncio.gather(
        _part(partial(storage.check_owner, partial(_ask, database)), limit),
        _cluster(database, limit),
    )
    storage_health = PartHealth(owned.problem, found.storage.seconds + owned.seconds)
    return structs.replace(found, storage=storage_health, cluster=cluster)


async def _cluster(database: Database, limit: _TimeLimit) -> ClusterHealth | None:
    if not database.is_distributed:
        return None
    state: ClusterState | None = None

    async def check() -> None:
        nonlocal state
        state = await read_cluster_state(partial(_ask, database))

    part = await _part(check, limit)
    if state is None:
        return ClusterHealth(part.problem, part.seconds)
    return ClusterHealth(state.problem, part.seconds, tuple(state.nodes), state.leftovers)


def _replicas(found: Sequence[ReplicaStatistics]) -> PartHealth:
    problems = [f"{each.name} is {each.state}" for each in found if each.state != "fresh"]
    return PartHealth(f"{', '.join(problems)}: reads go elsewhere." if problems else None, 0.0)


async def _check_database(database: Database) -> None:
    [answer] = await _ask(database, _ANSWERS.bind())
    if answer["takes_no_writes"]:
        raise StoreUnavailableError(_STANDBY if answer["is_standby"] else READ_ONLY_BY_SETTING)
    if database.refused_writes is not None:
        raise StoreUnavailableError(f"The last write was refused. {database.refused_writes}")


async def _ask(database: Database, question: BoundStatement) -> list[asyncpg.Record]:
    try:
        return await database.fetch_once(question)
    except StoreUnavailableError:
        # A pooled connection may have died unseen; any other call would have replaced it too.
        return await database.fetch_once(question)


async def _check_migrations(database: Database) -> None:
    rows = await _ask(database, _APPLIED.bind())
    # Alembic is slow to import and reads files: neither may block the loop.
    await asyncio.to_thread(_refuse_old_schema, {row["version_num"] for row in rows})


def _refuse_old_schema(applied: set[str]) -> None:
    from livetranslate_store.schema.upgrade import check_applied  # noqa: PLC0415

    check_applied(applied)


async def _part(check: Callable[[], Coroutine[Any, Any, None]], limit: _TimeLimit) -> PartHealth:
    began = monotonic()
    task = asyncio.create_task(check())
    try:
        # Not asyncio.timeout: it waits for the cancelled task, which may ignore the cancellation.
        done, _ = await asyncio.wait([task], timeout=max(0.0, limit.ends_at - began))
    finally:
        task.cancel()
        task.add_done_callback(_ignore)
    problem = _problem_of(task) if done else f"No answer within {limit.seconds:g} s."
    return PartHealth(problem, monotonic() - began)


def _problem_of(task: "asyncio.Task[None]") -> str | None:
    error = task.exception()
    if error is None:
        return None
    # Only the store's own messages are known to have no secret.
    return str(error) if isinstance(error, StoreError) else f"An error of type {type(error).__name__}."


def _ignore(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()
