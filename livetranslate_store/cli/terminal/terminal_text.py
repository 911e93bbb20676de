"""Texts of a meeting for a terminal or a line: they cannot colour or reorder anything around them."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

# Marks that would reorder the text that follows.
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))
# First strong isolate, and its end.
_OPEN, _CLOSE = "\u2068", "\u2069"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_MINUTE, _HOUR = 60, 3600


def visible(text: str) -> str:
    """Return the text with visible controls and without marks that reorder; line breaks stay."""
    return _CONTROLS.sub(_picture, _REORDERING.sub("", text.replace("\r\n", "\n")))


def _picture(found: "re.Match[str]") -> str:
    code = ord(found.group())
    return " " if code == ord("\t") else chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"  # noqa: PLR2004


def one_line(text: str) -> str:
    """Return the text for a tab-separated line; a backslash escapes tabs, line breaks and backslashes."""
    return text.translate(_ESCAPES)


def clock(seconds: float) -> str:
    """Return seconds as `1:02.3`, or with hours as `1:02:03.4`."""
    tenths = round(abs(seconds) * 10)
    sign = "-" if seconds < 0 and tenths else ""
    minutes, tenths = divmod(tenths, _MINUTE * 10)
    hours, minutes = divmod(minutes, _HOUR // _MINUTE)
    lead = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{sign}{lead}:{tenths // 10:02d}.{tenths % 10}"


def moment(value: datetime | None) -> str:
    """Return a moment to the second, with the offset of its time zone."""
    return "" if value is None else value.isoformat(sep=" ", timespec="seconds")


def local_minute(value: datetime) -> str:
    """Return a moment to the minute, in the time zone of this machine."""
    return f"{value.astimezone():%Y-%m-%d %H:%M}"


class IsolatedText:
    """A text that wraps at the width of its cell; no line changes the direction of the text around it."""

    def __init__(self, text: str | Text) -> None:
        self.text = Text(visible(text)) if isinstance(text, str) else text
        #: The cells of its longest line.
        self.width = max(map(cell_len, self.text.plain.split("\n")))
        self._isolated = any(unicodedata.bidirectional(each) in _RIGHT_TO_LEFT for each in self.text.plain)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.text.wrap(console, options.max_width, overflow="fold"):
            line.rstrip()
            if options.justify == "right":
                line.pad_left(options.max_width - line.cell_len)
            yield from self._line(console, line)
            yield Segment.line()

    def _line(self, console: Console, line: Text) -> Iterator[Segment]:
        if self._isolated:
            yield Segment(_OPEN)
        # Appended to an empty one, or a text without spans would lose its style.
        yield from Text().append_text(line).render(console)
        if self._isolated:
            yield Segment(_CLOSE)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self.text)
