"""Search: every text in its own language, in every script, whatever the query is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from helpers.support import transcript, translation

from livetranslate_store import InvalidInputError, SearchHit, Store
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.ids import new_id
from livetranslate_store.reading.search.finding import find_in_steps
from livetranslate_store.reading.search.query import checked_search

SAID = {
    "en": "We discussed the budgets in two meetings, didn't we?",
    "es": "¿Hablamos del café y los presupuestos el lunes?",
    "de": "Wir sprachen über die Straße und die Häuser.",
    "fr": "L\u2019équipe a reporté les réunions.",
    "ru": "Мы обсудили новый бюджет.",
    "ja": "予算の件を話しました。",
    "zh-Hans": "我们讨论了新的预算。",
    "th": "เราคุยกันเรื่องงบประมาณใหม่",
    "lo": "ພວກເຮົາເວົ້າກ່ຽວກັບງົບປະມານ",
    "km": "យើងបានពិភាក្សាអំពីថវិកា",
    "my": "ကျွန်တော်တို့ ဘတ်ဂျက်ကို ဆွေးနွေးခဲ့တယ်",
    "ko": "우리는 예산을 논의했습니다.",
    "ar": "نَاقَشْنَا الميزانية الجديدة.",
    "vi": "Chúng tôi đã bàn về ngân sách.",
}

FOUND = [
    ("meeting", "en", "meetings"),
    ("discussing", "en", "discussed"),
    ("CAFE", "es", "café"),
    ("presupuesto", "es", "presupuestos"),
    ("podria or hablamos", "es", "Hablamos"),
    ("strasse", "de", "Straße"),
    ("haus or häuser", "de", "Häuser"),
    ("reunion", "fr", "réunions"),
    ("equipe", "fr", "équipe"),
    ("бюджеты", "ru", "бюджет"),
    ("予算", "ja", "予算"),
    ("件", "ja", "件"),
    ("話しました", "ja", "話しました"),
    ("预", "zh-Hans", "预"),
    ("讨论", "zh-Hans", "讨论"),
    ("新的预算", "zh-Hans", "新的预算"),
    ("งบ", "th", "งบ"),
    ("ใหม่", "th", "ใหม่"),
    ("ງົບ", "lo", "ງົບ"),
    ("ថវិកា", "km", "ថវិកា"),
    ("ဘတ်ဂျက်", "my", "ဘတ်ဂျက်"),
    ("예산", "ko", "예산"),
    ("ناقشنا", "ar", "نَاقَشْنَا"),
    ("ngan sach", "vi", None),
]


@pytest.fixture
async def said(store: Store, session_id: UUID) -> UUID:
    """One transcript in English, with what it is in many languages."""
    spoken = transcript(SAID["en"], start_time=3.0, speaker_label="SPEAKER_00", is_final=True)
    others = [translation(text, tag) for tag, text in SAID.items() if tag != "en"]
    await store.record_segment(session_id, transcript=spoken, translations=others)
    return session_id


def shown(hit: SearchHit) -> list[str]:
    return [hit.snippet[start:end] for start, end in hit.highlights]


def languages(hits: Sequence[SearchHit]) -> set[str | None]:
    return {hit.language if hit.kind == "transcript" else hit.translation_language for hit in hits}


@pytest.mark.parametrize(("query", "language", "highlight"), FOUND)
@pytest.mark.usefixtures("said")
async def test_a_text_is_found_and_highlighted_as_its_own_language_reads_it(
    store: Store, query: str, language: str, highlight: str | None
) -> None:
    hits = [hit for hit in await store.search(query) if languages([hit]) == {language}]
    assert len(hits) == 1
    if highlight is not None:
        assert shown(hits[0]) == [highlight]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('"two meetings"', True),
        ('"meetings two"', False),
        ('"in two"', True),
        ('"we two"', False),
        ("meetings -budget", False),
        ("meetings -holiday", True),
        ('meetings -"in two"', False),
        ("holiday or budgets", True),
        ("holiday budgets", False),
        ("holiday OR budgets -meeting", False),
        ("budgets didn't", True),
        ("the the the", True),
        ("“two meetings”", True),
        ('"two meetings', True),
    ],
)
@pytest.mark.usefixtures("said")
async def test_queries_mean_what_they_mean_on_the_web(store: Store, query: str, found: bool) -> None:
    assert bool(await store.search(query, languages=["en"])) is found


@pytest.mark.parametrize(
    "mistyped", ["meetnig", "meetimg", "meting", "meetiing", "budgte", "budgez", "discused", "two budgte"]
)
@pytest.mark.usefixtures("said")
async def test_typing_mistakes_are_forgiven_only_when_asked(store: Store, mistyped: str) -> None:
    assert len(await store.search(mistyped, languages=["en"])) == 0
    (hit,) = await store.search(mistyped, languages=["en"], fuzzy=True)
    assert shown(hit)


@pytest.mark.parametrize(
    ("language", "said", "mistyped"),
    [
        ("ru", "Сегодня обсуждаем программу конференции.", "програму"),
        ("uk", "Засідання починається о дев'ятій.", "засіданя"),  # noqa: RUF001
        ("el", "Συζητάμε το πρόγραμμα της συνεδρίασης.", "προγραμα"),
        ("hy", "Այսօր քննարկում ենք ծրագիրը։", "ծրագրիը"),  # noqa: RUF001
        ("he", "היום נדבר על התקציב של החברה.", "התקצב"),
        ("ar", "نناقش اليوم ميزانية الشركة.", "ميزانيه"),
        ("hi", "आज हम कार्यक्रम पर चर्चा करेंगे।", "कार्यकरम"),
        ("ka", "დღეს განვიხილავთ პროგრამას.", "პროგრმას"),
        ("pt", "Discutimos a programação da conferência.", "programacaao"),
    ],
)
async def test_typing_mistakes_are_forgiven_in_every_script_whatever_the_locale(
    store: Store, session_id: UUID, language: str, said: str, mistyped: str
) -> None:
    await store.record_segment(session_id, transcript=transcript(said, language=language, is_final=True))
    other = transcript("Guten Morgen, " + said[::-1], language=language, is_final=True)
    await store.record_segment(session_id, transcript=other)
    assert not await store.search(mistyped)
    (hit,) = await store.search(mistyped, fuzzy=True)
    assert hit.text == said


async def test_a_mistyped_word_is_found_in_a_long_text_and_behind_what_matches_as_it_is(
    store: Store, session_id: UUID
) -> None:
    long = "So much was said before anybody told of the expedition. " * 40
    for text in (long, "It was an expediton."):
        await store.record_segment(session_id, transcript=transcript(text))
    exact, alike = await store.search("expediton", fuzzy=True)
    assert (exact.text, alike.text) == ("It was an expediton.", long)
    assert set(shown(alike)) == {"expedition"}
    assert len(await store.search("expediton -anybody", fuzzy=True)) == 1
    assert len(await store.search("expediton 7", fuzzy=True)) == 0


async def test_a_hit_says_where_it_was_said_and_how_it_reads_in_the_language_asked_for(
    store: Store, said: UUID
) -> None:
    async with store.unit_of_work() as uow:
        await uow.sessions.update(said, title="Budgets")
        await uow.speakers.rename(said, "SPEAKER_00", "Grace")
        session = await uow.sessions.get(said)
    (hit,) = await store.search("予算", translation_language="zh")
    assert (hit.session_id, hit.session_title, hit.meeting_id) == (said, "Budgets", "abc-defg-hij")
    assert hit.session_started_at == session.started_at
    assert (hit.kind, hit.timestamp, hit.speaker_label, hit.speaker_name) == (
        *("translation", 3.0),
        *("SPEAKER_00", "Grace"),
    )
    assert (hit.text, hit.language) == (SAID["en"], "en")
    assert (hit.translation, hit.translation_language) == (SAID["zh-Hans"], "zh-Hans")
    assert hit.snippet == SAID["ja"]
    assert (hit.is_final, hit.is_stale) == (True, False)
    (hit,) = await store.search("予算")
    assert (hit.translation, hit.translation_language) == (SAID["ja"], "ja")
    (hit,) = await store.search("meetings")
    assert (hit.kind, hit.translation, hit.translation_language) == ("transcript", None, None)


async def test_a_translation_of_an_earlier_revision_is_stale(store: Store, session_id: UUID) -> None:
    spoken = transcript("One fish.", segment_key="a")
    await store.record_segment(session_id, transcript=spoken, translations=[translation("Un pez.")])
    await store.record_segment(session_id, transcript=transcript("Two fish.", segment_key="a"))
    (hit,) = await store.search("pez")
    assert hit.is_stale
    assert len(await store.search("one")) == 0


async def test_filters(store: Store) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    sessions = []
    for day in range(3):
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(
                bot_id="b", meeting_id=f"m{day}", started_at=noon + timedelta(days=day)
            )
        sessions.append(session.id)
        await store.record_segment(
            session.id,
            transcript=transcript("A comet.", speaker_label=f"SPEAKER_{day}", is_final=day == 1),
            translations=[translation("Un comet.", "es-MX"), translation("Ein comet.", "de")],
        )
    async with store.unit_of_work() as uow:
        await uow.speakers.rename(sessions[2], "SPEAKER_2", "Grace")

    async def found(**filters: Any) -> list[int]:
        return [sessions.index(hit.session_id) for hit in await store.search("comet", **filters)]

    assert sorted(await found()) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert await found(kinds=["transcript"]) == [2, 1, 0]
    assert await found(languages=["es"]) == [2, 1, 0]
    assert await found(languages=["fr"]) == []
    assert await found(session_ids=[sessions[1]], kinds=["translation"]) == [1, 1]
    assert await found(session_ids=[]) == []
    assert await found(session_ids=[new_id()]) == []
    assert await found(speakers=["Grace", "SPEAKER_0"], languages=["de", "en"]) == [2, 2, 0, 0]
    assert await found(finals_only=True) == [1, 1, 1]
    assert await found(started_from=noon + timedelta(days=1), kinds=["transcript"]) == [2, 1]
    assert await found(started_before=noon + timedelta(days=1), kinds=["transcript"]) == [0]
    assert await found(fuzzy=True, finals_only=True, speakers=["SPEAKER_1"], languages=["en"]) == [1]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "requires no word"),
        ("   ", "requires no word"),
        ("-- & | ! ( ) :* <->", "requires no word"),
        ("-budget", "requires no word"),
        ("meeting or -budget", "requires no word"),
        ("or", "requires no word"),
        ("'", "requires no word"),
        ("%_", "requires no word"),
        ("-", "requires no word"),
        ('"', "requires no word"),
        ("🎉", "requires no word"),
        ("a\0b", "NUL"),
        ("\ud800", "lone surrogate"),
        ("a" * 10_000, "10,000 characters"),
        ("a " * 65, "too many words; at most 64"),
        ("予" * 130, "too many words; at most 64"),
        (7, "must be text"),
        (None, "must be text"),
    ],
)
async def test_a_query_that_cannot_be_answered_says_why(store: Store, query: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await store.search(query)


@pytest.mark.parametrize(
    "query",
    [
        "a'b\\c",
        "a:*",
        "!a",
        "a & b | !(c",
        "a <-> b",
        '"a" "b',
        "or or a or or",
        "a\tor\nb",
        "%s $1 {}",
        "--a b",
        "a" * 999,
        "a " * 64,
        "予" * 128,
        "\u202e abc \u2066",
        "é" * 500,
        "x\u0301" * 300,
        "1e5 0x1f 3.14 -5",
    ],
)
@pytest.mark.parametrize("fuzzy", [False, True])
@pytest.mark.usefixtures("said")
async def test_no_query_is_an_error_of_the_server(store: Store, query: str, fuzzy: bool) -> None:
    assert (await store.search(query, fuzzy=fuzzy)).next_cursor is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit": 0}, "limit must be from 1 to 1000"),
        ({"limit": 1001}, "limit must be from 1 to 1000"),
        ({"cursor": "!!!"}, "not a valid cursor"),
        ({"cursor": "kA"}, "not a valid cursor"),
        ({"languages": ["english"]}, "not a BCP-47 language tag"),
        ({"translation_language": "english"}, "not a BCP-47 language tag"),
        ({"kinds": []}, "kinds needs at least one of"),
        ({"kinds": ["audio"]}, "kinds must be one of"),
        ({"speakers": "SPEAKER_00"}, "must be a sequence"),
        ({"session_ids": new_id()}, "must be a sequence"),
        ({"session_ids": ["x"]}, "must be a uuid.UUID"),
        ({"started_from": datetime(2026, 1, 1)}, "with a time zone"),  # noqa: DTZ001
    ],
)
async def test_wrong_arguments_say_what_would_be_right(
    store: Store, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await store.search("word", **arguments)


async def test_texts_of_any_size_are_stored_and_searched(store: Store, session_id: UUID) -> None:
    words = " ".join(f"word{number}" for number in range(90_000))
    for text in (words, "語" * 1_000_000, "\ufdfa" * 300_000, "x" * 1_000_000):
        await store.record_segment(session_id, transcript=transcript(text))
    (hit,) = await store.search("word4000")
    assert shown(hit) == ["word4000"]
    assert len(hit.snippet) <= 200
    assert len(await store.search("語語")) == 1


async def test_what_is_deleted_or_not_there_is_not_found(store: Store, said: UUID) -> None:
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(said)
    assert len(await store.search("meetings")) == 0


@pytest.mark.usefixtures("said")
async def test_in_no_language_nothing_is_found(store: Store) -> None:
    assert len(await store.search("meetings", languages=[])) == 0

    async def no_rows(_: BoundStatement) -> list[asyncpg.Record]:
        return []

    # As a cluster answers to the question how texts in no language are read.
    found = await find_in_steps(no_rows, checked_search("meetings", {"languages": []}))
    assert (found.hits, found.more) == ([], False)


@pytest.mark.usefixtures("said")
async def test_a_reader_may_search(reader_url: str) -> None:
    async with Store.open(reader_url, min_connections=1) as reading:
        for fuzzy in (False, True):
            assert len(await reading.search("meetings", fuzzy=fuzzy)) == 1


async def test_an_interim_revision_is_found_as_a_final_one_is(store: Store, session_id: UUID) -> None:
    async def said(text: str, **changes: Any) -> None:
        spoken = transcript(text, segment_key="a", **changes)
        await store.record_segment(
            session_id, transcript=spoken, translations=[translation("予算の件", "ja")]
        )

    async def found(query: str, **options: Any) -> int:
        return len(await store.search(query, kinds=["transcript"], **options))

    await said("Our meetings about the budg", is_final=False)
    assert await found("meeting -holiday") == await found('"about the budg"') == 1
    assert await found("meetnig", fuzzy=True) == 1
    await said("Our meeting about the budgets of 予算", is_final=False)
    assert await found("budg") == 0
    assert (
        await found("budget") == await found("予算") == await found("meeting", session_ids=[session_id]) == 1
    )
    assert await found("meeting", finals_only=True) == 0
    async with store.unit_of_work() as uow:
        await uow.sessions.end(session_id)
    assert await found("budget") == await found("予算") == 1
    await said("The meeting about budgets is over.", is_final=True)
    assert await found("予算") == 0
    assert await found("budget") == await found("meeting", finals_only=True) == 1
