"""Whisper's JSON, and that of WhisperX, which tells speakers apart and times each word."""

import math
from collections.abc import Iterator
from functools import partial

from livetranslate_store.formats.readers.cues import RawCue, Read, made
from livetranslate_store.formats.readers.fields import (
    Fields,
    confidence_of,
    fields_of,
    items_of,
    label_of,
    number_of,
    text_of,
    words_of,
)
from livetranslate_store.formats.readers.source import JSON

# Of a word: Whisper's, WhisperX's, and that of whisper-timestamped.
_CONFIDENCES = ("probability", "score", "confidence")


def is_whisperx(document: JSON) -> bool:
    """Tell whether WhisperX wrote it: it tells scores and speakers, Whisper probabilities."""
    if "word_segments" in fields_of(document):
        return is_whisper(document)
    return is_whisper(document) and any(
        "speaker" in fields or any("score" in fields_of(word) for word in items_of(fields.get("words")))
        for fields in map(fields_of, items_of(fields_of(document)["segments"]))
    )


def is_whisper(document: JSON) -> bool:
    """Tell whether it has segments with start, end and text."""
    segments = fields_of(document).get("segments")
    if not isinstance(segments, list):
        return False
    return all({"start", "end", "text"} <= fields_of(each).keys() for each in segments[:1])


def language_of_whisper(document: JSON) -> str | None:
    """Return the language that was recognized."""
    return text_of(fields_of(document), "language") or None


def read_whisper(document: JSON) -> Iterator[Read]:
    """Yield the segments of either program."""
    for line, each in enumerate(items_of(fields_of(document).get("segments")), start=1):
        yield made(line, partial(_cue, line, fields_of(each)))


def _cue(line: int, fields: Fields) -> RawCue:
    words = items_of(fields.get("words"))
    sure = next((name for name in _CONFIDENCES if any(name in fields_of(word) for word in words)), "")
    return RawCue(
        text=text_of(fields, "text"),
        line=line,
        start=number_of(fields, "start"),
        end=number_of(fields, "end"),
        label=label_of(fields.get("speaker")),
        confidence=_confidence(fields),
        words=words_of(words, "word", "text", confidence=sure),
    )


def _confidence(fields: Fields) -> float | None:
    """Return the mean probability of a token, which Whisper gives as its logarithm."""
    logarithm = number_of(fields, "avg_logprob")
    if logarithm is None:
        return confidence_of(fields, "confidence")
    return math.exp(min(logarithm, 0.0))
