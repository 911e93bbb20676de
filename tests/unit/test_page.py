"""The page's text: what it says, and that it stands alone."""

import re
from html.parser import HTMLParser

import pytest
from helpers import page_samples
from helpers.page_samples import row, translation
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from livetranslate_store.page.lanes import axis_of, lanes_of, voices_of
from livetranslate_store.page.plots import MOST_BARS, coverage_of, figures_of, speech_of
from livetranslate_store.page.session_page import columns_of
from livetranslate_store.page.wording import amount, clock, length, seconds_attribute, share
from livetranslate_store.values import MinuteStatistics, ScriptCounts


class Reader(HTMLParser):
    """Reads the texts of the transcript, and every element on the way."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self._inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "p" and "lang" in dict(attrs):
            self._inside = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data


def test_nothing_is_loaded_from_anywhere() -> None:
    html = page_samples.sample_page()
    assert "default-src 'none'" in html
    assert "unsafe" not in html
    assert not re.search(r"<(link|img|iframe|object|embed)\b|\b(src|srcset|action)=|url\(|@import", html)
    assert re.findall(r'href="([^#][^"]*)"', html) == []


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")))
def test_any_text_comes_back_as_it_was_and_adds_no_element(text: str) -> None:
    hostile = page_samples.page(
        [row(text, 0, 1, label=text, translations=[translation(text)])], ["es"], title=text or None
    )
    calm = page_samples.page(
        [row("calm", 0, 1, label="calm", translations=[translation("calm")])], ["es"], title="calm"
    )
    read = Reader(hostile)
    assert read.texts == [text, text]
    assert read.tags == Reader(calm).tags


def test_a_gap_says_why_it_is_one() -> None:
    rows = [row("Hallo", 0, 1, language="de-AT", translations=[None, None])]
    html = page_samples.page(rows, ["de", "fr"])
    assert html.count('class="gap">as spoken<') == 1
    assert html.count('class="gap">not translated<') == 1


def test_a_language_is_recognised_in_any_case() -> None:
    rows = [row("Hallo", 0, 1, language="DE-at", translations=[None])]
    assert page_samples.page(rows, ["de"]).count('class="gap">as spoken<') == 1
    assert columns_of(["pt", "PT-br", "zh-Hans", "ZH", "Pt", "pto"]) == ["pt", "ZH", "pto"]


def test_a_language_that_needs_no_translation_has_no_bar() -> None:
    (share,) = coverage_of(
        page_samples.statistics([row("Hola", 0, 1, language="es", translations=[None])], ["es"])
    )
    assert (share.parts, share.value, share.note) == ((), "", "nothing to translate")


def test_a_meeting_without_speech_claims_nothing_about_it() -> None:
    notes = [figure.note for figure in figures_of(page_samples.statistics([]), 0)]
    assert notes[:2] == ["no speech with times", "none yet"]


def test_long_words_are_hyphenated() -> None:
    assert "hyphens: auto" in page_samples.sample_page()


def test_what_may_still_change_is_marked() -> None:
    rows = [row("Hel", 0, 1, is_final=False, translations=[translation("Ho", is_stale=True)])]
    html = page_samples.page(rows, ["es"])
    assert 'class="badge">interim<' in html
    assert 'class="badge">stale<' in html


def test_an_edited_text_names_its_editor() -> None:
    rows = [replace(row("Hi", 0, 1, translations=[translation("Ho")]), edited_by="Ana <b>")]
    html = page_samples.page(rows, ["es"])
    assert html.count('class="badge" title="by Ana &lt;b&gt;">edited<') == 1


def test_two_labels_with_one_name_have_a_lane_each() -> None:
    rows = [row("a", 0, 1, label="A", name="Ada"), row("b", 2, 3, label="B", name="Ada"), row("c", 4, 5)]
    voices = voices_of([], rows)
    lanes = lanes_of(rows, voices.values(), axis_of(rows))
    assert [lane.path.count("M") for lane in lanes] == [2, 1]
    assert len({voice.colour for voice in voices.values()}) == 2


@pytest.mark.parametrize(
    ("times", "start", "span"),
    [
        ([(10.0, 60.0)], 0.0, 60.0),
        ([(-5.0, 60.0)], -5.0, 65.0),
        ([(1.7e9, 1.7e9 + 60)], 1.7e9, 60.0),  # a transcriber that counts from 1970
        ([(0.0, 0.0)], 0.0, 1.0),
        ([(None, None)], 0.0, 1.0),
        ([], 0.0, 1.0),
    ],
)
def test_the_axis_shows_all_speech(
    times: list[tuple[float | None, float | None]], start: float, span: float
) -> None:
    assert axis_of([row("x", *each) for each in times]) == (start, span)


@given(st.floats(-1e9, 1e9), st.floats(1.0, 1e9))
def test_an_axis_has_a_few_ticks_within_itself(start: float, span: float) -> None:
    rows = [row("x", start, start + span)]
    axis = axis_of(rows)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 8
    assert all(0 <= float(tick.x) <= 100 for tick in ticks)


@given(st.integers(1, 5000))
def test_speech_per_minute_keeps_all_seconds_in_few_bars(minutes: int) -> None:
    end = 60.0 * minutes - 50
    plot = speech_of([MinuteStatistics(each, 1, 30.0, ScriptCounts(1, 0)) for each in range(minutes)], end)
    assert plot is not None
    assert len(plot.bars) <= MOST_BARS
    assert "On average 30 s" in plot.summary
    assert "most, 30 s" in plot.summary
    assert ("Each bar is the mean of" in plot.summary) == (minutes > MOST_BARS)
    assert plot.last == clock(end)
    assert all(float(bar.width) > 0 for bar in plot.bars)
    assert float(plot.bars[-1].x) + float(plot.bars[-1].width) < 100.001


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (clock(0), "0:00"),
        (clock(75.9), "1:15"),
        (clock(3605), "1:00:05"),
        (clock(-75), "-1:15"),
        (clock(-0.5), "0:00"),
        (length(41.6), "42 s"),
        (length(120), "2 min"),
        (length(598), "9 min 58 s"),
        (length(17940), "4 h 59 min"),
        (share(0), "0%"),
        (share(0.001), "<1%"),
        (share(0.999), ">99%"),
        (share(1), "100%"),
        (seconds_attribute(12.3456), "12.346"),
        (seconds_attribute(100.0), "100"),
        (amount(ScriptCounts(1200, 0)), "1,200 words"),
        (amount(ScriptCounts(0, 34)), "34 characters"),
        (amount(ScriptCounts(1, 34)), "1 word and 34 characters"),
        (amount(ScriptCounts(0, 1)), "1 character"),
        (amount(ScriptCounts(0, 0)), "0 words"),
    ],
)
def test_wording(written: str, expected: str) -> None:
    assert written == expected
