"""The formats of JSON."""

from collections.abc import Callable, Iterator

from livetranslate_store.formats.readers.assemblyai import (
    is_assemblyai,
    language_of_assemblyai,
    read_assemblyai,
)
from livetranslate_store.formats.readers.cues import Read
from livetranslate_store.formats.readers.deepgram import is_deepgram, language_of_deepgram, read_deepgram
from livetranslate_store.formats.readers.fireflies import is_fireflies, read_fireflies
from livetranslate_store.formats.readers.format import Format, silent
from livetranslate_store.formats.readers.google_meet import is_google_meet, read_google_meet
from livetranslate_store.formats.readers.source import JSON
from livetranslate_store.formats.readers.whisper import (
    is_whisper,
    is_whisperx,
    language_of_whisper,
    read_whisper,
)


def _json(
    name: str,
    matches: Callable[[JSON], bool],
    read: Callable[[JSON], Iterator[Read]],
    language_of: Callable[[JSON], str | None] = silent,
) -> Format:
    """Return a format that is read from parsed JSON."""
    return Format(
        name,
        lambda source: matches(source.json),
        lambda source, _: read(source.json),
        lambda source: language_of(source.json),
    )


JSON_FORMATS = (
    _json("deepgram", is_deepgram, read_deepgram, language_of_deepgram),
    _json("assemblyai", is_assemblyai, read_assemblyai, language_of_assemblyai),
    _json("whisperx", is_whisperx, read_whisper, language_of_whisper),
    _json(
        "whisper",
        lambda document: is_whisper(document) and not is_whisperx(document),
        read_whisper,
        language_of_whisper,
    ),
    _json("google-meet", is_google_meet, read_google_meet),
    _json("fireflies", is_fireflies, read_fireflies),
)
