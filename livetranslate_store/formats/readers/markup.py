"""Markup that subtitles share: breaks, spaces and characters in another spelling."""

import re
from html import unescape

_BREAK = re.compile(r"<br\s*/?>|\\N|\[br\]", re.IGNORECASE)
_SPACES = re.compile(r"\\h|&nbsp;|&#160;")


def broken_lines(markup: str) -> str:
    r"""Return a text with line ends in place of `<br>` and `\N`."""
    return _BREAK.sub("\n", markup)


def characters(text: str) -> str:
    r"""Return a text without tags with the characters that `&amp;`, `&nbsp;` and `\h` spell."""
    return unescape(_SPACES.sub(" ", text)) if "&" in text or "\\" in text else text


def trimmed(text: str) -> str:
    """Return the lines of a text that show something, without the space around them."""
    if "\n" not in text:
        return text.strip()
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
