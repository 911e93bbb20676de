"""The protocol of every write: first what is likely, else merge by the rules, again after a lost race.

A race is lost if another transaction writes a row after the statement has looked at it. The next attempt sees
that version, so that the rules decide.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

from livetranslate_store.errors import ConflictError, DuplicateError, StoreError
from livetranslate_store.writing.binding import RowsByTable
from livetranslate_store.writing.connection import Connection
from livetranslate_store.writing.encoding import KEYS
from livetranslate_store.writing.forms import forms_of
from livetranslate_store.writing.history import keep_refused, keeping_replaced
from livetranslate_store.writing.outcomes import WriteOutcomes

# A race is lost once, hardly ever twice.
ATTEMPTS = 5

T = TypeVar("T")
#: A form of a write.
Form: TypeAlias = Callable[[str, RowsByTable, Connection], Awaitable[Sequence[Any]]]
#: Returns the result, or None if the rows must be merged.
Attempt: TypeAlias = Callable[[], Awaitable[T | None]]


async def first_or_merge(first: Attempt[T] | None, merge: Attempt[T]) -> T:
    """Return the result of `first`, which fits the likely case, else of the first merge that has one.

    Raises ConflictError after ATTEMPTS merges.
    """
    if first is not None and (result := await first()) is not None:
        return result
    for _ in range(ATTEMPTS):
        if (result := await merge()) is not None:
            return result
    raise ConflictError


def undone_by_race(attempt: Attempt[T], *, inserts: bool = False) -> Attempt[T]:
    """Return the attempt of a whole transaction, which the server undoes if the race is lost.

    A merge ends with a ConflictError then: `lost_race_row` makes the server report one. An insert may also
    end with a DuplicateError.
    """
    return partial(_unless_lost, attempt, (ConflictError, DuplicateError) if inserts else (ConflictError,))


async def _unless_lost(attempt: Attempt[T], lost: tuple[type[StoreError], ...]) -> T | None:
    try:
        return await attempt()
    except lost:
        return None


async def write_rows(
    table: str, rows: RowsByTable, connection: Connection, *, probably_new: bool = True
) -> WriteOutcomes:
    """Write rows of one table, each by itself, and return the outcomes.

    Transcripts may come with their speakers. A translation without a stored transcript has no outcome. No
    key may occur twice. The texts that edits replace are kept.
    """

    async def write(connection: Connection) -> WriteOutcomes:
        return await _write_rows(table, rows, connection, probably_new=probably_new)

    outcomes = await keeping_replaced(rows, connection, write)
    if connection.keeps_refused_texts and outcomes.has_stale(table):
        connection.note_stored()
        await keep_refused(rows, connection.fetch)
    return outcomes


async def _write_rows(
    table: str, rows: RowsByTable, connection: Connection, *, probably_new: bool
) -> WriteOutcomes:
    outcomes = WriteOutcomes()
    key_length = len(KEYS[table])
    forms = forms_of(connection)

    async def add_missing(form: Form) -> bool:
        known = outcomes.keys(table)
        missing = [row for row in rows[table] if row[:key_length] not in known]
        outcomes.add(await form(table, {**rows, table: missing}, connection))
        if known:
            connection.note_stored()
        return len(known) == len(rows[table])

    async def insert() -> WriteOutcomes | None:
        return outcomes if await add_missing(forms.insert) else None

    async def merge() -> WriteOutcomes | None:
        await add_missing(forms.merge)
        return None if outcomes.lost_race else outcomes

    return await first_or_merge(insert if probably_new else None, merge)
