"""How texts and times look in a line and on a terminal."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from livetranslate_store.cli.terminal.terminal_text import IsolatedText, clock, one_line, visible

ANYTHING = st.text(
    st.characters(codec="utf-8") | st.sampled_from("\t\n\r\x1b\u202e\u2066\u2069שם日本👩\u200d\u0301\\"),
    max_size=60,
)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0:00.0"),
        (59.96, "1:00.0"),
        (63.25, "1:03.2"),
        (3600.0, "1:00:00.0"),
        (36_061.5, "10:01:01.5"),
        (-1.5, "-0:01.5"),
        (-0.01, "0:00.0"),
    ],
)
def test_a_clock_shows_minutes_and_hours_where_there_are_any(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@given(ANYTHING)
def test_a_field_of_a_line_is_one_line_that_can_be_read_back(text: str) -> None:
    field = one_line(text)
    assert not set("\t\n\r") & set(field)
    back = field.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r")
    if "\0" not in text:
        assert back.replace("\0", "\\") == text


@given(ANYTHING)
def test_what_is_shown_holds_no_control_and_nothing_that_reorders(text: str) -> None:
    shown = visible(text)
    assert all(each == "\n" or each.isprintable() or ord(each) > 0x9F for each in shown)
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") & set(shown)


@given(ANYTHING, st.integers(4, 30))
def test_no_line_of_a_text_is_wider_than_its_cell_and_each_closes_its_direction(
    text: str, width: int
) -> None:
    console = Console(width=width, file=StringIO())
    lines = ["".join(part.text for part in line) for line in console.render_lines(IsolatedText(text))]
    for line in lines:
        assert cell_len(line) == width
        assert line.count("\u2068") == line.count("\u2069")
