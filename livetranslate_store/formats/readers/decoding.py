"""Bytes become text: by their own marks and escapes, as UTF-8, or by a guess that is noted."""

import codecs
import re
from functools import cache
from typing import NamedTuple

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.readers.docx import is_zip, text_of_docx
from livetranslate_store.formats.readers.unread import refuse_unread_bytes

# The longer marks first: that of UTF-32-LE begins with that of UTF-16-LE.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Encodings of seven bits are ASCII but for the escape sequence that switches to other letters (ISO 2022).
_ESCAPES = (
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
    (re.compile(rb"\x1b(?:\$\(?[@BD]|\([IJ])"), "iso2022_jp_ext"),
)
# A UTF-8 file may have been cut or patched by a careless tool; one that is full of errors is something else.
_TOLERATED_ERRORS = 0.05
# Every other byte of Latin text in UTF-16 is zero; no other encoding of text has many.
_ZEROS_OF_UTF_16 = 0.2
# The legacy encodings that a browser reads: https://encoding.spec.whatwg.org/#legacy-single-byte-encodings
_LEGACY = (
    *("cp866", "koi8_r", "koi8_u", "mac_cyrillic", "mac_roman", "cp874", "gb18030", "big5", "euc_jp"),
    *("cp932", "cp949", *(f"cp{page}" for page in range(1250, 1259))),
    *(f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
)
# More bytes tell a guess nothing new, and take it long.
_GUESSED_FROM = 200_000
_EXTRA = (
    "The file is not in UTF-8, and guessing its encoding needs an extra: "
    "pip install 'livetranslate-store[formats]'."
)


class Decoded(NamedTuple):
    """A file's text, its encoding, and whether that is a guess.

    A byte that does not fit stands as a lone surrogate, so that its cue is refused and the others are not.
    """

    text: str
    encoding: str
    is_guessed: bool


def decode(data: bytes, language: str | None = None) -> Decoded:
    """Return the text of a file or Word document; raises InvalidInputError if it is none that is read.

    `language` helps a guess: an encoding that gives its letters is more likely.
    """
    refuse_unread_bytes(data)
    if is_zip(data):
        # Its XML says how it is encoded, and is nearly always UTF-8.
        return Decoded(text_of_docx(data), "utf-8", is_guessed=False)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Decoded(_decoded(data[len(mark) :], encoding), encoding, is_guessed=False)
    escaped = next((each for escape, each in _ESCAPES if escape.search(data)), None)
    if escaped is not None and data.isascii():
        return Decoded(_decoded(data, escaped), escaped, is_guessed=False)
    return _unmarked(data, language)


def _unmarked(data: bytes, language: str | None) -> Decoded:
    text = _decoded(data, "utf-8")
    errors = 0 if text.isascii() else sum("\udc80" <= character <= "\udcff" for character in text)
    if not errors:
        wide = _unmarked_utf_16(data)
        if wide is None:
            return Decoded(text, "utf-8", is_guessed=False)
        return Decoded(_decoded(data, wide), wide, is_guessed=True)
    others = sum(character > "\x7f" for character in text) - errors
    if errors <= 1 + others * _TOLERATED_ERRORS and others:
        return Decoded(text, "utf-8", is_guessed=False)
    encoding = _unmarked_utf_16(data) or _guess(data[:_GUESSED_FROM], language)
    return Decoded(_decoded(data, encoding), encoding, is_guessed=True)


def _decoded(data: bytes, encoding: str) -> str:
    if encoding.startswith("utf-8"):
        return data.decode(encoding, "surrogateescape")
    # What the others cannot decode becomes U+FFFD: an odd byte at the end, or what their table leaves free.
    return data.decode(encoding, "replace")


def _unmarked_utf_16(data: bytes) -> str | None:
    sample = data[:4096]
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if zeros.count(0) > len(zeros) * _ZEROS_OF_UTF_16 and zeros.count(0) > sample.count(0) * 0.9:
            return encoding
    return None


def _guess(data: bytes, language: str | None) -> str:
    """Return what the detector ranks first: of the language's encodings, else of all that it knows."""
    try:
        from charset_normalizer import from_bytes  # noqa: PLC0415 (the extra `formats`)
    except ImportError as error:
        raise InvalidInputError(_EXTRA) from error
    possible = _encodings_of(language, data)
    # A known language needs no proof that the bytes are text.
    matches = from_bytes(data, cp_isolation=possible, threshold=1.0) if possible else from_bytes(data)
    best = matches.best()
    if best is None:
        raise InvalidInputError("The file is no text in UTF-8, UTF-16 or any legacy encoding that is known.")
    return best.encoding


def _encodings_of(language: str | None, data: bytes) -> list[str]:
    """Return the encodings in which the data has the most letters of the language, if it has any."""
    letters = _letters().get((language or "").partition("-")[0].lower(), set())
    if not letters:
        return []
    found = {
        encoding: sum(map(letters.__contains__, data.decode(encoding, "replace").lower()))
        for encoding in _LEGACY
    }
    most = max(found.values())
    return [encoding for encoding, number in found.items() if number == most > 0]


@cache
def _letters() -> dict[str, set[str]]:
    """Return the frequent letters beyond ASCII that the detector knows, by language."""
    from charset_normalizer.constant import FREQUENCIES  # noqa: PLC0415 (the extra `formats`)
    from langcodes import find  # noqa: PLC0415 (names come with the extra)

    found: dict[str, set[str]] = {}
    for name, letters in FREQUENCIES.items():
        # A dash marks a further alphabet of the language before it: Japanese has three.
        language = find(name.rstrip("\u2014")).language or ""
        found.setdefault(language, set()).update(letter for letter in letters if not letter.isascii())
    return found
