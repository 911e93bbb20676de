"""What a cluster's coordinator says of its nodes becomes the error that a single server would give.

The messages are those of Citus 13.2 on PostgreSQL 15.
"""

import asyncpg
import pytest

from livetranslate_store import (
    ConflictError,
    DuplicateError,
    InvalidInputError,
    MissingReferenceError,
    OutcomeUnknownError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
)
from livetranslate_store.database.failures import is_broken, takes_no_writes, translate
from livetranslate_store.models import Base

NODE = "127.0.0.1:5622"
ON_NODE = f"while executing command on {NODE}"
CANNOT_REACH = (
    f"connection to the remote node app@{NODE} failed with the following error: Connection refused\n"
    "\tIs the server running on that host and accepting TCP/IP connections?"
)


def reported(sqlstate: str, message: str, context: str | None = None) -> asyncpg.PostgresError:
    fields = {"C": sqlstate, "M": message, "S": "ERROR", "V": "ERROR"}
    error = asyncpg.PostgresError.new(fields if context is None else fields | {"W": context})
    assert isinstance(error, asyncpg.PostgresError)
    return error


FOREIGN_KEY = (
    'insert or update on table "speakers_102017" violates foreign key constraint '
    '"fk_speakers_sessions_102017"'
)
DUPLICATE = 'duplicate key value violates unique constraint "pk_sessions_102008"'
CHECK = 'new row for relation "sessions_102009" violates check constraint "ck_sessions_status_known"'
NOT_NULL = 'null value in column "bot_id" of relation "sessions_102009" violates not-null constraint'


@pytest.mark.parametrize("sqlstate", ["own", "XX000"])
@pytest.mark.parametrize(
    ("own", "message", "expected", "constraint"),
    [
        ("23503", FOREIGN_KEY, MissingReferenceError, "fk_speakers_sessions"),
        ("23505", DUPLICATE, DuplicateError, "pk_sessions"),
        ("23514", CHECK, InvalidInputError, "ck_sessions_status_known"),
        ("23502", NOT_NULL, InvalidInputError, None),
    ],
)
def test_a_violated_constraint_has_its_own_name_and_error_however_it_is_reported(
    sqlstate: str, own: str, message: str, expected: type[StoreError], constraint: str | None
) -> None:
    failure = translate(reported(own if sqlstate == "own" else sqlstate, message, ON_NODE))
    assert type(failure) is expected
    assert failure.constraint_name == constraint
    assert own in str(failure)
    assert "1020" not in str(failure)


def test_the_missing_row_is_named_by_the_constraint_without_its_shard() -> None:
    assert "There is no session" in str(translate(reported("XX000", FOREIGN_KEY)))


def test_a_constraint_that_the_server_names_keeps_its_name() -> None:
    error = asyncpg.PostgresError.new(
        {"C": "23505", "M": "duplicate key value", "V": "ERROR", "n": "uq_notes_2026_123456"}
    )
    assert isinstance(error, asyncpg.PostgresError)
    assert translate(error).constraint_name == "uq_notes_2026_123456"


def test_a_value_in_a_message_is_not_taken_for_a_constraint_or_a_node() -> None:
    error = reported("22P02", 'invalid input syntax for type json: "constraint "secret" on secret:1"')
    failure = translate(error)
    assert failure.constraint_name is None
    assert "secret" not in str(failure)


def test_no_constraint_has_a_name_that_the_number_of_a_shard_would_shorten() -> None:
    # PostgreSQL's names end at 63 bytes; Citus replaces the end of a longer one by a hash.
    names = [
        str(each.name)
        for table in Base.metadata.tables.values()
        for schema_items in (table.constraints, table.indexes)
        for each in schema_items
    ]
    assert len(names) > 20
    assert max(map(len, names)) + len("_10200812") <= 63


