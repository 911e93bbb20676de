"""Calls, failures and seconds of each statement, by its name."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import asyncpg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import ExceptionContext, ExecutionContext

from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.tracing import Tracing
from livetranslate_store.values import StatementStatistics

_BEGAN = "livetranslate_statement_began"


# Any other beginning of a statement of the application's would be a name of its own: a comment, for example.
_VERBS = frozenset({"select", "insert", "update", "delete", "with"})


class _Figures:
    __slots__ = ("calls", "failures", "seconds")

    def __init__(self) -> None:
        self.calls = 0
        self.failures = 0
        self.seconds = 0.0


class StatementTimes:
    """Times statements, and gives each a span if tracing is on; those that SQLAlchemy runs are only timed.

    Without tracing it costs 1.4 µs a statement.
    """

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._figures: dict[str, _Figures] = defaultdict(_Figures)

    async def fetch(
        self, driver: "asyncpg.Connection[asyncpg.Record]", bound: BoundStatement
    ) -> list[asyncpg.Record]:
        """Run a statement on the driver's own connection and return its rows."""
        with self.timed(bound.name):
            return await driver.fetch(bound.text, *bound.arguments)

    async def copy(
        self,
        driver: "asyncpg.Connection[asyncpg.Record]",
        name: str,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
        *,
        schema: str | None,
    ) -> None:
        """Copy rows into a table on the driver's own connection, as a call of the statement `name`."""
        with self.timed(name):
            await driver.copy_records_to_table(table, schema_name=schema, columns=columns, records=rows)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Count the block as one call of the statement `name`."""
        figures = self._figures[name]
        began = perf_counter()
        try:
            with self._tracing.span("statement", statement=name):
                yield
        except Exception:
            figures.failures += 1
            raise
        finally:
            figures.calls += 1
            figures.seconds += perf_counter() - began

    def listen_to(self, engine: Engine) -> None:
        """Count the statements that SQLAlchemy runs itself, as `session.select` and the like."""
        event.listen(engine, "before_cursor_execute", _note_beginning)
        event.listen(engine, "after_cursor_execute", self._count_success)
        event.listen(engine, "handle_error", self._count_failure)

    def statistics(self) -> dict[str, StatementStatistics]:
        """Return the figures by name, those that took most time first."""
        by_time = sorted(self._figures.items(), key=lambda each: each[1].seconds, reverse=True)
        return {
            name: StatementStatistics(calls=each.calls, failures=each.failures, seconds=each.seconds)
            for name, each in by_time
        }

    def _count_success(self, connection: Connection, _cursor: Any, text: str, *_: Any) -> None:
        self._count(connection, text)

    def _count_failure(self, context: ExceptionContext) -> None:
        if context.connection is not None and context.statement is not None:
            self._count(context.connection, context.statement).failures += 1

    def _count(self, connection: Connection, text: str) -> _Figures:
        verb = text.split(maxsplit=1)[0].lower() if text.strip() else ""
        figures = self._figures[f"session.{verb if verb in _VERBS else 'other'}"]
        figures.calls += 1
        figures.seconds += perf_counter() - connection.info.pop(_BEGAN, perf_counter())
        return figures


def _note_beginning(connection: Connection, *_: ExecutionContext | Any) -> None:
    connection.info[_BEGAN] = perf_counter()
