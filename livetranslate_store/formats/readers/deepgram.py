"""Deepgram's JSON of a recording: utterances, else the sentences of paragraphs, else words."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from livetranslate_store.formats.readers.cues import RawCue, Read, made
from livetranslate_store.formats.readers.fields import (
    Fields,
    confidence_of,
    fields_of,
    items_of,
    label_of,
    number_of,
    path_of,
    spoken_groups,
    text_of,
    words_of,
)
from livetranslate_store.formats.readers.source import JSON

# In seconds: longer than the breath between two words, as long as between two thoughts.
_PAUSE = 1.0


class _Piece(NamedTuple):
    fields: Fields
    text: str
    speaker: JSON
    channel: int | None
    words: JSON


def is_deepgram(document: JSON) -> bool:
    """Tell whether it has results in channels."""
    return isinstance(path_of(document, "results", "channels"), list)


def language_of_deepgram(document: JSON) -> str | None:
    """Return the language that was detected in the first channel."""
    for channel in items_of(path_of(document, "results", "channels")):
        for alternative in items_of(fields_of(channel).get("alternatives"))[:1]:
            spoken = items_of(fields_of(alternative).get("languages"))
            if spoken and isinstance(spoken[0], str):
                return spoken[0]
        return text_of(fields_of(channel), "detected_language") or None
    return None


def read_deepgram(document: JSON) -> Iterator[Read]:
    """Yield what was said; where a recording has several channels, each is a speaker unless more is known."""
    utterances = items_of(path_of(document, "results", "utterances"))
    pieces = _utterances(document, utterances) if utterances else _channels(document)
    for line, piece in enumerate(pieces, start=1):
        yield made(line, partial(_cue, line, piece))


def _utterances(document: JSON, utterances: JSON) -> Iterator[_Piece]:
    several = len(items_of(path_of(document, "results", "channels"))) > 1
    for each in map(fields_of, items_of(utterances)):
        number = each.get("channel")
        channel = number if several and isinstance(number, int) else None
        yield _Piece(each, text_of(each, "transcript"), each.get("speaker"), channel, each.get("words"))


def _channels(document: JSON) -> Iterator[_Piece]:
    channels = items_of(path_of(document, "results", "channels"))
    for number, each in enumerate(channels):
        channel = number if len(channels) > 1 else None
        for alternative in map(fields_of, items_of(fields_of(each).get("alternatives"))[:1]):
            paragraphs = items_of(path_of(alternative, "paragraphs", "paragraphs"))
            words = items_of(alternative.get("words"))
            if paragraphs:
                yield from _sentences(paragraphs, words, channel)
            elif words:
                yield from _groups(words, channel)
            elif text_of(alternative, "transcript"):
                yield _Piece({}, text_of(alternative, "transcript"), None, channel, None)


def _sentences(paragraphs: JSON, words: JSON, channel: int | None) -> Iterator[_Piece]:
    left = [fields_of(word) for word in items_of(words)]
    place = 0
    for paragraph in map(fields_of, items_of(paragraphs)):
        for sentence in map(fields_of, items_of(paragraph.get("sentences"))):
            # A sentence ends where its last word does; words and sentences are in the same order.
            begin, end = place, sentence.get("end")
            while place < len(left) and _ends_by(left[place], end):
                place += 1
            own: list[JSON] = list(left[begin:place])
            yield _Piece(sentence, text_of(sentence, "text"), paragraph.get("speaker"), channel, own)


def _ends_by(word: Fields, end: JSON) -> bool:
    at = word.get("end")
    return isinstance(at, int | float) and isinstance(end, int | float) and at <= end


def _groups(words: JSON, channel: int | None) -> Iterator[_Piece]:
    for group in spoken_groups(items_of(words), pause=_PAUSE):
        text = " ".join(text_of(word, "punctuated_word", "word") for word in group)
        times: Fields = {"start": group[0].get("start"), "end": group[-1].get("end")}
        yield _Piece(times, text, group[0].get("speaker"), channel, list(group))


def _cue(line: int, piece: _Piece) -> RawCue:
    label = label_of(piece.speaker)
    if piece.channel is not None:
        # Speakers are counted from 0 in each channel.
        label = f"CHANNEL_{piece.channel}" if label is None else f"CHANNEL_{piece.channel}_{label}"
    return RawCue(
        text=piece.text,
        line=line,
        start=number_of(piece.fields, "start"),
        end=number_of(piece.fields, "end"),
        label=label,
        confidence=confidence_of(piece.fields, "confidence"),
        words=words_of(piece.words, "punctuated_word", "word", confidence="confidence"),
        identifier=text_of(piece.fields, "id") or None,
    )
