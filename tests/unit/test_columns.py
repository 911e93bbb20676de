import pytest
from msgspec import Struct
from sqlalchemy import column, table

from livetranslate_store.reading.columns import columns_of, value_of

FIRST = table("first", column("b"), column("other"))
SECOND = table("second", column("a"), column("b"))


class Thing(Struct):
    a: int
    named: int
    b: int
    made: str


def test_columns_come_in_the_order_of_the_fields_whatever_order_they_are_given_in() -> None:
    columns = columns_of(Thing, [FIRST, SECOND], computed=["made"], named=FIRST.c.other)
    assert [each.name for each in columns] == ["a", "named", "b"]
    # Two tables have b: the first one counts.
    assert [str(each.element) for each in columns] == ["second.a", "first.other", "first.b"]


def test_a_row_and_what_is_computed_make_a_value() -> None:
    assert value_of(Thing, (1, 2, 3, "a column behind them"), "made") == Thing(1, 2, 3, "made")


@pytest.mark.parametrize(
    ("computed", "named", "message"),
    [
        (["made"], [], "differ in named"),
        ([], ["named"], "differ in made"),
        (["made"], ["named", "nothing"], "differ in nothing"),
        (["named"], ["made"], "differ in"),
        (["nothing"], ["named"], "differ in nothing"),
    ],
)
def test_a_field_without_a_column_fails_when_the_statement_is_built(
    computed: list[str], named: list[str], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        columns_of(Thing, [FIRST, SECOND], computed=computed, **dict.fromkeys(named, FIRST.c.other))
