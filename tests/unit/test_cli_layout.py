"""How a table shares the width of a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetranslate_store.cli.terminal.layout import (
    GAP,
    NARROWEST_TABLE,
    READABLE_TEXT,
    READABLE_TEXT_OF_SEVERAL,
    Width,
    column_widths,
)

COLUMNS = st.lists(
    st.builds(Width, st.integers(0, 200), st.booleans(), st.booleans()), min_size=1, max_size=8
)


@given(COLUMNS, st.integers(10, 300))
def test_a_table_fits_and_its_texts_are_readable(columns: list[Width], total: int) -> None:
    widths = column_widths(columns, total)
    if widths is None:
        assert sum(each.natural for each in columns) + GAP * (len(columns) - 1) > total
        return
    assert sum(widths) + GAP * (len(columns) - 1) <= total
    texts = sum(each.is_text for each in columns)
    for each, width in zip(columns, widths, strict=True):
        assert width <= each.natural
        if each.is_text:
            least = READABLE_TEXT if texts == 1 else READABLE_TEXT_OF_SEVERAL
            assert width >= min(each.natural, least)
        if each.is_whole and not each.is_text:
            assert width == each.natural


def test_a_long_title_leaves_half_of_the_row_to_the_text() -> None:
    assert column_widths([Width(53), Width(12), Width(300, is_text=True)], 80) == [26, 12, 38]


def test_an_id_stays_whole_even_if_the_text_gets_less_than_half() -> None:
    assert column_widths([Width(36, is_whole=True), Width(6), Width(90, is_text=True)], 80) == [36, 6, 34]
    columns = [Width(36, is_whole=True), Width(16), Width(6), Width(90, is_text=True)]
    assert column_widths(columns, 80) == [36, 10, 6, 22]


@pytest.mark.parametrize("total", [20, 40, NARROWEST_TABLE - 1])
def test_a_narrow_terminal_gets_records(total: int) -> None:
    assert column_widths([Width(7), Width(100, is_text=True)], total) is None
    assert column_widths([Width(7), Width(8, is_text=True)], total) == [7, 8]
