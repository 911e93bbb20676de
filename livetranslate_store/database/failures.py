"""The one place where driver and SQLAlchemy errors become the store's own, by SQLSTATE.

The SQLSTATEs are those of appendix A of PostgreSQL's manual. Messages name a constraint where the server
tells one, never a value; the original error stays reachable as `__cause__`.
"""

import ssl

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched
from sqlalchemy import exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi

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
# What opening a connection raises where no engine's connection is around it to wrap it.
_ADAPTED_ERROR: type[Exception] = AsyncAdapt_asyncpg_dbapi.Error
#: What a database call may raise; anything else is a bug and passes through as it is.
DATABASE_ERRORS = (exc.SQLAlchemyError, _ADAPTED_ERROR, *DRIVER_ERRORS)

_UPGRADE = (
    "The schema is missing or out of date: run `livetranslate-store upgrade` "
    "(in a checkout, `alembic upgrade head` does the same)."
)

# The longest matching prefix counts.
_BY_SQLSTATE: dict[str, tuple[type[StoreError], str | None]] = {
    "08": (StoreUnavailableError, "The connection to the database broke."),
    "22": (InvalidInputError, "The database refused a value as out of range or malformed."),
    # The write statement divides by zero where it must not go on: see `upserts.py`.
    "22012": (ConflictError, "A concurrent write of the same row came in between."),
    "23": (InvalidInputError, "The database refused a value that a constraint forbids."),
    "23503": (MissingReferenceError, None),  # said in words below where the constraint is known
    "23505": (DuplicateError, None),
    "25P02": (UsageError, "An earlier statement of the transaction failed."),
    "25006": (StoreUnavailableError, "The database takes no writes here: it is read-only."),
    "28": (StoreUnavailableError, "The database refused the user or the password."),
    "3D000": (StoreUnavailableError, "The database of this name does not exist."),
    "3F000": (StoreUnavailableError, _UPGRADE),
    "40": (ConflictError, None),
    "40003": (OutcomeUnknownError, None),
    "42501": (StoreUnavailableError, "The database user lacks a privilege that the store needs."),
    "42703": (StoreUnavailableError, _UPGRADE),
    "42P01": (StoreUnavailableError, _UPGRADE),
    "53": (StoreUnavailableError, "The database server is out of resources."),
    "54": (InvalidInputError, "The database refused a value as too large."),
    "55P03": (ConflictError, "A lock was not free within the time limit."),
    "57014": (QueryTimeoutError, None),
    "57P": (StoreUnavailableError, "The database server is shutting down or starting up."),
    "58": (StoreUnavailableError, "The database server met a system error."),
}

NO_SESSION = "There is no session with this session_id: create it first."

# What is not there, by the end of the foreign key's name.
_MISSING = {
    "_sessions": NO_SESSION,
    "_audio_files": "There is no audio file with this audio_file_id in the session.",
    "_transcripts": "There is no transcript with this transcript_id in the session.",
}

# These come with a connection that breaks: what it was doing may have been done.
_BROKEN_CONNECTION = ("08", "57P")
# The server is a standby, or became one: the primary is behind another connection.
_READ_ONLY = "25006"
# A moment later the server may be there, have room, or have a successor. Conflicts pass too: see `errors.py`.
_PASSING = (*_BROKEN_CONNECTION, _READ_ONLY, "53300")


def translate(error: Exception, *, committing: bool = False) -> StoreError:
    """Return the store's error for `error`, with the driver's own error as its `__cause__`.

    `committing` tells that the server may have made the change durable before its answer was lost; such a
    failure becomes OutcomeUnknownError unless the server itself said that it rolled back.
    """
    original = _driver_error(error)
    sqlstate: str | None = getattr(original, "sqlstate", None)
    failure: StoreError
    if committing and (sqlstate is None or sqlstate.startswith(_BROKEN_CONNECTION)):
        failure = OutcomeUnknownError()
    elif sqlstate is not None:
        failure = _from_sqlstate(sqlstate, original)
    else:
        failure = _from_client(error, original)
    if isinstance(failure, StoreUnavailableError):
        failure.is_transient = sqlstate is None or sqlstate.startswith(_PASSING)
    failure.__cause__ = original
    return failure


def unavailable(message: str) -> StoreUnavailableError:
    """Return the error of a database that may be there a moment later."""
    failure = StoreUnavailableError(message)
    failure.is_transient = True
    return failure


def is_broken(error: Exception) -> bool:
    """Tell whether the connection on which `error` occurred is of no more use."""
    original = _driver_error(error)
    if isinstance(original, asyncpg.PostgresError):
        return str(original.sqlstate).startswith((*_BROKEN_CONNECTION, _READ_ONLY))
    return isinstance(original, DRIVER_ERRORS) and not isinstance(original, TimeoutError | asyncpg.DataError)


def is_answer(error: Exception) -> bool:
    """Tell whether `error` was reported by the server, which therefore is there."""
    return isinstance(_driver_error(error), asyncpg.PostgresError)


def _driver_error(error: Exception) -> BaseException:
    # SQLAlchemy's wrapping repeats the whole statement, which buries what went wrong.
    adapted = error.orig if isinstance(error, exc.DBAPIError) else error
    if adapted is None or (adapted is error and not isinstance(error, _ADAPTED_ERROR)):
        return error
    return adapted.__cause__ or adapted


def _from_sqlstate(sqlstate: str, original: BaseException) -> StoreError:
    for length in (5, 3, 2):
        known = _BY_SQLSTATE.get(sqlstate[:length])
        if known is not None:
            kind, message = known
            break
    else:
        kind, message = StoreError, "The database reported an error."
    # Not every engine tells the constraint (Citus does not).
    constraint: str | None = getattr(original, "constraint_name", None)
    if kind is MissingReferenceError and constraint:
        message = next((said for end, said in _MISSING.items() if constraint.endswith(end)), None)
    place = f", constraint {constraint}" if constraint else ""
    return kind(f"{message or kind().args[0]} (SQLSTATE {sqlstate}{place})")


def _from_client(error: Exception, original: BaseException) -> StoreError:
    if isinstance(error, exc.TimeoutError):
        return PoolTimeoutError()
    if isinstance(original, TimeoutError):
        return QueryTimeoutError("The database did not answer within the time limit.")
    if isinstance(original, asyncpg.DataError):
        return InvalidInputError("The driver refused a value as out of range or malformed.")
    if isinstance(original, DRIVER_ERRORS) or isinstance(error, exc.DBAPIError):
        return StoreUnavailableError(_unreachable(original))
    return StoreError(f"The database layer failed: {type(error).__name__}.")


def _unreachable(original: BaseException) -> str:
    if isinstance(original, ssl.SSLCertVerificationError):
        return f"The certificate of the database server is not accepted: {original.verify_message}."
    if isinstance(original, TargetServerAttributeNotMatched):
        return "None of the hosts that answer is the primary."
    return "The database cannot be reached, or the connection broke."
