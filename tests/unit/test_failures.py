"""SQLSTATEs become the store's errors at one place, and no message repeats what was sent."""

import asyncpg
import pytest
from sqlalchemy import exc

from livetranslate_store import (
    ConflictError,
    DuplicateError,
    InvalidInputError,
    MissingReferenceError,
    OutcomeUnknownError,
    PoolTimeoutError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from livetranslate_store.database.failures import is_broken, translate


def server_error(sqlstate: str, **fields: str) -> asyncpg.PostgresError:
    fields = {"C": sqlstate, "M": "secret text", "S": "ERROR", "n": "fk_transcripts_sessions"} | fields
    error = asyncpg.PostgresError.new(fields)
    assert isinstance(error, asyncpg.PostgresError)
    return error


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [
        ("08006", StoreUnavailableError),
        ("22003", InvalidInputError),
        ("22P05", InvalidInputError),
        ("23502", InvalidInputError),
        ("23503", MissingReferenceError),
        ("23505", DuplicateError),
        ("23514", InvalidInputError),
        ("25006", StoreUnavailableError),
        ("25P02", UsageError),
        ("25P03", QueryTimeoutError),
        ("25P04", QueryTimeoutError),
        ("26000", StoreUnavailableError),
        ("28P01", StoreUnavailableError),
        ("3D000", StoreUnavailableError),
        ("40001", ConflictError),
        ("40P01", ConflictError),
        ("40003", OutcomeUnknownError),
        ("42703", StoreUnavailableError),
        ("42704", StoreUnavailableError),
        ("42804", StoreUnavailableError),
        ("42883", StoreUnavailableError),
        ("42P01", StoreUnavailableError),
        ("42P10", StoreUnavailableError),
        ("53100", StoreUnavailableError),
        ("53300", StoreUnavailableError),
        ("54000", InvalidInputError),
        ("55P03", ConflictError),
        ("57014", QueryTimeoutError),
        ("57P01", StoreUnavailableError),
        ("57P03", StoreUnavailableError),
        ("58030", StoreUnavailableError),
        ("XX000", StoreError),
    ],
)
def test_an_error_of_the_server_is_told_by_its_sqlstate(sqlstate: str, expected: type[StoreError]) -> None:
    original = server_error(sqlstate)
    failure = translate(original)
    assert type(failure) is expected
    assert sqlstate in str(failure)
    assert "secret text" not in str(failure)
    assert failure.__cause__ is original


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), QueryTimeoutError),
        (ConnectionResetError(), StoreUnavailableError),
        (asyncpg.InterfaceError("connection is closed"), StoreUnavailableError),
        (asyncpg.DataError("value out of range"), InvalidInputError),
        (exc.TimeoutError(), PoolTimeoutError),
        (exc.InvalidRequestError("a bug"), StoreError),
    ],
)
def test_an_error_of_the_client_side_is_told_by_its_type(
    error: Exception, expected: type[StoreError]
) -> None:
    assert type(translate(error)) is expected


@pytest.mark.parametrize(
    "error",
    [TimeoutError(), ConnectionResetError(), server_error("57P01"), server_error("08006")],
)
def test_a_commit_without_a_certain_answer_has_an_unknown_outcome(error: Exception) -> None:
    assert type(translate(error, committing=True)) is OutcomeUnknownError


@pytest.mark.parametrize("sqlstate", ["23503", "40001", "57014", "53100"])
def test_a_commit_that_the_server_refused_is_known_to_be_rolled_back(sqlstate: str) -> None:
    assert type(translate(server_error(sqlstate), committing=True)) is not OutcomeUnknownError


@pytest.mark.parametrize("message", ["connection is closed", "another operation is in progress"])
def test_a_write_that_the_driver_did_not_send_has_a_known_outcome(message: str) -> None:
    failure = translate(asyncpg.InterfaceError(message), committing=True)
    assert type(failure) is StoreUnavailableError
    assert failure.is_transient
    assert type(translate(asyncpg.DataError("value out of range"), committing=True)) is InvalidInputError


def test_a_privilege_that_is_missing_is_named_with_the_hint_or_the_command() -> None:
    said = {"M": "permission denied for table x"}
    plain, hinted = (
        str(translate(server_error("42501", **said))),
        str(translate(server_error("42501", **said, H="Ask Ana."))),
    )
    assert "The server says: permission denied for table x. The owner of the schema can grant it" in plain
    assert "The server says: permission denied for table x. Ask Ana." in hinted


def test_the_servers_last_words_are_the_reason_of_a_closed_connection() -> None:
    error = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    error.__cause__ = server_error("25P04")
    failure = translate(error)
    assert type(failure) is QueryTimeoutError
    assert "transaction_timeout" in str(failure)
    assert is_broken(error)
    error.__cause__ = server_error("57P01")
    assert translate(error).is_transient


def test_a_changed_schema_is_transient() -> None:
    error = server_error("0A000", R="RevalidateCachedQuery")
    assert translate(error).is_transient
    assert not translate(server_error("0A000")).is_transient


def test_the_missing_row_is_named_where_the_constraint_is_known() -> None:
    assert "There is no session" in str(translate(server_error("23503")))


def test_sqlalchemys_wrapping_does_not_hide_the_drivers_error() -> None:
    original = server_error("23505")
    adapted = Exception("adapted")
    adapted.__cause__ = original
    failure = translate(exc.DBAPIError("INSERT …", None, adapted))
    assert type(failure) is DuplicateError
    assert failure.__cause__ is original


def test_the_docstring_is_the_default_message() -> None:
    assert str(OutcomeUnknownError()).startswith("The connection broke during the commit")
    assert isinstance(InvalidInputError(), ValueError)
