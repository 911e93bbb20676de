"""One transaction stores a batch on a cluster: new segments by COPY, the others shard by shard."""

from collections.abc import Collection, Sequence
from uuid import UUID

from livetranslate_store.database.engine import Driver
from livetranslate_store.database.shards import ShardMap, by_shard
from livetranslate_store.database.statement_times import StatementTimes
from livetranslate_store.values import Outcome
from livetranslate_store.writing.bulk.batch import Batch, Wave
from livetranslate_store.writing.bulk.copy import BatchOutcomes, BatchWriter
from livetranslate_store.writing.encoding import Row
from livetranslate_store.writing.segments import Segment, segment_rows
from livetranslate_store.writing.step_statements import bound_look
from livetranslate_store.writing.stepwise import add_speakers, merge_all
from livetranslate_store.writing.upserts import AUDIO_FILES, TRANSCRIPTS


class ShardedBatchWriter(BatchWriter):
    """Writes one batch whose sessions lie in several shards."""

    def __init__(
        self,
        driver: Driver,
        statements: StatementTimes,
        shards: ShardMap,
        *,
        keeps_refused_texts: bool,
    ) -> None:
        super().__init__(driver, statements, keeps_refused_texts=keeps_refused_texts)
        self._shards = shards
        self._shard_of: dict[UUID, int] = {}

    async def write(self, batch: Batch, *, is_new: bool) -> BatchOutcomes:
        """Write the batch as `BatchWriter` does."""
        session_ids = {each.session_id for each in batch.segments}
        self._shard_of = await self._shards.of_all(session_ids, self._fetch)
        return await super().write(batch, is_new=is_new)

    async def _is_stored(self, wave: Wave) -> bool:
        rows_in: dict[int, dict[str, list[Row]]] = {}
        for table, rows in ((AUDIO_FILES, wave.audio_files), (TRANSCRIPTS, wave.transcripts)):
            for row in rows:
                rows_in.setdefault(self._shard_of[row[0]], {}).setdefault(table.name, []).append(row)
        for part in rows_in.values():
            [looked] = await self._fetch(bound_look(part))
            if looked["found"]:
                return True
        return False

    async def _merge(self, waves: Sequence[Wave]) -> None:
        for wave in waves:
            for places in by_shard((each.session_id for each in wave.segments), self._shard_of):
                await self._merge_segments(wave, [wave.segments[place] for place in places])

    async def _merge_segments(self, wave: Wave, segments: Sequence[Segment]) -> None:
        # The speakers come with the whole batch.
        rows = segment_rows(segments, [], are_new=False)
        await self._keep_replaced(segments)
        unchanged, revised = set(), {}
        for table, session_id, row_id, _, outcome, revision in await merge_all(rows, self._fetch):
            if outcome is None:
                continue
            self._outcomes.counts[table, outcome] += 1
            if table == AUDIO_FILES.name and outcome == Outcome.UNCHANGED:
                unchanged.add((session_id, row_id))
            elif table == TRANSCRIPTS.name and outcome == Outcome.UPDATED:
                revised[session_id, row_id] = revision
        await self._keep_refused(segments)
        self._outcomes.needless += wave.objects_of(unchanged)
        self._outcomes.revised += wave.lookups_of(revised)

    async def _add_speakers(self, speakers: Sequence[Row]) -> None:
        for part in self._in_shards(speakers):
            await add_speakers({"speakers": part}, self._fetch)

    async def _settle(self, session_ids: Collection[UUID]) -> None:
        for part in self._in_shards([(each,) for each in session_ids]):
            await super()._settle([session_id for (session_id,) in part])

    def _in_shards(self, rows: Sequence[Row]) -> list[list[Row]]:
        """Return the rows of each shard; a row begins with its session."""
        return [
            [rows[place] for place in part] for part in by_shard((row[0] for row in rows), self._shard_of)
        ]