@pytest.mark.parametrize(
    ("message", "expected", "is_transient"),
    [
        ("division by zero", ConflictError, True),
        ("deadlock detected", ConflictError, True),
        ("canceling statement due to statement timeout", QueryTimeoutError, False),
        ("canceling statement due to user request", QueryTimeoutError, False),
        ("canceling statement due to lock timeout", ConflictError, True),
        ("could not serialize access due to concurrent update", ConflictError, True),
        ("could not find valid entry for shard 102008", ConflictError, True),
        ("cannot execute INSERT in a read-only transaction", StoreUnavailableError, True),
        ("failure on connection marked as essential: 127.0.0.1:5622", StoreUnavailableError, True),
        ("failed to prepare transaction 'citus_0_1_2_3' on host 127.0.0.1:5622", StoreUnavailableError, True),
        ("server closed the connection unexpectedly", StoreUnavailableError, True),
        ("unrecognized node type: 42", StoreError, False),
    ],
)
def test_an_error_that_lost_its_sqlstate_is_known_by_its_words(
    message: str, expected: type[StoreError], is_transient: bool
) -> None:
    failure = translate(reported("XX000", message, ON_NODE))
    assert type(failure) is expected
    assert failure.is_transient is is_transient


@pytest.mark.parametrize(
    "error",
    [
        reported("08006", CANNOT_REACH),
        reported("08006", f"connection to the remote node app@{NODE} failed with the following error: x"),
        reported("57P01", "terminating connection due to unexpected postmaster exit", ON_NODE),
        reported("08006", f"could not establish any connections to the node {NODE} after 30000 ms"),
        reported("58030", f"failed to complete COPY on {NODE}"),
    ],
)
def test_a_node_that_fails_is_named_and_leaves_the_connection_whole(error: asyncpg.PostgresError) -> None:
    failure = translate(error)
    assert type(failure) is StoreUnavailableError
    assert failure.is_transient
    assert "A node of the cluster failed" in str(failure)
    assert f"node {NODE}" in str(failure)
    assert "app@" not in str(failure)
    assert not is_broken(error)


def test_a_coordinator_that_is_killed_while_it_waits_for_a_node_breaks_the_connection() -> None:
    error = reported("XX000", "postmaster was shut down, exiting")
    failure = translate(error)
    assert type(failure) is StoreUnavailableError
    assert failure.is_transient
    assert is_broken(error)


def test_a_full_or_read_only_node_stops_its_own_writes_only() -> None:
    full = 'could not extend file "base/1/2": No space left on device'
    for error in (
        reported("53100", full, ON_NODE),
        reported("25006", "cannot execute INSERT in a read-only transaction", ON_NODE),
    ):
        assert not takes_no_writes(error)
        assert not is_broken(error)
        assert NODE in str(translate(error))
    assert takes_no_writes(reported("53100", full))


@pytest.mark.parametrize(
    "error",
    [
        reported("XX000", "could not commit transaction for shard 102008 on at least one active node"),
        reported("08006", CANNOT_REACH),
        reported("57P01", "terminating connection due to administrator command", ON_NODE),
        reported("XX000", "server closed the connection unexpectedly", ON_NODE),
    ],
)
def test_a_commit_of_which_a_node_gave_no_answer_has_an_unknown_outcome(error: asyncpg.PostgresError) -> None:
    assert type(translate(error, committing=True)) is OutcomeUnknownError


@pytest.mark.parametrize(
    "message",
    [
        f"failure on connection marked as essential: {NODE}",
        f"failed to prepare transaction 'citus_0_1_2_3' on host {NODE}",
    ],
)
def test_a_commit_for_which_a_node_was_not_prepared_is_rolled_back(message: str) -> None:
    assert type(translate(reported("XX000", message), committing=True)) is StoreUnavailableError


def test_a_table_of_a_shard_that_is_gone_was_moved() -> None:
    error = reported("42P01", 'relation "livetranslate.transcripts_102104" does not exist', ON_NODE)
    assert type(translate(error)) is ConflictError
    missing = reported("42P01", 'relation "livetranslate.transcripts" does not exist')
    assert "livetranslate-store upgrade" in str(translate(missing))


def test_a_statement_that_a_cluster_cannot_plan_is_explained_by_the_server() -> None:
    error = reported("0A000", "could not run distributed query with FOR UPDATE/SHARE commands")
    failure = translate(error)
    assert type(failure) is StoreError
    assert "does not support this statement. The server says: could not run distributed query" in str(failure)
    assert not failure.is_transient
