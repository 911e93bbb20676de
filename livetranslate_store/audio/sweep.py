"""The sweep of the audio storage: objects that a crash left without a row are found and removed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import ARRAY, Uuid, and_, bindparam, column, func, select

from livetranslate_store.audio.storage import AudioStorage, StoredObject, ids_in
from livetranslate_store.database.engine import Database
from livetranslate_store.database.statement import Statement
from livetranslate_store.models import AudioFile
from livetranslate_store.values import SweepReport


async def sweep_audio(database: Database, storage: AudioStorage, *, older_than: timedelta) -> SweepReport:
    """Remove the objects, stored before `older_than` ago, that no row refers to.

    Younger ones may belong to a unit of work that has not committed yet.
    """
    limit = datetime.now(UTC) - older_than
    objects = removed = await storage.remove_unfinished(limit)
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
    session_ids, audio_file_ids = zip(*set(keys.values()), strict=True)
    rows = await database.fetch(_referred().bind({"session_ids": session_ids, "ids": audio_file_ids}))
    referred = {row["storage_key"] for row in rows}
    return [key for key in keys if key not in referred]


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
        "audio_sweep", select(AudioFile.storage_key).select_from(ids.join(AudioFile, same))
    )
