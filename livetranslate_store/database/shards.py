"""The shards of sessions on a cluster: what is written together lies in one of them."""

from collections.abc import Collection, Iterable
from uuid import UUID

from cachetools import LRUCache

from livetranslate_store.database.statement import Run, Statement
from livetranslate_store.models import SCHEMA

# Some 100 bytes each.
REMEMBERED_SESSIONS = 20_000

_SHARDS = Statement(
    "sessions.shards",
    f"""
SELECT id, get_shard_id_for_distribution_column('{SCHEMA}.sessions', id) FROM unnest($1::uuid[]) AS id
""",  # noqa: S608 (a constant)
    ("ids",),
)


class ShardMap:
    """The shard of each session, asked once.

    A shard keeps its number when it moves to another node. When it is split, the numbers are wrong: a write
    of several sessions is refused then, and each is written alone; that makes the map forget.
    """

    def __init__(self) -> None:
        self._shards: LRUCache[UUID, int] = LRUCache(REMEMBERED_SESSIONS)

    async def of_all(self, session_ids: Collection[UUID], run: Run) -> dict[UUID, int]:
        """Return the shards of these sessions."""
        found = {each: shard for each in session_ids if (shard := self._shards.get(each)) is not None}
        if missing := [each for each in session_ids if each not in found]:
            asked = {row[0]: row[1] for row in await run(_SHARDS.bind({"ids": missing}))}
            self._shards.update(asked)
            found |= asked
        return found

    def forget(self) -> None:
        """Ask again from now on."""
        self._shards.clear()


def by_shard(session_ids: Iterable[UUID], shards: dict[UUID, int]) -> list[list[int]]:
    """Return the places of sessions, those of one shard together."""
    places: dict[int, list[int]] = {}
    for place, session_id in enumerate(session_ids):
        places.setdefault(shards[session_id], []).append(place)
    return [*places.values()]
