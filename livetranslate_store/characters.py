"""Characters as people see them: which ones are one with the character before."""

import unicodedata
from functools import lru_cache

#: Makes one emoji of the two around it.
JOINER = "\u200d"


@lru_cache(maxsize=8192)  # the same characters come again and again
def is_mark(character: str) -> bool:
    """Return whether a character is a part of the letter before: a mark, or a later part of Korean's."""
    return (character >= "\u0300" and unicodedata.category(character)[0] == "M") or is_korean_part(character)


def is_korean_part(character: str) -> bool:
    """Return whether a character is a vowel or an end of a Korean syllable, which its first letter holds."""
    return "\u1160" <= character <= "\u11ff"


@lru_cache(maxsize=8192)
def joins(character: str) -> bool:
    """Return whether a character is one with the character before: a mark, or a part of an emoji."""
    return (
        character == JOINER
        or is_mark(character)
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )
