"""The recipe of audio over HTTP: streams go in, and ranges come out as RFC 9110 has them."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from helpers.blocks import program
from helpers.stored import objects
from helpers.wavs import RATE, in_pieces, read_back, wav
from httpx import ASGITransport, AsyncClient

from livetranslate_store.ids import new_id

DATA = bytes(range(200))


@pytest.fixture
async def client(
    database_url: str, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncClient]:
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", database_url)
    monkeypatch.setenv("LIVETRANSLATE_AUDIO_URL", f"file:{audio_folder}")
    app = (await program("audio"))["app"]
    service = AsyncClient(transport=ASGITransport(app), base_url="http://service")
    async with app.router.lifespan_context(app), service:
        yield service


async def recorded(client: AsyncClient, session_id: UUID, data: bytes, start: float = 0.0) -> str:
    answer = await client.post(
        f"/sessions/{session_id}/audio",
        params={"format": "wav", "start_time": start},
        content=in_pieces(data, 7),
    )
    assert answer.status_code == 200, answer.text
    return f"/sessions/{session_id}/audio/{answer.json()['audio_file_id']}"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, 199),
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=190-1000", 190, 199),
        ("bytes=-5", 195, 199),
        ("bytes=-1000", 0, 199),
    ],
)
async def test_a_range_is_a_part_of_the_recording(
    client: AsyncClient, session_id: UUID, asked: str, first: int, last: int
) -> None:
    answer = await client.get(await recorded(client, session_id, DATA), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, DATA[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/200"
    assert answer.headers["content-length"] == str(last + 1 - first)


async def test_other_ranges_are_the_whole_or_416(client: AsyncClient, session_id: UUID) -> None:
    address = await recorded(client, session_id, DATA)
    for ignored in ({}, {"Range": "bytes=0-1,5-6"}, {"Range": "bytes=-"}, {"Range": "seconds=0-1"}):
        answer = await client.get(address, headers=ignored)
        assert (answer.status_code, answer.content) == (200, DATA)
        assert answer.headers["content-length"] == "200"
        assert answer.headers["content-type"] == "audio/wav"
    for outside in ("bytes=200-", "bytes=200-300", "bytes=5-4", "bytes=-0"):
        answer = await client.get(address, headers={"Range": outside})
        assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */200")
    assert (await client.get(f"/sessions/{session_id}/audio/{new_id()}")).status_code == 404


async def test_a_meeting_is_one_recording_in_which_a_player_seeks(
    client: AsyncClient, session_id: UUID
) -> None:
    for start, level in ((1.0, b"\1\0"), (0.0, b"\2\0")):
        await recorded(client, session_id, wav(level * RATE), start)
    answer = await client.get(f"/sessions/{session_id}/audio")
    assert read_back(answer.content).frames == b"\2\0" * RATE + b"\1\0" * RATE
    part = await client.get(f"/sessions/{session_id}/audio", headers={"Range": "bytes=-2"})
    assert (part.status_code, part.content) == (206, b"\1\0")


async def test_a_refused_stream_is_a_problem_and_leaves_nothing(
    client: AsyncClient, session_id: UUID, audio_folder: Path
) -> None:
    facts = {"format": "wav", "start_time": "0"}
    empty = await client.post(f"/sessions/{session_id}/audio", params=facts, content=b"")
    assert (empty.status_code, empty.headers["content-type"]) == (422, "application/problem+json")
    nowhere = await client.post(f"/sessions/{new_id()}/audio", params=facts, content=DATA)
    assert nowhere.status_code in {404, 422}
    assert objects(audio_folder) == []
