"""All errors of the store, as one tree of typed exceptions.

A class's docstring is its default message. No message contains a password or the text of a segment.
"""

from inspect import cleandoc


class StoreError(Exception):
    """The store could not do what was asked."""

    #: Whether the store repeats such a call by itself for a while, for example after a conflict or a restart.
    is_transient: bool = False

    def __init__(
        self,
        message: str | None = None,
        *,
        transient: bool | None = None,
        constraint_name: str | None = None,
    ) -> None:
        super().__init__(self.default_message() if message is None else message)
        if transient is not None:
            self.is_transient = transient
        #: The constraint that refused the row; None if there is none, or if the server does not name it.
        self.constraint_name = constraint_name

    @classmethod
    def default_message(cls) -> str:
        """Return the message of an error that is raised without one."""
        return cleandoc(cls.__doc__ or "")


class InvalidInputError(StoreError, ValueError):
    """The input is not acceptable; nothing was written."""


class UsageError(StoreError, RuntimeError):
    """The call is not allowed in this order, or from this task."""


class NotFoundError(StoreError):
    """The requested object does not exist."""


class DuplicateError(StoreError):
    """Another row already has this key."""


class MissingReferenceError(StoreError):
    """The row references another row that does not exist."""


class WriteRejectedError(StoreError):
    """The write gate had no free slot in time, or no room for one more waiting write; nothing was written."""


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
    """The connection broke during the commit, which may or may not have happened. Repeating is safe."""

    is_transient = True


class CorruptAudioError(StoreError):
    """The stored audio does not match the size and SHA-256 of its row."""
