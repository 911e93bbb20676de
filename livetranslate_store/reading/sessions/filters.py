"""The filters of a list of sessions: how each is checked, and the values to bind."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from livetranslate_store.checks import (
    checked_choice,
    checked_flag,
    checked_instant,
    checked_json_object,
    checked_languages,
    checked_name,
    encode_json,
)
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.reading.filters import (
    START_FILTERS,
    Check,
    checked_values,
    variant_pattern,
)
from livetranslate_store.reading.search.text import runs
from livetranslate_store.reading.search.words import in_order
from livetranslate_store.values import SESSION_STATUSES, SessionFilters
from livetranslate_store.values.inputs import STATUSES_OF_ENDED_SESSIONS

MAX_TITLE_WORDS = 32
# Longer than any meeting, and short enough to subtract from a date.
MAX_SILENCE = timedelta(days=3650)

_GOING_ON = tuple(each for each in SESSION_STATUSES if each not in STATUSES_OF_ENDED_SESSIONS)


class ListFilters(NamedTuple):
    """The filters of a list: the names of those that narrow it, the status, and the values to bind.

    The status is one of a closed set and part of the statement: for each the server knows how many sessions
    have it.
    """

    given: frozenset[str]
    status: str | None
    values: Mapping[str, Any]


def checked_list_filters(filters: SessionFilters) -> ListFilters:
    """Return the filters, checked; raises InvalidInputError, and TypeError for another filter."""
    values = checked_values(_CHECKS, filters)
    if "silent_for" in values and values.setdefault("status", "active") not in _GOING_ON:
        raise InvalidInputError(
            f"silent_for finds sessions that go on ({', '.join(_GOING_ON)}); status is {values['status']!r}."
        )
    # Every object contains the empty one.
    if values.get("metadata") == "{}":
        del values["metadata"]
    given = frozenset(values)
    if "languages" in values:
        values["language_patterns"] = [variant_pattern(tag) for tag in values["languages"]]
    if "text" in values:
        values["text_id"] = _id_in(values["text"])
        values["title_words"] = _title_words(values["text"])
        # A text without any word may be an external id.
        given |= {"title_words"} if values["title_words"] else set()
    return ListFilters(given, values.pop("status", None), values)


def _title_words(text: str) -> str:
    """Return the text for `to_tsquery`: each word begins a word of the title, in any order."""
    words = [in_order([run]) if run.unspaced else f"'{run.units[0]}':*" for run in runs(text)]
    if len(words) > MAX_TITLE_WORDS:
        raise InvalidInputError(f"text has {len(words)} words; at most {MAX_TITLE_WORDS} are looked for.")
    return " & ".join(words)


def _id_in(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _checked_metadata(metadata: Any) -> str:
    return encode_json(checked_json_object(metadata, "metadata")).decode()


def _checked_silence(silence: Any) -> timedelta:
    if not isinstance(silence, timedelta):
        raise InvalidInputError(f"silent_for must be a timedelta, not {type(silence).__name__}.")
    if not timedelta(0) < silence <= MAX_SILENCE:
        raise InvalidInputError(
            f"silent_for must be more than zero and at most {MAX_SILENCE.days} days, not {silence}."
        )
    return silence


def _checked_languages(languages: Sequence[str]) -> list[str]:
    tags = checked_languages(languages, "languages")
    if not tags:
        raise InvalidInputError("languages needs at least one tag, such as ['es'].")
    return sorted(tag.lower() for tag in tags)


_CHECKS: Mapping[str, Check] = {
    **{name: partial(checked_name, field=name) for name in ("tenant", "bot_id", "meeting_id", "text")},
    **{name: each.check for name, each in START_FILTERS.items()},
    "status": partial(checked_choice, field="status", choices=SESSION_STATUSES),
    "languages": _checked_languages,
    "metadata": _checked_metadata,
    "has_audio": partial(checked_flag, field="has_audio"),
    "active_since": partial(checked_instant, field="active_since"),
    "silent_for": _checked_silence,
}
