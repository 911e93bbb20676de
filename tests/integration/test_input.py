"""Bad input has its own clear error before anything is written, or is stored exactly as it was given."""

import asyncio
import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import audio, counts, transcript, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store import (
    AudioInput,
    InvalidInputError,
    MissingReferenceError,
    NotFoundError,
    Store,
    TranscriptInput,
    TranslationInput,
    Word,
)
from livetranslate_store.checks import MAX_JSON_DEPTH, MAX_TEXT_CHARACTERS, JSONObject
from livetranslate_store.ids import new_id


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"deeper": value}
    return value


TRANSCRIPTS: list[tuple[dict[str, Any], str]] = [
    ({"language": "english"}, "not a BCP-47 language tag such as 'en' or 'zh-Hans'"),
    ({"language": ""}, "not a BCP-47 language tag"),
    ({"language": "日本語"}, "not a BCP-47 language tag"),
    ({"language": "en" + "-abcde" * 1200}, "expected at most 100 characters"),
    ({"language": "x" + "-abcde" * 20}, "expected at most 100 characters"),
    ({"language": None}, "must be a BCP-47 tag, not NoneType"),
    ({"text": "with\0NUL"}, "holds a NUL character"),
    ({"text": "half \ud83d a character"}, "lone surrogate at position 5"),
    ({"text": "x" * (MAX_TEXT_CHARACTERS + 1)}, "at most 1,000,000 are stored"),
    ({"text": "x" * 10_000_000}, "has 10,000,000 characters"),
    ({"text": b"bytes"}, "must be text, not bytes"),
    ({"start_time": math.nan}, "start_time must be a finite number"),
    ({"end_time": math.inf}, "end_time must be a finite number"),
    ({"start_time": -math.inf}, "start_time must be a finite number"),
    ({"start_time": 1e300}, "start_time must be a finite number"),
    ({"start_time": 10**400}, "start_time must be a finite number"),
    ({"start_time": 10**5000}, "a number of more than 1200 digits"),
    ({"start_time": "12"}, "start_time must be a number, not str"),
    ({"start_time": True}, "start_time must be a number, not bool"),
    ({"start_time": 2.0, "end_time": 1.0}, "end_time 1 is before its start 2"),
    ({"confidence": 1.5}, "confidence must be a finite number from 0 to 1"),
    ({"confidence": -0.1}, "confidence must be a finite number from 0 to 1"),
    ({"confidence": math.nan}, "confidence must be a finite number from 0 to 1"),
    ({"segment_index": -1}, "segment_index must be from 0"),
    ({"segment_index": 2**31}, "segment_index must be from 0"),
    ({"segment_index": 1.0}, "segment_index must be an integer, not float"),
    ({"revision": 0}, "revision must be from 1"),
    ({"revision": 2**63}, "revision must be from 1"),
    ({"speaker_label": ""}, "speaker_label must not be empty"),
    ({"speaker_label": "x" * 501}, "at most 500 are stored"),
    ({"speaker_name": "Ada"}, "needs the speaker_label that it names"),
    ({"segment_key": " "}, "segment_key must not be empty"),
    ({"segment_key": "k", "id": UUID(int=1)}, "Give id or segment_key, not both"),
    ({"id": "not a uuid"}, "id must be a uuid.UUID, not str"),
    ({"audio_file_id": "x"}, "audio_file_id must be a uuid.UUID"),
    ({"source": ""}, "source must not be empty"),
    ({"is_final": 1}, "is_final must be True or False, not int"),
    ({"words": ["word"]}, "words must be a sequence of Word"),
    ({"metadata": {"at": datetime.now(UTC)}}, "metadata holds a datetime, which is not JSON"),
    ({"metadata": {"at": math.nan}}, "metadata holds nan, which is not JSON"),
    ({"metadata": {1: "one"}}, "metadata has a key of type int"),
    ({"metadata": {"text": "\0"}}, "metadata holds a NUL character"),
    ({"metadata": {"\ud800": 1}}, "metadata holds a lone surrogate"),
    ({"metadata": {"n": 10**5000}}, "an integer of more than 1200 digits"),
    ({"metadata": {"set": {1, 2}}}, "metadata holds a set, which is not JSON"),
    ({"metadata": ["a", "list"]}, "metadata must be a JSON object, not list"),
    ({"metadata": None}, "metadata must be a JSON object, not NoneType"),
    ({"metadata": nested(MAX_JSON_DEPTH + 1)}, "at most 100 levels deep"),
]


