"""How each text search configuration reads the query, in SQL."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, REGCONFIG, TSQUERY, aggregate_order_by

from livetranslate_store.models import SCHEMA

#: The functions of the schema itself.
functions = getattr(func, SCHEMA)

_OR = literal_column("' | '", Text)
_EMPTY = literal_column("''::tsquery", TSQUERY)
#: The columns of a reading.
READING: Mapping[str, Any] = {
    "configuration": REGCONFIG,
    "query": TSQUERY,
    "shown": TSQUERY,
    "rests": ARRAY(TSQUERY),
}
_BRANCHES = ("plain", "strict", "shown_plain", "shown_strict", "rest")


class Readings(NamedTuple):
    """The readings of the query.

    `each` has a row per configuration: its `query`, the words `shown` as highlights, and for each branch the
    part in `rests` that a fuzzy search matches exactly. `any` has one query, which matches if any of them
    does.
    """

    each: CTE
    any: CTE


def materialized(rows: Select[Any] | CompoundSelect[Any], name: str) -> CTE:
    """Return a CTE that is evaluated once."""
    return rows.cte(name).prefix_with("MATERIALIZED")


def number(value: int) -> ColumnElement[int]:
    """Return a number that is part of the statement's text."""
    return literal_column(f"{value}", Integer)


def query_readings() -> Readings:
    """Return the readings of the query's branches, by all configurations."""
    ways = _unnested("way", ("configurations", "stopping"), kind=REGCONFIG)
    branches = _unnested("branch", _BRANCHES, kind=Text, with_ordinality="number")
    configuration, stopping = ways.c.configurations, ways.c.stopping
    asked = (
        select(
            _read(configuration, branches.c.strict).label("strictly"),
            _read(stopping, branches.c.plain).label("shortly"),
            _read(configuration, branches.c.rest).label("rest"),
        )
        .correlate(ways, branches)
        .lateral("asked")
    )
    # A language may drop every required word as a stop word: then it drops none.
    says_nothing = func.querytree(_both(asked.c.shortly, asked.c.strictly)).in_(
        [literal_column("''"), literal_column("'T'")]
    )
    chosen = (
        select(case((says_nothing, configuration), else_=stopping).label("configuration"))
        .correlate(ways, asked)
        .lateral("chosen")
    )
    in_full = _read(configuration, branches.c.plain)
    required = case((chosen.c.configuration == stopping, asked.c.shortly), else_=in_full)
    read = (
        select(
            _both(required, asked.c.strictly).label("query"),
            _read(chosen.c.configuration, branches.c.shown_plain)
            .op("||")(_read(configuration, branches.c.shown_strict))
            .label("shown"),
        )
        .correlate(ways, branches, asked, chosen)
        .lateral("read")
    )
    rows = (
        select(
            configuration.label("configuration"),
            _any_of(_in_brackets(read.c.query)).label("query"),
            cast(
                func.coalesce(
                    func.string_agg(func.nullif(cast(read.c.shown, Text), literal_column("''")), _OR),
                    literal_column("''"),
                ),
                TSQUERY,
            ).label("shown"),
            func.array_agg(aggregate_order_by(asked.c.rest, branches.c.number), type_=ARRAY(TSQUERY)).label(
                "rests"
            ),
        )
        .select_from(_crossed(ways, branches, asked, chosen, read))
        .group_by(configuration)
    )
    each = materialized(rows, "reading")
    any_reading = select(_any_of(_in_brackets(each.c.query).distinct()).label("query"))
    return Readings(each, materialized(any_reading, "asked"))


def readings_as_text() -> Select[Any]:
    """Return the read of the readings as text, for `given_readings`: a row for each, and `asked` in each."""
    readings = query_readings()
    asked = cast(readings.any.c.query, Text).label("asked")
    columns: list[ColumnElement[Any]] = [
        *(cast(readings.each.c[name], Text).label(name) for name in READING),
        asked,
    ]
    return select(*columns).select_from(readings.each.join(readings.any, true()))


def given_readings() -> Readings:
    """Return the readings that were read before: arrays of text, named like the columns, and `asked`."""
    given = _unnested("given", [f"reading_{name}" for name in READING], kind=Text)
    columns = zip(given.c, READING.items(), strict=True)
    read: list[ColumnElement[Any]] = [cast(text, kind).label(name) for text, (name, kind) in columns]
    return Readings(
        materialized(select(*read), "reading"), materialized(select(any_reading().label("query")), "asked")
    )


def any_reading() -> ColumnElement[Any]:
    """Return the query that matches if any reading does, as it was read before."""
    return cast(bindparam("asked", type_=Text), TSQUERY)


def _unnested(name: str, parameters: Sequence[str], *, kind: Any, with_ordinality: str | None = None) -> Any:
    """Return arrays of text side by side, as rows."""
    texts = [bindparam(parameter, type_=ARRAY(Text)) for parameter in parameters]
    arrays = texts if kind is Text else [cast(each, ARRAY(kind)) for each in texts]
    columns = [column(parameter, kind) for parameter in parameters]
    table = func.unnest(*arrays).table_valued(*columns, with_ordinality=with_ordinality)
    return table.render_derived(name=name)


def _crossed(first: FromClause, *others: FromClause) -> FromClause:
    for other in others:
        first = first.join(other, true())
    return first


def _read(configuration: ColumnElement[Any], words: ColumnElement[str]) -> ColumnElement[Any]:
    # For an empty text the server would send a notice each time.
    read = func.to_tsquery(configuration, words, type_=TSQUERY)
    return case((words == literal_column("''"), _EMPTY), else_=read)


def _both(left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[Any]:
    return left.op("&&", return_type=TSQUERY())(right)


def _in_brackets(query: ColumnElement[Any]) -> ColumnElement[str]:
    return literal_column("'('", Text).concat(cast(query, Text)).concat(literal_column("')'", Text))


def _any_of(queries: ColumnElement[str]) -> ColumnElement[Any]:
    return cast(func.string_agg(queries, _OR), TSQUERY)
