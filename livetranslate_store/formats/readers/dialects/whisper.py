"""Whisper and the programs around it: words at the top, parts of words, words that are chunks."""

from collections.abc import Iterator, Sequence

from livetranslate_store.formats.readers.dialects.dialect import Dialect, Segment
from livetranslate_store.formats.readers.dialects.paths import fields_of, first, found, items_of, text_at
from livetranslate_store.formats.readers.dialects.reading import segments_of
from livetranslate_store.formats.readers.dialects.tokens import spoken_together
from livetranslate_store.formats.readers.source import JSON

# A list of words holds one with a space now and then: "New York".
_ONE_WORD = 0.9
# A list of fewer segments may be of answers of one word each.
_MANY_WORDS = 20


def is_whisperx(document: JSON) -> bool:
    """Return whether WhisperX wrote segments: it gives scores and speakers, and lists all words once more."""
    segments = items_of(found(document, "segments"))
    return found(document, "word_segments") is not None or any(
        (found(each, "speaker") is not None and found(each, "type") is None)
        or any(found(word, "score") is not None for word in items_of(found(each, "words")))
        for each in segments
    )


def is_whisper(document: JSON) -> bool:
    """Return whether it is not WhisperX that wrote segments."""
    return not is_whisperx(document)


def whisper_segments(dialect: Dialect, document: JSON) -> Iterator[Segment]:
    """Yield the segments; words at the top of the document go to the segments that they lie in."""
    listed = items_of(document)
    if len(listed) >= _MANY_WORDS and _are_words(listed):
        yield from spoken_together(listed, dialect.words, dialect.unit)
        return
    segments = list(segments_of(dialect, document))
    words = items_of(found(document, "words"))
    if not words or not items_of(found(document, "segments")) or any(each.words for each in segments):
        yield from segments
        return
    place = 0
    for number, segment in enumerate(segments, start=1):
        begin, end = place, found(segment.fields, "end")
        while place < len(words) and (number == len(segments) or _begins_before(words[place], end)):
            place += 1
        yield segment._replace(words=words[begin:place])


def whispercpp_segments(dialect: Dialect, document: JSON) -> Iterator[Segment]:
    """Yield the segments; the parts of a word become one."""
    for segment in segments_of(dialect, document):
        yield segment._replace(words=_whole_words(segment.words))


def chunk_segments(dialect: Dialect, document: JSON) -> Iterator[Segment]:
    """Yield the chunks of a pipeline, or the segments that they make if each is a word."""
    chunks = items_of(found(document, "chunks"))
    if not items_of(found(document, "speakers")) and len(chunks) > 1 and _are_words(chunks):
        yield from spoken_together(chunks, dialect.words, dialect.unit, text_at(document, dialect.whole))
    else:
        yield from segments_of(dialect, document)


def _are_words(items: Sequence[JSON]) -> bool:
    short = sum(len(text_at(item, ("text",)).split()) <= 1 for item in items)
    return short >= _ONE_WORD * len(items)


def _begins_before(word: JSON, end: JSON) -> bool:
    start = found(word, "start")
    return not isinstance(start, int | float) or not isinstance(end, int | float) or start < end


def _whole_words(parts: Sequence[JSON]) -> list[JSON]:
    words: list[dict[str, JSON]] = []
    for part in parts:
        text = found(part, "text")
        # "[_BEG_]" and the like mark places.
        if not isinstance(text, str) or not text or text.startswith("[_"):
            continue
        if words and not text[0].isspace():
            last = words[-1]
            last["text"] = f"{last['text']}{text}"
            last["to"] = first(part, ("offsets.to",)) or last["to"]
            last["p"] = _least(last["p"], found(part, "p"))
        else:
            offsets = fields_of(found(part, "offsets"))
            words.append(
                {"text": text, "from": offsets.get("from"), "to": offsets.get("to"), "p": found(part, "p")}
            )
    return list(words)


def _least(one: JSON, other: JSON) -> JSON:
    known = [each for each in (one, other) if isinstance(each, int | float)]
    return min(known, default=None)