@pytest.mark.parametrize(("fields", "message"), TRANSCRIPTS)
def test_a_transcript_that_cannot_be_stored_is_refused_when_it_is_made(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message) as raised:
        transcript(**fields)
    # A wrong text may be a person's: the message does not repeat it.
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("make", "fields", "message"),
    [
        (translation, {"target_language": "klingonish"}, "target_language 'klingonish' is not"),
        (translation, {"source_language": "??"}, "source_language"),
        (translation, {"service": ""}, "service must not be empty"),
        (translation, {"transcript_revision": -1}, "transcript_revision must be from 0"),
        (translation, {"start_time": 3, "end_time": 1}, "before its start"),
        (audio, {"data": "text"}, "data must be bytes, not str"),
        (audio, {"format": ""}, "format must not be empty"),
        (audio, {"duration": -1.0}, "duration must be a finite number from 0"),
        (audio, {"sample_rate": 0}, "sample_rate must be from 1"),
        (audio, {"channels": -2}, "channels must be from 1"),
        (audio, {"status": "unheard of"}, "status must be one of pending, processing"),
        (audio, {"quality_score": math.inf}, "quality_score must be a finite number"),
    ],
)
def test_translations_and_audio_are_refused_when_they_are_made(
    make: Any, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bot_id": ""}, "bot_id must not be empty"),
        ({"meeting_id": 7}, "meeting_id must be text, not int"),
        ({"status": "lost"}, "status must be one of spawning, active, paused, ended, error"),
        ({"target_languages": "es"}, "must be a sequence of BCP-47 tags"),
        ({"target_languages": ["spanish!"]}, "not a BCP-47 language tag"),
        ({"started_at": datetime(2026, 1, 1)}, "a datetime with a time zone"),  # noqa: DTZ001 (that is the point)
        ({"metadata": {"x": object()}}, "which is not JSON"),
    ],
)
async def test_a_session_that_cannot_be_stored_is_refused_before_anything_is_written(
    store: Store, other_program: Program, fields: dict[str, Any], message: str
) -> None:
    async with store.unit_of_work() as uow:
        with pytest.raises(InvalidInputError, match=message):
            await uow.sessions.create(**{"bot_id": "b", "meeting_id": "m"} | fields)
    assert counts(other_program)["sessions"] == 0


