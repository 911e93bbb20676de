"""One format: how a file of it is known, read, and asked for its language."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from livetranslate_store.formats.readers.cues import Read
from livetranslate_store.formats.readers.source import Source
from livetranslate_store.values import SpeakerChoice


def silent(_: object) -> None:
    """Say nothing about the language."""


class Format(NamedTuple):
    """A format; `matches` is true of no file that another format matches.

    `language_of` returns the file's language as the file says it: a tag, a code or a name. `accepts` is true
    of a file that can be read if the caller names its format; None means the same as `matches`.
    """

    name: str
    matches: Callable[[Source], bool]
    read: Callable[[Source, SpeakerChoice], Iterator[Read]]
    language_of: Callable[[Source], str | None] = silent
    accepts: Callable[[Source], bool] | None = None
