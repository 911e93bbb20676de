"""A row of the older system, read column by column; columns without a place here become metadata.

Cells are the text that PostgreSQL shows for them, whatever type a deployment gave the column. That is exact:
the shortest decimal of a REAL is the number that was meant.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite

import msgspec

from livetranslate_store.checks import (
    MAX_NAME_CHARACTERS,
    MAX_SECONDS,
    JSONObject,
    JSONValue,
    checked_json_object,
    checked_language,
)
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.size_limits import SizeLimits

#: The key in the metadata for everything that has no column here.
LEGACY = "legacy"

#: The BCP-47 tag of an unknown language.
UNDETERMINED = "und"
# `auto` can be read as a tag, but is none: it is a setting of the transcriber.
_ISO_639_LETTERS = (2, 3)

_INTEGERS = {"int2", "int4", "int8"}
_FLOATS = {"float4", "float8"}
_JSON = {"json", "jsonb"}
_TIMES = {"timestamp", "timestamptz"}
# These hold JSON even if a deployment stores them as text.
_JSON_COLUMNS = {
    "metadata",
    "performance_stats",
    "processing_metadata",
    "session_metadata",
    "target_languages",
}


class LegacyRow:
    """The cells of one row, each taken once at most.

    `left` holds the cells that were not taken, and the originals of changed values; `changes` has the reasons
    of the changes, `refusals` those of the values that are lost.
    """

    def __init__(
        self, table: str, key: str, cells: Mapping[str, str | None], types: Mapping[str, str] = {}
    ) -> None:
        self.table = table
        self.key = key
        self.cells = cells
        self._types = types
        self._open = {column for column, cell in cells.items() if cell is not None}
        self._own: JSONObject = {}
        self.left: dict[str, JSONValue] = {}
        self.changes: list[str] = []
        self.refusals: list[str] = []

    def replaced(self, column: str, why: str) -> None:
        """Keep the original of a column whose value is changed, and note the reason."""
        self._open.discard(column)
        self.left[column] = self._native(column)
        self.changes.append(f"{column}: {why}")

    def done(self, column: str) -> None:
        """Take a column: its value has a place, or is known from another column."""
        self._open.discard(column)

    def keep(self, column: str, value: JSONValue) -> None:
        """Keep something under a name of its own."""
        self.left[column] = value

    def text(self, column: str, *, maximum: int | None = None) -> str | None:
        """Return the text as it is, None if it is NULL or longer than `maximum`."""
        cell = self.cells.get(column)
        if cell is not None and maximum is not None and len(cell) > maximum:
            self.replaced(column, f"longer than {maximum:,} characters")
            return None
        self.done(column)
        return cell

    def name(self, column: str) -> str | None:
        """Return a name, None if it is NULL, blank or too long."""
        cell = self.text(column, maximum=MAX_NAME_CHARACTERS)
        if cell is not None and not cell.strip():
            self.left[column] = cell
            return None
        return cell

    def name_or(self, column: str, default: str) -> str:
        """Return a name, or `default`, with the original kept."""
        found = self.name(column)
        if found is None:
            self.left.setdefault(column, self.cells.get(column))
        return default if found is None else found

    def choice(self, column: str, choices: Sequence[str], default: str) -> str:
        """Return one of a closed set, or `default`, with the original kept."""
        cell = self.cells.get(column)
        if cell is not None and cell in choices:
            self.done(column)
            return cell
        simple = (cell or "").strip().lower()
        found = simple if simple in choices else default
        self.replaced(column, f"is not one of {', '.join(choices)}; taken as {found}")
        return found

    def number(
        self, column: str, *, minimum: float = -MAX_SECONDS, maximum: float = MAX_SECONDS
    ) -> float | None:
        """Return a finite number within the bounds, or None, with the original kept."""
        cell = self.text(column)
        if cell is None:
            return None
        try:
            value = float(cell)
        except ValueError:
            value = float("nan")
        if minimum <= value <= maximum:
            return value
        self.replaced(column, f"{cell[:40]} is not a number from {minimum:g} to {maximum:g}")
        return None

    def integer(self, column: str, *, minimum: int, maximum: int) -> int | None:
        """Return an integer within the bounds, or None, with the original kept."""
        value = self.number(column, minimum=minimum, maximum=maximum)
        if value is not None and not value.is_integer():
            self.replaced(column, f"{value:g} is not an integer")
            return None
        return None if value is None else int(value)

    def times(self, start_column: str, end_column: str) -> tuple[float | None, float | None]:
        """Return start and end in seconds; an end before its start is left out."""
        start, end = self.number(start_column), self.number(end_column)
        if start is not None and end is not None and end < start:
            self.replaced(end_column, f"{end:g} is before the start {start:g}")
            return start, None
        return start, end

    def language(self, column: str) -> str:
        """Return the canonical tag, or `und`; keep the original if it differs."""
        cell = self.cells.get(column)
        tag = canonical_language(cell)
        if tag == UNDETERMINED != cell:
            self.replaced(column, f"{(cell or 'NULL')[:40]!r} is no language; taken as {UNDETERMINED}")
        elif tag != cell:
            self.left[column] = cell
        self.done(column)
        return tag

    def instant(self, column: str) -> datetime | None:
        """Return a moment, a naive one as UTC; None, with the original kept, for anything else."""
        cell = self.text(column)
        moment = _instant(cell)
        if cell is not None and moment is None:
            self.replaced(column, f"{cell[:40]!r} is not a moment in time")
        return moment

    def json(self, column: str) -> JSONValue:
        """Return the JSON in a column of any type; None, with the original kept, if it holds none."""
        cell = self.text(column)
        value = _storable(cell)
        if value is None and cell is not None and cell.strip() != "null":
            self.replaced(column, "is not JSON that can be stored; kept as text")
        return value

    def own_metadata(self, column: str) -> dict[str, JSONValue]:
        """Return the metadata of users, to be changed in place."""
        value = self.json(column)
        if isinstance(value, Mapping) and LEGACY not in value:
            self._own = own = dict(value)
            return own
        if value is not None:
            self.left[column] = value
        return {}

    def metadata(self, limits: SizeLimits) -> JSONObject:
        """Return the new row's metadata: every cell that was not mapped to a column.

        If it is too large, its largest parts are dropped and reported.
        """
        left = self.rest()
        while True:
            whole: JSONObject = {**self._own, LEGACY: left} if left else self._own
            try:
                limits.check_metadata(whole)
            except InvalidInputError as error:
                self._drop_largest(str(error))
            else:
                return whole

    def rest(self) -> dict[str, JSONValue]:
        """Return the cells that were not mapped to a column."""
        for column in sorted(self._open):
            self.left[column] = self._native(column)
        self._open.clear()
        return self.left

    def whole(self) -> dict[str, JSONValue]:
        """Return all cells that are not NULL, as JSON."""
        return {column: self._native(column) for column, cell in self.cells.items() if cell is not None}

    def _drop_largest(self, why: str) -> None:
        sizes = {column: len(msgspec.json.encode(value)) for column, value in self.left.items()}
        largest = max(sizes, key=sizes.__getitem__, default=None)
        if largest is not None and sizes[largest] >= len(msgspec.json.encode(self._own)):
            del self.left[largest]
        else:
            largest, self._own = "the attached metadata", {}
        self.refusals.append(f"{largest} is left out: {why}")

    def _native(self, column: str) -> JSONValue:
        cell = self.cells.get(column)
        if cell is None:
            return None
        value: JSONValue = None
        kind = self._types.get(column)
        if kind in _INTEGERS:
            value = int(cell)
        elif kind in _FLOATS and isfinite(float(cell)):
            value = float(cell)
        elif kind == "bool":
            value = cell == "true"
        elif kind in _TIMES and (moment := _instant(cell)) is not None:
            value = moment.isoformat()
        elif kind in _JSON or column in _JSON_COLUMNS:
            value = _storable(cell)
        return cell if value is None else value


def canonical_language(code: str | None) -> str:
    """Return the canonical tag of a code such as `zh_CN`; `und` for `auto` and codes of no language."""
    code = (code or "").strip()
    try:
        tag = checked_language(code)
    except InvalidInputError:
        return UNDETERMINED
    primary = tag.partition("-")[0]
    return tag if len(primary) in _ISO_639_LETTERS or primary in ("x", "i") else UNDETERMINED


def _instant(cell: str | None) -> datetime | None:
    try:
        moment = None if cell is None else datetime.fromisoformat(cell)
    except ValueError:  # infinity, and years that Python does not know
        return None
    if moment is None or moment.utcoffset() is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def _storable(cell: str | None) -> JSONValue:
    """Return the JSON in a cell, None if it holds none that can be stored and read back."""
    try:
        value: JSONValue = None if cell is None else msgspec.json.decode(cell)
        checked_json_object({LEGACY: {"": value}}, "")
    except (ValueError, RecursionError):  # InvalidInputError and msgspec's own errors are ValueErrors
        return None
    return value
