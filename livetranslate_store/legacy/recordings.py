"""A session's recordings: the same one at the same time is stored once, whatever number of rows it had."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from livetranslate_store.checks import JSONValue
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.legacy.audio import AudioFolder
from livetranslate_store.legacy.context import Context
from livetranslate_store.legacy.mapping import audio_of
from livetranslate_store.legacy.row import LegacyRow
from livetranslate_store.tasks import for_each

# Each holds a recording in memory while it is stored.
RECORDINGS_AT_ONCE = 4


class Recordings(NamedTuple):
    """The new ids of recordings by their old ones, and the facts about those that were refused."""

    stored: dict[str, UUID]
    lost: dict[str, JSONValue]


async def move_recordings(context: Context, folder: AudioFolder) -> Recordings:
    """Store the recordings whose bytes are found and right; report the others as refused."""
    found = Recordings({}, {})
    groups: dict[tuple[str, float | None], list[LegacyRow]] = {}
    async for row in context.source.rows("audio_files", context.key):
        sha256 = _sha256_of(row)
        if sha256 is None:
            try:
                data = await asyncio.to_thread(folder.read, row.cells.get("file_path"), None)
            except InvalidInputError as error:
                _refuse(context, found, [row], str(error))
                continue
            sha256 = hashlib.sha256(data).hexdigest()
        start_time = LegacyRow("", "", row.cells).number("chunk_start_time")
        groups.setdefault((sha256, start_time), []).append(row)

    async def store(rows: Sequence[LegacyRow]) -> None:
        try:
            await _store(context, folder, found, rows)
        except InvalidInputError as error:
            _refuse(context, found, rows, str(error))

    await for_each(groups.values(), store, at_once=RECORDINGS_AT_ONCE)
    return found


async def _store(context: Context, folder: AudioFolder, found: Recordings, rows: Sequence[LegacyRow]) -> None:
    row, *same = rows
    data = await _read_one(folder, rows)
    if same:
        row.keep("same_recordings", [each.whole() for each in same])
    audio = audio_of(row, data, context.store.limits)
    async with context.store.unit_of_work() as uow:
        receipt = await uow.audio_files.add(context.session_id, audio)
    context.tally.count("audio_files", receipt.outcome)
    context.report(row)
    for each in same:
        context.tally.change(
            "audio_files", each.key, f"the same recording as {row.key}, kept in its metadata"
        )
    for each in rows:
        found.stored[each.key] = receipt.audio_file_id


async def _read_one(folder: AudioFolder, rows: Sequence[LegacyRow]) -> bytes:
    """Return the bytes that all of these rows have, from the first file that can be read."""
    failure = InvalidInputError()
    for row in rows:
        try:
            return await asyncio.to_thread(folder.read, row.cells.get("file_path"), _sha256_of(row))
        except InvalidInputError as error:
            failure = error
    raise failure


def _sha256_of(row: LegacyRow) -> str | None:
    return (row.cells.get("file_hash") or "").strip().lower() or None


def _refuse(context: Context, found: Recordings, rows: Sequence[LegacyRow], reason: str) -> None:
    for row in rows:
        context.tally.refuse("audio_files", row.key, reason)
        found.lost[row.key] = {**row.whole(), "refused": reason}
