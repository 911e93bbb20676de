"""Measure one writer: a segment, a unit of work, a late translation, a revision, and their inputs."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias
from uuid import UUID

from msgspec.structs import replace

from benchmarks import floor
from benchmarks.contenders import Call, Contenders
from benchmarks.measures.clock import WRITES_IN_TURN, medians, settled
from benchmarks.report.results import Figure
from benchmarks.workload import SPOKEN, Segment, Workload, text_of
from livetranslate_store import Store, TranslationInput

LATE_LANGUAGE = "fr"

Add: TypeAlias = Callable[[UUID, UUID, TranslationInput], Awaitable[object]]


async def one_writer(contenders: Contenders, calls: int, warm_up: int) -> Figure:
    """Measure `record_segment`."""
    each = calls + warm_up
    return Figure(
        *await medians(
            contenders.record(each), contenders.write_by_hand(each), warm_up=warm_up, turn=WRITES_IN_TURN
        )
    )


async def unit_of_work(contenders: Contenders, calls: int, warm_up: int) -> Figure:
    """Measure the same segment through the repositories."""
    each = calls + warm_up
    ours = [partial(_through_repositories, contenders.store, it) for it in contenders.workload.segments(each)]
    return Figure(*await medians(ours, contenders.write_by_hand(each), warm_up=warm_up, turn=WRITES_IN_TURN))


async def late_translation(contenders: Contenders, calls: int, warm_up: int) -> Figure:
    """Measure one more language for a transcript recorded just before."""
    return await _late(contenders, calls, warm_up, lambda store: store.add_translation)


async def late_in_a_unit(contenders: Contenders, calls: int, warm_up: int) -> Figure:
    """Measure the same in a unit of work."""
    return await _late(contenders, calls, warm_up, lambda store: partial(_add_in_a_unit, store))


async def _late(contenders: Contenders, calls: int, warm_up: int, adding: Callable[[Store], Add]) -> Figure:
    each = calls + warm_up
    add = adding(contenders.store)
    segments, rows = contenders.workload.segments(each), contenders.workload.rows(each)
    ours: list[Call] = []
    theirs: list[Call] = []
    for number, (segment, row) in enumerate(zip(segments, rows, strict=True)):
        receipt = await contenders.store.record_segment(segment.session_id, transcript=segment.transcript)
        await floor.write_segment(contenders.pool, row)
        text = text_of(LATE_LANGUAGE, number)
        late = TranslationInput(text=text, target_language=LATE_LANGUAGE, confidence=0.8)
        ours.append(partial(add, segment.session_id, receipt.transcript_id, late))
        session_id, transcript_id = row.transcript[:2]
        values = (session_id, transcript_id, text, SPOKEN, LATE_LANGUAGE, 0.8, "translator", 0)
        theirs.append(partial(floor.write_translation, contenders.pool, values))
    return Figure(*await medians(ours, theirs, warm_up=warm_up, turn=WRITES_IN_TURN))


async def revision(contenders: Contenders, calls: int, warm_up: int) -> Figure:
    """Measure an interim that replaces the previous one, translations included."""
    each = calls + warm_up
    segments = [_interim(segment) for segment in contenders.workload.segments(each)]
    rows = [_interim_rows(row, number) for number, row in enumerate(contenders.workload.rows(each))]
    for segment, row in zip(segments, rows, strict=True):
        await contenders.store.record_segment(
            segment.session_id, transcript=segment.transcript, translations=segment.translations
        )
        await floor.write_segment(contenders.pool, row)
    ours = [_revising(contenders.store, segment, number) for number, segment in enumerate(segments, start=1)]
    revised = (_interim_rows(row, number) for number, row in enumerate(rows, start=1))
    theirs = [partial(floor.revise_segment, contenders.pool, row) for row in revised]
    return Figure(*await medians(ours, theirs, warm_up=warm_up, turn=WRITES_IN_TURN))


def inputs(workload: Workload, calls: int) -> Figure:
    """Measure how long it takes to make and check the inputs of a segment."""
    with settled():
        began = time.perf_counter()
        workload.segments(calls)
        return Figure((time.perf_counter() - began) / calls)


async def _through_repositories(store: Store, segment: Segment) -> None:
    session_id, transcript, translations, audio = segment
    async with store.unit_of_work() as uow:
        recorded = await uow.audio_files.add(session_id, audio)
        spoken = replace(transcript, audio_file_id=recorded.audio_file_id)
        receipt = await uow.transcripts.add(session_id, spoken)
        await uow.translations.add_many(session_id, receipt.transcript_id, translations)


async def _add_in_a_unit(store: Store, session_id: UUID, transcript_id: UUID, late: TranslationInput) -> None:
    async with store.unit_of_work() as uow:
        await uow.translations.add(session_id, transcript_id, late)


def _interim(segment: Segment) -> Segment:
    return segment._replace(transcript=replace(segment.transcript, is_final=False))


def _revising(store: Store, segment: Segment, number: int) -> Call:
    return partial(
        store.record_segment,
        segment.session_id,
        transcript=replace(segment.transcript, text=text_of(SPOKEN, number)),
        translations=[
            replace(each, text=text_of(each.target_language, number)) for each in segment.translations
        ],
    )


def _interim_rows(row: floor.FloorSegment, number: int) -> floor.FloorSegment:
    """Return the rows of an interim with the texts of the segment with that number."""
    spoken = dict(zip(floor.TRANSCRIPT_COLUMNS, row.transcript, strict=True))
    translations = [dict(zip(floor.TRANSLATION_COLUMNS, each, strict=True)) for each in row.translations]
    return row._replace(
        transcript=tuple((spoken | {"text": text_of(SPOKEN, number), "is_final": False}).values()),
        translations=[
            tuple((each | {"text": text_of(each["target_language"], number)}).values())
            for each in translations
        ],
    )
