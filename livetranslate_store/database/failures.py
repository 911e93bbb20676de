"""The one place that turns errors of the driver and of SQLAlchemy into the store's own, by SQLSTATE.

The SQLSTATEs are those of appendix A of PostgreSQL's manual. Messages name the constraint, or the node of a
cluster, if the server does, and never a value; the original error is the `__cause__`.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched
from sqlalchemy import exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi

from livetranslate_store.database.server_report import ServerReport
from livetranslate_store.errors import (
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

#: What the driver may raise.
DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that breaks while a message is being sent
    OSError,  # TimeoutError is one too
)
# Opening a connection raises these: no connection of the engine exists yet that would wrap them.
_ADAPTED_ERROR: type[Exception] = AsyncAdapt_asyncpg_dbapi.Error
#: What a database call may raise; anything else is a bug and passes through unchanged.
DATABASE_ERRORS = (exc.SQLAlchemyError, _ADAPTED_ERROR, *DRIVER_ERRORS)

_UPGRADE = (
    "The schema is missing, or is not the one of this version: run `livetranslate-store upgrade` "
    "(in a checkout, `alembic upgrade head` does the same). If a newer version made it, install that version."
)
_LACKS = "The database user lacks a privilege that the store needs."
_GRANT = "The owner of the schema can grant it: `livetranslate-store roles` prints the SQL."
_BEHIND_PGBOUNCER = "If PgBouncer is in front of the server, set pgbouncer to true."
_POOLER = "A prepared statement is gone, or is another connection's. " + _BEHIND_PGBOUNCER

_DIVISION_BY_ZERO = "22012"
# The longest matching prefix counts.
_BY_SQLSTATE: dict[str, tuple[type[StoreError], str | None]] = {
    "08": (StoreUnavailableError, "The connection to the database broke."),
    "08007": (OutcomeUnknownError, None),
    "0A000": (StoreError, "The database does not support this statement."),
    "22": (InvalidInputError, "The database refused a value as out of range or malformed."),
    # The write statement divides by zero where it must not go on: see `upserts.py`.
    _DIVISION_BY_ZERO: (ConflictError, "A concurrent write of the same row came in between."),
    "23": (InvalidInputError, "The database refused a value that a constraint forbids."),
    "23503": (MissingReferenceError, None),  # in words below if the constraint is known
    "23505": (DuplicateError, None),
    "25P03": (QueryTimeoutError, "The server's idle_in_transaction_session_timeout ended the transaction."),
    "25P04": (QueryTimeoutError, "The server's transaction_timeout ended the transaction."),
    "25P02": (UsageError, "An earlier statement of the transaction failed."),
    "25006": (StoreUnavailableError, "The database takes no writes here: it is read-only."),
    "26000": (StoreUnavailableError, _POOLER),
    "28": (StoreUnavailableError, "The database refused the user or the password."),
    "3D000": (StoreUnavailableError, "The database of this name does not exist."),
    "3F000": (StoreUnavailableError, _UPGRADE),
    "40": (ConflictError, None),
    "40003": (OutcomeUnknownError, None),
    "42501": (StoreUnavailableError, _LACKS),
    "55000": (StoreUnavailableError, "The schema is not ready for this."),
    "42703": (StoreUnavailableError, _UPGRADE),  # a column
    "42704": (StoreUnavailableError, _UPGRADE),  # a type, or a configuration of the search
    "42804": (StoreUnavailableError, _UPGRADE),  # a column of another type
    "42883": (StoreUnavailableError, _UPGRADE),  # a function
    "42P01": (StoreUnavailableError, _UPGRADE),  # a table
    "42P05": (StoreUnavailableError, _POOLER),
    "42P10": (StoreUnavailableError, _UPGRADE),  # a key
    "53": (StoreUnavailableError, "The database server is out of resources."),
    "53100": (StoreUnavailableError, "The disk of the database server is full."),
    "54": (InvalidInputError, "The database refused a value as too large."),
    "55P03": (ConflictError, "A lock was not free within the time limit."),
    "57014": (QueryTimeoutError, None),
    "57P": (StoreUnavailableError, "The database server is shutting down or starting up."),
    "58": (StoreUnavailableError, "The database server met a system error."),
}

NO_SESSION = "There is no session with this session_id: create it first."

# The missing row, by the end of the foreign key's name.
_MISSING = {
    "_sessions": NO_SESSION,
    "_audio_files": "There is no audio file with this audio_file_id in the session.",
    "_transcripts": "There is no transcript with this transcript_id in the session.",
}

# The connection breaks with these: its statement may have been executed.
_BROKEN_CONNECTION = ("08", "57P")
# asyncpg's words: it raises a bare ConnectionError, as it does for a connection that was closed.
_NO_TLS = "rejected SSL upgrade"
# Only opening a connection meets these.
_CONNECTING = (
    socket.gaierror,
    ConnectionRefusedError,
    FileNotFoundError,
    ssl.SSLError,
    TargetServerAttributeNotMatched,
)
# Why a connection was not opened, by the kind of the error.
_CAUSES: dict[type[BaseException], str] = {
    TimeoutError: "no answer within the time limit.",
    socket.gaierror: "unknown host.",
    ConnectionRefusedError: "connection refused, no server listens there.",
    FileNotFoundError: "connection refused, its socket does not exist.",
    ConnectionResetError: "the server closed the connection.",
    asyncpg.ConnectionDoesNotExistError: "the server closed the connection.",
    TargetServerAttributeNotMatched: "none of the hosts that answer is the primary.",
}
# The server is a standby, or became one: only another connection can reach the primary.
_READ_ONLY = "25006"
_DISK_FULL = "53100"
# Their messages name objects of the database and nothing else, and their hints say what to do.
_SAID_BY_SERVER = ("0A000", "42501", "55000")
# A moment later the server may be back, have room, or have a successor. Conflicts are transient by class.
_PASSING = (*_BROKEN_CONNECTION, _READ_ONLY, "53300")
# A node of a cluster failed while its coordinator is well.
_NODE_FAILED = (*_BROKEN_CONNECTION, "58")


@contextmanager
def wrap(
    note: Callable[[Exception], StoreError | None] | None = None,
    *,
    committing: bool = False,
    address: str | None = None,
) -> Iterator[None]:
    """Raise the database's errors in the block as the store's.

    `note` sees the original first, and may know the store's error better.
    """
    try:
        yield
    except DATABASE_ERRORS as error:
        known = None if note is None else note(error)
        failure = known or translate(error, committing=committing, address=address)
        raise failure from failure.__cause__ or error


def translate(error: Exception, *, committing: bool = False, address: str | None = None) -> StoreError:
    """Return the store's error for `error`, with the driver's own error as its `__cause__`.

    With `committing`, the server may have made the change durable before its answer was lost; such a failure
    becomes OutcomeUnknownError unless the server itself reported a rollback. With an `address`, the error of
    a connection that could not be opened names it.
    """
    original = _driver_error(error)
    report = _report(original)
    failure: StoreError
    if (
        committing
        and not is_unsent(original)
        and (report is None or report.sqlstate.startswith(_BROKEN_CONNECTION))
    ):
        failure = OutcomeUnknownError()
    elif isinstance(original, _CONNECTING):
        failure = cannot_connect(original, address)
    elif isinstance(original, asyncpg.InvalidCachedStatementError):
        failure = StoreUnavailableError("The schema was changed meanwhile; try again.", transient=True)
    elif isinstance(original, asyncpg.PostgresError):
        failure = _from_server(_reason(original))
    else:
        failure = _from_client(error, original)
    failure.__cause__ = original
    return failure


def cannot_connect(error: Exception, address: str | None) -> StoreError:
    """Return the store's error for a connection to `address` that could not be opened.

    The message gives the address and the cause, never a password.
    """
    original = _driver_error(error)
    kind: type[StoreError] = StoreUnavailableError
    if isinstance(original, asyncpg.PostgresError) and not isinstance(original, _CONNECTING):
        answer = translate(error)
        kind, transient, cause = type(answer), answer.is_transient, str(answer)
        if _is_refused_parameter(original):
            transient = False
            cause = f"the server or a pooler refused to open it ({original.args[0]}). {_BEHIND_PGBOUNCER}"
    else:
        # A certificate, and a server without TLS, have to be mended by a person.
        transient = not isinstance(original, ssl.SSLCertVerificationError) and _NO_TLS not in str(original)
        cause = _why_unreachable(original)
    place = "" if address is None else f" at {address}"
    failure = kind(f"Cannot connect to the database{place}: {cause}", transient=transient)
    failure.__cause__ = original
    return failure


def is_broken(error: BaseException | None) -> bool:
    """Return whether the connection on which `error` occurred is unusable."""
    original = _driver_error(error)
    report = _report(original)
    if report is not None:
        # A node of a cluster that fails leaves the connection to its coordinator whole.
        return report.node is None and report.sqlstate.startswith((*_BROKEN_CONNECTION, _READ_ONLY))
    return isinstance(original, DRIVER_ERRORS) and not isinstance(original, TimeoutError | asyncpg.DataError)


def is_unanswered(error: BaseException | None) -> bool:
    """Return whether the driver stopped waiting for an answer, which is still to come."""
    return isinstance(_driver_error(error), TimeoutError)


def is_answer(error: BaseException | None) -> bool:
    """Return whether the server reported `error`, and so can be reached."""
    return isinstance(_driver_error(error), asyncpg.PostgresError)


def is_of_node(error: BaseException | None) -> bool:
    """Return whether a node of a cluster caused `error`, which its coordinator reports."""
    report = _report(_driver_error(error))
    return report is not None and report.node is not None


def is_unsent(error: BaseException | None) -> bool:
    """Return whether the driver raised `error` before it sent anything."""
    return isinstance(_driver_error(error), asyncpg.InterfaceError)


def takes_no_writes(error: BaseException | None) -> bool:
    """Return whether the server refused a write as it would refuse any other one."""
    report = _report(_driver_error(error))
    return report is not None and report.node is None and report.sqlstate in (_READ_ONLY, _DISK_FULL)


def is_division_by_zero(error: BaseException | None) -> bool:
    """Return whether a statement divided by zero, as a write of the store's does after a lost race."""
    return getattr(_driver_error(error), "sqlstate", None) == _DIVISION_BY_ZERO


