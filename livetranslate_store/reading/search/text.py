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

from livetranslate_store.characters import is_mark

# The rest of a text is not searched: a tsvector holds at most 1 MiB.
READ_CHARACTERS = 50_000
# The server skips longer words, and counts positions no further.
MAX_WORD_BYTES = 2046
MAX_POSITION = 16_383

# Accents of Latin and Greek (a mark of another script may make another letter), invisible characters, and
# marks that some servers do not take for a part of a word.
_DROPPED = re.compile(
    r"([A-Za-z\u0370-\u03ff])[\u0300-\u036f]+"
    r"|[\u00ad\u034f\u061c\u0640\u064b-\u0652\u0591-\u05bd\u05bf\u05c1-\u05c2\u05c4-\u05c5\u05c7\u180b-\u180e"
    r"\u1715\u1734\u1bf2-\u1bf3\u1ce1\u1cf7\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ua9c0\uabec"
    r"\ufe00-\ufe0f\ufeff\U000111c0\U00011235\U0001134d\U000116b6\U0001193d\U000e0000-\U000e01ef]"
)
# Also all else that some servers, by their locale, do not take for a part of a word.
_NOT_OF_WORDS = (
    r"\u0000-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u00d7\u00f7\u02c2-\u02c5\u02d2-\u02eb\u02ed"
    r"\u02ef-\u02ff\u0375\u037e\u0387\u03f6\u0482\u055a-\u055f\u0589-\u05c6\u05f3-\u060f\u061b-\u061f"
    r"\u066a-\u066d\u06d4\u06dd-\u06de\u06e9\u06fd-\u06fe\u0700-\u070f\u07f6-\u07f9\u07fe-\u07ff"
    r"\u0830-\u083e\u085e\u0888\u0890-\u0891\u08e2\u0964-\u0965\u0970\u09f2-\u09fb\u09fd\u0a76\u0af0-\u0af1"
    r"\u0b70\u0b72-\u0b77\u0bf0-\u0bfa\u0c77-\u0c7f\u0c84\u0d4f\u0d58-\u0d5e\u0d70-\u0d79\u0df4\u0e2f\u0e3f"
    r"\u0e4f\u0e5a-\u0e5b\u0f01-\u0f17\u0f1a-\u0f1f\u0f2a-\u0f34\u0f36\u0f38\u0f3a-\u0f3d\u0f85"
    r"\u0fbe-\u0fc5\u0fc7-\u0fda\u104a-\u104f\u109e-\u109f\u10fb\u1360-\u137c\u1390-\u1399\u1400"
    r"\u166d-\u166e\u1680\u169b-\u169c\u16eb-\u16ed\u1715\u1734-\u1736\u17d4-\u17d6\u17d8-\u17db"
    r"\u17f0-\u180a\u1940-\u1945\u19da-\u19ff\u1a1e-\u1a1f\u1aa0-\u1aa6\u1aa8-\u1aad\u1b5a-\u1b6a"
    r"\u1b74-\u1b7e\u1bf2-\u1bff\u1c3b-\u1c3f\u1c7e-\u1c7f\u1cc0-\u1cc7\u1cd3\u1ce1\u1cf7\u2000-\u20c0"
    r"\u2100-\u214f\u218a-\u2bff\u2ce5-\u2cea\u2cf9-\u2cff\u2d70\u2e00-\u3004\u3008-\u3030\u3036-\u303f"
    r"\u30a0\u30fb\u3190-\u3191\u31c0-\u31e3\u3248-\u327f\u4dc0-\u4dff\ua490-\ua4c6\ua4fe-\ua4ff"
    r"\ua60d-\ua60f\ua673\ua67e\ua6f2-\ua716\ua720-\ua721\ua789-\ua78a\ua828-\ua82b\ua830-\ua839"
    r"\ua874-\ua877\ua8ce-\ua8cf\ua8f8-\ua8fa\ua8fc\ua92e-\ua92f\ua95f\ua9c0-\ua9cd\ua9de-\ua9df"
    r"\uaa5c-\uaa5f\uaa77-\uaa79\uaade-\uaadf\uaaf0-\uaaf1\uab5b\uab6a-\uab6b\uabeb-\uabec\ufbb2-\ufe6b"
    r"\uff01-\ufffd\U00010100-\U0001013f\U00010175-\U000101fc\U000102e1-\U000102fb\U00010320-\U00010323"
    r"\U0001039f\U000103d0\U0001056f\U00010857-\U0001085f\U00010877-\U0001087f\U000108a7-\U000108af"
    r"\U000108fb-\U000108ff\U00010916-\U0001091f\U0001093f\U000109bc-\U000109bd\U000109c0-\U000109ff"
    r"\U00010a40-\U00010a58\U00010a7d-\U00010a7f\U00010a9d-\U00010a9f\U00010ac8\U00010aeb-\U00010af6"
    r"\U00010b39-\U00010b3f\U00010b58-\U00010b5f\U00010b78-\U00010b7f\U00010b99-\U00010baf"
    r"\U00010cfa-\U00010cff\U00010e60-\U00010e7e\U00010ead\U00010f1d-\U00010f26\U00010f51-\U00010f59"
    r"\U00010f86-\U00010f89\U00010fc5-\U00010fcb\U00011047-\U00011065\U000110bb-\U000110c1\U000110cd"
    r"\U00011140-\U00011143\U00011174-\U00011175\U000111c0\U000111c5-\U000111c8\U000111cd\U000111db"
    r"\U000111dd-\U000111f4\U00011235\U00011238-\U0001123d\U000112a9\U0001134d\U0001144b-\U0001144f"
    r"\U0001145a-\U0001145d\U000114c6\U000115c1-\U000115d7\U00011641-\U00011643\U00011660-\U0001166c"
    r"\U000116b6\U000116b9\U0001173a-\U0001173f\U0001183b\U000118ea-\U000118f2\U0001193d"
    r"\U00011944-\U00011946\U000119e2\U00011a3f-\U00011a46\U00011a9a-\U00011a9c\U00011a9e-\U00011aa2"
    r"\U00011c41-\U00011c45\U00011c5a-\U00011c71\U00011ef7-\U00011ef8\U00011fc0-\U00011fff"
    r"\U00012470-\U00012474\U00012ff1-\U00012ff2\U00013430-\U00013438\U00016a6e-\U00016a6f\U00016af5"
    r"\U00016b37-\U00016b3f\U00016b44-\U00016b45\U00016b5b-\U00016b61\U00016e80-\U00016e9a\U00016fe2"
    r"\U0001bc9c\U0001bc9f-\U0001bca3\U0001cf50-\U0001d166\U0001d16a-\U0001d17a\U0001d183-\U0001d184"
    r"\U0001d18c-\U0001d1a9\U0001d1ae-\U0001d241\U0001d245-\U0001d9ff\U0001da37-\U0001da3a"
    r"\U0001da6d-\U0001da74\U0001da76-\U0001da83\U0001da85-\U0001da8b\U0001e14f\U0001e2ff"
    r"\U0001e8c7-\U0001e8cf\U0001e95e-\U0001fbca"
)
# Marks that some servers do not take for the beginning of a word.
_MARKS = (
    r"\u0300-\u0344\u0346-\u036f\u0483-\u0489\u0658\u06df-\u06e0\u06ea-\u06ec\u0740-\u074a\u07eb-\u07f3"
    r"\u07fd\u0818-\u0819\u082d\u0859-\u085b\u0898-\u089f\u08ca-\u08d3\u08e0-\u08e1\u08ea-\u08ef\u093c"
    r"\u094d\u0951-\u0954\u09bc\u09cd\u09fe\u0a3c\u0a4d\u0abc\u0acd\u0afd-\u0aff\u0b3c\u0b4d-\u0b55\u0bcd"
    r"\u0c04\u0c3c\u0c4d\u0cbc\u0ccd\u0d3b-\u0d3c\u0d4d\u0dca\u0e47-\u0e4c\u0e4e\u0eba\u0ec8-\u0ecc"
    r"\u0f18-\u0f19\u0f35-\u0f3f\u0f82-\u0f87\u0fc6\u1037\u1039-\u103a\u135d-\u135f\u1714\u17b4-\u17b5"
    r"\u17c9-\u17d3\u17dd\u180f\u1939-\u193b\u1a60\u1a75-\u1a7f\u1ab0-\u1abe\u1ac1-\u1acb\u1b34\u1b44"
    r"\u1b6b-\u1b73\u1baa-\u1bab\u1be6\u1c37\u1cd0-\u1ce8\u1ced\u1cf4\u1cf8-\u1cf9\u1dc0-\u1de6"
    r"\u1df5-\u1dff\u2cef-\u2cf1\u2d7f\u3099-\u309a\ua66f-\ua672\ua67c-\ua67d\ua6f0-\ua6f1\ua806\ua82c"
    r"\ua8c4\ua8e0-\ua8f1\ua92b-\ua92d\ua953\ua9b3\uaabf\uaac1\uaaf6\uabed\U000101fd\U000102e0"
    r"\U00010a38-\U00010a3f\U00010ae5-\U00010ae6\U00010f46-\U00010f50\U00010f82-\U00010f85\U00011046"
    r"\U00011070\U0001107f-\U00011081\U000110b9-\U000110ba\U00011133-\U00011134\U00011173"
    r"\U000111c9-\U000111cc\U00011236\U000112e9-\U000112ea\U0001133b-\U0001133c\U00011366-\U00011374"
    r"\U00011442\U00011446\U0001145e\U000114c2-\U000114c3\U000115bf-\U000115c0\U0001163f\U000116b7"
    r"\U0001172b\U00011839-\U0001183a\U0001193e\U00011943\U000119e0\U00011a33-\U00011a34\U00011a47"
    r"\U00011a98-\U00011a99\U00011c3f\U00011d42\U00011d44-\U00011d45\U00011d97\U00016af0-\U00016af4"
    r"\U00016b30-\U00016b36\U00016fe4\U0001bc9d\U0001cf00-\U0001daaf\U0001e130-\U0001e136\U0001e2ae"
    r"\U0001e2ec-\U0001e2ef\U0001e8d0-\U0001e8d6\U0001e944-\U0001e946\U0001e948-\U0001e94a"
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
    f"|[0-9]+e[0-9]+|[^{_NOT_OF_WORDS}{_UNSPACED_LETTERS}{_MARKS}][^{_NOT_OF_WORDS}{_UNSPACED_LETTERS}]*"
)
_LETTERS = str.maketrans(
    {
        **dict(zip("øłđıħŧςёᲀᲁᲂᲃᲄᲅᲆᲇᲈ", "oldihtσевдосттъѣꙋ", strict=True)),  # noqa: RUF001 (Greek and Cyrillic are meant)
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
    return "".join(map(str.lower, unicodedata.normalize("NFC", plain).replace("İ", "i"))).translate(_LETTERS)


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
    return is_mark(character) or character in "\uff9e\uff9f"
