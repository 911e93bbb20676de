"""The errors of the store for HTTP: a status and a problem document (RFC 9457), for any web framework."""

from http import HTTPStatus
from typing import NamedTuple

import msgspec

from livetranslate_store.errors import (
    ConflictError,
    CorruptAudioError,
    DuplicateError,
    InvalidInputError,
    MissingReferenceError,
    NotFoundError,
    OutcomeUnknownError,
    PoolTimeoutError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
    UsageError,
    WriteRejectedError,
)
from livetranslate_store.values.value import Value

#: The media type of a problem document.
MEDIA_TYPE = "application/problem+json"
# A lost race is over at once; a full gate, pool or server needs a moment to recover.
_AFTER_A_RACE = 1
_AFTER_OVERLOAD = 5


class Problem(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document: `type` is a URI of the kind of error, `title` names it, `detail` explains this one.

    `retry_after` is the number of seconds after which the same call may succeed, None if it would fail again.
    The detail of a status of 500 or above says nothing about the servers inside: the error itself does.
    """

    type: str
    title: str
    status: int
    detail: str
    retry_after: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers of an answer with this document."""
        headers = {"Content-Type": MEDIA_TYPE}
        return headers if self.retry_after is None else headers | {"Retry-After": str(self.retry_after)}


class _Kind(NamedTuple):
    """The status and the title of a class of errors, and the seconds to wait if one may pass by itself."""

    status: HTTPStatus
    title: str
    retry_after: int = _AFTER_OVERLOAD
    # Whether each one passes by itself, not only an error that says so.
    passes: bool = False


_KINDS: dict[type[Exception], _Kind] = {
    # The JSON could not be read, or is not an input.
    msgspec.DecodeError: _Kind(HTTPStatus.BAD_REQUEST, "Malformed document"),
    msgspec.ValidationError: _Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid input"),
    InvalidInputError: _Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid input"),
    NotFoundError: _Kind(HTTPStatus.NOT_FOUND, "Not found"),
    # The missing session or transcript is part of the address of what is written, and its client's next step
    # is the one after any 404: to create it first.
    MissingReferenceError: _Kind(HTTPStatus.NOT_FOUND, "Missing reference"),
    DuplicateError: _Kind(HTTPStatus.CONFLICT, "Duplicate"),
    ConflictError: _Kind(HTTPStatus.CONFLICT, "Conflict", _AFTER_A_RACE),
    WriteRejectedError: _Kind(HTTPStatus.SERVICE_UNAVAILABLE, "Write rejected", passes=True),
    PoolTimeoutError: _Kind(HTTPStatus.SERVICE_UNAVAILABLE, "Pool timeout", passes=True),
    QueryTimeoutError: _Kind(HTTPStatus.GATEWAY_TIMEOUT, "Query timeout"),
    StoreUnavailableError: _Kind(HTTPStatus.SERVICE_UNAVAILABLE, "Store unavailable"),
    OutcomeUnknownError: _Kind(HTTPStatus.SERVICE_UNAVAILABLE, "Outcome unknown", _AFTER_A_RACE),
    CorruptAudioError: _Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "Corrupt audio"),
    UsageError: _Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "Usage error"),
    StoreError: _Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"),
}


def problem_of(error: StoreError | msgspec.DecodeError) -> Problem:
    """Return the problem document for an error of the store, or of decoding an input with msgspec.

    `detail` is the message of the error if the caller can act on it (a status below 500), otherwise a general
    sentence: log the error.
    """
    known = next(each for each in type(error).__mro__ if each in _KINDS)
    status, title, retry_after, passes = _KINDS[known]
    is_transient = isinstance(error, StoreError) and (passes or error.is_transient)
    if isinstance(error, StoreError) and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        detail = error.default_message()
    else:
        detail = str(error)
    return Problem(
        type=f"urn:livetranslate-store:{title.lower().replace(' ', '-')}",
        title=title,
        status=status.value,
        detail=detail,
        retry_after=retry_after if is_transient else None,
    )
