"""Taking fields out of JSON that others wrote: of the right kind, missing, or told to be wrong."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.readers.cues import RawWord
from livetranslate_store.formats.readers.source import JSON

Fields: TypeAlias = Mapping[str, JSON]


# Of Latin, Cyrillic and Greek, of Chinese and Japanese (full-width), of Arabic, and of Hindi.
_SENTENCE_ENDS = (".", "!", "?", "\u3002", "\uff01", "\uff1f", "\u061f", "\u0964")


def fields_of(value: JSON) -> Fields:
    """Return a JSON object, an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def items_of(value: JSON) -> Sequence[JSON]:
    """Return a JSON array, an empty one in place of anything else."""
    return value if isinstance(value, list) else ()


def path_of(value: JSON, *names: str) -> JSON:
    """Return what lies so deep in JSON objects, None where nothing does."""
    for name in names:
        value = fields_of(value).get(name)
    return value


def text_of(fields: Fields, *names: str) -> str:
    """Return the first of these fields that is a text, without white space around it; "" without any."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            return value.strip()
    return ""


def number_of(fields: Fields, name: str, *, scale: float = 1.0) -> float | None:
    """Return a number, divided by `scale`, None if it is missing.

    Raises InvalidInputError for what is there and is no number.
    """
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidInputError(f"{name} must be a number, not {type(value).__name__}.")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise InvalidInputError(f"{name} must be a number, not {str(value)[:40]!r}.") from None
    return number / scale


def confidence_of(fields: Fields, name: str) -> float | None:
    """Return a confidence from 0 to 1; programs round a little beyond."""
    number = number_of(fields, name)
    return None if number is None else min(max(number, 0.0), 1.0)


def label_of(value: JSON) -> str | None:
    """Return the label of a speaker: a number becomes one as diarization programs write it."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
        return f"SPEAKER_{value:02d}"
    return value.strip() or None if isinstance(value, str) else None


def words_of(
    value: JSON, *texts: str, start: str = "start", end: str = "end", confidence: str, scale: float = 1.0
) -> list[RawWord]:
    """Return the words of a segment, whose text is in the first of `texts` that has one."""
    words = []
    for each in items_of(value):
        fields = fields_of(each)
        text = text_of(fields, *texts)
        if not text:
            continue
        begins, ends = number_of(fields, start, scale=scale), number_of(fields, end, scale=scale)
        sure = confidence_of(fields, confidence)
        words.append(RawWord(text, begins, ends, sure))
    return words


def spoken_groups(words: Sequence[JSON], *, pause: float) -> Iterator[list[Fields]]:
    """Yield words, which have `start`, `end` and perhaps `speaker`, as a listener would hear them together.

    A group ends with its sentence, where another speaks, and before a silence longer than `pause`.
    """
    group: list[Fields] = []
    for each in words:
        fields = fields_of(each)
        if group and _begins_group(group[-1], fields, pause):
            yield group
            group = []
        group.append(fields)
    if group:
        yield group


def _begins_group(before: Fields, word: Fields, pause: float) -> bool:
    if before.get("speaker") != word.get("speaker"):
        return True
    try:
        ended, begins = number_of(before, "end"), number_of(word, "start")
    except InvalidInputError:
        # Its cue is refused for it.
        return True
    if ended is not None and begins is not None and begins - ended > pause:
        return True
    return text_of(before, "punctuated_word", "text", "word").endswith(_SENTENCE_ENDS)
