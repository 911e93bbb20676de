"""Recordings are read in pieces and by ranges, at addresses for others, and deleted one by one."""

import asyncio
import random
import urllib.request
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import audio, counts, transcript, until_blocked
from helpers.wavs import RATE, in_pieces, read_back, wav
from hypothesis import given
from hypothesis import strategies as st

from livetranslate_store import (
    CorruptAudioError,
    InvalidInputError,
    MissingReferenceError,
    NotFoundError,
    Recording,
    Store,
    UsageError,
)
from livetranslate_store.audio import recording as recording_module
from livetranslate_store.audio.recording import PIECE_BYTES, StoredBytes, StoredPart
from livetranslate_store.audio.storage import AudioStorage, digest_of
from livetranslate_store.ids import new_id

LONG = random.Random(1).randbytes(2 * PIECE_BYTES + 1001)


@pytest.fixture
async def store(database_url: str, audio_url: str) -> AsyncIterator[Store]:
    async with Store.open(database_url, audio_url=audio_url, min_connections=1) as opened:
        yield opened


async def add(store: Store, session_id: UUID, data: bytes = LONG, **facts: Any) -> UUID:
    async with store.unit_of_work() as uow:
        return (await uow.audio_files.add(session_id, audio(data, **facts))).audio_file_id


async def only_key(store: Store, session_id: UUID) -> str:
    async with store.read() as reader:
        (row,) = await reader.audio_files.list_for_session(session_id)
    return row.storage_key


async def test_a_recording_is_read_whole_in_pieces_and_by_ranges(store: Store, session_id: UUID) -> None:
    audio_file_id = await add(store, session_id, format="flac", start_time=2.0, duration=3.0)
    recording = await store.open_audio(session_id, audio_file_id)
    assert (recording.size_bytes, recording.format) == (len(LONG), "flac")
    assert (recording.start_time, recording.duration) == (2.0, 3.0)
    assert recording.sha256 == await digest_of(LONG)
    pieces = [piece async for piece in recording.stream()]
    assert b"".join(pieces) == LONG
    assert max(map(len, pieces)) == PIECE_BYTES
    size = len(LONG)
    for start, end in ((0, 1), (0, size), (5, PIECE_BYTES + 5), (size - 1, size), (7, None), (size, size)):
        assert await recording.read(start, end) == LONG[start:end]
    assert store.statistics().pool.in_use == 0


async def test_a_range_outside_of_the_bytes_is_refused_and_names_their_number(
    store: Store, session_id: UUID
) -> None:
    recording = await store.open_audio(session_id, await add(store, session_id, b"RIFF"))
    for start, end in ((0, 5), (5, None), (-1, 2), (3, 2), (5, 6)):
        with pytest.raises(InvalidInputError, match="outside of the recording, which has 4 bytes"):
            recording.stream(start, end)
    for wrong in ("1", 1.0, True):
        with pytest.raises(InvalidInputError, match="numbers of bytes"):
            await recording.read(wrong)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        await store.open_audio(session_id, new_id())
    with pytest.raises(NotFoundError):
        await store.open_audio(new_id(), new_id())


async def test_changed_bytes_are_noticed_while_they_are_read(
    store: Store, storage: AudioStorage, session_id: UUID
) -> None:
    recording = await store.open_audio(session_id, await add(store, session_id))
    key = await only_key(store, session_id)
    changed = bytearray(LONG)
    changed[PIECE_BYTES] ^= 1
    await storage.put_bytes(key, bytes(changed))
    heard = 0
    with pytest.raises(CorruptAudioError, match="SHA-256"):
        async for piece in recording.stream():
            heard += len(piece)
    assert heard == 2 * PIECE_BYTES
    # Of a range the size is known, and no more.
    assert await recording.read(0, 10) == LONG[:10]
    for other_size in (LONG + b"x", LONG[:-1], LONG[:5], b""):
        await storage.put_bytes(key, other_size)
        for start, end in ((0, None), (0, 10), (len(LONG) - 1, None)):
            with pytest.raises(CorruptAudioError, match="SHA-256"):
                await recording.read(start, end)
    await storage.remove(key)
    with pytest.raises(CorruptAudioError, match="missing"):
        await recording.read(0, 1)


