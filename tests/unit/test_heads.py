"""No part of a head becomes a text, and no text is lost: a head is read, or refused with its line."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetranslate_store import Refusal
from livetranslate_store.formats import read_transcript
from livetranslate_store.formats.readers.heads import head_of, is_meant_as_head
from livetranslate_store.values import ImportedCue


def items(text: str, name: str = "srt") -> list[ImportedCue | Refusal]:
    return list(read_transcript(text.encode(), format=name, language="en"))


def texts(text: str, name: str = "srt") -> list[str]:
    return [item.text for item in items(text, name) if isinstance(item, ImportedCue)]


@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("00:00:01,000 --> 00:00:02,500", (1.0, 2.5)),
        ("00\uff1a00\uff1a01\uff0c000 \uff0d\uff0d\uff1e \uff10\uff10:00:02,500", (1.0, 2.5)),
        ("\ufeff00:00:01.000 -> 00:00:02.500", (1.0, 2.5)),
        ("00: 00: 01, 000  -- >  00: 00: 02, 500", (1.0, 2.5)),
        ("00:00:01,000 \u2192 00:00:02,500", (1.0, 2.5)),
        ("7 00:00:01,000 --> 00:00:02,500", (1.0, 2.5)),
        ("00:00:01,000 --> 00:00:02,500Text", (1.0, 2.5)),
        ("0:01.0 --> 0:02.5 align:start position:0%", (1.0, 2.5)),
        ("00:00:01,24.5 --> 00:00:02,500.25", (1.0245, 2.50025)),
        ("-00:00:01,000 --> 00:00:02,500", (-1.0, 2.5)),
    ],
)
def test_a_head_is_read_as_programs_write_it(line: str, times: tuple[float, float]) -> None:
    head = head_of(line)
    assert head is not None
    assert (head.start, head.end) == times
    assert head.rest in {"", "Text"}


@pytest.mark.parametrize(
    "line",
    [
        *("We meet from 10:30 --> 11:00.", "10:30 - 11:00 lunch", "10:30 -> 11:00", "Score --> 3.5"),
        *("2 > 1", "I <3 this -> and", "At 10:15:30 it rang", "3.14", "1,000 or 2,000", "Ratio 3:2 -> 6:4"),
    ],
)
def test_a_clock_time_or_an_arrow_in_a_text_is_text(line: str) -> None:
    assert head_of(line) is None
    assert not is_meant_as_head(line, numbered=False)


HEAD = "00:00:02,000 --> 00:00:03,000"
FILE = "1\n00:00:01,000 --> 00:00:02,000\nAlpha\n\n2\n{}\nBeta\n\n3\n00:00:03,000 --> 00:00:04,000\nGamma\n"


@settings(max_examples=400)
@given(
    place=st.integers(0, len(HEAD) - 1),
    other=st.sampled_from(["", " ", "x", "O", "\ufeff", "\uff10", "::", ".", "-", ">", "0"]),
)
def test_a_head_in_which_one_character_is_wrong_never_becomes_a_text(place: int, other: str) -> None:
    damaged = HEAD[:place] + other + HEAD[place + 1 :]
    found = items(FILE.format(damaged))
    said = [item.text for item in found if isinstance(item, ImportedCue)]
    refused = [item for item in found if isinstance(item, Refusal)]
    # Beta is there, or its head is refused; Alpha and Gamma have nothing to do with it.
    assert said in (["Alpha", "Beta", "Gamma"], ["Alpha", "Gamma"])
    assert ("Beta" in said) == (not refused)
    assert [each.line for each in refused] in ([], [6])


@settings(max_examples=200)
@given(
    st.integers(0, 2), st.sampled_from(["", "2", "2.0", "-2", "#2", "(2)", "2:", "\uff12", "2a", "\ufeff2"])
)
def test_no_number_of_a_cue_becomes_a_text(blank: int, number: str) -> None:
    text = FILE.format(HEAD).replace("\n\n2\n", "\n" * (blank + 1) + (f"{number}\n" if number else ""))
    if blank == 0 and not number.strip("\ufeff").isdigit():
        # Without a blank line before it, only a plain number is one.
        text = text.replace(f"{number}\n{HEAD}" if number else HEAD, HEAD)
    assert texts(text) == ["Alpha", "Beta", "Gamma"]


def test_a_cue_without_times_is_refused_by_its_number() -> None:
    text = FILE.format("Beta").replace("Beta\nBeta", "Beta")
    found = items(text)
    assert [item.line for item in found if isinstance(item, Refusal)] == [5]
    assert [item.text for item in found if isinstance(item, ImportedCue)] == ["Alpha", "Gamma"]


def test_a_number_that_is_a_text_stays_one() -> None:
    assert texts(FILE.format(HEAD).replace("Beta", "42")) == ["Alpha", "42", "Gamma"]
    assert texts("00:00:01,000 --> 00:00:02,000\n42\n\n00:00:02,000 --> 00:00:03,000\n7\n") == ["42", "7"]


def test_a_time_that_cannot_be_right_is_left_out_and_its_text_kept() -> None:
    file = read_transcript(FILE.format("00:00:03,000 --> 00:00:02,000").encode(), language="en", name="a.srt")
    [_, beta, _] = file.cues
    assert (beta.text, beta.start_time, beta.end_time) == ("Beta", 3.0, None)
    assert [note.line for note in file.notes] == [6]


def test_the_other_line_ends_make_no_difference() -> None:
    for end in ("\r\n", "\r", "\r\r\n", "\n\n"):
        assert texts(FILE.format(HEAD).replace("\n", end)) == ["Alpha", "Beta", "Gamma"]


def test_no_head_of_webvtt_becomes_a_text() -> None:
    text = "WEBVTT\n\n" + re.sub(",", ".", FILE.format("00:00:0x.000 --> 00:00:03.000"))
    assert texts(text, "webvtt") == ["Alpha", "Gamma"]
