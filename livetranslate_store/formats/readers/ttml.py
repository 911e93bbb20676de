"""TTML (.ttml, .dfxp, IMSC): paragraphs with times, which are those of the elements around them, too.

https://www.w3.org/TR/ttml2/
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from livetranslate_store.formats.readers.cues import RawCue, RawWord, Read
from livetranslate_store.formats.readers.markup import trimmed
from livetranslate_store.formats.readers.speakers import speaker_of, with_speakers
from livetranslate_store.formats.readers.xml_tree import Element, parsed
from livetranslate_store.values import Note, SpeakerChoice

_BEGINS = re.compile(
    r"\ufeff?\s*(?:<\?xml[^>]*>\s*|(?><!--.*?-->)\s*|<!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?>\s*)*<(?:\w+:)?tt[\s>]",
    re.DOTALL,
)
# Apple leaves out the hours or the unit; a few programs write a comma.
_CLOCK = re.compile(
    r"(?:([0-9]{1,9}):)?([0-9]{1,9}):([0-9]{1,2})(?:[.,]([0-9]{1,9})|:([0-9]{1,4})(?:\.[0-9]+)?)?"
)
_OFFSET = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(h|ms|m|s|f|t|)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0, "ms": 0.001}
_FRAMES = 30.0
# Far beyond any in use.
_LEAST_RATE, _MOST_RATE = 1e-3, 1e12
_SPACE = re.compile(r"\s+")


class _Clock(NamedTuple):
    """How a document counts: frames and ticks in a second."""

    frames: float
    ticks: float


class _Context(NamedTuple):
    """What an element has from those around it."""

    begin: float
    end: float | None
    language: str | None
    agent: str | None
    keeps_space: bool


def is_ttml(text: str) -> bool:
    """Return whether the text begins as a TTML document does."""
    return _BEGINS.match(text[:20_000]) is not None


def language_of_ttml(text: str) -> str | None:
    """Return the language of the document."""
    return parsed(text).attributes.get("lang") or None


def read_ttml(text: str, speakers: SpeakerChoice) -> Iterator[Read]:
    """Yield the paragraphs of a document; raises InvalidInputError if it is no XML."""
    root = parsed(text)
    names = {
        agent.attributes.get("id", ""): name.text().strip()
        for agent in root.every("agent")
        for name in agent.every("name")
    }
    notes: list[Note] = []
    frames = _rate(root, "frameRate", _FRAMES, notes) * _rate(root, "frameRateMultiplier", 1.0, notes)
    clock = _Clock(frames, _rate(root, "tickRate", frames, notes))
    around = _within(root, _Context(0.0, None, None, None, keeps_space=False), clock)
    cues = (
        cue
        for body in root.elements()
        if body.name == "body"
        for cue in _cues(body, around._replace(language=None), clock, names)
    )
    return with_speakers(chain(notes, cues), speakers)


def _cues(element: Element, around: _Context, clock: _Clock, names: dict[str, str]) -> Iterator[RawCue]:
    context = _within(element, around, clock)
    if element.name == "p":
        yield _cue(element, context, clock, names)
        return
    for child in element.elements():
        yield from _cues(child, context, clock, names)


def _within(element: Element, around: _Context, clock: _Clock) -> _Context:
    """Return the context of an element: its times count from those of the element around it."""
    given = element.attributes
    begin = _time(given.get("begin"), clock)
    end, duration = _time(given.get("end"), clock), _time(given.get("dur"), clock)
    start = around.begin + (begin or 0.0)
    if end is not None:
        end += around.begin
    elif duration is not None:
        end = start + duration
    return _Context(
        start,
        around.end if end is None else end,
        given.get("lang", around.language) or None,
        given.get("agent", around.agent),
        around.keeps_space if "space" not in given else given["space"] == "preserve",
    )


def _cue(element: Element, context: _Context, clock: _Clock, names: dict[str, str]) -> RawCue:
    words: list[RawWord] = []
    text = "".join(_texts(element, context, clock, words))
    # A paragraph may leave its times to its parts.
    starts = [word.start for word in words if word.start is not None]
    ends = [word.end for word in words if word.end is not None]
    timed = "begin" in element.attributes or context.begin > 0 or not starts
    agent = next((each for each in _agents(element, context.agent) if each), None)
    label, name = speaker_of(names.get(agent or "", agent))
    return RawCue(
        element.line,
        trimmed(_SPACE.sub(_one, text) if not context.keeps_space else text),
        context.begin if timed else min(starts),
        context.end if context.end is not None or not ends else max(ends),
        label=label,
        name=name,
        language=context.language,
        words=words if len(words) > 1 else (),
        left_out=[
            f"{value[:40]!r} is not a time such as 00:00:01.500 or 1.5s; it is left out."
            for value in (element.attributes.get(name) for name in ("begin", "end", "dur"))
            if value is not None and _time(value, clock) is None
        ],
    )


def _agents(element: Element, own: str | None) -> Iterator[str | None]:
    yield own
    yield from (span.attributes.get("agent") for span in element.every("span"))


def _texts(element: Element, context: _Context, clock: _Clock, words: list[RawWord]) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, str):
            yield child.replace("\n", " ").replace("\r", " ")
        elif child.name == "br":
            yield "\n"
        elif child.name == "span":
            inner = _within(child, context, clock)
            said = "".join(_texts(child, inner, clock, words))
            if "begin" in child.attributes and said.strip() and not any(child.every("span")):
                words.append(RawWord(" ".join(said.split()), inner.begin, inner.end))
            yield said


def _one(spaces: re.Match[str]) -> str:
    return "\n" if "\n" in spaces[0] else " "


def _time(value: str | None, clock: _Clock) -> float | None:
    if value is None:
        return None
    found = _CLOCK.fullmatch(value.strip())
    if found is not None:
        whole = (int(found[1] or 0) * 60 + int(found[2])) * 60 + int(found[3])
        return float(f"{whole}.{found[4] or 0}") + int(found[5] or 0) / clock.frames
    offset = _OFFSET.fullmatch(value.strip())
    if offset is None:
        return None
    match offset[2]:
        case "f":
            return float(offset[1]) / clock.frames
        case "t":
            return float(offset[1]) / clock.ticks
        case unit:
            return round(float(offset[1]) * _SECONDS[unit], 6)


def _rate(root: Element, name: str, otherwise: float, notes: list[Note]) -> float:
    """Return a number, or the quotient of two; one that cannot be right is noted."""
    given = root.attributes.get(name, "")
    if not given.strip():
        return otherwise
    try:
        first, second, *_ = map(float, [*given.split(), "1"])
    except ValueError:
        first = second = 0.0
    if _LEAST_RATE <= first <= _MOST_RATE and _LEAST_RATE <= second <= _MOST_RATE:
        return first / second
    notes.append(Note(root.line, f"Its {name} {given[:40]!r} cannot be right; it is left out."))
    return otherwise
