"""Every failure of the store, as one tree of typed exceptions.

A class's docstring is its default message. No message ever holds a password or the text of a segment.
"""

from inspect import cleandoc


class StoreError(Exception):
    """The store could not do what was asked."""

    #: Whether the same call may succeed a moment later, as after a conflict or while a server restarts.
    is_transient: bool = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(cleandoc(self.__doc__ or "") if message is None else message)


class InvalidInputError(StoreError, ValueError):
    """The input is not acceptable; nothing was written."""


class UsageError(StoreError, RuntimeError):
    """The API was used in an order, or from a task, that it does not allow."""


class NotFoundError(StoreError):
    """What was asked for is not there."""


class DuplicateError(StoreError):
    """Something else already holds this key."""


class MissingReferenceError(StoreError):
    """The row refers to one that is not there."""


class WriteRejectedError(StoreError):
    """The write gate had no free slot within the time limit, or no room to wait; nothing was written."""


class PoolTimeoutError(StoreError):
    """No database connection became free within the time limit."""


class QueryTimeoutError(StoreError):
    """The statement was stopped at its time limit and rolled back."""


class ConflictError(StoreError):
    """A concurrent transaction won (serialization failure, deadlock, lock timeout); try again."""

    is_transient = True


class StoreUnavailableError(StoreError):
    """The database or the audio storage cannot be reached or is not ready."""


class OutcomeUnknownError(StoreError):
    """The connection broke during the commit: it may or may not have happened. Repeating is safe."""

    is_transient = True


class CorruptAudioError(StoreError):
    """The stored audio does not match the size and SHA-256 of its row."""
