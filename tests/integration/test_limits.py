"""Sizes: what is larger than the settings allow is refused on every way in, before anything is written."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program, objects
from helpers.support import audio, counts, transcript, translation
from helpers.write_paths import Write, every_way_of_whole_segments, in_a_unit
from msgspec.structs import replace

from livetranslate_store import InvalidInputError, SegmentInput, Store, Word

TOO_LARGE: list[tuple[dict[str, Any], str]] = [
    (
        {"spoken": transcript("x" * 41)},
        r"text has 41 characters; at most 40 are stored \(max_text_characters\)",
    ),
    ({"spoken": transcript(words=[Word("x" * 21), Word("y" * 20)])}, "words has 41 characters"),
    ({"spoken": transcript(words=[Word("")] * 41)}, "words has 41 characters"),
    ({"spoken": transcript(metadata={"k": "v" * 60})}, r"metadata has 68 bytes; at most 64 are stored"),
    # Bytes, as they are stored: these are three each.
    ({"spoken": transcript(metadata={"k": "語" * 20})}, "metadata has 68 bytes"),
    ({"translated": [translation(), translation("x" * 41, "ja")]}, "text has 41 characters"),
    ({"translated": [translation(metadata={"k": "v" * 60})]}, "metadata has 68 bytes"),
    ({"recorded": audio(b"x" * 101)}, r"data has 101 bytes; at most 100 are stored \(max_audio_bytes\)"),
    ({"recorded": audio(metadata={"k": "v" * 60})}, "metadata has 68 bytes"),
]
LARGEST: dict[str, Any] = {
    "spoken": transcript("語" * 40, words=[Word("x" * 40)], metadata={"k": "v" * 56}, segment_key="seg-1"),
    "translated": [translation("x" * 40, metadata={"k": "v" * 56})],
    "recorded": audio(b"x" * 100, metadata={"k": "v" * 56}),
}


@pytest.fixture
async def store(database_url: str, audio_folder: Path) -> AsyncIterator[Store]:
    async with Store.open(
        database_url,
        audio_url=f"file:{audio_folder}",
        min_connections=1,
        max_text_characters=40,
        max_metadata_bytes=64,
        max_audio_bytes=100,
    ) as opened:
        yield opened


@pytest.fixture
def written(other_program: Program, audio_folder: Path) -> Callable[[], bool]:
    """Whether anything but the session is stored, in the tables or as an object."""

    def look() -> bool:
        files = objects(audio_folder)
        return sum(counts(other_program).values()) > 1 or bool(files)

    return look


@pytest.mark.parametrize(("parts", "message"), TOO_LARGE)
async def test_what_is_too_large_is_refused_before_anything_is_written(
    store: Store,
    session_id: UUID,
    written: Callable[[], bool],
    parts: dict[str, Any],
    message: str,
) -> None:
    whole: dict[str, Any] = {"spoken": transcript(), "translated": [], "recorded": audio()} | parts
    with pytest.raises(InvalidInputError, match=message):
        await store.record_segment(
            session_id,
            transcript=whole["spoken"],
            translations=whole["translated"],
            audio=whole["recorded"],
        )
    with pytest.raises(InvalidInputError, match=message):
        await in_a_unit(store, session_id, whole["spoken"], whole["translated"], whole["recorded"])
    assert not written()


@pytest.mark.parametrize(("parts", "message"), TOO_LARGE)
async def test_an_import_refuses_what_is_too_large_alone(
    store: Store, session_id: UUID, other_program: Program, parts: dict[str, Any], message: str
) -> None:
    bad: dict[str, Any] = {"spoken": transcript(), "translated": [], "recorded": None} | parts
    report = await store.import_segments(
        SegmentInput(
            session_id=session_id,
            transcript=replace(each["spoken"], segment_key=key),
            translations=each["translated"],
            audio=each["recorded"],
        )
        for key, each in (("bad", bad), ("good", LARGEST))
    )
    ((refusal,), inserted) = (report.refusals, report.transcripts.inserted)
    assert (refusal.line, inserted) == (1, 1)
    assert re.search(message, refusal.reason)
    assert counts(other_program)["transcripts"] == 1


@every_way_of_whole_segments
async def test_what_is_just_as_large_as_allowed_is_stored(
    store: Store, session_id: UUID, write: Write
) -> None:
    await write(store, session_id, LARGEST["spoken"], LARGEST["translated"], LARGEST["recorded"])
    assert (await store.timeline(session_id))[0].text == "語" * 40


async def test_late_translations_and_sessions_have_the_same_limits(store: Store, session_id: UUID) -> None:
    receipt = await store.record_segment(session_id, transcript=transcript())
    with pytest.raises(InvalidInputError, match="text has 41 characters"):
        await store.add_translation(session_id, receipt.transcript_id, translation("x" * 41))
    async with store.unit_of_work() as uow:
        with pytest.raises(InvalidInputError, match="metadata has 68 bytes"):
            await uow.sessions.create(bot_id="b", meeting_id="m", metadata={"k": "v" * 60})
        with pytest.raises(InvalidInputError, match="metadata has 68 bytes"):
            await uow.sessions.update(session_id, metadata={"k": "v" * 60})
    assert len(await store.timeline(session_id)) == 1
    assert store.statistics().gate.failed == 0
