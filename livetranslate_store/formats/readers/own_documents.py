"""The text and the Markdown that this package writes, read back."""

import re
from collections.abc import Iterator

from livetranslate_store.formats.clock import seconds_of
from livetranslate_store.formats.joiners import JOINER, without
from livetranslate_store.formats.readers.cues import RawCue, Read
from livetranslate_store.formats.readers.timed_blocks import lines_of
from livetranslate_store.values import SpeakerChoice

# "[1:02:03] Ana: text"; hours without a zero before them, as other programs write it.
_ROW = re.compile(r"\[(?P<time>-?(?:[0-9]|[1-9][0-9]+):[0-9]{2}:[0-9]{2}|-:--:--)\] (?P<rest>.*)")
_SECOND = "    "
# A joiner, or in Markdown a backslash, keeps the editor's name from being taken for another note.
_TEXT_EDITOR = rf"(?:[^(]|\((?={JOINER}(?:{JOINER * 2})*(?!{JOINER})))*"
_MARKDOWN_EDITOR = r"(?:[^*\\]|\\.)*"


def _note(editor: str) -> str:
    state = "not final|of an earlier version"
    edited = rf"(?:(?:{state}), )?edited by {editor}"
    return rf"\((?P<note>{state}|not translated into [A-Za-z0-9-]+|{edited})\)"


_TEXT_NOTE = re.compile(rf"(?:^| ){_note(_TEXT_EDITOR)}$")
_MARKDOWN_NOTE = re.compile(rf"(?:^| )\*{_note(_MARKDOWN_EDITOR)}\*$")
_MARKDOWN = re.compile(r"\ufeff?# .*\n\n[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} \S+\n")
_WHO = re.compile(r"(?:\*\*(?P<name>(?:[^*\\]|\\.)+)\*\*)?(?:(?:^| )(?P<time>-?[0-9]+:[0-9]{2}:[0-9]{2}))?")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def is_own_text(text: str) -> bool:
    """Return whether a text has the rows that this package writes, below a title or not."""
    lines = [line for line in lines_of(text.lstrip("\ufeff")) if line.strip()]
    rows = lines if lines and _ROW.fullmatch(lines[0]) else lines[1:]
    return bool(rows) and all(_ROW.fullmatch(line) or line.startswith(_SECOND) for line in rows)


def read_own_text(text: str, _: SpeakerChoice) -> Iterator[Read]:
    """Yield the rows; two languages become two lines of a text."""
    waiting: RawCue | None = None
    for number, line in enumerate(lines_of(text), start=1):
        row = _ROW.fullmatch(line)
        if row is not None:
            if waiting is not None:
                yield from _spoken(waiting)
            waiting = _row(number, row)
        elif line.startswith(_SECOND) and waiting is not None:
            waiting = _with_second(waiting, *_noted(line.removeprefix(_SECOND)))
    if waiting is not None:
        yield from _spoken(waiting)


def _row(number: int, row: re.Match[str]) -> RawCue:
    start = None if row["time"] == "-:--:--" else _seconds(row["time"])
    name, text = _named(row["rest"])
    said, note = _noted(text)
    return RawCue(number, said, start, label=name, name=name, is_final=not note.startswith("not final"))


def _named(rest: str) -> tuple[str | None, str]:
    """Return the name before the first colon and the text; a joiner marks a text without a name."""
    if rest.startswith(JOINER) and not rest.startswith(JOINER * 2):
        return None, rest[1:]
    name, colon, text = rest.partition(": ")
    return (without(name), text) if colon else (None, rest)


def _noted(text: str) -> tuple[str, str]:
    """Return a text without its note, and the note."""
    found = _TEXT_NOTE.search(text)
    if found is None:
        return without(text), ""
    return without(text[: found.start()]), found["note"]


def _with_second(cue: RawCue, second: str, note: str) -> RawCue:
    """Return a cue of two lines; a joiner marks one in the second language alone."""
    if not second or note.startswith("not translated"):
        return cue
    return cue._replace(text=f"{cue.text}\n{second}" if cue.text else second + JOINER)


def is_own_markdown(text: str) -> bool:
    """Return whether a text begins as the Markdown of this package: a title, and when the session began."""
    return _MARKDOWN.match(text.replace("\r\n", "\n")) is not None


def read_own_markdown(text: str, _: SpeakerChoice) -> Iterator[Read]:
    """Yield the paragraphs; two languages become two lines of a text."""
    paragraphs = [(number, line) for number, line in enumerate(lines_of(text), start=1) if line.strip()]
    name: str | None = None
    start: float | None = None
    waiting: RawCue | None = None
    for number, line in paragraphs[2:]:
        if line.startswith("> "):
            if waiting is None:
                waiting = RawCue(number, "", start, label=name, name=name)
            waiting = _with_second(waiting, *_plain(line.removeprefix("> ")))
            continue
        if waiting is not None:
            yield from _spoken(waiting)
            waiting, name, start = None, None, None
        who = _WHO.fullmatch(line)
        if who is not None:
            name = None if who["name"] is None else _ESCAPED.sub(r"\1", who["name"])
            start = None if who["time"] is None else _seconds(who["time"])
        else:
            said, note = _plain(line)
            waiting = RawCue(
                number, said, start, label=name, name=name, is_final=not note.startswith("not final")
            )
    if waiting is not None:
        yield from _spoken(waiting)


def _spoken(cue: RawCue) -> Iterator[Read]:
    # A row that is in neither language has nothing to say.
    if cue.text:
        yield cue


def _plain(paragraph: str) -> tuple[str, str]:
    found = _MARKDOWN_NOTE.search(paragraph)
    said = paragraph if found is None else paragraph[: found.start()]
    return _ESCAPED.sub(r"\1", said), "" if found is None else found["note"]


def _seconds(time: str) -> float:
    seconds = seconds_of(time.removeprefix("-"), "the time")
    return -seconds if time.startswith("-") else seconds
