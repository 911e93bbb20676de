"""Rows in, outcomes out: the mechanics of one step of a write statement.

Rows that the stored version refuses are left out beforehand, so that the same again writes nothing. A row
that a concurrent transaction wrote meanwhile meets the same rule once more in `ON CONFLICT`; refused there,
it is written back as it was, so that `RETURNING` tells what is stored. What the statement did itself is
known by its own `statement_timestamp()`: engines that distribute by session hand out no system columns.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    Column,
    ColumnElement,
    FromClause,
    Table,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.types import TypeEngine

from livetranslate_store.values import Outcome
from livetranslate_store.writing.rules import VersionRule


def rows_given(table: Table, columns: Sequence[str]) -> CTE:
    """Return the rows that are bound as one array per column, named `<table>_<column>`."""
    wanted = [table.c[name] for name in columns]
    arrays = [bindparam(f"{table.name}_{c.name}", type_=ARRAY(_sent_as(c))) for c in wanted]
    rows = (
        func.unnest(*arrays)
        .table_valued(*(column(c.name, _sent_as(c)) for c in wanted), name=f"{table.name}_rows")
        .render_derived()
    )
    return select(
        *(cast(rows.c[c.name], c.type).label(c.name) if _is_json(c) else rows.c[c.name] for c in wanted)
    ).cte(f"{table.name}_given")


def upsert(given: CTE, table: Table, columns: Sequence[str], rule: VersionRule, *, tells: str) -> CTE:
    """Write the given rows that `rule` accepts into `table`, whose key is `(session_id, id)`.

    Returns session_id, id, outcome and `tells` (a column of the row as it is stored now) for each given row.
    """
    stored = table.alias(f"{table.name}_stored")
    pending = (
        select(*(given.c[name] for name in columns))
        .select_from(given.outerjoin(stored, same_key(given, stored)))
        .where(or_(stored.c.id.is_(None), rule.accepts(stored.c, given.c)), given.c[tells].is_not(None))
        .order_by(given.c.session_id, given.c.id)  # two writers that lock in one order never deadlock
    )
    statement = insert(table).from_select(columns, pending)
    accepted = rule.accepts(table.c, statement.excluded)
    values = rule.revised(table.c, statement.excluded)
    values["updated_at"] = func.statement_timestamp()
    written = (
        statement.on_conflict_do_update(
            index_elements=["session_id", "id"],
            set_={name: case((accepted, value), else_=table.c[name]) for name, value in values.items()},
        )
        .returning(
            *table.columns,
            (table.c.created_at == func.statement_timestamp()).label("is_new"),
            (table.c.updated_at == func.statement_timestamp()).label("is_revised"),
        )
        .cte(f"{table.name}_written")
    )
    unchanged = case(
        (written.c.id.is_not(None), rule.same(written.c, given.c)),
        else_=rule.same(stored.c, given.c),
    )
    outcome = case(
        (written.c.is_new, constant(Outcome.INSERTED)),
        (written.c.is_revised, constant(Outcome.UPDATED)),
        (unchanged, constant(Outcome.UNCHANGED)),
        else_=constant(Outcome.STALE),
    )
    return (
        select(
            given.c.session_id,
            given.c.id,
            outcome.label("outcome"),
            func.coalesce(written.c[tells], stored.c[tells]).label(tells),
        )
        .select_from(
            given.outerjoin(written, same_key(given, written)).outerjoin(stored, same_key(given, stored))
        )
        .cte(f"{table.name}_current")
    )


def same_key(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Return the condition that joins two sets of rows by their key."""
    return and_(one.c.session_id == other.c.session_id, one.c.id == other.c.id)


def constant(word: str) -> ColumnElement[str]:
    """Return one of the program's own words as SQL; what callers send is bound."""
    return literal_column(f"'{word}'", Text())


def _is_json(c: Column[Any]) -> bool:
    return isinstance(c.type, JSONB)


def _sent_as(c: Column[Any]) -> TypeEngine[Any]:
    # JSON travels as text and is cast where it arrives: the driver encodes arrays of text by itself.
    return Text() if isinstance(c.type, JSONB | Text) else c.type
