"""The words of a web-style query: `"an exact phrase"`, `-without`, `either or other`."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from livetranslate_store.checks import checked_text
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.reading.search.text import Run, runs

MAX_QUERY_CHARACTERS = 1_000
# The index looks up each word in every language.
MAX_QUERY_WORDS = 64
# A shorter word has too few trigrams to tell a mistake from another word.
MIN_SIMILAR_CHARACTERS = 4
# The index finds similar words by their beginning; a mistake in it is not forgiven.
SURE_CHARACTERS = 2

_PIECE = re.compile(r'(?P<without>-?)"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+)')
# Variants of quotation marks and of the hyphen that keyboards produce.
_KEYBOARDS = str.maketrans({**dict.fromkeys("“”„‟«»＂", '"'), **dict.fromkeys("−–－", "-"), "\u3000": " "})  # noqa: RUF001


class Branch(NamedTuple):
    """One side of an `or`, as texts for `to_tsquery`; a match needs all of it.

    `plain` are words, of which a language may drop its stop words; `strict` are phrases and excluded words.
    `shown_plain` and `shown_strict` are their words to highlight. In a fuzzy search, the text needs words
    that are similar to the `similar` ones and have their `beginnings`, and must match `rest` exactly.
    """

    plain: str
    strict: str
    shown_plain: str
    shown_strict: str
    similar: tuple[str, ...]
    beginnings: str
    rest: str


class SearchWords(NamedTuple):
    """The branches of a query, and its runs without spaces, which are highlighted literally."""

    branches: tuple[Branch, ...]
    unspaced: tuple[tuple[str, ...], ...]

    @property
    def same_in_all_languages(self) -> bool:
        """Whether no language reads a word in a way of its own."""
        return not any(branch.shown_plain or branch.shown_strict for branch in self.branches)

    def values(self) -> dict[str, Any]:
        """Return the values to bind: arrays of the branches' fields, and each word that may be mistyped."""
        fields = ("plain", "strict", "shown_plain", "shown_strict", "rest")
        values: dict[str, Any] = {name: [getattr(each, name) for each in self.branches] for name in fields}
        for number, branch in enumerate(self.branches, 1):
            values[f"beginnings_{number}"] = branch.beginnings
            values |= {f"similar_{number}_{place}": word for place, word in enumerate(branch.similar, 1)}
        return values


class _Item(NamedTuple):
    runs: Sequence[Run]
    phrase: bool
    without: bool


def parsed(query: str) -> SearchWords:
    """Return the words of a query.

    Raises InvalidInputError for text that PostgreSQL cannot take, for a query that is too long, and if a
    side of an `or` requires no word.
    """
    checked_text(query, "query", maximum=MAX_QUERY_CHARACTERS)
    branches: list[list[_Item]] = [[]]
    for piece in _PIECE.finditer(query.translate(_KEYBOARDS)):
        word = piece["word"]
        if word is not None and word.lower() == "or":
            branches.append([])
            continue
        without = bool(piece["without"]) or (word is not None and word.startswith("-"))
        found = list(runs(piece["phrase"] if word is None else word))
        if found:
            branches[-1].append(_Item(found, word is None, without))
    asked = [items for items in branches if items]
    wanted = [item for items in asked for item in items if not item.without]
    if not asked or not all(any(not item.without for item in items) for items in asked):
        raise InvalidInputError(
            "query requires no word; write words, '\"a phrase\"', 'this or that', 'this -not that'."
        )
    if sum(len(_lexemes(run)) for items in asked for item in items for run in item.runs) > MAX_QUERY_WORDS:
        raise InvalidInputError(f"query has too many words; at most {MAX_QUERY_WORDS} are searched for.")
    unspaced = [run.units for item in wanted for run in item.runs if run.unspaced]
    return SearchWords(tuple(_branch(items) for items in asked), tuple(dict.fromkeys(unspaced)))


def _branch(items: Sequence[_Item]) -> Branch:
    wanted = [item for item in items if not item.without]
    words = [item for item in wanted if not item.phrase]
    phrases = [item for item in wanted if item.phrase]
    without = [f"!({in_order(item.runs)})" for item in items if item.without]
    strict = [in_order(item.runs) for item in phrases] + without
    similar = [item for item in words if _may_be_mistyped(item)]
    exact = [in_order(item.runs) for item in words if item not in similar]
    return Branch(
        plain=" & ".join(in_order(item.runs) for item in words),
        strict=" & ".join(strict),
        shown_plain=_any_of(words),
        shown_strict=_any_of(phrases),
        similar=tuple(item.runs[0].units[0] for item in similar),
        beginnings=" & ".join(f"'{item.runs[0].units[0][:SURE_CHARACTERS]}':*" for item in similar),
        rest=" & ".join(exact + strict) if similar else "",
    )


def _may_be_mistyped(item: _Item) -> bool:
    run = item.runs[0]
    return len(item.runs) == 1 and not run.unspaced and len(run.units[0]) >= MIN_SIMILAR_CHARACTERS


def _any_of(items: Sequence[_Item]) -> str:
    spaced = [run.units[0] for item in items for run in item.runs if not run.unspaced]
    return " | ".join(f"'{word}'" for word in dict.fromkeys(spaced))


def in_order(found: Sequence[Run]) -> str:
    """Return runs that follow each other: each lexeme, and its distance from the one before."""
    text, before = "", 0
    for run in found:
        for offset, lexeme in _lexemes(run):
            place = run.position + offset
            text += f" <{place - before}> {lexeme}" if text else lexeme
            before = place
    return f"({text})"


def _lexemes(run: Run) -> list[tuple[int, str]]:
    if not run.unspaced:
        return [(0, f"'{run.units[0]}'")]
    count = len(run.units)
    if count == 1:
        return [(0, f"'{run.units[0]}':*")]
    # Every second pair covers the run, and the last one its end.
    firsts = [*range(0, count - 2, 2), count - 2]
    return [(first + 1, f"'{run.units[first]}{run.units[first + 1]}'") for first in firsts]
