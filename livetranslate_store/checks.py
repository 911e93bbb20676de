"""Checks of input: each returns the value to store, or raises an error that says what would be right."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from langcodes import standardize_tag
from langcodes.tag_parser import LanguageTagError

from livetranslate_store.errors import InvalidInputError

if TYPE_CHECKING:
    JSONValue: TypeAlias = "str | int | float | bool | Mapping[str, JSONValue] | Sequence[JSONValue] | None"
else:
    # At run time msgspec, pydantic and `get_type_hints` resolve it, and msgspec knows no recursive alias.
    JSONValue = Any
Choice = TypeVar("Choice", bound=str)

JSONObject: TypeAlias = Mapping[str, JSONValue]

# A segment is a few sentences; a million characters is a book and means that something went wrong.
MAX_TEXT_CHARACTERS = 1_000_000
# One chunk of a live recording, which is held in memory; hours of it come in several chunks, or as a stream.
MAX_AUDIO_BYTES = 512 * 1024 * 1024
# An object store takes 10,000 parts of 8 MiB.
MAX_STREAMED_AUDIO_BYTES = 64 * 1024**3
# Names, keys and labels are indexed: 500 characters of 4 bytes fit into a B-tree entry (2,704 bytes).
MAX_NAME_CHARACTERS = 500
# No real tag has half of it, and the parser recurses over the parts of a long one.
MAX_TAG_CHARACTERS = 100
# Titles and addresses are shown, not looked up by.
MAX_TITLE_CHARACTERS = 10_000
# Seconds since the session's start; wide enough for a Unix epoch in milliseconds, and small enough
# that adding and subtracting two of them stays finite.
MAX_SECONDS = 1e13
MAX_INTEGER = 2**31 - 1
MAX_BIG_INTEGER = 2**63 - 1
# PostgreSQL's own parser fails at some thousand levels; no real metadata has a hundred.
MAX_JSON_DEPTH = 100
# Beyond 4300 digits Python itself refuses to read the number back.
MAX_JSON_INTEGER_BITS = 4096
MAX_JSON_NODES = 1_000_000


def checked_text(value: str, field: str, *, maximum: int = MAX_TEXT_CHARACTERS, empty: bool = True) -> str:
    """Return `value` as a plain str if PostgreSQL can store it exactly as it is given.

    Raises InvalidInputError for anything but a str, for NUL bytes, lone surrogates, text that is too
    long, and, unless `empty`, text without a visible character.
    """
    if not isinstance(value, str):
        raise InvalidInputError(f"{field} must be text, not {type(value).__name__}.")
    if len(value) > maximum:
        raise InvalidInputError(f"{field} has {len(value):,} characters; at most {maximum:,} are stored.")
    if "\0" in value:
        raise InvalidInputError(f"{field} holds a NUL character, which PostgreSQL cannot store.")
    try:
        if not value.isascii():
            value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{field} holds a lone surrogate at position {error.start}; give it as valid Unicode."
        ) from None  # the original would carry the text itself
    if not empty and (not value or value.isspace()):
        raise InvalidInputError(f"{field} must not be empty.")
    # In an f-string, as ids are derived from, a member of an enumeration would be its name.
    return value if type(value) is str else str.__str__(value)


def checked_name(value: str, field: str) -> str:
    """Return `value` as a plain str if it is text of 1 to `MAX_NAME_CHARACTERS` characters."""
    return checked_text(value, field, maximum=MAX_NAME_CHARACTERS, empty=False)


def optional_name(value: str | None, field: str) -> str | None:
    """Return `value` as `checked_name` does, or None."""
    return None if value is None else checked_name(value, field)


def checked_language(value: str, field: str = "language") -> str:
    """Return the BCP-47 tag in canonical form: `ZH-hans` becomes `zh-Hans`, `iw` becomes `he`."""
    if not isinstance(value, str):
        raise InvalidInputError(f"{field} must be a BCP-47 tag, not {type(value).__name__}.")
    try:
        return _canonical_tag(value)
    except LanguageTagError as error:
        raise InvalidInputError(
            f"{field} {value[:40]!r} is not a BCP-47 language tag such as 'en' or 'zh-Hans': {error}."
        ) from error


def checked_languages(values: Sequence[str], field: str) -> list[str]:
    """Return the tags in canonical form, each once, in the order given."""
    return list(dict.fromkeys(each_checked_language(values, field)))


def each_checked_language(values: Sequence[str], field: str) -> list[str]:
    """Return each tag in canonical form, at its place: `es` and `spa` are two times `es`."""
    if not isinstance(values, list | tuple):
        raise InvalidInputError(f"{field} must be a sequence of BCP-47 tags such as ['es', 'ja'].")
    return [checked_language(value, field) for value in values]


def checked_instant(value: datetime, field: str) -> datetime:
    """Return `value` if it is a moment: a datetime with its time zone."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidInputError(f"{field} must be a datetime with a time zone, such as datetime.now(UTC).")
    return value


@lru_cache(maxsize=1024)
def _canonical_tag(value: str) -> str:
    if not value.isascii():
        raise LanguageTagError("expected ASCII letters, digits and hyphens")
    if len(value) > MAX_TAG_CHARACTERS:
        raise LanguageTagError(f"expected at most {MAX_TAG_CHARACTERS} characters")
    return standardize_tag(value)


