"""What a user can do about an error. Errors of wrong input say so themselves."""

from livetranslate_store import errors

_HINTS: tuple[tuple[type[errors.StoreError], str], ...] = (
    (errors.StoreUnavailableError, "`livetranslate-store check` shows which part does not answer."),
    (errors.NotFoundError, "`livetranslate-store sessions` lists the sessions."),
    (errors.ConflictError, "Run the command again."),
    (errors.OutcomeUnknownError, "Run the command again."),
    (
        errors.WriteRejectedError,
        "Run it again when fewer writes are running, or with a larger LIVETRANSLATE_WRITE_TIMEOUT.",
    ),
    (errors.PoolTimeoutError, "Run it again, or with a larger LIVETRANSLATE_CONNECTION_TIMEOUT."),
    (errors.QueryTimeoutError, "Narrow the query, or set a larger LIVETRANSLATE_COMMAND_TIMEOUT."),
)


def hint_for(error: errors.StoreError) -> str:
    """Return what to do about an error, or nothing if its message says it."""
    message = str(error)
    if "`" in message or "--" in message or "pip install" in message:
        return ""
    return next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
