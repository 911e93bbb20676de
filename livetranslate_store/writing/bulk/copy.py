"""One transaction stores a batch: new segments by COPY, the others by a merge under the rules."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from uuid import UUID

from livetranslate_store.database.engine import Driver
from livetranslate_store.models.base import SCHEMA
from livetranslate_store.values import Outcome, SegmentLookup
from livetranslate_store.writing.binding import ARRAYS
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
from livetranslate_store.writing.encoding import RowKey


class BatchOutcomes:
    """The outcomes of a batch, true once it is committed."""

    def __init__(self) -> None:
        #: How many rows, by table and outcome.
        self.counts: Counter[tuple[str, str]] = Counter()
        #: Objects that no row refers to, because the audio file was stored already.
        self.needless: list[str] = []
        #: Transcripts of which the cache may hold an earlier revision.
        self.revised: list[SegmentLookup] = []


async def write_batch(driver: Driver, batch: Batch, *, is_new: bool) -> BatchOutcomes:
    """Write a batch in the running transaction of `driver`.

    With `is_new` its first wave is copied as it is if nothing of it is stored. Raises DuplicateError if
    another transaction stores some of it meanwhile: then it must be merged.
    """
    written = BatchOutcomes()
    first_is_new = is_new and not await _is_stored(driver, batch.waves[0])
    if first_is_new:
        await _copy_new(driver, batch.waves[0], written)
    if len(batch.waves) > first_is_new:
        await _merge(driver, batch.waves[1:] if first_is_new else batch.waves, written)
    speakers = speakers_statement().bind(ARRAYS.values({"speakers": batch.speakers()}))
    await driver.execute(speakers.text, *speakers.arguments)
    return written


async def _is_stored(driver: Driver, wave: Wave) -> bool:
    segments = wave.segments
    audio = [(each.session_id, each.audio.audio_file_id) for each in segments if each.audio is not None]
    given = {
        "transcripts_session_id": [each.session_id for each in segments],
        "transcripts_id": [each.transcript_id for each in segments],
        "audio_files_session_id": [session_id for session_id, _ in audio],
        "audio_files_id": [audio_file_id for _, audio_file_id in audio],
    }
    bound = is_stored_statement().bind(given)
    return bool(await driver.fetchval(bound.text, *bound.arguments))


async def _copy_new(driver: Driver, wave: Wave, written: BatchOutcomes) -> None:
    async def copy(staging: Staging, rows: Iterable[Sequence[object]], number: int) -> None:
        table = staging.target.name
        await driver.copy_records_to_table(table, schema_name=SCHEMA, columns=staging.columns, records=rows)
        written.counts[table, Outcome.INSERTED] += number

    if wave.audio_files:
        await copy(STAGED_AUDIO_FILES, wave.audio_files, len(wave.audio_files))
    await copy(STAGED_TRANSCRIPTS, wave.transcripts, len(wave.transcripts))
    if wave.translation_count:
        await copy(STAGED_TRANSLATIONS, wave.translations(are_new=True), wave.translation_count)


async def _merge(driver: Driver, waves: Sequence[Wave], written: BatchOutcomes) -> None:
    """Merge these waves, each judged by the result of the one before."""

    async def stage(staging: Staging, rows: Iterable[Iterable[Sequence[object]]]) -> None:
        numbered = chain.from_iterable(
            ((number, *row) for row in of_wave) for number, of_wave in enumerate(rows)
        )
        columns = [WAVE, *staging.columns]
        await driver.copy_records_to_table(staging.source.name, columns=columns, records=numbered)

    await driver.execute(staging_statements())
    await stage(STAGED_AUDIO_FILES, (wave.audio_files for wave in waves))
    await stage(STAGED_TRANSCRIPTS, (wave.transcripts for wave in waves))
    await stage(STAGED_TRANSLATIONS, (wave.translations(are_new=False) for wave in waves))
    for number, wave in enumerate(waves):
        merge = merge_statement().bind({WAVE: number})
        for table, outcome, count, *arrays in await driver.fetch(merge.text, *merge.arguments):
            written.counts[table, outcome] += count
            if outcome == Outcome.UNCHANGED and table == STAGED_AUDIO_FILES.target.name:
                written.needless += wave.objects_of({key for key, _ in _by_key(*arrays)})
            elif outcome == Outcome.UPDATED and table == STAGED_TRANSCRIPTS.target.name:
                written.revised += wave.lookups_of(dict(_by_key(*arrays)))


def _by_key(
    session_ids: Sequence[UUID], ids: Sequence[UUID], revisions: Sequence[int]
) -> Iterator[tuple[RowKey, int]]:
    return zip(zip(session_ids, ids, strict=True), revisions, strict=True)
