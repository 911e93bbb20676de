"""Fireflies' JSON: the sentences that its API answers with, and those of its downloads."""

from collections.abc import Iterator
from functools import partial

from livetranslate_store.formats.clock import seconds_of
from livetranslate_store.formats.readers.cues import RawCue, Read, made
from livetranslate_store.formats.readers.fields import (
    Fields,
    fields_of,
    items_of,
    label_of,
    number_of,
    path_of,
    text_of,
)
from livetranslate_store.formats.readers.source import JSON


def is_fireflies(document: JSON) -> bool:
    """Tell whether it has sentences with the names of speakers."""
    return any("speaker_name" in fields_of(each) for each in _sentences(document)[:1])


def read_fireflies(document: JSON) -> Iterator[Read]:
    """Yield the sentences."""
    for line, each in enumerate(_sentences(document), start=1):
        yield made(line, partial(_cue, line, fields_of(each)))


def _sentences(document: JSON) -> list[JSON]:
    """Return the sentences of an API's whole answer, of the transcript in it, or of a download."""
    if isinstance(document, list):
        return document
    transcript = path_of(document, "data", "transcript") or fields_of(document).get("transcript") or document
    return list(items_of(fields_of(transcript).get("sentences")))


def _cue(line: int, fields: Fields) -> RawCue:
    name = text_of(fields, "speaker_name") or None
    return RawCue(
        text=text_of(fields, "raw_text", "text", "sentence"),
        line=line,
        start=_time(fields, "start_time", "startTime"),
        end=_time(fields, "end_time", "endTime"),
        # Several people of one name have numbers of their own.
        label=label_of(fields.get("speaker_id")) or name,
        name=name,
    )


def _time(fields: Fields, name: str, downloaded: str) -> float | None:
    value = fields.get(downloaded)
    if isinstance(value, str) and ":" in value:
        return seconds_of(value, downloaded)
    return number_of(fields, name if name in fields else downloaded)
