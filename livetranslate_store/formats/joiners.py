"""Word joiners: marks in this package's SubRip that a reader of the screen does not see.

SubRip has no escapes and no place for speakers. A joiner keeps apart what would be taken for markup or for a
head, and it marks names: "Ana:" and a joiner is a speaker, a joiner first in a text is nobody. One last in a
text says that the text is the second language of two. Joiners of a text itself are doubled.
"""

import re

JOINER = "\u2060"
_DOUBLED = JOINER * 2
_RUN = re.compile(f"{JOINER}+")
# A line may break behind a name.
_NAMED = re.compile(rf"(?P<name>[^\n]+?):{JOINER}[ \n]")
_NOBODY = re.compile(rf"{JOINER}(?:{_DOUBLED})*(?!{JOINER})")


def doubled(text: str) -> str:
    """Return a text whose own joiners cannot be taken for marks."""
    return text.replace(JOINER, _DOUBLED)


def named(speaker: str, text: str) -> str:
    """Return a doubled text with the mark of its speaker; an empty speaker is nobody."""
    return f"{doubled(speaker)}:{JOINER} {text}" if speaker else f"{JOINER}{text}"


def second(text: str) -> str:
    """Return a doubled text with the mark of the second language."""
    return text + JOINER


def is_second(text: str) -> bool:
    """Return whether a doubled text has the mark of the second language."""
    return (len(text) - len(text.rstrip(JOINER))) % 2 == 1


def without(text: str) -> str:
    """Return a text as it was before joiners were doubled and put in."""
    return _RUN.sub(lambda run: JOINER * (len(run[0]) // 2), text)


def speaker_in(text: str) -> tuple[str | None, str]:
    """Return the speaker that a mark names, and the rest of the text; None without a mark, "" for nobody."""
    if _NOBODY.match(text):
        return "", text[1:]
    found = _NAMED.match(text)
    return (None, text) if found is None else (without(found["name"]), text[found.end() :])