async def test_what_belongs_to_nobody_is_refused_with_what_is_missing(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    with pytest.raises(MissingReferenceError, match="no session with this session_id"):
        await store.record_segment(new_id(), transcript=transcript())
    with pytest.raises(MissingReferenceError, match="no audio file with this audio_file_id"):
        await store.record_segment(session_id, transcript=transcript(audio_file_id=new_id()))
    with pytest.raises(MissingReferenceError, match="no session"):
        async with store.unit_of_work() as uow:
            await uow.speakers.rename(new_id(), "SPEAKER_00", "Ada")
    for wrong in ("not a uuid", None, 7):
        with pytest.raises(InvalidInputError, match="session_id must be a uuid"):
            await store.record_segment(wrong, transcript=transcript())  # type: ignore[arg-type]  # that is the point
    assert counts(other_program) == {
        "sessions": 1,
        "audio_files": 0,
        "transcripts": 0,
        "translations": 0,
        "speakers": 0,
    }


async def test_a_segment_has_one_translation_for_each_language(store: Store, session_id: UUID) -> None:
    twice = [translation("a", "zh-hans"), translation("b", "zh-Hans")]
    with pytest.raises(InvalidInputError, match="one translation for each target_language"):
        await store.record_segment(session_id, transcript=transcript(), translations=twice)
    # It never came as far as the gate.
    assert store.statistics().gate.failed == 0


async def test_what_is_not_there_is_not_found(store: Store, session_id: UUID) -> None:
    async with store.read() as reader:
        with pytest.raises(NotFoundError, match="There is no session"):
            await reader.sessions.get(new_id())
        with pytest.raises(NotFoundError, match="There is no transcript"):
            await reader.transcripts.get(session_id, new_id())
        with pytest.raises(NotFoundError, match=r"There is no translation of transcript .* into ja"):
            await reader.translations.get(session_id, new_id(), "ja")
        with pytest.raises(NotFoundError, match="There is no audio file"):
            await reader.audio_files.get(session_id, new_id())
        with pytest.raises(NotFoundError, match="There is no speaker 'SPEAKER_09'"):
            await reader.speakers.get(session_id, "SPEAKER_09")


HOSTILE = [
    "Robert'); DROP TABLE livetranslate.sessions;--",
    "%s %(name)s $1 :name {0} \\x00 \\",
    "a\tb\r\nc\x0b\x1f\x7f",
    "\u202eright to left\u202c \u200f\u200b\ufeff",
    "𝄞 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "e\u0301 is not é",
    "../../etc/passwd",
    " leading and trailing ",
    "{}[]null\"'`",
    "مرحبا بالعالم",
    "\U0010ffff\ufffe",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_strange_text_is_stored_exactly_as_it_is_given(store: Store, text: str) -> None:
    metadata: JSONObject = {text: [text, {"nested": text}, 1, 2.5, -0.5, None, True, 10**30]}
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(
            bot_id=text, meeting_id=text, title=text, uri=text, external_id=text, metadata=metadata
        )
        spoken = TranscriptInput(
            text=text,
            language="en",
            speaker_label=text,
            speaker_name=text,
            segment_key=text,
            source=text,
            words=[Word(text, 0.0, 1.0, 0.5), Word(text)],
            metadata=metadata,
        )
        receipt = await uow.transcripts.add(session.id, spoken)
        translated = TranslationInput(
            text=text, target_language="es", service=text, model=text, metadata=metadata
        )
        await uow.translations.add(session.id, receipt.transcript_id, translated)
        recorded = AudioInput(data=text.encode(), format=text, metadata=metadata)
        await uow.audio_files.add(session.id, recorded)
    original, copy = await store.timeline(session.id)
    assert (original.text, original.speaker_label, original.speaker_name) == (text, text, text)
    assert (copy.text, copy.source, copy.metadata) == (text, text, metadata)
    async with store.read() as reader:
        found = await reader.sessions.named(text)
        assert found is not None
        row = await reader.transcripts.get(session.id, receipt.transcript_id)
    assert (found.bot_id, found.title, found.uri, found.metadata_) == (text, text, text, metadata)
    assert row.words == [
        {"text": text, "start_time": 0.0, "end_time": 1.0, "confidence": 0.5},
        {"text": text},
    ]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(-(2.0**53), 2.0**53)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), json_values)
)
def test_metadata_comes_back_equal(database_url: str, metadata: dict[str, Any]) -> None:
    async def example() -> None:
        async with Store.open(database_url, min_connections=1) as store:
            async with store.unit_of_work() as uow:
                session = await uow.sessions.create(bot_id="b", meeting_id="m")
            await store.record_segment(session.id, transcript=transcript(metadata=metadata))
            (entry,) = await store.timeline(session.id)
            assert entry.metadata == metadata

    asyncio.run(example())


async def test_a_huge_float_in_metadata_comes_back_as_the_integer_of_its_digits(
    store: Store, session_id: UUID
) -> None:
    # PostgreSQL keeps decimal digits, not binary floats: read as a float it is the same again.
    await store.record_segment(session_id, transcript=transcript(metadata={"huge": 2.183058047873183e16}))
    (entry,) = await store.timeline(session_id)
    huge = entry.metadata["huge"]
    assert isinstance(huge, int)
    assert float(huge) == 2.183058047873183e16


async def test_a_million_characters_are_stored_exactly(store: Store, session_id: UUID) -> None:
    text = "word 語 " * 140_000
    await store.record_segment(session_id, transcript=transcript(text))
    (entry,) = await store.timeline(session_id)
    assert entry.text == text


async def test_times_keep_every_digit(store: Store, session_id: UUID) -> None:
    start, end = 1_764_000_000.123456, 1_764_000_000.1234562
    await store.record_segment(session_id, transcript=transcript(start_time=start, end_time=end))
    (entry,) = await store.timeline(session_id)
    assert (entry.start_time, entry.end_time) == (start, end)
