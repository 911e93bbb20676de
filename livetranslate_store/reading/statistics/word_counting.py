"""Regular expressions that count the words and the characters of a text.

The script decides, not the language tag: tags are missing or wrong, and a sentence may mix scripts. In a
script without spaces, every letter counts as a character. In the others, a word stands between spaces and
has a letter or a digit. The patterns list code points, because the named classes of PostgreSQL depend on the
server's locale. Search has a smaller table of scripts: it must equal a function of the schema, and it reads
Korean in pieces, which is counted in words here.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from unicodedata import category

# Scripts without spaces between words, with their punctuation.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x1AAF),  # Tai Le, New Tai Lue, Khmer symbols, Buginese, Tai Tham
    (0x2E80, 0x2FDF),  # Han radicals
    (0x3000, 0x312F),  # CJK punctuation, Hiragana, Katakana, Bopomofo
    (0x31A0, 0x4DBF),  # Bopomofo, Katakana, enclosed and compatible forms, Han
    (0x4E00, 0x9FFF),  # Han
    (0xA980, 0xA9FF),  # Javanese, Myanmar
    (0xAA60, 0xAA7F),  # Myanmar
    (0xF900, 0xFAFF),  # Han
    (0xFF00, 0xFF0F),  # wide punctuation
    (0xFF1A, 0xFF20),
    (0xFF3B, 0xFF40),
    (0xFF5B, 0xFF9F),  # wide punctuation, narrow Katakana
    (0x16FE0, 0x18DFF),  # Tangut, Nüshu and the marks of Han
    (0x1AFF0, 0x1B2FF),  # Kana, Nüshu
    (0x20000, 0x3FFFF),  # Han
)
# Higher code points are Han and, from 0xE0000 on, invisible.
_END_OF_ALPHABETS = 0x20000
_INVISIBLE = (0xE0000, 0x10FFFF)
_HAN = (0x20000, 0x3FFFF)
_SPACES = frozenset(map(ord, "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u200b"))


class CountingPatterns(NamedTuple):
    """PostgreSQL regular expressions: one matches a word, the other all text that is not counted."""

    words: str
    no_characters: str


@lru_cache(maxsize=1)
def counting_patterns() -> CountingPatterns:
    """Return the patterns, made from Unicode's categories once, in a tenth of a second."""
    unspaced = {code for first, last in _UNSPACED for code in range(first, last + 1)}
    # Unassigned code points go with their neighbours, which keeps the patterns short.
    categories = [
        (code, kind[0])
        for code, kind in enumerate(map(category, map(chr, range(_END_OF_ALPHABETS))))
        if code and kind not in {"Cn", "Cs"}
    ]
    counted = _ranges((code, code in unspaced and kind in "LN") for code, kind in categories)
    begins_no_word = _ranges((code, code in unspaced or kind not in "LN") for code, kind in categories)
    ends_word = _ranges(
        (code, code in unspaced or kind == "Z" or code in _SPACES) for code, kind in categories
    )
    return CountingPatterns(
        words=f"[^{begins_no_word}{_range(*_HAN)}{_range(*_INVISIBLE)}][^{ends_word}{_range(*_HAN)}]*",
        no_characters=f"[^{counted}{_range(*_HAN)}]+",
    )


def _ranges(codes: Iterable[tuple[int, bool]]) -> str:
    """Return the code points that are true, as ranges of a regular expression."""
    groups = ([code for code, _ in group] for belongs, group in groupby(codes, key=itemgetter(1)) if belongs)
    return "".join(_range(group[0], group[-1]) for group in groups)


def _range(first: int, last: int) -> str:
    return f"\\U{first:08x}-\\U{last:08x}"
