"""A process that writes the revisions of keyed segments, all of them, in an order of its own."""

import asyncio
from collections.abc import Iterator
from multiprocessing.connection import Connection
from random import Random
from uuid import UUID

from faults.crowd import PAUSE_SECONDS, TROUBLE, in_a_unit, record
from faults.processes import ready

from livetranslate_store import AudioInput, SegmentInput, Store, TranscriptInput, TranslationInput

SEGMENTS = 40
REVISIONS = 5
WRITERS = 10


def revisions(session_id: UUID) -> Iterator[SegmentInput]:
    """Yield every revision of every segment: numbered, the last one final, and with all of the audio."""
    for segment in range(SEGMENTS):
        for revision in range(1, REVISIONS + 1):
            final = revision == REVISIONS
            text = f"segment {segment}, revision {revision}"
            yield SegmentInput(
                session_id=session_id,
                transcript=TranscriptInput(
                    text=text,
                    language="en",
                    segment_key=f"seg-{segment}",
                    revision=revision,
                    is_final=final,
                    start_time=float(segment),
                    end_time=segment + revision / 10,
                    speaker_label=f"SPEAKER_{segment % 3:02}",
                    speaker_name=f"Speaker {segment % 3}",
                ),
                translations=[
                    TranslationInput(
                        text=f"{language}: {text}", target_language=language, transcript_revision=revision
                    )
                    for language in ("es", "ja")
                ],
                audio=AudioInput(data=text.encode(), format="wav", start_time=float(segment))
                if final
                else None,
            )


async def bring_in(store: Store, segment: SegmentInput) -> None:
    """Write a segment as an import of one."""
    report = await store.import_segments([segment])
    assert report.refused == 0, report.refusals


async def write_all(store: Store, session_id: UUID, chance: Random) -> None:
    """Write everything in an order and by ways that chance decides, and repeat what was not acknowledged."""
    everything = list(revisions(session_id))
    chance.shuffle(everything)
    left = iter(everything)

    async def work() -> None:
        for segment in left:
            while True:
                try:
                    await chance.choice((record, record, in_a_unit, bring_in))(store, segment)
                except TROUBLE:
                    await asyncio.sleep(PAUSE_SECONDS)
                else:
                    break

    async with asyncio.TaskGroup() as group:
        for _ in range(WRITERS):
            group.create_task(work())


async def write(parent: Connection, url: str, audio_url: str, session_id: UUID, seed: float) -> None:
    """Open the store, say so, and write everything."""
    async with Store.open(url, audio_url=audio_url, min_connections=1, max_connections=5) as store:
        await ready(parent)
        await write_all(store, session_id, Random(seed))
