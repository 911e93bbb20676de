"""The sweep of the audio storage: objects that a crash left without a row are found and removed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from livetranslate_store.audio.storage import AudioStorage, StoredObject, ids_in
from livetranslate_store.database.engine import Database
from livetranslate_store.models import AudioFile
from livetranslate_store.values import SweepReport


async def sweep_audio(database: Database, storage: AudioStorage, *, older_than: timedelta) -> SweepReport:
    """Remove the objects, stored before `older_than` ago, that no row refers to.

    Younger ones may belong to a unit of work that has not committed yet.
    """
    limit = datetime.now(UTC) - older_than
    objects = removed = 0
    async for batch in storage.list():
        objects += len(batch)
        orphans = await _orphans(database, [each for each in batch if each.modified < limit])
        await storage.remove(*orphans)
        removed += len(orphans)
    return SweepReport(objects, removed)


async def _orphans(database: Database, candidates: Sequence[StoredObject]) -> list[str]:
    # What does not look like a key of ours was put there by somebody else, and stays.
    keys = {each.key: ids for each in candidates if (ids := ids_in(each.key)) is not None}
    if not keys:
        return []
    rows = tuple_(AudioFile.session_id, AudioFile.id).in_(list(set(keys.values())))

    async def read(connection: AsyncConnection) -> set[str]:
        return set(await connection.scalars(select(AudioFile.storage_key).where(rows)))

    referred = await database.run_one(await database.connect(one_statement=True), read)
    return [key for key in keys if key not in referred]
