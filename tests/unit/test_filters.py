import inspect
from typing import Any, get_type_hints

import pytest

from livetranslate_store import Store
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.reading.filters import (
    _ENTRY_FILTERS,
    _SESSION_FILTERS,
    START_FILTERS,
    checked_filters,
)
from livetranslate_store.reading.sessions import filters as list_filters
from livetranslate_store.reading.sessions.conditions import CONDITIONS
from livetranslate_store.values import (
    SearchFilters,
    SegmentFilters,
    SessionFilters,
    TimelineFilters,
    is_variant,
)

READS: dict[str, Any] = {
    "timeline": TimelineFilters,
    "stream_timeline": TimelineFilters,
    "transcript_view": SegmentFilters,
    "stream_transcript_view": SegmentFilters,
    "missing_translations": SegmentFilters,
    "search": SearchFilters,
    "find_sessions": SessionFilters,
}


def test_every_filter_of_a_read_has_its_rule_and_every_rule_its_read() -> None:
    lists = SessionFilters.__optional_keys__
    assert lists == {*list_filters._CHECKS} == {*CONDITIONS, *START_FILTERS}
    named = {
        name
        for filters in READS.values()
        if filters is not SessionFilters
        for name in filters.__optional_keys__
    }
    assert named == {*_ENTRY_FILTERS, *_SESSION_FILTERS}


@pytest.mark.parametrize(("method", "filters"), READS.items())
def test_the_documentation_of_a_read_names_its_filters(method: str, filters: Any) -> None:
    read = getattr(Store, method)
    described = inspect.getdoc(read) or ""
    if "filters are those of `" in described:
        described = inspect.getdoc(Store.timeline) or ""
    assert all(name in described for name in filters.__optional_keys__)
    assert filters.__name__ in str(inspect.signature(read))
    assert get_type_hints(read)["return"]


@pytest.mark.parametrize(
    "nothing",
    [
        {},
        dict.fromkeys(TimelineFilters.__optional_keys__),
        {"untimed": True, "finals_only": False, "kinds": ["translation", "transcript"]},
    ],
)
def test_a_filter_that_narrows_nothing_is_not_in_the_statement(nothing: dict[str, Any]) -> None:
    checked = checked_filters(TimelineFilters.__optional_keys__, nothing)
    assert checked == checked_filters(TimelineFilters.__optional_keys__, {})


def test_zero_is_a_bound() -> None:
    assert checked_filters(["start", "end"], {"end": 0.0}).shape.given == {"end"}


def test_an_unknown_filter_is_refused_as_any_keyword_is() -> None:
    with pytest.raises(TypeError, match=r"Unknown filter langauges; the filters are end, .*languages"):
        checked_filters(TimelineFilters.__optional_keys__, {"langauges": ["es"]})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"finals_only": "no"}, "finals_only must be True or False, not str"),
        ({"untimed": 0}, "untimed must be True or False, not int"),
        ({"speakers": 7}, "speakers must be a sequence"),
        ({"kinds": 7}, "kinds must be a sequence"),
        ({"speakers": [""]}, "speakers must not be empty"),
    ],
)
def test_a_wrong_value_says_what_would_be_right(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        checked_filters(TimelineFilters.__optional_keys__, given)


@pytest.mark.parametrize(
    ("tag", "language", "expected"),
    [
        ("zh", "zh", True),
        ("zh-Hans", "zh", True),
        ("ZH-HANS", "zh", True),
        ("zh", "ZH", True),
        ("zh", "zh-Hans", False),
        ("zha", "zh", False),
    ],
)
def test_a_variant_begins_with_the_whole_language(tag: str, language: str, expected: bool) -> None:
    assert is_variant(tag, language) is expected
