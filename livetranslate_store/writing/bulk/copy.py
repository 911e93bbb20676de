"""One transaction stores a batch: new segments by COPY, the others by a merge under the rules."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from uuid import UUID

import asyncpg

from livetranslate_store.database.engine import Driver
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.database.statement_times import StatementTimes
from livetranslate_store.models.base import SCHEMA
from livetranslate_store.values import Outcome, SegmentLookup
from livetranslate_store.writing.binding import ARRAYS, key_values
from livetranslate_store.writing.bulk.batch import Batch, Wave
from livetranslate_store.writing.bulk.statements import (
    STAGED_AUDIO_FILES,
    STAGED_TRANSCRIPTS,
    STAGED_TRANSLATIONS,
    WAVE,
    Staging,
    is_stored_statement,
    merge_statement,
    speakers_statement,
    staging_statements,
)
from livetranslate_store.writing.encoding import Key, Row
from livetranslate_store.writing.history import keep_refused, keep_replaced
from livetranslate_store.writing.segments import Segment, segment_rows
from livetranslate_store.writing.settling import settle_statement


class BatchOutcomes:
    """The outcomes of a batch, true once it is committed."""

    def __init__(self) -> None:
        #: How many rows, by table and outcome.
        self.counts: Counter[tuple[str, str]] = Counter()
        #: Objects that no row refers to, because the audio file was stored already.
        self.needless: list[str] = []
        #: Transcripts of which the cache may hold an earlier revision.
        self.revised: list[SegmentLookup] = []


class BatchWriter:
    """Writes one batch in the running transaction of a driver's connection."""

    def __init__(self, driver: Driver, statements: StatementTimes, *, keeps_refused_texts: bool) -> None:
        self._driver = driver
        self._statements = statements
        self._keeps_refused_texts = keeps_refused_texts
        self._outcomes = BatchOutcomes()

    async def write(self, batch: Batch, *, is_new: bool) -> BatchOutcomes:
        """Write the batch; with `is_new` its first wave is copied as it is if nothing of it is stored.

        Raises DuplicateError if another transaction stores some of it meanwhile: then it must be merged.
        """
        first_is_new = is_new and not await self._is_stored(batch.waves[0])
        if first_is_new:
            await self._copy_new(batch.waves[0])
        if len(batch.waves) > first_is_new:
            await self._merge(batch.waves[1:] if first_is_new else batch.waves)
        if speakers := batch.speakers():
            await self._add_speakers(speakers)
        unfinished = {each.session_id for each in batch.segments if not each.transcript.is_final}
        if unfinished:
            await self._settle(unfinished)
        return self._outcomes

    async def _is_stored(self, wave: Wave) -> bool:
        keys = key_values({"transcripts": wave.transcripts, "audio_files": wave.audio_files})
        [row] = await self._fetch(is_stored_statement().bind(keys))
        return bool(row["is_stored"])

    async def _copy_new(self, wave: Wave) -> None:
        for staging, rows, number in (
            (STAGED_AUDIO_FILES, wave.audio_files, len(wave.audio_files)),
            (STAGED_TRANSCRIPTS, wave.transcripts, len(wave.transcripts)),
            (STAGED_TRANSLATIONS, wave.translations(are_new=True), wave.translation_count),
        ):
            if number:
                await self._copy(staging.target.name, staging.columns, rows, schema=SCHEMA)
                self._outcomes.counts[staging.target.name, Outcome.INSERTED] += number

    async def _merge(self, waves: Sequence[Wave]) -> None:
        """Merge these waves, each judged by the result of the one before."""
        with self._statements.timed("import.stage"):
            await self._driver.execute(staging_statements())
        await self._stage(STAGED_AUDIO_FILES, (wave.audio_files for wave in waves))
        await self._stage(STAGED_TRANSCRIPTS, (wave.transcripts for wave in waves))
        await self._stage(STAGED_TRANSLATIONS, (wave.translations(are_new=False) for wave in waves))
        outcomes = self._outcomes
        for number, wave in enumerate(waves):
            await self._keep_replaced(wave.segments)
            merged = await self._fetch(merge_statement().bind({WAVE: number}))
            await self._keep_refused(wave.segments)
            for table, outcome, count, *arrays in merged:
                outcomes.counts[table, outcome] += count
                if outcome == Outcome.UNCHANGED and table == STAGED_AUDIO_FILES.target.name:
                    outcomes.needless += wave.objects_of({key for key, _ in _by_key(*arrays)})
                elif outcome == Outcome.UPDATED and table == STAGED_TRANSCRIPTS.target.name:
                    outcomes.revised += wave.lookups_of(dict(_by_key(*arrays)))

    async def _keep_replaced(self, segments: Sequence[Segment]) -> None:
        if edited := [each for each in segments if each.has_edits]:
            await keep_replaced(segment_rows(edited, [], are_new=False), self._fetch)

    async def _keep_refused(self, segments: Sequence[Segment]) -> None:
        if self._keeps_refused_texts:
            await keep_refused(segment_rows(segments, [], are_new=False), self._fetch)

    async def _add_speakers(self, speakers: Sequence[Row]) -> None:
        await self._fetch(speakers_statement().bind(ARRAYS.values({"speakers": speakers})))

    async def _settle(self, session_ids: Collection[UUID]) -> None:
        await self._fetch(settle_statement().bind({"session_ids": [*session_ids]}))

    async def _stage(self, staging: Staging, rows_of_waves: Iterable[Iterable[Row]]) -> None:
        numbered = ((number, *row) for number, rows in enumerate(rows_of_waves) for row in rows)
        await self._copy(staging.source.name, [WAVE, *staging.columns], numbered)

    async def _copy(
        self, table: str, columns: Sequence[str], rows: Iterable[Row], *, schema: str | None = None
    ) -> None:
        await self._statements.copy(self._driver, "import.copy", table, columns, rows, schema=schema)

    async def _fetch(self, bound: BoundStatement) -> Sequence[asyncpg.Record]:
        return await self._statements.fetch(self._driver, bound)


def _by_key(
    session_ids: Sequence[UUID], ids: Sequence[UUID], revisions: Sequence[int]
) -> Iterator[tuple[Key, int]]:
    return zip(zip(session_ids, ids, strict=True), revisions, strict=True)
