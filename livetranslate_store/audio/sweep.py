"""The sweep of the audio storage: it removes objects that a crash left without a row."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import ARRAY, Text, Uuid, and_, bindparam, column, func, select

from livetranslate_store.audio.objects import StoredObject
from livetranslate_store.audio.storage import STREAMED, AudioStorage, ids_in
from livetranslate_store.database.engine import Database
from livetranslate_store.database.statement import Statement
from livetranslate_store.models import AudioFile
from livetranslate_store.values import SweepReport

# A report lists the first thousand keys: it stays small, whatever the storage holds.
LISTED_KEYS = 1000


async def sweep_audio(
    database: Database, storage: AudioStorage, *, older_than: timedelta, dry_run: bool
) -> SweepReport:
    """Remove the objects, stored before `older_than` ago, that no row refers to.

    Younger ones may belong to a unit of work that has not committed yet. A dry run removes nothing.
    """
    await storage.check_may_remove(database.fetch)
    limit = datetime.now(UTC) - older_than
    found = _Found()
    unfinished = await storage.unfinished(limit)
    found.add(len(unfinished), unfinished)
    if not dry_run:
        await storage.remove_unfinished(unfinished)
    async for batch in storage.list():
        orphans = await _orphans(database, [each for each in batch if each.modified < limit])
        found.add(len(batch), orphans)
        if not dry_run:
            await storage.remove(*(each.key for each in orphans))
    return found.report(removed=not dry_run)


class _Found:
    """The counts of a sweep."""

    def __init__(self) -> None:
        self._objects = self._orphans = self._bytes = 0
        self._keys: list[str] = []

    def add(self, objects: int, orphans: Sequence[StoredObject]) -> None:
        """Count objects, and the orphans among them."""
        self._objects += objects
        self._orphans += len(orphans)
        self._bytes += sum(each.size_bytes for each in orphans)
        self._keys += [each.key for each in orphans[: LISTED_KEYS - len(self._keys)]]

    def report(self, *, removed: bool) -> SweepReport:
        """Return the counts; `removed` says whether the orphans were removed."""
        orphans = self._orphans
        return SweepReport(self._objects, orphans, self._bytes, orphans if removed else 0, tuple(self._keys))


async def _orphans(database: Database, candidates: Sequence[StoredObject]) -> list[StoredObject]:
    # Objects under other keys belong to other programs, and stay.
    ids = {each: found for each in candidates if (found := ids_in(each.key)) is not None}
    if not ids:
        return []
    session_ids, audio_file_ids = zip(*set(ids.values()), strict=True)
    rows = await database.fetch(_referred().bind({"session_ids": session_ids, "ids": audio_file_ids}))
    referred = {row["storage_key"] for row in rows}
    streams = {each.key: session_id for each, (session_id, id_) in ids.items() if id_ == STREAMED}
    if streams:
        values = {"session_ids": [*streams.values()], "storage_keys": [*streams]}
        referred |= {row["storage_key"] for row in await database.fetch(_referred_streams().bind(values))}
    return [each for each in ids if each.key not in referred]


@cache
def _referred() -> Statement:
    """Return the query of the keys that rows refer to, among rows with the given ids."""
    ids = (
        func.unnest(bindparam("session_ids", type_=ARRAY(Uuid)), bindparam("ids", type_=ARRAY(Uuid)))
        .table_valued(column("session_id", Uuid), column("id", Uuid), name="ids")
        .render_derived()
    )
    same = and_(AudioFile.session_id == ids.c.session_id, AudioFile.id == ids.c.id)
    return Statement.compiled(
        "audio.sweep", select(AudioFile.storage_key).select_from(ids.join(AudioFile, same))
    )


@cache
def _referred_streams() -> Statement:
    """Return the query of the keys that rows refer to, among the given ones of bytes that came as streams."""
    keys = (
        func.unnest(bindparam("session_ids", type_=ARRAY(Uuid)), bindparam("storage_keys", type_=ARRAY(Text)))
        .table_valued(column("session_id", Uuid), column("storage_key", Text), name="keys")
        .render_derived()
    )
    same = and_(AudioFile.session_id == keys.c.session_id, AudioFile.storage_key == keys.c.storage_key)
    return Statement.compiled(
        "audio.sweep_streams", select(AudioFile.storage_key).select_from(keys.join(AudioFile, same))
    )
