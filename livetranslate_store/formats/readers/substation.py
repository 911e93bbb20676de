"""SubStation Alpha (.ass, .ssa): the dialogue lines of its events, with the names of who speaks."""

import re
from collections.abc import Iterator

from livetranslate_store.formats.readers.cues import RawCue, Read
from livetranslate_store.formats.readers.markup import characters, trimmed
from livetranslate_store.formats.readers.speakers import speaker_of, with_speakers
from livetranslate_store.formats.readers.timed_blocks import lines_of
from livetranslate_store.values import Refusal, SpeakerChoice

_BEGINS = re.compile(r"\ufeff?\s*\[Script Info\]", re.IGNORECASE)
_TIME = re.compile(r"([0-9]{1,4}):([0-9]{1,2}):([0-9]{1,2})(?:[.:]([0-9]{1,6}))?")
# A drawing is lines and curves, between overrides that turn it on and off.
_DRAWING = re.compile(r"\{(?=[^{}]*\\p[1-9])[^{}]*\}[^{}]*(?:\{(?=[^{}]*\\p0)[^{}]*\}|$)")
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_BREAK = re.compile(r"\\[Nn]")
_COLUMNS = "layer, start, end, style, name, marginl, marginr, marginv, effect, text"


def is_substation(text: str) -> bool:
    """Return whether the text begins as a script does."""
    return _BEGINS.match(text) is not None


def read_substation(text: str, speakers: SpeakerChoice) -> Iterator[Read]:
    """Yield the dialogue of a script; lines that only add a layer or a drawing are left out."""
    return with_speakers(_dialogue(text), speakers)


def _dialogue(text: str) -> Iterator[Read]:
    columns = _COLUMNS.split(", ")
    seen: set[tuple[float | None, float | None, str]] = set()
    for line, content in enumerate(lines_of(text), start=1):
        kind, _, fields = content.partition(":")
        match kind.strip().lower():
            case "format" if "text" in fields.lower():
                columns = [column.strip().lower() for column in fields.split(",")]
            case "dialogue":
                read = _cue(line, dict(zip(columns, fields.split(",", len(columns) - 1), strict=False)))
                if isinstance(read, Refusal):
                    yield read
                elif read is not None and (read.start, read.end, read.text) not in seen:
                    seen.add((read.start, read.end, read.text))
                    yield read


def _cue(line: int, fields: dict[str, str]) -> RawCue | Refusal | None:
    said = fields.get("text", "")
    start, end = (_TIME.fullmatch(fields.get(name, "").strip()) for name in ("start", "end"))
    if start is None or end is None:
        return Refusal(line, "Its start and end are not two times such as 0:00:01.50.")
    plain = _plain(said)
    if not plain and _DRAWING.search(said):
        return None
    label, name = speaker_of((fields.get("name") or fields.get("actor") or "").strip() or None)
    return RawCue(line, plain, _seconds(start), _seconds(end), label=label, name=name)


def _plain(said: str) -> str:
    return trimmed(characters(_BREAK.sub("\n", _OVERRIDE.sub("", _DRAWING.sub("", said)))))


def _seconds(time: re.Match[str]) -> float:
    whole = (int(time[1]) * 60 + int(time[2])) * 60 + int(time[3])
    # Read as one number: adding a fraction would leave its error in the last digits.
    return float(f"{whole}.{time[4] or 0}")
