"""The filters of reads: how each is checked, and which rows it keeps.

A filter takes one entry in this file. The names of the given filters are the statement's shape: a condition
that nobody asked for is not in the statement.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Generic, NamedTuple, Self, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    FromClause,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

from livetranslate_store.checks import (
    Choice,
    checked_choice,
    checked_flag,
    checked_instant,
    checked_languages,
    checked_name,
    checked_number,
    checked_uuid,
)
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.reading.columns import SPEAKERS, TRANSCRIPTS
from livetranslate_store.values import (
    DETAILS,
    ENTRY_KINDS,
    TIMELINE_ORDERS,
    Detail,
    EntryKind,
    TimelineOrder,
)

#: Returns the value of a filter as it is bound; raises InvalidInputError.
Check: TypeAlias = Callable[[Any], object]

MOMENT = DateTime(timezone=True)

Rows_contra = TypeVar("Rows_contra", contravariant=True)


class Entries(NamedTuple):
    """The columns of entries that filters compare."""

    times: FromClause
    language: ColumnElement[str]
    transcripts: FromClause = TRANSCRIPTS
    speakers: FromClause = SPEAKERS


class Filter(NamedTuple, Generic[Rows_contra]):
    """How a filter checks its value, and which rows it keeps; without `keeps` a reader handles it itself."""

    check: Check
    keeps: Callable[[Rows_contra], ColumnElement[bool]] | None = None


class Shape(NamedTuple):
    """What a statement depends on: the names of what was given, and the kinds of entries."""

    given: frozenset[str]
    kinds: frozenset[EntryKind] = frozenset(ENTRY_KINDS)

    @property
    def is_newest_first(self) -> bool:
        """Whether the read goes from the end of the meeting back."""
        return "newest" in self.given

    def includes(self, *details: Detail) -> bool:
        """Return whether the read includes one of these details."""
        return any(f"include {each}" in self.given for each in details)


class CheckedFilters(NamedTuple):
    """The filters that narrow a read: the shape of its statement, and the values to bind."""

    shape: Shape
    values: Mapping[str, Any]

    def in_order(self, order: TimelineOrder) -> Self:
        """Return the filters for a read in this order; raises InvalidInputError."""
        if checked_choice(order, "order", TIMELINE_ORDERS) == "oldest":
            return self
        return self._replace(shape=self.shape._replace(given=self.shape.given | {"newest"}))

    def including(self, details: Collection[Detail]) -> Self:
        """Return the filters for a read that includes these details; raises InvalidInputError."""
        names = {f"include {each}" for each in checked_details(details, DETAILS)}
        return self._replace(shape=self.shape._replace(given=self.shape.given | names))

    def with_value(self, name: str, value: object) -> Self:
        """Return the filters with one more value, which the shape of the statement names."""
        shape = self.shape._replace(given=self.shape.given | {name})
        return self._replace(shape=shape, values={**self.values, name: value})


def checked_filters(accepted: Collection[str], given: Mapping[str, object]) -> CheckedFilters:
    """Return the filters that narrow a read, checked; raises InvalidInputError.

    `accepted` names the filters that the read has. Raises TypeError for another one, as for any keyword.
    """
    values = checked_values({name: _CHECKS[name] for name in accepted}, given)
    narrowing = {name: value for name, value in values.items() if value is not _KEEPS_ALL.get(name)}
    if (start := values.get("start")) is not None and (end := values.get("end")) is not None and end <= start:
        raise InvalidInputError(f"The window ends at {end:g}, not after its start {start:g}.")
    kinds = narrowing.pop("kinds", ENTRY_KINDS)
    return CheckedFilters(Shape(frozenset(narrowing), frozenset(kinds)), narrowing)


def checked_values(checks: Mapping[str, Check], given: Mapping[str, object]) -> dict[str, Any]:
    """Return the values of the given filters, each as its check returns it; raises InvalidInputError.

    Raises TypeError for a filter without a check.
    """
    if unknown := sorted(given.keys() - checks.keys()):
        raise TypeError(f"Unknown filter {', '.join(unknown)}; the filters are {', '.join(sorted(checks))}.")
    values = {name: checks[name](value) for name, value in given.items() if value is not None}
    match values:
        case {"started_from": datetime() as first, "started_before": datetime() as end} if end <= first:
            raise InvalidInputError(f"started_before is {end}, not after started_from, {first}.")
    return values


def entry_conditions(shape: Shape, entries: Entries) -> list[ColumnElement[bool]]:
    """Return the conditions on entries, of those filters that were given."""
    kept = [
        each.keeps(entries) for name, each in _ENTRY_FILTERS.items() if name in shape.given and each.keeps
    ]
    return [*_window(shape.given, entries.times), *kept]


def session_conditions(shape: Shape, sessions: FromClause) -> list[ColumnElement[bool]]:
    """Return the conditions on sessions, of those filters that were given."""
    return [
        each.keeps(sessions) for name, each in _SESSION_FILTERS.items() if name in shape.given and each.keeps
    ]


def checked_details(include: Collection[Choice], details: Sequence[Choice]) -> frozenset[Choice]:
    """Return which of the details a read includes; raises InvalidInputError."""
    _check_collection(include, "include", f"such as [{details[0]!r}]")
    return frozenset(checked_choice(each, "include", details) for each in include)


def variant_pattern(language: str) -> str:
    """Return the pattern that `is_variant` compares: it matches the language and its variants."""
    return f"{language.lower()}-%"


def is_variant(tag: ColumnElement[str], pattern: Any) -> ColumnElement[bool]:
    """Return whether a tag matches a `variant_pattern`, or `any_` of several."""
    return func.lower(tag).concat(literal_column("'-'")).op("LIKE")(pattern)


def has_no_time(times: FromClause) -> ColumnElement[bool]:
    """Return whether neither time is known."""
    return and_(times.c.start_time.is_(None), times.c.end_time.is_(None))


def _window(given: Collection[str], times: FromClause) -> list[ColumnElement[bool]]:
    inside: list[ColumnElement[bool]] = []
    if "start" in given:
        start = bindparam("start", type_=DOUBLE_PRECISION)
        # An entry without length lies in the window that it begins in.
        inside.append(or_(times.c.end_time > start, times.c.timestamp >= start))
    if "end" in given:
        inside.append(times.c.timestamp < bindparam("end", type_=DOUBLE_PRECISION))
    if "untimed" in given:
        return [~has_no_time(times), *inside]
    return [or_(has_no_time(times), and_(*inside))] if inside else []


def _said_by(entries: Entries) -> ColumnElement[bool]:
    asked = bindparam("speakers", type_=ARRAY(Text))
    return or_(entries.transcripts.c.speaker_label == any_(asked), entries.speakers.c.name == any_(asked))


def _check_collection(values: object, field: str, example: str) -> None:
    if not isinstance(values, Collection) or isinstance(values, str):
        raise InvalidInputError(f"{field} must be a sequence {example}.")


def _checked_patterns(languages: Sequence[str]) -> list[str]:
    return [variant_pattern(tag) for tag in checked_languages(languages, "languages")]


def _checked_speakers(speakers: Sequence[str]) -> list[str]:
    _check_collection(speakers, "speakers", "such as ['SPEAKER_00']")
    return [checked_name(each, "speakers") for each in speakers]


def _checked_kinds(kinds: Sequence[EntryKind]) -> list[EntryKind]:
    _check_collection(kinds, "kinds", "such as ['transcript']")
    if not kinds:
        raise InvalidInputError(f"kinds needs at least one of {', '.join(ENTRY_KINDS)}.")
    return [checked_choice(kind, "kinds", ENTRY_KINDS) for kind in kinds]


def _checked_ids(ids: Sequence[UUID]) -> list[UUID]:
    _check_collection(ids, "session_ids", "of UUIDs")
    return [checked_uuid(each, "session_ids") for each in ids]


#: These values narrow nothing.
_KEEPS_ALL: Mapping[str, object] = {"finals_only": False, "untimed": True}

_ENTRY_FILTERS: Mapping[str, Filter[Entries]] = {
    "start": Filter(partial(checked_number, field="start")),
    "end": Filter(partial(checked_number, field="end")),
    "untimed": Filter(partial(checked_flag, field="untimed")),
    "kinds": Filter(_checked_kinds),
    "languages": Filter(
        _checked_patterns,
        lambda entries: is_variant(entries.language, any_(bindparam("languages", type_=ARRAY(Text)))),
    ),
    "speakers": Filter(_checked_speakers, _said_by),
    "finals_only": Filter(
        partial(checked_flag, field="finals_only"), lambda entries: entries.transcripts.c.is_final
    ),
}

#: When a session started.
START_FILTERS: Mapping[str, Filter[FromClause]] = {
    "started_from": Filter(
        partial(checked_instant, field="started_from"),
        lambda sessions: sessions.c.started_at >= bindparam("started_from", type_=MOMENT),
    ),
    "started_before": Filter(
        partial(checked_instant, field="started_before"),
        lambda sessions: sessions.c.started_at < bindparam("started_before", type_=MOMENT),
    ),
}

_SESSION_FILTERS: Mapping[str, Filter[FromClause]] = {
    "session_ids": Filter(
        _checked_ids, lambda sessions: sessions.c.id == any_(bindparam("session_ids", type_=ARRAY(Uuid)))
    ),
    **START_FILTERS,
}

_CHECKS: Mapping[str, Check] = {
    **{name: each.check for name, each in _ENTRY_FILTERS.items()},
    **{name: each.check for name, each in _SESSION_FILTERS.items()},
}
