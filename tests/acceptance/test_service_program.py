"""A service on the store, from the first request of a bot to the page for people, for two customers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient, Response
from programs.service import app

from livetranslate_store import MeetingPage, Problem, SessionPage, TextHistoryEntry, TimelinePage
from livetranslate_store.ids import new_id

MEETING = {
    "bot_id": "bot-7",
    "meeting_id": "weekly",
    "external_id": "weekly-7",
    "title": "Weekly",
    "target_languages": ["ES"],
    "metadata": {"tags": ["sales", "q3"]},
}


@pytest.fixture
async def acme(
    database_url: str, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncClient]:
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", database_url)
    monkeypatch.setenv("LIVETRANSLATE_AUDIO_URL", f"file:{audio_folder}")
    client = AsyncClient(
        transport=ASGITransport(app), base_url="http://service", headers={"Customer": "acme"}
    )
    async with app.router.lifespan_context(app), client:
        yield client


async def created(client: AsyncClient, **fields: Any) -> str:
    answer = await client.post("/sessions", json=MEETING | fields)
    assert answer.status_code == 200, answer.text
    return f"/sessions/{answer.json()['id']}"


async def recorded(client: AsyncClient, session: str, text: str, key: str, **fields: Any) -> dict[str, Any]:
    spoken = {"text": text, "language": "en", "segment_key": key, "is_final": True}
    answer = await client.post(f"{session}/segments", json=spoken | fields)
    assert answer.status_code == 200, answer.text
    receipt: dict[str, Any] = answer.json()["transcript"]
    return receipt


def problem(answer: Response, status: int) -> Problem:
    assert answer.headers["content-type"] == "application/problem+json"
    found = msgspec.json.decode(answer.content, type=Problem)
    assert (found.status, answer.status_code) == (status, status)
    return found


async def test_a_live_segment_becomes_final_and_a_person_has_the_last_word(acme: AsyncClient) -> None:
    session = await created(acme)
    words = [{"text": "Good", "start_time": 0.5, "end_time": 0.8}]
    interim = await recorded(acme, session, "Good mor", "1", is_final=False, start_time=0.5)
    final = await recorded(acme, session, "Good mornin.", "1", start_time=0.5, words=words)
    assert (interim["outcome"], final["outcome"]) == ("inserted", "updated")
    segment = f"{session}/segments/{final['transcript_id']}"
    spanish = {"text": "Buenos días.", "target_language": "es"}
    assert (await acme.post(f"{segment}/translations", json=spanish)).json()["outcome"] == "inserted"

    edit = {"text": "Good morning.", "edited_by": "Ana", "expected_revision": final["revision"]}
    assert (await acme.put(f"{segment}/text", json=edit)).json()["outcome"] == "updated"
    late = problem(await acme.put(f"{segment}/text", json=edit | {"text": "Good evening."}), 409)
    assert late.type == "urn:livetranslate-store:conflict"
    assert (await recorded(acme, session, "Good mourning.", "1"))["outcome"] == "stale"
    versions = msgspec.json.decode(
        (await acme.get(f"{segment}/history")).content, type=list[TextHistoryEntry]
    )
    assert [(each.text, each.edited_by) for each in versions] == [
        ("Good mornin.", None),
        ("Good morning.", "Ana"),
    ]

    answer = await acme.get(f"{session}/timeline", params={"include": ["words", "edits"]})
    entry, translated = msgspec.json.decode(answer.content, type=TimelinePage)
    assert (entry.text, entry.edited_by, translated.is_stale) == ("Good morning.", "Ana", True)
    assert entry.words is not None
    assert [each.text for each in entry.words] == ["Good"]
    assert 'title="by Ana">edited<' in (await acme.get(f"{session}/page")).text


async def test_the_end_of_a_meeting_is_one_request_away_and_its_cursors_go_both_ways(
    acme: AsyncClient,
) -> None:
    session = await created(acme)
    for second in range(7):
        await recorded(acme, session, f"{second}", f"{second}", start_time=float(second))

    async def page(**parameters: Any) -> TimelinePage:
        answer = await acme.get(f"{session}/timeline", params=parameters)
        return msgspec.json.decode(answer.content, type=TimelinePage)

    last = await page(order="newest", limit=3)
    assert [each.text for each in last] == ["6", "5", "4"]
    before = await page(order="newest", limit=3, cursor=last.next_cursor)
    assert [each.text for each in before] == ["3", "2", "1"]
    assert [each.text for each in await page(cursor=before.previous_cursor)] == ["4", "5", "6"]


async def test_meetings_are_listed_by_their_tags_in_pages_with_a_total(acme: AsyncClient) -> None:
    for number in range(3):
        await created(acme, external_id=f"sales-{number}", title=f"Sales {number}")
    ended = await created(acme, external_id="board", title="Board", metadata={"tags": ["board"]})
    assert (await acme.post(f"{ended}/end")).status_code == 200

    async def listed(**parameters: Any) -> SessionPage:
        answer = await acme.get("/sessions", params=parameters)
        return msgspec.json.decode(answer.content, type=SessionPage)

    first = await listed(tag="sales", limit=2)
    assert (len(first), first.total) == (2, 3)
    rest = await listed(tag="sales", limit=2, cursor=first.next_cursor)
    assert [each.title for each in [*first, *rest]] == ["Sales 2", "Sales 1", "Sales 0"]
    [board] = await listed(text="boa")
    assert (board.status, board.duration is not None) == ("ended", True)
    other = await acme.get("/sessions", params={"tag": "board", "cursor": first.next_cursor})
    assert "cursor" in problem(other, 422).detail


async def test_two_bots_in_one_meeting_are_read_as_one(acme: AsyncClient) -> None:
    start = "2026-05-01T09:00:00Z"
    one = await created(acme, external_id="weekly-7/1", started_at=start)
    two = await created(acme, external_id="weekly-7/2", started_at=start.replace("00Z", "30Z"))
    await recorded(acme, two, "Then I.", "1", start_time=1.0)
    await recorded(acme, one, "First I.", "1", start_time=2.0)
    answer = await acme.get("/meetings/weekly/timeline")
    page = msgspec.json.decode(answer.content, type=MeetingPage)
    assert [(each.timestamp, each.entry.text) for each in page] == [(2.0, "First I."), (31.0, "Then I.")]


async def test_a_recording_goes_in_as_a_stream_and_comes_out_by_ranges(acme: AsyncClient) -> None:
    session = await created(acme)

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(4):
            yield bytes([number]) * 1000

    answer = await acme.post(f"{session}/audio", params={"start_time": 0.0}, content=pieces())
    path = f"{session}/audio/{answer.json()['audio_file_id']}"
    part = await acme.get(path, headers={"Range": "bytes=998-1001"})
    assert (part.status_code, part.content) == (206, b"\0\0\1\1")
    assert part.headers["content-range"] == "bytes 998-1001/4000"
    problem(await acme.get(path, headers={"Range": "bytes=9000-9001"}), 422)


async def test_another_customer_finds_nothing(acme: AsyncClient) -> None:
    session = await created(acme)
    receipt = await recorded(acme, session, "Private.", "1")
    segment = f"{session}/segments/{receipt['transcript_id']}"
    acme.headers["Customer"] = "beta"
    edit = {"text": "Mine.", "edited_by": "Eve", "expected_revision": receipt["revision"]}
    for answer in (
        await acme.get(f"{session}/timeline"),
        await acme.get(f"{session}/page"),
        await acme.put(f"{segment}/text", json=edit),
        await acme.get(f"{segment}/history"),
        await acme.post(f"{session}/segments", json={"text": "Mine.", "language": "en"}),
        await acme.post(f"{segment}/translations", json={"text": "Mío.", "target_language": "es"}),
    ):
        problem(answer, 404)
    assert (await acme.get("/meetings/weekly/timeline")).json()["items"] == []
    assert (await acme.get("/sessions")).json()["total"] == 0
    # The same name is another meeting there.
    assert await created(acme) != session


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"txt": "a"}, "txt"),
        ({"text": "a", "language": "no language"}, "language"),
        ({"text": "a", "language": "en", "words": [{"txt": "a"}]}, "txt"),
        ({"text": "a", "language": "en", "confidence": 2}, "confidence"),
    ],
)
async def test_a_wrong_document_says_what_is_wrong_with_it(
    acme: AsyncClient, body: dict[str, Any], names: str
) -> None:
    session = await created(acme)
    assert names in problem(await acme.post(f"{session}/segments", json=body), 422).detail


async def test_each_refusal_has_its_status(acme: AsyncClient) -> None:
    await created(acme)
    duplicate = await acme.post("/sessions", json=MEETING | {"bot_id": "another"})
    assert problem(duplicate, 409).type == "urn:livetranslate-store:duplicate"
    nowhere = f"/sessions/{new_id()}"
    missing = await acme.post(f"{nowhere}/segments", json={"text": "a", "language": "en"})
    assert problem(missing, 404).retry_after is None
    problem(await acme.get(f"{nowhere}/timeline"), 404)
    assert (await acme.get("/health")).json() == {}


async def test_the_values_are_described_in_openapi(acme: AsyncClient) -> None:
    schemas = (await acme.get("/openapi.json")).json()["components"]["schemas"]
    assert {"SessionInput", "TranscriptInput", "TimelinePage", "MeetingPage", "Problem"} <= schemas.keys()
