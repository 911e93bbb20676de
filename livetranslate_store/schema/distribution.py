"""Distributes the tables over a cluster, by session, and brings them back: all of it or nothing."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import asyncpg

from livetranslate_store.database.failures import translate
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.errors import StoreError
from livetranslate_store.schema.cluster import SESSIONS, Fetch
from livetranslate_store.schema.connection import owners_connection
from livetranslate_store.schema.distribution_plan import DEFAULT_SHARDS, Plan, plan_of, plan_of_return
from livetranslate_store.schema.turns import take_turn
from livetranslate_store.settings import StoreSettings

#: Called with the rows that were moved, and their number in the end.
Advance: TypeAlias = Callable[[int, int], None]
Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_FUNCTION = "SELECT pg_catalog.create_distributed_function($1::text::regprocedure)"
_FIRST = """
SELECT pg_catalog.create_distributed_table($1::text::regclass, $2, shard_count => $3, colocate_with => 'none')
"""
_BESIDE = "SELECT pg_catalog.create_distributed_table($1::text::regclass, $2, colocate_with => $3)"
_EMPTY = "SELECT pg_catalog.truncate_local_data_after_distributing_table($1::text::regclass)"
_BRING_BACK = "SELECT pg_catalog.undistribute_table($1::text::regclass, cascade_via_foreign_keys => true)"


async def plan_distribution(
    settings: StoreSettings | str | None = None, *, shards: int = DEFAULT_SHARDS
) -> Plan:
    """Return what distributing the tables takes; changes nothing.

    Raises StoreUnavailableError if the database cannot be reached.
    """
    chosen = StoreSettings.of(settings)
    async with _driver(chosen) as driver:
        return await plan_of(_fetch(driver), chosen, shards)


async def distribute(
    settings: StoreSettings | str | None = None,
    *,
    shards: int = DEFAULT_SHARDS,
    advance: Advance | None = None,
) -> dict[str, int]:
    """Distribute the tables that are not distributed yet; return their rows by table.

    One transaction: an interruption changes nothing. Raises StoreUnavailableError if a requirement of the
    plan is missing, ConflictError if a lock was not free within 5 s, and StoreError if the cluster refuses a
    table, or if rows are missing afterwards.
    """
    chosen = StoreSettings.of(settings)
    async with _driver(chosen) as driver:
        plan = await plan_of(_fetch(driver), chosen, shards)
        plan.check()
        async with driver.transaction():
            before = await _counted(driver, plan)
            for name in plan.functions:
                with _refusals(name):
                    await driver.execute(_FUNCTION, name)
            total, moved = sum(before.values()), 0
            for name, key in plan.tables:
                with _refusals(name):
                    if name == SESSIONS:
                        await driver.execute(_FIRST, name, key, shards)
                    else:
                        await driver.execute(_BESIDE, name, key, SESSIONS)
                moved += before[name]
                if advance is not None:
                    advance(moved, total)
            await _compare(driver, before)
            # The rows on this server are hidden now; a table goes before those that it refers to.
            for name in reversed([*plan.hidden, *before]):
                with _refusals(name):
                    await driver.execute(_EMPTY, name)
        await _analyze(driver, before)
        return before


async def plan_return(settings: StoreSettings | str | None = None) -> Plan:
    """Return what it takes to bring all tables back to the coordinator; changes nothing.

    Raises StoreUnavailableError if the database cannot be reached.
    """
    chosen = StoreSettings.of(settings)
    async with _driver(chosen) as driver:
        return await plan_of_return(_fetch(driver), chosen)


async def bring_back(
    settings: StoreSettings | str | None = None, *, advance: Advance | None = None
) -> dict[str, int]:
    """Bring all distributed tables back to the coordinator; return their rows by table.

    One transaction, with the errors of `distribute`.
    """
    chosen = StoreSettings.of(settings)
    async with _driver(chosen) as driver:
        plan = await plan_of_return(_fetch(driver), chosen)
        plan.check()
        if not plan.tables:
            return {}
        async with driver.transaction():
            before = await _counted(driver, plan)
            with _refusals(plan.tables[0].name), _notices(driver, before, advance):
                await driver.execute(_BRING_BACK, plan.tables[0].name)
            await _compare(driver, before)
        await _analyze(driver, before)
        return before


@asynccontextmanager
async def _driver(settings: StoreSettings) -> AsyncIterator[Driver]:
    """Open a connection, after the upgrades and distributions of this database that run."""
    async with owners_connection(settings) as connection:
        await connection.run_sync(take_turn)
        raw = await connection.get_raw_connection()
        driver: Driver = raw.driver_connection  # type: ignore[assignment]  # the dialect fixes the type
        yield driver


def _fetch(driver: Driver) -> Fetch:
    async def fetch(bound: BoundStatement) -> list[asyncpg.Record]:
        return await driver.fetch(bound.text, *bound.arguments)

    return fetch


async def _counted(driver: Driver, plan: Plan) -> dict[str, int]:
    """Lock the tables against writers, and return their rows."""
    if not plan.tables:
        return {}
    names = [name for name, _ in plan.tables]
    await driver.execute(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE")
    return {name: await _count(driver, name) for name in names}


async def _count(driver: Driver, name: str) -> int:
    counted: int = await driver.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608 (quoted by the server)
    return counted


async def _compare(driver: Driver, before: Mapping[str, int]) -> None:
    for name, rows in before.items():
        found = await _count(driver, name)
        if found != rows:
            raise StoreError(
                f"{name} had {rows} rows, and {found} were found afterwards: nothing was changed."
            )


async def _analyze(driver: Driver, names: Iterable[str]) -> None:
    # Plans need figures of the new tables before autovacuum has seen them.
    for name in names:
        await driver.execute(f"ANALYZE {name}")


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Raise what the cluster says about a table, which names objects and no row."""
    try:
        yield
    except asyncpg.PostgresError as error:
        known = translate(error)
        if type(known) is not StoreError:
            raise
        hint = "" if error.hint is None else f" {error.hint}"
        raise StoreError(
            f"Nothing was changed. The cluster refuses {name}: {error.args[0]}.{hint}"
        ) from error


@contextmanager
def _notices(driver: Driver, rows: Mapping[str, int], advance: Advance | None) -> Iterator[None]:
    """Tell the progress by the server's notices, one before each table."""
    moved, total = 0, sum(rows.values())
    names = iter(rows)

    def notice(_: object, message: asyncpg.PostgresLogMessage) -> None:
        nonlocal moved
        if advance is not None and str(message.message).startswith("dropping the old"):
            moved += rows.get(next(names, ""), 0)
            advance(moved, total)

    driver.add_log_listener(notice)
    try:
        yield
    finally:
        driver.remove_log_listener(notice)
