"""The page of what a store holds."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from livetranslate_store import NotFoundError, Store, TranscriptInput, TranslationInput
from livetranslate_store.page.session_page import session_page


async def said(store: Store, text: str, *translations: TranslationInput) -> UUID:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(
            bot_id="bot-7",
            meeting_id="abc-defg-hij",
            title="A <small> meeting",
            target_languages=["ja", "zh"],
        )
    transcript = TranscriptInput(
        text=text,
        language="en",
        start_time=1.0,
        end_time=3.0,
        speaker_label="A",
        speaker_name="Ada",
        segment_key="1",
        is_final=True,
    )
    await store.record_segment(session.id, transcript=transcript, translations=translations)
    return session.id


def pages_in(folder: Path) -> list[Path]:
    return list(folder.glob("*.html"))


async def test_the_page_has_a_column_for_each_language_that_is_wanted_or_there(store: Store) -> None:
    session_id = await said(
        store,
        "Good & bad.",
        TranslationInput(text="Bueno y malo.", target_language="es"),
        TranslationInput(text="好的和坏的。", target_language="zh-Hans"),
    )
    html = await session_page(store, session_id)
    assert "<h1><bdi>A &lt;small&gt; meeting</bdi></h1>" in html
    assert "Good &amp; bad." in html
    assert "Bueno y malo." in html
    assert "好的和坏的。" in html
    # Japanese is wanted and missing; simplified Chinese stands in the column of Chinese.
    columns = html[html.index('id="names"') :].partition("</div>")[0]
    assert columns.count("data-language") == 3
    assert html.count(">not translated<") == 1


async def test_an_unknown_session_has_no_page(store: Store) -> None:
    with pytest.raises(NotFoundError):
        await session_page(store, uuid4())