def checked_number(
    value: float, field: str, *, minimum: float = -MAX_SECONDS, maximum: float = MAX_SECONDS
) -> float:
    """Return `value` as a finite float within the bounds."""
    if isinstance(value, bool) or not isinstance(value, (float, int)):
        raise InvalidInputError(f"{field} must be a number, not {type(value).__name__}.")
    # Compared before it is converted: float() of a huge integer overflows. NaN fails both bounds.
    if not minimum <= value <= maximum:
        raise InvalidInputError(
            f"{field} must be a finite number from {minimum:g} to {maximum:g}, not {_short(value)}."
        )
    # The two zeros are one number, and rows, cursors and files show one.
    return float(value) + 0.0


def optional_number(
    value: float | None, field: str, *, minimum: float = -MAX_SECONDS, maximum: float = MAX_SECONDS
) -> float | None:
    """Return `value` as `checked_number` does, or None."""
    return None if value is None else checked_number(value, field, minimum=minimum, maximum=maximum)


def checked_integer(value: int, field: str, *, minimum: int = 0, maximum: int = MAX_INTEGER) -> int:
    """Return `value` if it is an integer within the bounds."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError(f"{field} must be an integer, not {type(value).__name__}.")
    if not minimum <= value <= maximum:
        raise InvalidInputError(f"{field} must be from {minimum} to {maximum}, not {_short(value)}.")
    return value


def optional_integer(
    value: int | None, field: str, *, minimum: int = 0, maximum: int = MAX_INTEGER
) -> int | None:
    """Return `value` as `checked_integer` does, or None."""
    return None if value is None else checked_integer(value, field, minimum=minimum, maximum=maximum)


def check_order(start: float | None, end: float | None, what: str = "end_time") -> None:
    """Refuse an end before its start; zero length is fine, and so is an unknown side."""
    if start is not None and end is not None and end < start:
        raise InvalidInputError(f"{what} {end:g} is before its start {start:g}.")


def checked_choice(value: Choice, field: str, choices: Sequence[Choice]) -> Choice:
    """Return that one of the closed set which equals `value`: statements are made of its text."""
    if value not in choices:
        raise InvalidInputError(f"{field} must be one of {', '.join(choices)}, not {str(value)[:40]!r}.")
    return choices[choices.index(value)]


def checked_flag(value: bool, field: str) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, bool):
        raise InvalidInputError(f"{field} must be True or False, not {type(value).__name__}.")
    return value


def checked_uuid(value: UUID, field: str) -> UUID:
    """Return `value` if it is a UUID; a string is not parsed silently."""
    if not isinstance(value, UUID):
        raise InvalidInputError(f"{field} must be a uuid.UUID, not {type(value).__name__}.")
    return value


def check_kind(value: object, kind: type, field: str) -> None:
    """Refuse a value of another class."""
    if not isinstance(value, kind):
        raise InvalidInputError(f"{field} must be of {kind.__name__}, not {type(value).__name__}.")


def checked_json_object(value: JSONObject, field: str) -> JSONObject:
    """Return `value` if it is a JSON object that comes back equal from PostgreSQL's jsonb."""
    # The dict first: a check of an abstract class takes longer.
    if not isinstance(value, (dict, Mapping)):
        raise InvalidInputError(f"{field} must be a JSON object, not {type(value).__name__}.")
    if value:
        _check_json(value, field)
    return value


def _plain(value: object) -> object:
    """Return what msgspec encodes in place of a subclass, or of a mapping that is no dict."""
    if isinstance(value, Mapping):
        return dict(value)
    for kind, plain in _PLAIN.items():
        if isinstance(value, kind):
            return plain(value)
    raise InvalidInputError(f"A {type(value).__name__} is not JSON.")


# `str()` of an enumeration gives its name.
_PLAIN: Mapping[type, Callable[[Any], object]] = {str: str.__str__, float: float, int: int}

#: Encodes as JSON what `checked_json_object` accepts, and the store's own values.
encode_json = msgspec.json.Encoder(enc_hook=_plain).encode


def _check_json(value: object, field: str) -> None:
    # A stack of our own: deep input must not meet Python's recursion limit.
    pending: list[tuple[object, int]] = [(value, 1)]
    nodes = 0
    while pending:
        item, depth = pending.pop()
        nodes += 1
        if depth > MAX_JSON_DEPTH or nodes > MAX_JSON_NODES:
            raise InvalidInputError(
                f"{field} is too large: at most {MAX_JSON_DEPTH} levels deep and {MAX_JSON_NODES:,} values."
            )
        if isinstance(item, Mapping):
            _check_json_keys(item, field)
            pending += ((child, depth + 1) for child in item.values())
        elif isinstance(item, list | tuple):
            pending += ((child, depth + 1) for child in item)
        else:
            _check_json_scalar(item, field)


def _check_json_keys(value: Mapping[object, object], field: str) -> None:
    for key in value:
        if not isinstance(key, str):
            raise InvalidInputError(f"{field} has a key of type {type(key).__name__}; JSON keys are text.")
        checked_text(key, field)


def _check_json_scalar(value: object, field: str) -> None:
    if isinstance(value, str):
        checked_text(value, field)
    elif isinstance(value, float) and not isfinite(value):
        raise InvalidInputError(f"{field} holds {value}, which is not JSON.")
    elif isinstance(value, int) and value.bit_length() > MAX_JSON_INTEGER_BITS:
        raise InvalidInputError(f"{field} holds an integer of more than 1200 digits.")
    elif value is not None and not isinstance(value, bool | int | float):
        raise InvalidInputError(f"{field} holds a {type(value).__name__}, which is not JSON.")


def _short(value: float) -> str:
    # Python refuses to print integers of more than 4300 digits.
    huge = isinstance(value, int) and value.bit_length() > MAX_JSON_INTEGER_BITS
    return "a number of more than 1200 digits" if huge else f"{value!r:.40}"
