"""Whose audio a storage holds: a marker object in it names one database.

The identity is the server's system identifier and the database's oid. Standbys, and the standby that is
promoted, share it; so does a cluster with the server that became its coordinator. A database restored from
a dump, or upgraded by pg_upgrade, has another one. That errs on the safe side: a copy of a database must not
sweep the recordings of the original. After a move, an operator removes the marker; the next write finds the
recordings and marks the storage anew.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

import asyncpg
import msgspec

from livetranslate_store.audio.objects import Objects
from livetranslate_store.database.statement import BoundStatement, Statement
from livetranslate_store.errors import StoreUnavailableError
from livetranslate_store.models import SCHEMA

MARKER = "livetranslate-store.json"

Fetch: TypeAlias = Callable[[BoundStatement], Awaitable[Sequence[asyncpg.Record]]]

# From catalogs alone, so that no node of a cluster but the coordinator answers.
_DATABASE = Statement(
    "audio.owner",
    """
    SELECT system_identifier::text AS system, oid::text AS oid, datname::text AS name
    FROM pg_control_system(), pg_database WHERE datname = current_database()
    """,
)
# The first and the last recording by key, as samples: their bytes exist in the right storage.
_RECORDINGS = Statement(
    "audio.recordings",
    f"""
    (SELECT storage_key FROM {SCHEMA}.audio_files ORDER BY session_id, id LIMIT 1) UNION
    (SELECT storage_key FROM {SCHEMA}.audio_files ORDER BY session_id DESC, id DESC LIMIT 1)
    """,  # noqa: S608 (a constant)
)


class Owner(msgspec.Struct, frozen=True):
    """The database that a storage belongs to; `name` is for people and may change."""

    system: str
    oid: str
    name: str

    def is_same(self, other: "Owner") -> bool:
        """Return whether both are one database."""
        return (self.system, self.oid) == (other.system, other.oid)


class Ownership(NamedTuple):
    """What a database and a storage know of each other."""

    database: Owner
    #: The owner that the marker names; None without a marker.
    marked: Owner | None
    #: Whether the database has recordings.
    has_recordings: bool
    #: Samples of them that this storage does not hold.
    missing: Sequence[str]

    @property
    def is_marked(self) -> bool:
        """Whether the marker names this database."""
        return self.marked is not None and self.marked.is_same(self.database)

    @property
    def holds_recordings(self) -> bool:
        """Whether the database has recordings, and the storage holds them."""
        return self.has_recordings and not self.missing

    @property
    def problem(self) -> str | None:
        """What is wrong, and what to do; None if nothing is."""
        if self.marked is not None and not self.is_marked:
            return (
                f"The audio storage belongs to another database, {self.marked.name!r} of the system "
                f"{self.marked.system}: give each database an audio_url of its own. If this database was "
                f"moved, restored or upgraded by pg_upgrade, remove the object {MARKER} from the storage."
            )
        if self.missing:
            return (
                f"The audio storage does not hold this database's recordings, such as {self.missing[0]}: "
                "set the audio_url that they were stored with."
            )
        return None


async def ownership(objects: Objects, fetch: Fetch) -> Ownership:
    """Return whose audio the storage holds, as seen from the database that `fetch` asks."""
    database = await _database(fetch)
    recordings = await _recordings(fetch)
    missing = [key for key in recordings if not await objects.exists(key)]
    if missing:
        # A recording that was deleted meanwhile is not missing.
        still = await _recordings(fetch)
        missing = [key for key in missing if key in still]
    return Ownership(database, await _marked(objects), bool(recordings), missing)


async def claim(objects: Objects, fetch: Fetch) -> bool:
    """Mark the storage as this database's before its first object is written.

    Return whether the marker names this database: not if it was moved, until an operator removes the marker.
    Raises StoreUnavailableError if the storage is another database's, or the database's recordings are in
    another storage.
    """
    found = await ownership(objects, fetch)
    if found.is_marked:
        return True
    # A database that was moved has its recordings here: it goes on writing, and health() reports the marker.
    if found.problem is not None and not found.holds_recordings:
        raise StoreUnavailableError(found.problem)
    if found.marked is not None:
        return False
    if await objects.create(MARKER, msgspec.json.encode(found.database)):
        return True
    # Another first writer was faster: either one of this database, or this write is refused.
    return await claim(objects, fetch)


async def check_may_sweep(objects: Objects, fetch: Fetch) -> None:
    """Raise StoreUnavailableError unless the storage is known to be this database's."""
    found = await ownership(objects, fetch)
    if found.problem is not None:
        raise StoreUnavailableError(found.problem)
    if not found.is_marked and not found.holds_recordings and await _has_objects(objects):
        raise StoreUnavailableError(
            "Nothing shows that the audio storage belongs to this database: it has no marker, and the "
            "database has no recordings in it."
        )


async def check_may_delete(objects: Objects, fetch: Fetch) -> None:
    """Raise StoreUnavailableError if the marker names another database."""
    found = Ownership(await _database(fetch), await _marked(objects), has_recordings=False, missing=())
    if found.problem is not None:
        raise StoreUnavailableError(found.problem)


async def _database(fetch: Fetch) -> Owner:
    [row] = await fetch(_DATABASE.bind())
    return Owner(row["system"], row["oid"], row["name"])


async def _recordings(fetch: Fetch) -> Sequence[str]:
    return [row["storage_key"] for row in await fetch(_RECORDINGS.bind())]


async def _marked(objects: Objects) -> Owner | None:
    data = await objects.get(MARKER)
    try:
        return None if data is None else msgspec.json.decode(data, type=Owner)
    except msgspec.MsgspecError:
        return Owner("unknown", "unknown", "unknown")


async def _has_objects(objects: Objects) -> bool:
    async for batch in objects.list():
        if any(each.key != MARKER for each in batch):
            return True
    return False
