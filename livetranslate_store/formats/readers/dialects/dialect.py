"""A dialect: where its lists are, what its fields are called, and which unit its times have."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from livetranslate_store.formats.readers.dialects.paths import Fields
from livetranslate_store.formats.readers.dialects.units import Unit, seconds
from livetranslate_store.formats.readers.source import JSON

#: Places of one value, the best one first.
Places: TypeAlias = Sequence[str]


class Segment(NamedTuple):
    """A segment of a document: its fields, its words, and a text that is not in its fields."""

    fields: Fields
    words: Sequence[JSON] = ()
    text: str = ""
    channel: JSON = None
    language: JSON = None


class Words(NamedTuple):
    """The words of a segment, or of a whole document.

    `kinds` are the values of the field `type` that mean a word; other items are marks and spaces, which
    belong to the text alone. Texts that are `spaced` hold their own spaces. Times that are `relative` count
    from the segment's start.
    """

    at: Places = ("words",)
    text: Places = ("word",)
    start: Places = ("start",)
    end: Places = ("end",)
    duration: Places = ()
    confidence: Places = ("confidence",)
    logarithm: Places = ()
    speaker: Places = ("speaker",)
    language: Places = ("language",)
    kinds: frozenset[str] | None = None
    spaced: bool = False
    relative: bool = False
    unit: Unit | None = None


class Dialect(NamedTuple):
    """One way to write a transcript in JSON.

    A document is of a dialect if the items of a list `at` one of the places have all `marks`, or if items in
    the list of words have all `word_marks`; and if neither the document nor the item has anything of
    `without`. A document in which nobody speaks is known by all places of `silent`. `whole` is the place of
    the whole text of a document that has words alone. `segments` is given if a document needs more than that.
    """

    name: str
    at: Places = ()
    marks: Places = ()
    word_marks: Places = ()
    without: Places = ()
    silent: Places = ()
    text: Places = ("text",)
    start: Places = ("start",)
    end: Places = ("end",)
    duration: Places = ()
    unit: Unit = seconds
    label: Places = ("speaker",)
    speaker_name: Places = ()
    channel: Places = ()
    language: Places = ("language",)
    confidence: Places = ("confidence",)
    logarithm: Places = ()
    identifier: Places = ()
    is_final: Places = ()
    words: Words = Words()
    whole: Places = ("text",)
    language_of: Places = ("language",)
    segments: "Callable[[Dialect, JSON], Iterator[Segment]] | None" = None
    fits: Callable[[JSON], bool] | None = None
