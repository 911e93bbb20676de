"""What the parts of the search's statement share: what they depend on, their parameters, and joins."""

from typing import NamedTuple

from livetranslate_store.values import EntryKind


class Shape(NamedTuple):
    """What the text of a statement depends on.

    `similar` has the number of words that may be mistyped for each branch; `walked` the kinds whose hits were
    found by walking when the block was read first.
    """

    given: frozenset[str]
    kinds: frozenset[EntryKind]
    finals_only: bool
    one_reading: bool
    similar: tuple[int, ...]
    walked: frozenset[EntryKind]


class Source(NamedTuple):
    """A table that is searched: its name, the kind of its hits, and its column of languages."""

    table: str
    kind: EntryKind
    language: str


TRANSCRIPTS = Source("transcripts", "transcript", "language")
TRANSLATIONS = Source("translations", "translation", "target_language")


class Binder:
    """Numbers the parameters in the order in which they first appear."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str, kind: str) -> str:
        """Return the parameter `name`, of the SQL type `kind`."""
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 1}::{kind}"

    def key(self, name: str) -> str:
        """Return the three parameters that are a place among hits."""
        started_at = self(f"{name}_started_at", "timestamptz")
        return f"({started_at}, {self(f'{name}_session_id', 'uuid')}, {self(f'{name}_id', 'uuid')})"


def read_by(language: str, shape: Shape) -> str:
    """Return whether `reading` is how texts in `language` are read."""
    if shape.one_reading:
        return "true"
    return f"reading.configuration = livetranslate.search_configuration({language})"


def its_speaker(spoken: str) -> str:
    """Return the join of the speaker of the transcript `spoken`."""
    # Both from one table: with the meeting from another one, the planner takes the label alone to the index.
    return (
        "LEFT JOIN livetranslate.speakers AS speaker"
        f" ON speaker.session_id = {spoken}.session_id AND speaker.label = {spoken}.speaker_label"
    )
