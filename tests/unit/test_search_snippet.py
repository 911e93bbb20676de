"""Extracts: what is highlighted is in them, and no character is cut."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetranslate_store.reading.search.snippet import SNIPPET_CHARACTERS, _inside, _places, snippet
from livetranslate_store.reading.search.text import runs

FAMILY = "👨‍👩‍👧‍👦"
PIECES = [
    "word",
    "café",
    "cafe\u0301",
    "予算",
    "が",
    "ที่",
    "שָׁלוֹם",
    "مَرْحَبًا",
    FAMILY,
    "🇩🇪🇫🇷",
    "👍🏽",
    " ",
    ". ",
    "\r\n",
    "한국",
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=120).map("".join)


@given(text=texts, chosen=st.sets(st.integers(1, 300), max_size=8))
def test_highlights_are_in_order_apart_and_inside(text: str, chosen: set[int]) -> None:
    found = snippet(text, chosen, [("予", "算")], ["word"])
    assert found.text in text
    end = 0
    for start, stop in found.highlights:
        assert end <= start < stop <= len(found.text)
        end = stop
        assert not unicodedata.combining(found.text[start])
        assert stop == len(found.text) or not unicodedata.combining(found.text[stop])


@given(
    before=st.integers(0, 300),
    behind=st.integers(0, 300),
    filler=st.sampled_from(["a ", "é", FAMILY, "🇩🇪", "n\u0303", "語"]),
)
def test_an_extract_shows_the_place_and_cuts_no_character(before: int, behind: int, filler: str) -> None:
    text = filler * before + " needle " + filler * behind
    (position,) = (run.position for run in runs(text) if run.units[0] == "needle")
    found = snippet(text, [position], [], [])
    assert [found.text[start:end] for start, end in found.highlights] == ["needle"]
    assert len(found.text) <= SNIPPET_CHARACTERS + 2 * len(filler)
    left, _, right = found.text.partition("needle")
    for side in (left.strip(), right.strip()):
        assert not side.replace(filler.strip(), "").strip()


def test_an_extract_is_no_longer_for_a_highlight_that_is() -> None:
    found = snippet("我说" + "哈" * 50_000, [], [("哈", "哈")], [])
    assert found.text == "我说" + "哈" * SNIPPET_CHARACTERS
    assert found.highlights == ((2, 2 + SNIPPET_CHARACTERS),)


@pytest.mark.parametrize(
    ("text", "unspaced", "shown"),
    [
        ("予算の予算", ("予", "算"), ["予算", "予算"]),
        ("予算の件", ("件",), ["件"]),
        ("ﾃｽﾄです", ("テ", "ス"), ["ﾃｽ"]),
    ],
)
def test_runs_without_spaces_are_highlighted_as_they_are(
    text: str, unspaced: tuple[str, ...], shown: list[str]
) -> None:
    found = snippet(text, [], [unspaced], [])
    assert [found.text[start:end] for start, end in found.highlights] == shown


@given(
    text=st.text(alphabet="予算が件もab 。,", max_size=60),
    asked=st.text("予算が件も", min_size=1, max_size=3),
)
def test_a_text_without_marks_is_searched_as_it_is_and_found_as_in_its_runs(text: str, asked: str) -> None:
    units = tuple(asked)
    in_runs = [place for run in runs(text) if run.unspaced for place in _inside(run, [units])]
    assert list(_places(text, frozenset(), [units], [])) == in_runs
