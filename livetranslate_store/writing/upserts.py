"""Rows in, outcomes out: the mechanics of one step of a write statement.

Every given row is judged against what is stored: what the stored version refuses is not written at all. A
row that a concurrent transaction wrote meanwhile is judged once more in `ON CONFLICT`; refused there, it was
neither written nor seen, and is counted as overtaken: whoever runs the statement runs it again. What the
statement inserted itself is known by its own `statement_timestamp()`: engines that distribute by session hand
out no system columns.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import LateralFromClause

from livetranslate_store.values import Outcome
from livetranslate_store.writing.revision_rules import VersionRule

#: The kind of the row that no receipt is made of: it has the transaction's number in place of a revision.
POSITION = "position"


class Step(NamedTuple):
    """One step of a statement: what became of its rows, and how many were overtaken."""

    #: session_id, id, outcome, and a column of the row as it is stored now; rows that were overtaken are not
    #: among them.
    current: CTE
    overtaken: ColumnElement[int]


def upsert(given: CTE, table: Table, columns: Sequence[str], rule: VersionRule, *, tells: str) -> Step:
    """Write the given rows that `rule` accepts into `table`, whose key is `(session_id, id)`.

    `tells` is the column that is told of each; a row in which it is NULL is refused.
    """
    judged = _judged(given, table, columns, rule, tells)
    pending = (
        select(*(judged.c[name] for name in columns))
        .where(judged.c.is_accepted)
        .order_by(judged.c.session_id, judged.c.id)  # two writers that lock in one order never deadlock
    )
    statement = insert(table).from_select(columns, pending)
    values = rule.revised(table.c, statement.excluded) | {"updated_at": func.statement_timestamp()}
    written = (
        statement.on_conflict_do_update(
            index_elements=["session_id", "id"],
            set_=values,
            where=rule.accepts(table.c, statement.excluded),
        )
        .returning(
            table.c.session_id,
            table.c.id,
            table.c[tells],
            (table.c.created_at == func.statement_timestamp()).label("is_new"),
        )
        .cte(f"{table.name}_written")
    )
    done = case((written.c.is_new, constant(Outcome.INSERTED)), else_=constant(Outcome.UPDATED))
    refused = case((judged.c.is_same, constant(Outcome.UNCHANGED)), else_=constant(Outcome.STALE))
    # Two sets that need no join: what is neither written nor refused was overtaken.
    current = union_all(
        select(written.c.session_id, written.c.id, done.label("outcome"), written.c[tells].label(tells)),
        select(
            judged.c.session_id,
            judged.c.id,
            refused.label("outcome"),
            judged.c[f"stored_{tells}"].label(tells),
        ).where(~judged.c.is_accepted),
    ).cte(f"{table.name}_current")
    return Step(current, count_of(judged, judged.c.is_accepted) - count_of(written))


def count_of(rows: CTE, condition: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    """Return how many rows there are."""
    counted = select(func.count()).select_from(rows)
    return (counted if condition is None else counted.where(condition)).scalar_subquery()


def same_key(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Return the condition that joins two sets of rows by their key."""
    return and_(one.c.session_id == other.c.session_id, one.c.id == other.c.id)


def looked_up(table: Table, given: FromClause, name: str, **key: str) -> LateralFromClause:
    """Return the one stored row for each given row, by the columns of `key` and those given that they equal.

    A lookup per row by the primary key, and never a scan of the table, whatever the planner believes: the
    plan is kept for as long as the connection lives, and the table may have been empty when it was made.
    """
    conditions = (table.c[column] == given.c[value] for column, value in key.items())
    return select(table).where(*conditions).limit(literal_column("1")).lateral(name)


def results_of(written: FromClause, kind: str, revision: str | None = None) -> Select[Any]:
    """Return the rows that become receipts: `(kind, session_id, id, outcome, revision)`."""
    return select(
        constant(kind).label("kind"),
        written.c.session_id,
        written.c.id,
        written.c.outcome,
        (literal_column("NULL::bigint") if revision is None else written.c[revision]).label("revision"),
    )


def position() -> ColumnElement[int]:
    """Return the transaction's number: a server that sees the end of it sees all that came before."""
    return cast(cast(func.pg_current_xact_id(), Text), BigInteger)


def position_row() -> Select[Any]:
    """Return a row beside those of `results_of` that tells the position."""
    none: list[ColumnElement[Any]] = [literal_column(f"NULL::{kind}") for kind in ("uuid", "uuid", "text")]
    return select(constant(POSITION), *none, position())


def constant(word: str) -> ColumnElement[str]:
    """Return one of the program's own words as SQL; what callers send is bound."""
    return literal_column(f"'{word}'", Text())


def _judged(given: CTE, table: Table, columns: Sequence[str], rule: VersionRule, tells: str) -> CTE:
    """Return the given rows with what the stored version, if there is one, makes of them."""
    stored = looked_up(table, given, f"{table.name}_stored", session_id="session_id", id="id")
    accepted = and_(given.c[tells].is_not(None), or_(stored.c.id.is_(None), rule.accepts(stored.c, given.c)))
    return (
        select(
            *(given.c[name] for name in columns),
            stored.c[tells].label(f"stored_{tells}"),
            accepted.label("is_accepted"),
            rule.same(stored.c, given.c).label("is_same"),
        )
        .select_from(given.outerjoin(stored, true()))
        .cte(f"{table.name}_judged")
    )
