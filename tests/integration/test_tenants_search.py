"""A tenant's search finds the same in each of its ways: by all texts, by keys and words, by words alone."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from helpers.support import transcript, translation

from livetranslate_store import SearchHit, SegmentInput, Store
from livetranslate_store.reading.search import own
from livetranslate_store.reading.search.statement import search_statement

WAYS = {
    "all texts are read": {"FEW_TEXTS": 200},
    "keys and words are joined": {"FEW_TEXTS": 0},
    "their number is estimated": {"FEW_TEXTS": 0, "COUNTED_TEXTS": 3},
    "words are asked alone": {"FEW_TEXTS": 0, "KEYS_PER_HIT": 0},
    "too many sessions": {"FEW_TEXTS": 0, "MOST_SESSIONS": 1},
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """One of the ways; the statements have its bounds in their text."""
    for name, value in WAYS[request.param].items():
        monkeypatch.setattr(own, name, value)
    search_statement.cache_clear()
    yield request.param
    search_statement.cache_clear()


async def fill(store: Store) -> list[UUID]:
    """Make meetings of two tenants with drafts, finals and translations; return those of the first."""
    made: dict[str, list[UUID]] = {"acme": [], "beta": []}
    segments = []
    for tenant, sessions in made.items():
        async with store.for_tenant(tenant).unit_of_work() as uow:
            for place in range(5):
                session = await uow.sessions.create(bot_id="b", meeting_id=f"{tenant} {place}")
                sessions.append(session.id)
                for number in range(8):
                    word = "lighthouse" if number % 2 else "harbour"
                    spoken = transcript(
                        f"{word} {number} of meeting {place}",
                        segment_key=str(number),
                        is_final=number != 3,
                        speaker_label="A" if number % 3 else "B",
                    )
                    translated = [translation(f"{word} {number} en español")] if number != 5 else []
                    segments.append(
                        SegmentInput(session_id=session.id, transcript=spoken, translations=translated)
                    )
    report = await store.import_segments(segments)
    assert not report.refused
    return made["acme"]


def keys(hits: list[SearchHit]) -> list[tuple[object, ...]]:
    return [(hit.session_id, hit.transcript_id, hit.kind, hit.matched_language, hit.snippet) for hit in hits]


@pytest.mark.usefixtures("way")
async def test_a_tenant_finds_what_a_search_of_its_sessions_finds(store: Store) -> None:
    sessions = await fill(store)
    acme = store.for_tenant("acme")
    for query, fuzzy, filters in (
        ("lighthouse", False, {}),
        ("harbour or 5", False, {"finals_only": True}),
        ("lighthuose", True, {}),
        ("lighthouse", False, {"speakers": ["B"]}),
        ("español", False, {"languages": ["es"]}),
        ("submarine", False, {}),
    ):
        found = list(await acme.search(query, fuzzy=fuzzy, limit=1000, **filters))
        expected = await store.search(query, fuzzy=fuzzy, limit=1000, session_ids=sessions, **filters)
        assert keys(found) == keys(list(expected))
        assert bool(found) == (query != "submarine")


@pytest.mark.usefixtures("way")
async def test_pages_of_a_tenant_make_the_whole(store: Store) -> None:
    await fill(store)
    acme = store.for_tenant("acme")
    whole, cursor = list(await acme.search("lighthouse", limit=1000)), None
    paged: list[SearchHit] = []
    while True:
        page = await acme.search("lighthouse", limit=7, cursor=cursor)
        paged += page
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(keys(paged), key=str) == sorted(keys(whole), key=str)
