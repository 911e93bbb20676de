"""How one transaction stores a batch: what is new by COPY, the rest by a merge that knows the rules."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from uuid import UUID

from livetranslate_store.database.engine import Driver
from livetranslate_store.models.base import SCHEMA
from livetranslate_store.values import Outcome, SegmentLookup
from livetranslate_store.writing.binding import ARRAYS
from livetranslate_store.writing.bulk.batch import Batch, Key, Turn
from livetranslate_store.writing.bulk.statements import (
    STAGED_AUDIO_FILES,
    STAGED_TRANSCRIPTS,
    STAGED_TRANSLATIONS,
    TURN,
    Staging,
    is_stored_statement,
    merge_statement,
    speakers_statement,
    staging_statements,
)


class Written:
    """What was done for a batch, once it is committed."""

    def __init__(self) -> None:
        #: How many rows, by table and outcome.
        self.counts: Counter[tuple[str, str]] = Counter()
        #: Objects that no row refers to, because the audio file was there already.
        self.needless: list[str] = []
        #: What the cache may know of an earlier revision.
        self.revised: list[SegmentLookup] = []


async def write_batch(driver: Driver, batch: Batch, *, is_new: bool) -> Written:
    """Write a batch in the transaction that `driver` is in.

    With `is_new` its first turn is copied as it is if nothing of it is stored; a DuplicateError tells that
    something was stored since, and that it has to be merged.
    """
    written = Written()
    first_is_new = is_new and not await _is_stored(driver, batch.turns[0])
    if first_is_new:
        await _copy_new(driver, batch.turns[0], written)
    if len(batch.turns) > first_is_new:
        await _merge(driver, batch.turns[1:] if first_is_new else batch.turns, written)
    speakers = speakers_statement().bind(ARRAYS.values({"speakers": batch.speakers()}))
    await driver.execute(speakers.text, *speakers.arguments)
    return written


async def _is_stored(driver: Driver, turn: Turn) -> bool:
    segments = turn.segments
    audio = [(each.session_id, each.audio.audio_file_id) for each in segments if each.audio is not None]
    given = {
        "transcripts_session_id": [each.session_id for each in segments],
        "transcripts_id": [each.transcript_id for each in segments],
        "audio_files_session_id": [session_id for session_id, _ in audio],
        "audio_files_id": [audio_file_id for _, audio_file_id in audio],
    }
    bound = is_stored_statement().bind(given)
    return bool(await driver.fetchval(bound.text, *bound.arguments))


async def _copy_new(driver: Driver, turn: Turn, written: Written) -> None:
    async def copy(staging: Staging, rows: Iterable[Sequence[object]], number: int) -> None:
        table = staging.target.name
        await driver.copy_records_to_table(table, schema_name=SCHEMA, columns=staging.columns, records=rows)
        written.counts[table, Outcome.INSERTED] += number

    if turn.audio_files:
        await copy(STAGED_AUDIO_FILES, turn.audio_files, len(turn.audio_files))
    await copy(STAGED_TRANSCRIPTS, turn.transcripts, len(turn.transcripts))
    if turn.translation_count:
        await copy(STAGED_TRANSLATIONS, turn.translations(are_new=True), turn.translation_count)


async def _merge(driver: Driver, turns: Sequence[Turn], written: Written) -> None:
    """Merge these turns, each judged by what the one before has left."""

    async def stage(staging: Staging, rows: Iterable[Iterable[Sequence[object]]]) -> None:
        numbered = chain.from_iterable(
            ((number, *row) for row in of_turn) for number, of_turn in enumerate(rows)
        )
        columns = [TURN, *staging.columns]
        await driver.copy_records_to_table(staging.source.name, columns=columns, records=numbered)

    await driver.execute(staging_statements())
    await stage(STAGED_AUDIO_FILES, (turn.audio_files for turn in turns))
    await stage(STAGED_TRANSCRIPTS, (turn.transcripts for turn in turns))
    await stage(STAGED_TRANSLATIONS, (turn.translations(are_new=False) for turn in turns))
    for number, turn in enumerate(turns):
        merge = merge_statement().bind({TURN: number})
        for table, outcome, count, *told in await driver.fetch(merge.text, *merge.arguments):
            written.counts[table, outcome] += count
            if outcome == Outcome.UNCHANGED and table == STAGED_AUDIO_FILES.target.name:
                written.needless += turn.objects_of({key for key, _ in _by_key(*told)})
            elif outcome == Outcome.UPDATED and table == STAGED_TRANSCRIPTS.target.name:
                written.revised += turn.lookups_of(dict(_by_key(*told)))


def _by_key(
    session_ids: Sequence[UUID], ids: Sequence[UUID], revisions: Sequence[int]
) -> Iterator[tuple[Key, int]]:
    return zip(zip(session_ids, ids, strict=True), revisions, strict=True)
