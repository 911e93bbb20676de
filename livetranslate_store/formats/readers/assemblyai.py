"""AssemblyAI's JSON of a transcript: utterances, sentences or paragraphs, else words; in milliseconds."""

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
    spoken_groups,
    text_of,
    words_of,
)
from livetranslate_store.formats.readers.source import JSON

_MILLISECONDS = 1000.0
# The richest first: utterances tell speakers apart, the next two come from requests of their own.
_PARTS = ("utterances", "sentences", "paragraphs")


def is_assemblyai(document: JSON) -> bool:
    """Tell whether it has utterances, sentences, paragraphs or words as AssemblyAI writes them."""
    fields = fields_of(document)
    return any(
        {"text", "start", "end", "confidence"} <= fields_of(each).keys()
        for part in (*_PARTS, "words")
        for each in items_of(fields.get(part))[:1]
    )


def language_of_assemblyai(document: JSON) -> str | None:
    """Return the language of the transcript: `en_us` is a tag once its underscore is a hyphen."""
    return text_of(fields_of(document), "language_code").replace("_", "-") or None


def read_assemblyai(document: JSON) -> Iterator[Read]:
    """Yield what was said."""
    for line, fields in enumerate(_parts(fields_of(document)), start=1):
        yield made(line, partial(_cue, line, fields))


def _parts(document: Fields) -> Iterator[Fields]:
    for part in _PARTS:
        if items_of(document.get(part)):
            yield from map(fields_of, items_of(document[part]))
            return
    for group in spoken_groups(items_of(document.get("words")), pause=_MILLISECONDS):
        yield {
            "text": " ".join(text_of(word, "text") for word in group),
            "start": group[0].get("start"),
            "end": group[-1].get("end"),
            "speaker": group[0].get("speaker"),
            "words": list(group),
        }


def _cue(line: int, fields: Fields) -> RawCue:
    return RawCue(
        text=text_of(fields, "text"),
        line=line,
        start=number_of(fields, "start", scale=_MILLISECONDS),
        end=number_of(fields, "end", scale=_MILLISECONDS),
        label=label_of(fields.get("speaker")),
        confidence=confidence_of(fields, "confidence"),
        words=words_of(fields.get("words"), "text", confidence="confidence", scale=_MILLISECONDS),
    )
