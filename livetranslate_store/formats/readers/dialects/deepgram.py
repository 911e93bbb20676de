"""Deepgram: utterances, else the sentences of paragraphs, else the words of each channel."""

from collections.abc import Iterator, Sequence

from livetranslate_store.formats.readers.dialects.dialect import Dialect, Segment
from livetranslate_store.formats.readers.dialects.paths import fields_of, first, found, items_of, text_at
from livetranslate_store.formats.readers.dialects.reading import segment_of
from livetranslate_store.formats.readers.dialects.tokens import spoken_together
from livetranslate_store.formats.readers.source import JSON


def deepgram_segments(dialect: Dialect, document: JSON) -> Iterator[Segment]:
    """Yield the segments; each channel of several has speakers of its own."""
    utterances = items_of(found(document, "results.utterances"))
    for utterance in utterances:
        yield segment_of(dialect, fields_of(utterance))
    if not utterances:
        for number, channel in enumerate(items_of(found(document, "results.channels"))):
            language = first(channel, ("alternatives.0.languages.0", "detected_language"))
            for segment in _channel(dialect, found(channel, "alternatives.0")):
                yield segment._replace(channel=number, language=language)


def _channel(dialect: Dialect, alternative: JSON) -> Iterator[Segment]:
    words = items_of(found(alternative, "words"))
    paragraphs = items_of(found(alternative, "paragraphs.paragraphs"))
    if paragraphs:
        yield from _sentences(paragraphs, words)
    elif words:
        yield from spoken_together(words, dialect.words, dialect.unit, text_at(alternative, ("transcript",)))
    elif text := text_at(alternative, ("transcript",)):
        yield Segment({}, text=text)


def _sentences(paragraphs: Sequence[JSON], words: Sequence[JSON]) -> Iterator[Segment]:
    place = 0
    for paragraph in paragraphs:
        for sentence in items_of(found(paragraph, "sentences")):
            # A sentence ends with its last word; words and sentences are in the same order.
            begin, end = place, found(sentence, "end")
            while place < len(words) and _ends_by(found(words[place], "end"), end):
                place += 1
            fields = {"speaker": found(paragraph, "speaker")} | dict(fields_of(sentence))
            yield Segment(fields, words[begin:place])


def _ends_by(at: JSON, end: JSON) -> bool:
    return isinstance(at, int | float) and isinstance(end, int | float) and at <= end