def is_read_only(error: BaseException | None) -> bool:
    """Return whether the server refused a write in a read-only transaction."""
    return getattr(_driver_error(error), "sqlstate", None) == _READ_ONLY


def _driver_error(error: BaseException | None) -> BaseException | None:
    # SQLAlchemy's wrapping repeats the whole statement, which buries the cause.
    adapted = error.orig if isinstance(error, exc.DBAPIError) else error
    if adapted is None or (adapted is error and not isinstance(error, _ADAPTED_ERROR)):
        return error
    return adapted.__cause__ or adapted


def _report(original: BaseException | None) -> ServerReport | None:
    return ServerReport.of(original) if isinstance(original, asyncpg.PostgresError) else None


def _reason(original: asyncpg.PostgresError) -> asyncpg.PostgresError:
    """Return the server's last words, if the driver has kept them for a connection that the server closed."""
    if isinstance(original, asyncpg.ConnectionDoesNotExistError) and isinstance(
        original.__cause__, asyncpg.PostgresError
    ):
        return original.__cause__
    return original


def _from_server(original: asyncpg.PostgresError) -> StoreError:
    sqlstate, constraint, node = ServerReport.of(original)
    for length in (5, 3, 2):
        known = _BY_SQLSTATE.get(sqlstate[:length])
        if known is not None:
            kind, message = known
            break
    else:
        kind, message = StoreError, "The database reported an error."
    is_of_node = node is not None and kind is StoreUnavailableError
    if kind is MissingReferenceError and constraint:
        message = next((said for end, said in _MISSING.items() if constraint.endswith(end)), None)
    elif is_of_node and sqlstate.startswith(_NODE_FAILED):
        message = "A node of the cluster failed, or its coordinator cannot reach it."
    place = f", constraint {constraint}" if constraint else ""
    place += f", node {node}" if is_of_node else ""
    words = f" {_server_words(original)}" if sqlstate in _SAID_BY_SERVER else ""
    passing = (*_PASSING, "58") if is_of_node else _PASSING
    return kind(
        f"{message or kind.default_message()}{words} (SQLSTATE {sqlstate}{place})",
        transient=sqlstate.startswith(passing) if kind is StoreUnavailableError else None,
        constraint_name=constraint,
    )