DATA = bytes(range(256))


@given(
    st.integers(0, 256), st.integers(0, 256), st.integers(1, 300), st.integers(0, 256), st.integers(0, 256)
)
def test_every_range_is_the_slice_of_the_bytes(one: int, two: int, piece: int, three: int, four: int) -> None:
    (first, last), (start, end) = sorted((one, two)), sorted((three, four))
    part = DATA[first:last]
    start, end = min(start, len(part)), min(end, len(part))

    async def read() -> bytes:
        storage = AudioStorage("memory:///")
        await storage.put_bytes("key", DATA)
        stored = StoredBytes("key", len(DATA), await digest_of(DATA))
        parts = [StoredPart(stored, first, len(part))]
        recording = Recording(storage, parts, format="raw", sha256=None, start_time=None, duration=None)
        found = await recording.read(start, end)
        await storage.close()
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recording_module, "PIECE_BYTES", piece)
        assert asyncio.run(read()) == part[start:end]


async def test_an_address_for_others_gives_the_bytes_until_it_expires(
    store: Store, audio_url: str, session_id: UUID
) -> None:
    audio_file_id = await add(store, session_id, b"RIFF and so on")
    if audio_url.startswith("file:"):
        with pytest.raises(UsageError, match="only S3, GCS and Azure"):
            await store.presigned_audio_url(session_id, audio_file_id)
        return
    url = await store.presigned_audio_url(session_id, audio_file_id, expires_in=timedelta(minutes=5))
    assert "X-Amz-Expires=300" in url
    assert await asyncio.to_thread(lambda: urllib.request.urlopen(url).read()) == b"RIFF and so on"
    with pytest.raises(NotFoundError):
        await store.presigned_audio_url(session_id, new_id())


async def test_an_address_is_for_a_second_to_seven_days(store: Store, session_id: UUID) -> None:
    for wrong in (timedelta(0), timedelta(seconds=-1), timedelta(days=7, seconds=1)):
        with pytest.raises(InvalidInputError, match="1 second to 7 days"):
            await store.presigned_audio_url(session_id, new_id(), expires_in=wrong)
    with pytest.raises(InvalidInputError, match="timedelta"):
        await store.presigned_audio_url(session_id, new_id(), expires_in=60)  # type: ignore[arg-type]


SECRET = "c2VjcmV0LWtleQ=="


@pytest.mark.parametrize(
    ("audio_url", "environment", "beginning"),
    [
        (
            "s3://nowhere/audio",
            {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-west-1"},
            "https://s3.eu-west-1.amazonaws.com/nowhere/audio/session/file/attempt?X-Amz-",
        ),
        (
            "az://nowhere/audio",
            {"AZURE_STORAGE_ACCOUNT_NAME": "account", "AZURE_STORAGE_ACCOUNT_KEY": SECRET},
            "https://account.blob.core.windows.net/nowhere/audio/session/file/attempt?",
        ),
    ],
)
async def test_signing_needs_no_network_and_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, audio_url: str, environment: dict[str, str], beginning: str
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    storage = AudioStorage(audio_url)
    url = await storage.signed_url("session/file/attempt", timedelta(days=7))
    assert url.startswith(beginning)
    assert SECRET not in f"{url} {storage!r}"
    await storage.close()


async def test_a_refusal_to_sign_is_an_error_without_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_SAS_KEY", f"sv=2023-11-03&sig={SECRET}")
    storage = AudioStorage("az://nowhere/audio")
    with pytest.raises(UsageError, match="cannot sign an address with these credentials") as caught:
        await storage.signed_url("session/file/attempt", timedelta(days=1))
    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r} {storage!r}"
    await storage.close()


