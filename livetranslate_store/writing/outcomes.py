"""The rows that a write returns: how SQL makes them, and how they become receipts.

A row is `(kind, session_id, id, language, outcome, revision)`. A translation has the id of its transcript;
other rows have no language. The kind is a table, or one of two that belong to the statement as a whole and
have a number in place of a revision.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, Text, cast, func, literal_column, select

from livetranslate_store.values import AudioReceipt, Outcome, TranscriptReceipt, TranslationReceipt
from livetranslate_store.writing.encoding import KEYS, Key, Row, RowKey, TranslationKey

#: The column of a table that a receipt names as the revision; None if it has none.
REVISION_COLUMNS: Mapping[str, str | None] = {
    "audio_files": None,
    "transcripts": "revision",
    "translations": "transcript_revision",
}

# A look-up in a dict is quicker than a call of the enumeration.
_OUTCOMES: Mapping[str, Outcome] = {each.value: each for each in Outcome}

#: The number of the transaction: a server that shows its end shows every earlier write too.
POSITION = "position"
#: The number of rows that a concurrent transaction wrote meanwhile.
LOST_RACE = "lost_race"


class WriteOutcomes:
    """The outcomes of one write by table and key, from one or more executions of its statements."""

    def __init__(self, rows: Iterable[Any] = ()) -> None:
        self._rows: dict[str, dict[RowKey, tuple[Outcome, int]]] = {table: {} for table in REVISION_COLUMNS}
        self._position = 0
        #: Whether a concurrent transaction won in the last execution: rows without an outcome go again.
        self.lost_race = False
        self.add(rows)

    def add(self, rows: Iterable[Any]) -> None:
        """Add the rows returned by one execution."""
        self.lost_race = False
        for kind, session_id, row_id, language, outcome, revision in rows:
            if kind == LOST_RACE:
                self.lost_race = True
            elif kind == POSITION:
                self._position = revision
            else:
                key = (session_id, row_id) if language is None else (session_id, row_id, language)
                self._rows[kind][key] = (_OUTCOMES[outcome], revision)

    def keys(self, table: str) -> Collection[RowKey]:
        """Return the keys of a table's rows that have an outcome."""
        return self._rows[table].keys()

    def has_stale(self, *tables: str) -> bool:
        """Return whether a row of these tables was refused."""
        return any(outcome is Outcome.STALE for table in tables for outcome, _ in self._rows[table].values())

    def audio_file(self, key: Key) -> AudioReceipt:
        """Return the receipt of an audio file."""
        outcome, _ = self._rows["audio_files"][key]
        return AudioReceipt(*key, outcome, self._position)

    def transcript(self, key: Key) -> TranscriptReceipt:
        """Return the receipt of a transcript."""
        return TranscriptReceipt(*key, *self._rows["transcripts"][key], self._position)

    def translation(self, key: TranslationKey) -> TranslationReceipt:
        """Return the receipt of a translation."""
        return TranslationReceipt(*key, *self._rows["translations"][key], self._position)


def outcome_rows(rows: FromClause, table: str) -> Select[Any]:
    """Return the rows of a table's outcomes."""
    revision = REVISION_COLUMNS[table]
    session_id, row_id, *language = (rows.c[name] for name in KEYS[table])
    return select(
        constant(table).label("kind"),
        session_id.label("session_id"),
        row_id.label("id"),
        (language[0] if language else literal_column("NULL::text")).label("language"),
        rows.c.outcome,
        (literal_column("NULL::bigint") if revision is None else rows.c[revision]).label("revision"),
    )


def position() -> ColumnElement[int]:
    """Return the number of the running transaction."""
    return cast(cast(func.pg_current_xact_id(), Text), BigInteger)


def position_row() -> Select[Any]:
    """Return the row that names the position of the write."""
    return _row_of_statement(POSITION, position())


def lost_race_row(lost: ColumnElement[int], *, all_or_nothing: bool = False) -> Select[Any]:
    """Return a row if rows were `lost` to a concurrent transaction.

    With `all_or_nothing` the statement fails instead, by a division by zero: its other rows were written
    without knowledge of the version that won.
    """
    # Not a constant, which the planner would divide by.
    number = cast(lost / (lost - lost), BigInteger) if all_or_nothing else lost
    return _row_of_statement(LOST_RACE, number).where(lost > literal_column("0"))


def row_of_statement(kind: str, number: int) -> Row:
    """Return the row of the statement as a whole that the server would have returned."""
    return (kind, None, None, None, None, number)


def row_of_key(
    kind: str, session_id: ColumnElement[Any], row_id: ColumnElement[Any], *language: ColumnElement[Any]
) -> Select[Any]:
    """Return rows of a kind that have a key, and no outcome."""
    none: list[ColumnElement[Any]] = [literal_column(f"NULL::{name}") for name in ("text", "bigint")]
    return select(constant(kind), session_id, row_id, *(language or none[:1]), *none)


def constant(word: str) -> ColumnElement[str]:
    """Return one of the program's own words as SQL; callers' values are bound."""
    return literal_column(f"'{word}'", Text())


def _row_of_statement(kind: str, number: ColumnElement[int]) -> Select[Any]:
    types = ("uuid", "uuid", "text", "text")
    none: list[ColumnElement[Any]] = [literal_column(f"NULL::{name}") for name in types]
    return select(constant(kind), *none, number)
