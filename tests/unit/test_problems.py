"""Each error has an HTTP status and a problem document, which tells a client whether to try again."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from livetranslate_store import (
    ConflictError,
    CorruptAudioError,
    DuplicateError,
    InvalidInputError,
    MissingReferenceError,
    NotFoundError,
    OutcomeUnknownError,
    PoolTimeoutError,
    Problem,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
    TranscriptInput,
    UsageError,
    WriteRejectedError,
    problem_of,
)
from livetranslate_store.problems import _KINDS

#: The status of each error, and the seconds to wait if the same call may succeed later.
EXPECTED: dict[type[StoreError], tuple[int, int | None]] = {
    InvalidInputError: (422, None),
    NotFoundError: (404, None),
    MissingReferenceError: (404, None),
    DuplicateError: (409, None),
    ConflictError: (409, 1),
    WriteRejectedError: (503, 5),
    PoolTimeoutError: (503, 5),
    QueryTimeoutError: (504, None),
    StoreUnavailableError: (503, None),
    OutcomeUnknownError: (503, 1),
    CorruptAudioError: (500, None),
    UsageError: (500, None),
    StoreError: (500, None),
}


def tree(root: type[StoreError]) -> Iterator[type[StoreError]]:
    yield root
    for each in root.__subclasses__():
        if each.__module__.startswith("livetranslate_store.") and not each.__name__.startswith("_"):
            yield from tree(each)


def test_every_error_has_a_status_of_its_own() -> None:
    assert (
        set(tree(StoreError)) == EXPECTED.keys() == {each for each in _KINDS if issubclass(each, StoreError)}
    )


@pytest.mark.parametrize("kind", EXPECTED, ids=lambda kind: kind.__name__)
def test_an_error_becomes_a_problem_document(kind: type[StoreError]) -> None:
    status, retry_after = EXPECTED[kind]
    problem = problem_of(kind())
    assert (problem.status, problem.retry_after) == (status, retry_after)
    assert problem.detail == kind.default_message()
    headers = {"Content-Type": "application/problem+json"}
    assert problem.headers == headers | ({} if retry_after is None else {"Retry-After": str(retry_after)})
    document = json.loads(msgspec.json.encode(problem))
    assert document.keys() - {"retry_after"} == {"type", "title", "status", "detail"}
    assert msgspec.convert(document, Problem) == problem


def test_each_kind_of_error_has_a_type_of_its_own() -> None:
    assert len({problem_of(kind()).type for kind in EXPECTED}) == len(EXPECTED)
    assert problem_of(OutcomeUnknownError()).type == "urn:livetranslate-store:outcome-unknown"


def test_an_error_that_passes_by_itself_says_when_to_come_back() -> None:
    assert problem_of(StoreUnavailableError("away", transient=True)).retry_after == 5
    assert problem_of(ConflictError("The revision moved on.", transient=False)).retry_after is None


def test_a_client_sees_what_it_can_change_and_nothing_of_the_servers() -> None:
    assert problem_of(DuplicateError("meet-42 is over.")).detail == "meet-42 is over."
    inside = problem_of(StoreUnavailableError("Cannot connect to the database at db-3:5432: refused."))
    assert inside.detail == StoreUnavailableError.default_message()


def test_an_error_of_an_application_has_the_status_of_the_one_that_it_extends() -> None:
    class QuotaError(DuplicateError):
        """No more."""

    assert problem_of(QuotaError()).status == 409


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'{"text": "private", "language": "en"', 400, "truncated"),
        (b'{"text": "private", "language": "en", "txt": 1}', 422, "unknown field `txt`"),
        (b'{"text": "private"}', 422, "missing required field `language`"),
        (b'{"text": ["private"], "language": "en"}', 422, "got `array` - at `$.text`"),
        (b'{"text": "private", "language": "en", "end_time": "private"}', 422, "$.end_time"),
        (b'{"text": "private", "language": "en", "revision": 0}', 422, "revision must be from 1"),
        (b'{"text": "private\\u0000", "language": "en"}', 422, "NUL"),
    ],
)
def test_json_that_is_no_input_is_a_problem_without_the_text(body: bytes, status: int, said: str) -> None:
    with pytest.raises(msgspec.DecodeError) as raised:
        msgspec.json.decode(body, type=TranscriptInput)
    problem = problem_of(raised.value)
    assert (problem.status, problem.retry_after) == (status, None)
    assert said in problem.detail
    assert "private" not in problem.detail


def test_the_table_in_the_documentation_is_the_one_that_is_used() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(?:msgspec\.)?(\w+)` \| (\d+) \| (\d*)", page, re.MULTILINE)
    assert {name: int(status) for name, status, _ in rows} == {
        kind.__name__: each.status for kind, each in _KINDS.items()
    }
    for kind in EXPECTED:
        [seconds] = [int(each) if each else None for name, _, each in rows if name == kind.__name__]
        problem = problem_of(kind(transient=True) if kind is StoreUnavailableError else kind())
        assert problem.retry_after == seconds, kind