async def test_a_deleted_audio_file_leaves_its_transcripts_without_audio(
    store: Store, storage: AudioStorage, session_id: UUID, other_program: Program
) -> None:
    receipts = [
        await store.record_segment(session_id, transcript=transcript(), audio=audio(start_time=start))
        for start in (1.0, 1.0, 2.0)
    ]
    first, _, kept = (receipt.audio_file_id for receipt in receipts)
    assert first is not None
    assert kept is not None
    with pytest.raises(ZeroDivisionError):
        async with store.unit_of_work() as uow:
            await uow.audio_files.delete(session_id, first)
            raise ZeroDivisionError
    assert await store.read_audio(session_id, first) == b"RIFF"
    async with store.unit_of_work() as uow:
        deleted = await uow.audio_files.delete(session_id, first)
        assert (deleted.size_bytes, deleted.transcripts) == (4, 2)
        with pytest.raises(NotFoundError):
            await uow.audio_files.delete(session_id, first)
    async with store.read() as reader:
        rows = [await reader.transcripts.get(session_id, each.transcript_id) for each in receipts]
        (left,) = await reader.audio_files.list_for_session(session_id)
    assert [row.audio_file_id for row in rows] == [None, None, kept]
    assert [key.key async for batch in storage.list(session_id) for key in batch] == [left.storage_key]
    assert counts(other_program)["transcripts"] == 3
    # The same bytes come again as they came first.
    assert await add(store, session_id, b"RIFF", start_time=1.0) == first
    async with store.unit_of_work() as uow:
        with pytest.raises(NotFoundError):
            await uow.audio_files.delete(new_id(), first)


async def test_a_transcript_cannot_refer_to_an_audio_file_that_is_deleted_meanwhile(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    audio_file_id = await add(store, session_id, b"RIFF")
    async with store.unit_of_work() as uow:
        await uow.audio_files.delete(session_id, audio_file_id)
        late = asyncio.create_task(
            store.record_segment(session_id, transcript=transcript(audio_file_id=audio_file_id))
        )
        await asyncio.sleep(0)
    with pytest.raises(MissingReferenceError, match="no audio file"):
        await late
    assert counts(other_program)["transcripts"] == 0


async def test_a_deletion_waits_for_a_transcript_that_is_about_to_refer_to_it(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    audio_file_id = await add(store, session_id, b"RIFF")
    row = (session_id, new_id(), audio_file_id)
    other_program.execute(
        "INSERT INTO livetranslate.transcripts (session_id, id, audio_file_id, language, text) "
        "VALUES (%s, %s, %s, 'en', 'Good morning.')",
        row,
    )

    async def delete() -> int:
        async with store.unit_of_work() as uow:
            return (await uow.audio_files.delete(session_id, audio_file_id)).transcripts

    deletion = asyncio.create_task(delete())
    await until_blocked(other_program)
    other_program.commit()
    assert await deletion == 1


async def test_a_sessions_audio_is_one_recording_in_the_order_of_its_times(
    store: Store, session_id: UUID
) -> None:
    with pytest.raises(NotFoundError, match="no audio in session"):
        await store.open_session_audio(session_id)
    for start in (2.0, 0.0, 1.5):
        data = wav(int(start * 10).to_bytes(2, "little") * RATE)
        await store.record_audio(session_id, in_pieces(data, 1000), format="wav", start_time=start)
    recording = await store.open_session_audio(session_id, fill_gaps=True)
    silence, half = bytes(RATE), RATE // 2
    expected = b"\0\0" * RATE + silence + b"\x0f\0" * RATE + b"\x14\0" * half
    assert (recording.start_time, recording.duration) == (0.0, 3.0)
    assert read_back(await recording.read()).frames == expected
    without = await store.open_session_audio(session_id)
    assert read_back(await without.read()).frames == expected.replace(silence + b"\x0f", b"\x0f")
    assert store.statistics().pool.in_use == 0
    other = await add(store, session_id, b"OggS", format="ogg", start_time=9.0)
    with pytest.raises(InvalidInputError, match=f"{other} of format 'ogg'"):
        await store.open_session_audio(session_id)
    with pytest.raises(InvalidInputError, match="fill_gaps"):
        await store.open_session_audio(session_id, fill_gaps="yes")  # type: ignore[arg-type]
