"""How search reads a text: as the function `livetranslate.search_text` does, with the place of each word.

Words are in lower case and without accents; any character but letters, digits and marks separates them. In a
script without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese), a run of n characters is read as its
first, its n-1 pairs of neighbours and its last. Korean is read so too: it has spaces, but its particles are
glued to its words. Word counting has another table, because it counts words in Korean and characters in more
scripts; this one must stay equal to the function of the schema.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

# The rest of a text is not searched: a tsvector holds at most 1 MiB.
READ_CHARACTERS = 50_000
# The server skips longer words, and counts positions no further.
MAX_WORD_BYTES = 2046
MAX_POSITION = 16_383

# Accents of Latin and Greek (a mark of another script may make another letter), and invisible characters.
_DROPPED = re.compile(
    r"([A-Za-z\u0370-\u03ff])[\u0300-\u036f]+"
    r"|[\u00ad\u034f\u061c\u0640\u064b-\u0652\u0591-\u05bd\u05bf\u05c1-\u05c2\u05c4-\u05c5\u05c7\u180b-\u180e"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_NOT_OF_WORDS = (
    r"\u0000-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"
    r"\u02c2-\u02c5\u02d2-\u02df\u037e\u0387\u055a-\u055f\u0589-\u058f\u05be\u05c0\u05c3\u05c6\u05f3\u05f4"
    r"\u0600-\u060f\u061b-\u061f\u066a-\u066d\u06d4\u0700-\u070d\u0964\u0965\u0970\u0e2f\u0e3f\u0e4f\u0e5a\u0e5b"
    r"\u0f01-\u0f14\u104a-\u104f\u10fb\u1360-\u1368\u1680\u17d4-\u17d6\u17d8-\u17db\u1800-\u180a\u2000-\u206f"
    r"\u20a0-\u20cf\u2100-\u214f\u2190-\u2bff\u2e00-\u2e7f\u2ff0-\u3004\u3008-\u3030\u3036-\u303f\u30a0\u30fb"
    r"\ud7fc-\ud7ff\ue000-\uf8ff\ufd3e\ufd3f\ufe10-\ufe6f\uff00-\uff0f\uff5f-\uff65\ufff0-\uffff"
    r"\U0001f000-\U0001faff"
)
_UNSPACED_LETTERS = (
    r"\u0e01-\u0e2e\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec6\u0edc-\u0edf"
    r"\u1000-\u102a\u103f\u1050-\u1055\u1780-\u17b3\u17d7\u17dc\u3005-\u3007\u3041-\u3096\u309d-\u309f"
    r"\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
_UNSPACED_MARKS = (
    r"\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u17b4-\u17d3"
    r"\u17dd\u3099\u309a"
)
_UNIT = re.compile(f"[{_UNSPACED_LETTERS}][{_UNSPACED_MARKS}]*")
# The server's parser ends a word after a number such as 1e5.
_RUN = re.compile(
    f"(?P<unspaced>(?:[{_UNSPACED_LETTERS}][{_UNSPACED_MARKS}]*)+)"
    f"|[0-9]+e[0-9]+|[^{_NOT_OF_WORDS}{_UNSPACED_LETTERS}]+"
)
_LETTERS = str.maketrans(
    {
        **dict(zip("øłđıħŧςё", "oldihtσе", strict=True)),  # noqa: RUF001 (Greek and Cyrillic are meant)
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
    }
)


class Run(NamedTuple):
    """A word, or a run of characters without spaces: how it is read, and its place.

    `units` are the whole word, or each character of a run; `spans` are their places in the text. `position`
    is that of the first unit in the tsvector.
    """

    unspaced: bool
    units: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    position: int

    @property
    def width(self) -> int:
        """The number of positions that it takes."""
        return len(self.units) + self.unspaced


def folded(text: str) -> str:
    """Return the text in lower case, without accents and invisible characters."""
    if text.isascii():
        return text.lower()
    plain = _DROPPED.sub(r"\1", unicodedata.normalize("NFKD", text))
    # Letter by letter: only Python, not the server, has its own form for a sigma that ends a word.
    return "".join(map(str.lower, unicodedata.normalize("NFC", plain))).translate(_LETTERS)


def runs(text: str) -> Iterator[Run]:
    """Yield the words and runs of a text in order."""
    text = text[:READ_CHARACTERS]
    if text.isascii():
        yield from _words(text.lower())
        return
    read, places = with_places(text)
    position = 1
    for match in _RUN.finditer(read):
        bounds = [match.span()]
        if match["unspaced"] is not None:
            bounds = [unit.span() for unit in _UNIT.finditer(read, *match.span())]
        elif len(match[0].encode()) > MAX_WORD_BYTES:
            continue
        spans = tuple(bounds)
        if places is not None:
            spans = tuple((places[start][0], places[end - 1][1]) for start, end in bounds)
        units = tuple(read[start:end] for start, end in bounds)
        run = Run(match["unspaced"] is not None, units, spans, position)
        yield run
        position += run.width


def _words(text: str) -> Iterator[Run]:
    """Yield the words of an ASCII text, whose characters are read unchanged."""
    position = 1
    for match in _RUN.finditer(text):
        if len(match[0]) <= MAX_WORD_BYTES:
            yield Run(False, (match[0],), (match.span(),), position)
            position += 1


def with_places(text: str) -> tuple[str, list[tuple[int, int]] | None]:
    """Return the text as it is read, and for each of its characters the place that it was read from.

    None instead of the places means that each character was read from its own place.
    """
    if not any(map(_belongs_before, text)):
        pieces = list(map(_folded_piece, text))
        if {*map(len, pieces)} == {1}:
            return "".join(pieces), None
    read: list[str] = []
    places: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(text) + 1):
        # A letter is read with its marks; so are the parts of a Korean syllable, and narrow katakana.
        if end < len(text) and _belongs_before(text[end]):
            continue
        piece = _folded_piece(text[start:end])
        read.append(piece)
        places += [(start, end)] * len(piece)
        start = end
    return "".join(read), places


# The same letters come again and again.
@lru_cache(maxsize=8192)
def _folded_piece(piece: str) -> str:
    return folded(piece)


@lru_cache(maxsize=8192)
def _belongs_before(character: str) -> bool:
    return (
        (character >= "\u0300" and unicodedata.category(character)[0] == "M")
        or "\u1160" <= character <= "\u11ff"
        or character in "\uff9e\uff9f"
    )
