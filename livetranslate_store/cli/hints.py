"""What somebody at a terminal can do about an error; wrong input says itself what would be right."""

from livetranslate_store import errors

_HINTS: tuple[tuple[type[errors.StoreError], str], ...] = (
    (errors.StoreUnavailableError, "`livetranslate-store check` tells which part does not answer."),
    (errors.NotFoundError, "`livetranslate-store sessions` lists what is there."),
    (errors.ConflictError, "Run the command again."),
    (errors.OutcomeUnknownError, "Run the command again."),
    (
        errors.WriteRejectedError,
        "Run it again when fewer writes are under way, or with a larger write_timeout.",
    ),
    (errors.PoolTimeoutError, "Run it again, or with a larger LIVETRANSLATE_CONNECTION_TIMEOUT."),
    (errors.QueryTimeoutError, "Ask for less, or set a larger LIVETRANSLATE_COMMAND_TIMEOUT."),
    (errors.CorruptAudioError, "The bytes in the audio storage are not those that were recorded."),
)


def hint_for(error: errors.StoreError) -> str:
    """Return what to do about an error, or nothing where its own message says it all."""
    message = str(error)
    if "`" in message or "--" in message or "pip install" in message:
        return ""
    return next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
