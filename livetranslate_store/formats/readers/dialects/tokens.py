"""Words without segments become segments: a sentence, until another speaks, or until a silence."""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.readers.dialects.dialect import Segment, Words
from livetranslate_store.formats.readers.dialects.paths import Fields, fields_of, first, text_at
from livetranslate_store.formats.readers.dialects.units import Unit
from livetranslate_store.formats.readers.source import JSON

# Of Latin, Cyrillic and Greek, of Chinese and Japanese (full-width), of Arabic, and of Hindi.
_SENTENCE_ENDS = (".", "!", "?", "\u3002", "\uff01", "\uff1f", "\u061f", "\u0964")
# In seconds: longer than the breath between two words, as long as between two thoughts.
_PAUSE = 1.0


class _Token(NamedTuple):
    """An item of a list of words, and the text that it adds, with the space before it."""

    fields: Fields
    shown: str
    is_word: bool


def spoken_together(items: Sequence[JSON], words: Words, unit: Unit, whole: str = "") -> Iterator[Segment]:
    """Yield segments of the words that a listener would hear together.

    Their texts are parts of the `whole` text if it holds all words in their order: nothing of it is lost.
    """
    group: list[_Token] = []
    for token in _tokens(items, words, whole):
        if group and token.is_word and _begins_segment(group, token, words, unit):
            yield _segment(group)
            group = []
        group.append(token)
    if group:
        yield _segment(group)


def joined(items: Sequence[JSON], words: Words) -> str:
    """Return the text of words."""
    return "".join(token.shown for token in _tokens(items, words, "")).strip()


def is_word(item: JSON, words: Words) -> bool:
    """Return whether an item of a list of words is one, and no mark and no space."""
    return words.kinds is None or text_at(item, ("type",)) in words.kinds


def _tokens(items: Sequence[JSON], words: Words, whole: str) -> list[_Token]:
    tokens: list[_Token] = []
    before = ""
    for item in items:
        text = first(item, words.text)
        if not isinstance(text, str) or not text:
            continue
        spoken = is_word(item, words)
        if not words.spaced:
            text = text if text[:1].isspace() else text.strip()
            if spoken and before and _has_space_between(before[-1:], text[:1]):
                text = f" {text}"
        tokens.append(_Token(fields_of(item), text, spoken))
        before = text
    return _as_in_whole(tokens, whole) or tokens


def _as_in_whole(tokens: list[_Token], whole: str) -> list[_Token] | None:
    """Return the tokens with their parts of the whole text, None if it does not hold them all in order."""
    begins: list[int] = []
    place = 0
    for token in tokens:
        begin = whole.find(token.shown.strip(), place)
        if begin < 0:
            return None
        begins.append(begin)
        place = begin + len(token.shown.strip())
    if not begins:
        return None
    ends = [*begins[1:], len(whole)]
    begins[0] = 0
    return [
        token._replace(shown=whole[begin:end]) for token, begin, end in zip(tokens, begins, ends, strict=True)
    ]


def _begins_segment(group: Sequence[_Token], token: _Token, words: Words, unit: Unit) -> bool:
    before = next((each for each in reversed(group) if each.is_word), group[-1])
    for places in (words.speaker, words.language):
        if first(before.fields, places) != first(token.fields, places):
            return True
    last = next((text for each in reversed(group) if (text := each.shown.rstrip())), "")
    if last.endswith(_SENTENCE_ENDS):
        return True
    ended, begins = _time(before.fields, words.end, unit), _time(token.fields, words.start, unit)
    return ended is not None and begins is not None and begins - ended > _PAUSE


def _time(fields: Fields, places: Sequence[str], unit: Unit) -> float | None:
    value = first(fields, places)
    try:
        return None if value is None else unit(value)
    except InvalidInputError:
        return None


def _segment(group: Sequence[_Token]) -> Segment:
    text = "".join(token.shown for token in group).strip()
    return Segment({}, [token.fields for token in group], text)


def _has_space_between(before: str, after: str) -> bool:
    """Return whether a space belongs between two words, by how one ends and the other begins."""
    return bool(before) and not before.isspace() and not (_is_spaceless(before) and _is_spaceless(after))


@lru_cache(maxsize=4096)
def _is_spaceless(character: str) -> bool:
    """Return whether its script writes no spaces: Chinese, Japanese, Thai, Lao, Khmer, Burmese."""
    name = unicodedata.name(character, "")
    scripts = ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "FULLWIDTH", "THAI", "LAO", "KHMER", "MYANMAR")
    return name.startswith(scripts)
