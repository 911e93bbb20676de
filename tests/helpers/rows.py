"""Rows of a meeting made up for the tests of what writes them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import strategies as st

from livetranslate_store.values import SessionFacts, TranscriptRow, ViewedTranslation

SESSION = SessionFacts(
    id=UUID(int=1),
    title="Weekly",
    bot_id="bot-7",
    meeting_id="abc",
    external_id=None,
    started_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    ended_at=None,
    target_languages=["es"],
)


def row(
    text: str = "Hello.",
    start: float | None = 0.0,
    end: float | None = 1.0,
    *,
    speaker: str | None = None,
    translations: Sequence[str | None] = (),
    language: str = "en",
    is_final: bool = True,
    is_stale: bool = False,
    edited_by: str | None = None,
) -> TranscriptRow:
    """Return a row at its place in the timeline, with translations into es, ja and so on."""
    known = start if start is not None else end
    at = None if edited_by is None else SESSION.started_at
    return TranscriptRow(
        transcript_id=UUID(int=2),
        timestamp=known or 0.0,
        duration=max(end - start, 0.0) if start is not None and end is not None else 0.0,
        start_time=start,
        end_time=end,
        text=text,
        language=language,
        speaker_label=None if speaker is None else "S0",
        speaker_name=speaker,
        confidence=0.5,
        segment_index=0,
        source="transcriber",
        revision=3,
        is_final=is_final,
        translations=tuple(
            None if each is None else ViewedTranslation(each, "es", None, "t", 3, is_stale, edited_by, at)
            for each in translations
        ),
        edited_by=edited_by,
        edited_at=at,
    )


# What breaks lines, cues, markup and clusters is more likely than anything else.
_PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from([
        "a word ", "\n", "\n\n", "\r\n", "\u2028", "\x85", "\t", " ", "-->", "00:00:01.000 --> 00:00:02.000",
        "1\n00:00:01,000 --> 00:00:02,000\n", "<i>", "</v>", "&lt;", "{\\an8}", "NOTE ", "WEBVTT", "STYLE\n",
        "東京へ行きましょう、", "ไม่มีช่องว่างระหว่างคำ", "שלום", "é" * 50, "e\u0301\u0302", "👩‍🚀", "🇩🇪🇫🇷",
        "👍🏽", "x" * 60, "\x1b[31m", "\x00", "# ", "1. ", "- ", "*b*", "`", "https://a.b", "\u202e",
    ]),
)  # fmt: skip
TEXTS = st.lists(_PIECES, max_size=12).map("".join)
# What a note about an edit, a name or the end of a text could be mistaken for.
EDITORS = st.lists(
    st.one_of(
        st.text(min_size=1, max_size=4),
        st.sampled_from([
            "Ana", " ", ":", ": ", "(", ")", "*", "\\", "\u2060", "\n", "(edited by ",
            ")* *(edited by ", "(not final)",
        ]),
    ),
    min_size=1, max_size=5,
).map("".join)  # fmt: skip
TIMES = st.one_of(st.none(), st.floats(-5, 50), st.sampled_from([0.0, 1.0, 1.0004, 353_998.9996]))


@st.composite
def _rows(draw: st.DrawFn) -> TranscriptRow:
    start, end = draw(TIMES), draw(TIMES)
    if start is not None and end is not None and end < start:
        start, end = end, start
    return row(
        draw(TEXTS),
        start,
        end,
        speaker=draw(st.one_of(st.none(), st.sampled_from(["Ana", "Bé <x>", "C&\n\nD", "-->"]))),
        translations=[draw(st.one_of(st.none(), TEXTS))],
        edited_by=draw(st.one_of(st.none(), EDITORS)),
    )


MEETINGS = st.lists(_rows(), max_size=12).map(lambda rows: sorted(rows, key=lambda each: each.timestamp))
