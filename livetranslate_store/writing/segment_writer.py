"""The write of whole segments in groups: audio objects first, then all rows in one statement."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from livetranslate_store.audio.storage import AudioStorage, StagedAudio
from livetranslate_store.database.engine import Database
from livetranslate_store.known_speakers import SpeakerRow
from livetranslate_store.segment_cache import SegmentCache
from livetranslate_store.values import AudioInput, Outcome, SegmentReceipt
from livetranslate_store.write_gate import WriteGate
from livetranslate_store.writing.connection import Connection
from livetranslate_store.writing.forms import forms_of
from livetranslate_store.writing.group_commit import GroupCommit, group_limit
from livetranslate_store.writing.history import keep_refused, keeping_replaced
from livetranslate_store.writing.outcomes import WriteOutcomes
from livetranslate_store.writing.protocol import first_or_merge, undone_by_race
from livetranslate_store.writing.segments import (
    Segment,
    lookup_of,
    receipt_of,
    receipt_of_inserted,
    receipt_of_revised,
    segment_rows,
    speakers_of,
)


class SegmentWriter:
    """Writes segments, each all or nothing, in groups as large as the load makes them."""

    def __init__(
        self, database: Database, storage: AudioStorage, cache: SegmentCache, gate: WriteGate
    ) -> None:
        self._database = database
        self._storage = storage
        self._gate = gate
        self._groups: GroupCommit[Segment, SegmentReceipt] = GroupCommit(
            database,
            partial(_write_group, storage, cache),
            partial(_give_up, storage, cache),
            limit=lambda: group_limit(gate.limit),
        )

    async def write(self, segment: Segment, audio: AudioInput | None) -> SegmentReceipt:
        """Write a checked segment with its audio, and return its receipt.

        A cancelled write is withdrawn while it waits; once it is under way, its outcome is awaited first.
        """
        if audio is not None:
            return await self._write_with_audio(segment, audio)
        async with self._gate.slot():
            return await self._groups.write(segment)

    async def _write_with_audio(self, segment: Segment, audio: AudioInput) -> SegmentReceipt:
        stored: StagedAudio | None = None

        # Before the slot is taken: a slow storage holds up no other writes.
        async def store_audio() -> None:
            nonlocal stored
            # An object that is stored in vain would have to be removed again.
            self._database.breaker(writes=True).check()
            await self._storage.claim(self._database.fetch_for_write)
            staged = await self._storage.stage(segment.session_id, audio)
            await self._storage.put(staged)
            stored = staged

        is_queued = False
        try:
            async with self._gate.slot(len(audio.data), prepare=store_audio):
                assert stored is not None  # noqa: S101 (the slot comes after it)
                is_queued = True
                return await self._groups.write(segment.with_audio(stored))
        finally:
            # The group discards the object of a queued segment if that is right.
            if stored is not None:
                if not is_queued:
                    self._storage.begin_discard(stored.storage_key)
                await self._storage.until_discarded(stored.storage_key)

    async def close(self) -> None:
        """Give up the waiting writes; the connections in use were broken before."""
        await self._groups.close()


async def _write_group(
    storage: AudioStorage, cache: SegmentCache, segments: Sequence[Segment], connection: Connection
) -> Sequence[SegmentReceipt]:
    """Write segments, all or nothing, and tell the cache."""
    probably_new = not any(cache.knows((each.session_id, each.transcript_id)) for each in segments)
    speakers = cache.speakers.unknown(speakers_of(segments))
    receipts = await write_segments(segments, speakers, connection, probably_new=probably_new)
    cache.speakers.stored(speakers)
    lookups = map(lookup_of, segments, receipts)
    cache.publish(lookup for lookup in lookups if lookup is not None)
    for segment, receipt in zip(segments, receipts, strict=True):
        if receipt.audio is not None and receipt.audio.outcome is Outcome.UNCHANGED:
            _discard_object(storage, segment)
    return receipts


async def write_segments(
    segments: Sequence[Segment],
    speakers: Sequence[SpeakerRow],
    connection: Connection,
    *,
    probably_new: bool,
) -> Sequence[SegmentReceipt]:
    """Write segments, each all or nothing, on a connection that is in no transaction.

    `speakers` are those of them that may have to be written.
    """
    merge = partial(_merge, segments, speakers, connection)
    if any(each.has_edits for each in segments):
        # In a transaction, with the texts that the edits replace.
        return await first_or_merge(None, undone_by_race(merge))
    if probably_new:
        insert = partial(_insert, segments, speakers, connection)
        return await first_or_merge(undone_by_race(insert, inserts=True), undone_by_race(merge))
    if not forms_of(connection).may_revise(segments):
        return await first_or_merge(None, undone_by_race(merge))
    revised = {each[:2]: each[2:] for each in await _revised(segments, speakers, connection)}
    if revised:
        connection.note_stored()
    left = [each for each in segments if (each.session_id, each.transcript_id) not in revised]
    merge_left = undone_by_race(partial(_merge, left, speakers, connection))
    merged = iter(await first_or_merge(None, merge_left) if left else ())
    return [
        receipt_of_revised(each, *revised[key])
        if (key := (each.session_id, each.transcript_id)) in revised
        else next(merged)
        for each in segments
    ]


async def _insert(
    segments: Sequence[Segment], speakers: Sequence[SpeakerRow], connection: Connection
) -> Sequence[SegmentReceipt] | None:
    rows = segment_rows(segments, speakers, are_new=True)
    position = await forms_of(connection).insert_segments(rows, connection)
    return None if position is None else [receipt_of_inserted(each, position) for each in segments]


async def _revised(
    segments: Sequence[Segment], speakers: Sequence[SpeakerRow], connection: Connection
) -> list[tuple[Any, ...]]:
    rows = segment_rows(segments, speakers, are_new=False)
    return [tuple(row) for row in await forms_of(connection).revise_segments(rows, connection)]


async def _merge(
    segments: Sequence[Segment], speakers: Sequence[SpeakerRow], connection: Connection
) -> Sequence[SegmentReceipt]:
    rows = segment_rows(segments, speakers, are_new=False)

    async def write(connection: Connection) -> WriteOutcomes:
        return WriteOutcomes(await forms_of(connection).merge_segments(rows, connection))

    outcomes = await keeping_replaced(rows, connection, write)
    if connection.keeps_refused_texts and outcomes.has_stale("transcripts", "translations"):
        connection.note_stored()
        await keep_refused(rows, connection.fetch)
    return [receipt_of(each, outcomes) for each in segments]


def _give_up(storage: AudioStorage, cache: SegmentCache, segment: Segment, *, may_be_stored: bool) -> None:
    """Remove the object of a segment that has no row."""
    if may_be_stored:
        # A row may refer to the object; if none does, the sweep finds it.
        cache.drop((segment.session_id, segment.transcript_id))
    else:
        _discard_object(storage, segment)


def _discard_object(storage: AudioStorage, segment: Segment) -> None:
    # Nobody waits for it here: a storage that hangs holds up no group.
    if segment.audio is not None:
        storage.begin_discard(segment.audio.storage_key)
