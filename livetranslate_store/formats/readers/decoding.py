"""Bytes become text: by what they say themselves, as UTF-8, or by a guess that is told."""

import codecs
from typing import NamedTuple

from livetranslate_store.errors import InvalidInputError

# The longer marks first: that of UTF-32-LE begins with that of UTF-16-LE.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# A UTF-8 file may have been cut or patched by a careless tool; one that is full of errors is something else.
_TOLERATED_ERRORS = 0.05
# Every other byte of Latin text in UTF-16 is zero; no other encoding of text has many.
_ZEROS_OF_UTF_16 = 0.2
# What Windows wrote subtitles in, by language; for the others it was the Western one.
_WESTERN = "cp1252"
_CODE_PAGES = {
    language: encoding
    for encoding, languages in {
        "cp1250": "bs cs hr hu pl ro sk sl sq",
        "cp1251": "be bg mk ru sr uk",
        "cp1253": "el",
        "cp1254": "az tr",
        "cp1255": "he",
        "cp1256": "ar fa ur",
        "cp1257": "et lt lv",
        "cp1258": "vi",
        "cp874": "th",
        "cp932": "ja",
        "cp949": "ko",
        "gb18030": "zh",
    }.items()
    for language in languages.split()
}
# More than this tells a guess nothing new, and takes it long.
_GUESSED_FROM = 200_000


class Decoded(NamedTuple):
    """A file's text, how it was encoded, and whether that is a guess.

    A byte that does not fit stands as a lone surrogate, so that its cue is refused and the others are not.
    """

    text: str
    encoding: str
    is_guessed: bool


def decode(data: bytes, language: str | None = None) -> Decoded:
    """Return the text of a file; raises InvalidInputError where it is none in any known encoding.

    `language` helps a guess: most legacy encodings differ in a few letters, and any of them would do.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Decoded(_decoded(data[len(mark) :], encoding), encoding, is_guessed=False)
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
    encoding = _unmarked_utf_16(data) or _guess(data, language)
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
    try:
        from charset_normalizer import from_bytes  # noqa: PLC0415 (the extra `formats`)
    except ImportError as error:
        raise InvalidInputError(
            "The file is not in UTF-8, and guessing its encoding needs an extra: "
            "pip install 'livetranslate-store[formats]'."
        ) from error
    matches = from_bytes(data[:_GUESSED_FROM])
    best = matches.best()
    if best is None:
        raise InvalidInputError("The file is no text in UTF-8, UTF-16 or any legacy encoding that is known.")
    possible = {encoding for match in matches for encoding in match.could_be_from_charset}
    primary = (language or "").partition("-")[0].lower()
    for encoding in (_CODE_PAGES.get(primary), _WESTERN):
        if encoding is not None and encoding in possible:
            return encoding
    return best.encoding
