"""The kinds of errors of an audio storage: away, refused, not there, full."""

import errno
import os
import re
from http import HTTPStatus

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from livetranslate_store.errors import StoreUnavailableError

#: What obstore and the file system may raise.
STORAGE_ERRORS = (BaseError, OSError)

_AWAY = "it cannot be reached, or takes no calls now."
_REFUSED = "it refuses the access: check audio_url, and the credentials in the environment."
_NOT_THERE = "its bucket or folder does not exist: check audio_url."
_FULL = "it is full."

_REASONS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: _REFUSED,
    HTTPStatus.FORBIDDEN: _REFUSED,
    HTTPStatus.NOT_FOUND: _NOT_THERE,
    HTTPStatus.INSUFFICIENT_STORAGE: _FULL,
}
_REASONS_OF_SYSTEM: dict[int, str] = {
    errno.EACCES: _REFUSED,
    errno.EPERM: _REFUSED,
    errno.EROFS: _REFUSED,
    errno.ENOENT: _NOT_THERE,
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
}
# A mounted file system may be back a moment later.
_PASSING = (errno.ETIMEDOUT, errno.ESTALE, errno.EHOSTDOWN, errno.EBUSY, errno.EAGAIN, errno.EMFILE)

# obstore says the number in its message and nowhere else.
_STATUS = re.compile(r"status code: (\d{3})")
_ERRNO = re.compile(r"\(os error (\d+)\)")


def storage_failure(error: Exception, task: str) -> StoreUnavailableError:
    """Return the store's error for `error`; `task` is the task that failed, such as `written`.

    It is transient if the storage is away: then the same call may succeed a moment later.
    """
    reason, is_transient = _reason(error)
    return StoreUnavailableError(f"The audio storage cannot be {task}: {reason}", transient=is_transient)


def _reason(error: Exception) -> tuple[str, bool]:
    if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError):
        return _REFUSED, False
    if isinstance(error, FileNotFoundError):
        return _NOT_THERE, False
    number = error.errno if isinstance(error, OSError) else _number(_ERRNO, error)
    if number is not None:
        return _REASONS_OF_SYSTEM.get(number, f"{os.strerror(number)}."), number in _PASSING
    status = _number(_STATUS, error)
    if status in _REASONS:
        return _REASONS[status], False
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return _AWAY, True
    return f"it answers with the HTTP status {status}.", False


def _number(pattern: re.Pattern[str], error: Exception) -> int | None:
    found = pattern.search(str(error))
    return None if found is None else int(found[1])
