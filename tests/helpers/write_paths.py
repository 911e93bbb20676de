"""Every way by which a segment is written: the rules are the same on all of them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

import pytest
from helpers.support import transcript, translation
from msgspec.structs import replace

from livetranslate_store import (
    AudioInput,
    ImportCounts,
    Outcome,
    SegmentInput,
    SegmentReceipt,
    Store,
    TranscriptInput,
    TranslationInput,
)
from livetranslate_store.writing.encoding import transcript_id_of


class Written(NamedTuple):
    """What became of a segment, as far as every way tells it."""

    transcript_id: UUID
    outcome: Outcome
    revision: int
    translations: Counter[Outcome]


Write: TypeAlias = Callable[..., Awaitable[Written]]


async def alone(
    store: Store,
    session_id: UUID,
    spoken: TranscriptInput,
    translated: Sequence[TranslationInput] = (),
    recorded: AudioInput | None = None,
) -> Written:
    """Write a segment in one statement of its own."""
    return _written(
        await store.record_segment(session_id, transcript=spoken, translations=translated, audio=recorded)
    )


async def in_a_group(
    store: Store,
    session_id: UUID,
    spoken: TranscriptInput,
    translated: Sequence[TranslationInput] = (),
    recorded: AudioInput | None = None,
) -> Written:
    """Write a segment together with others, of another session."""
    async with store.unit_of_work() as uow:
        other = await uow.sessions.create(bot_id="other", meeting_id="other")
    receipt, *_ = await asyncio.gather(
        store.record_segment(session_id, transcript=spoken, translations=translated, audio=recorded),
        *(
            store.record_segment(
                other.id,
                transcript=transcript(f"{number}", speaker_label="SPEAKER_00"),
                translations=[translation()],
            )
            for number in range(3)
        ),
    )
    return _written(receipt)


async def in_a_unit(
    store: Store,
    session_id: UUID,
    spoken: TranscriptInput,
    translated: Sequence[TranslationInput] = (),
    recorded: AudioInput | None = None,
) -> Written:
    """Write a segment through the repositories."""
    async with store.unit_of_work() as uow:
        if recorded is not None:
            audio = await uow.audio_files.add(session_id, recorded)
            spoken = replace(spoken, audio_file_id=audio.audio_file_id)
        receipt = await uow.transcripts.add(session_id, spoken)
        added = await uow.translations.add_many(session_id, receipt.transcript_id, translated)
    outcomes = Counter(each.outcome for each in added)
    return Written(receipt.transcript_id, receipt.outcome, receipt.revision, outcomes)


async def in_bulk(
    store: Store,
    session_id: UUID,
    spoken: TranscriptInput,
    translated: Sequence[TranslationInput] = (),
    recorded: AudioInput | None = None,
) -> Written:
    """Import a segment."""
    report = await store.import_segments(
        [SegmentInput(session_id=session_id, transcript=spoken, translations=translated, audio=recorded)]
    )
    assert report.refused == 0, report.refusals
    transcript_id = transcript_id_of(session_id, spoken)
    async with store.read() as reader:
        stored = await reader.transcripts.get(session_id, transcript_id)
    [outcome] = _outcomes(report.transcripts)
    return Written(transcript_id, outcome, stored.revision, _outcomes(report.translations))


#: The ways that take a segment as a whole.
WHOLE_SEGMENTS = (alone, in_a_group, in_bulk)
every_way = pytest.mark.parametrize("write", [*WHOLE_SEGMENTS, in_a_unit])
every_way_of_whole_segments = pytest.mark.parametrize("write", WHOLE_SEGMENTS)


def _written(receipt: SegmentReceipt) -> Written:
    outcomes = Counter(each.outcome for each in receipt.translations)
    return Written(receipt.transcript_id, receipt.outcome, receipt.revision, outcomes)


def _outcomes(counts: ImportCounts) -> Counter[Outcome]:
    return +Counter({outcome: getattr(counts, outcome) for outcome in Outcome})
