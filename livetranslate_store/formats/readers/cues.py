"""Making cues: what is wrong with one is told with its line, and the others go on."""

from collections.abc import Callable

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.values import ImportedCue, Refusal


def made(line: int, make: Callable[[], ImportedCue]) -> ImportedCue | Refusal:
    """Return the cue, or what InvalidInputError says about it."""
    try:
        return make()
    except InvalidInputError as error:
        return Refusal(line, str(error))
