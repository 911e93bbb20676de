"""The sweep of the audio storage: it removes objects that a crash left without a row."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import ARRAY, Uuid, and_, bindparam, column, func, select

from livetranslate_store.audio.objects import StoredObject
from livetranslate_store.audio.storage import STREAMED, AudioStorage, ids_in
from livetranslate_store.checks import check_kind
from livetranslate_store.database.engine import Database
from livetranslate_store.database.statement import Statement
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.models import AudioFile
from livetranslate_store.models.base import table_of
from livetranslate_store.values import SweepReport

# A report lists the first thousand keys: it stays small, whatever the storage holds.
LISTED_KEYS = 1000
# A hundred years.
MOST_DAYS = 36_500


async def sweep_audio(
    database: Database, storage: AudioStorage, *, older_than: timedelta, dry_run: bool
) -> SweepReport:
    """Remove the objects, stored before `older_than` ago, that no row refers to.

    Younger ones may belong to a unit of work that has not committed yet. A dry run removes nothing. Raises
    InvalidInputError for another length of time than 0 to MOST_DAYS.
    """
    check_kind(older_than, timedelta, "older_than")
    if not timedelta(0) <= older_than <= timedelta(days=MOST_DAYS):
        raise InvalidInputError(f"older_than must be 0 to {MOST_DAYS:,} days, not {older_than}.")
    await storage.check_may_sweep(database.fetch)
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
    by_id = _referred("audio.sweep", "id").bind({"session_ids": session_ids, "values": audio_file_ids})
    rows = await database.fetch(by_id)
    streams = {each.key: session_id for each, (session_id, id_) in ids.items() if id_ == STREAMED}
    if streams:
        values = {"session_ids": [*streams.values()], "values": [*streams]}
        rows = [*rows, *await database.fetch(_referred("audio.sweep_streams", "storage_key").bind(values))]
    referred = {row["storage_key"] for row in rows}
    return [each for each in ids if each.key not in referred]


@cache
def _referred(name: str, field: str) -> Statement:
    """Return the query of the storage keys of those rows that have one of the given values in a column."""
    table = table_of(AudioFile)
    type_ = table.c[field].type
    given = (
        func.unnest(bindparam("session_ids", type_=ARRAY(Uuid)), bindparam("values", type_=ARRAY(type_)))
        .table_valued(column("session_id", Uuid), column(field, type_), name="given")
        .render_derived()
    )
    same = and_(table.c.session_id == given.c.session_id, table.c[field] == given.c[field])
    return Statement.compiled(name, select(table.c.storage_key).select_from(given.join(table, same)))
