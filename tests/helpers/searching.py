"""Searches of the same rows on a single server and on a cluster."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple, cast

import asyncpg
import psycopg
from helpers.support import TABLES

from livetranslate_store import SearchHit, Store
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.models import Base
from livetranslate_store.reading.search.finding import find_in_steps
from livetranslate_store.reading.search.query import checked_search
from livetranslate_store.values import SearchFilters


class Both(NamedTuple):
    """Stores over the same rows, on a single server and on a cluster."""

    single: Store
    cluster: Store


@asynccontextmanager
async def on_both(
    single: psycopg.Connection[Any], cluster: psycopg.Connection[Any], store: Store
) -> AsyncIterator[Both]:
    """Copy the rows of the single server to the cluster of `store`, and open a store over them."""
    for table in (Base.metadata.tables[f"livetranslate.{name}"] for name in TABLES):
        columns = ", ".join(f'"{each.name}"' for each in table.columns if each.computed is None)
        with (
            single.cursor().copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT") as rows,
            cluster.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copies,
        ):
            for row in rows:
                copies.write(row)
    for connection in (single, cluster):
        connection.commit()
    info = single.info
    url = f"postgresql+asyncpg://{info.user}:{info.password}@{info.host}:{info.port}/{info.dbname}"
    async with AsyncExitStack() as stack:
        yield Both(await stack.enter_async_context(Store.open(url)), store)


async def all_hits(stores: Sequence[Store], query: str, filters: Any, limit: int) -> list[SearchHit]:
    """Return the hits of all pages; the stores take turns."""
    hits: list[SearchHit] = []
    cursor, turn = None, 0
    while True:
        page = await stores[turn % len(stores)].search(query, limit=limit, cursor=cursor, **filters)
        hits += page
        cursor, turn = page.next_cursor, turn + 1
        if cursor is None:
            return hits


class Step(NamedTuple):
    """A step of a search: the name of its statement, the plan of the coordinator, and its rows."""

    name: str
    plan: str
    rows: Sequence[asyncpg.Record]

    @property
    def tasks(self) -> int:
        """The number of shards that are asked, each time that they are."""
        return sum(int(count) for count in re.findall(r"Task Count: (\d+)", self.plan))


async def steps(
    store: Store, query: str, *, cursor: str | None = None, limit: int = 20, **filters: Any
) -> list[Step]:
    """Return the steps of a search on a cluster."""
    taken: list[Step] = []

    async def fetch(bound: BoundStatement) -> Any:
        plan = await store._database.fetch(bound._replace(text=f"EXPLAIN {bound.text}"))
        rows = await store._database.fetch(bound)
        taken.append(Step(bound.name, "\n".join(row[0] for row in plan), rows))
        return rows

    names = ("translation_language", "fuzzy")
    options = {name: filters.pop(name) for name in names if name in filters}
    checked = checked_search(query, cast("SearchFilters", filters), cursor=cursor, limit=limit, **options)
    await find_in_steps(fetch, checked)
    return taken


def tasks(taken: Sequence[Step], name: str) -> list[int]:
    """Return how many shards each statement of this name asked."""
    return [each.tasks for each in taken if each.name == name]