def _server_words(original: asyncpg.PostgresError) -> str:
    said = f"The server says: {str(original.args[0]).rstrip('.')}."
    advice = original.hint or (_GRANT if original.sqlstate == "42501" else None)
    return said if advice is None else f"{said} {advice}"


def _from_client(error: Exception, original: BaseException | None) -> StoreError:
    if isinstance(error, exc.TimeoutError):
        return PoolTimeoutError()
    if isinstance(original, TimeoutError):
        return QueryTimeoutError("The database did not answer within the time limit.")
    if isinstance(original, asyncpg.DataError):
        return InvalidInputError("The driver refused a value as out of range or malformed.")
    if isinstance(original, DRIVER_ERRORS) or isinstance(error, exc.DBAPIError):
        return StoreUnavailableError("The connection to the database broke.", transient=True)
    return StoreError(f"The database layer failed: {type(error).__name__}.")


def _is_refused_parameter(original: asyncpg.PostgresError) -> bool:
    # PgBouncer gives this SQLSTATE to every error of its own, an outage among them; it translates none.
    return isinstance(original, asyncpg.ProtocolViolationError) and "startup parameter" in original.args[0]


def _why_unreachable(original: BaseException | None) -> str:
    for kind, cause in _CAUSES.items():
        if isinstance(original, kind):
            return cause
    if isinstance(original, ssl.SSLCertVerificationError):
        return f"the certificate of the server is not accepted: {original.verify_message}."
    if isinstance(original, ssl.SSLError):
        return f"TLS failed ({original.reason})."
    if isinstance(original, OSError):
        # The operating system's own words name addresses and no more.
        return f"{original.strerror or original}."
    return f"the driver failed ({type(original).__name__})."
