"""The formats of subtitles, texts and documents, the most particular first."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from livetranslate_store.formats.readers.cues import Read
from livetranslate_store.formats.readers.dialogue import has_colons, is_dialogue, read_dialogue
from livetranslate_store.formats.readers.format import Format, silent
from livetranslate_store.formats.readers.own_documents import (
    is_own_markdown,
    is_own_text,
    read_own_markdown,
    read_own_text,
)
from livetranslate_store.formats.readers.printed import (
    is_printed,
    is_table,
    language_of_printed,
    read_printed,
    read_table,
)
from livetranslate_store.formats.readers.source import Source
from livetranslate_store.formats.readers.subrip import is_sbv, read_subrip
from livetranslate_store.formats.readers.substation import is_substation, read_substation
from livetranslate_store.formats.readers.timed_blocks import begins_with_times, has_times
from livetranslate_store.formats.readers.ttml import is_ttml, language_of_ttml, read_ttml
from livetranslate_store.formats.readers.turns import is_turns, read_turns
from livetranslate_store.formats.readers.webvtt import is_webvtt, language_of_webvtt, read_webvtt
from livetranslate_store.values import SpeakerChoice


class _Kind(NamedTuple):
    """A format of text; `fits` may be true of a file that a more particular format fits, too."""

    name: str
    fits: Callable[[str], bool]
    read: Callable[[str, SpeakerChoice], Iterator[Read]]
    language_of: Callable[[str], str | None] = silent
    accepts: Callable[[str], bool] | None = None


_KINDS = (
    _Kind(
        "webvtt",
        is_webvtt,
        read_webvtt,
        language_of_webvtt,
        accepts=lambda text: is_webvtt(text) or has_times(text),
    ),
    _Kind("ass", is_substation, read_substation),
    _Kind("ttml", is_ttml, read_ttml, language_of_ttml),
    _Kind("markdown", is_own_markdown, read_own_markdown),
    _Kind("whisper-table", is_table, read_table),
    _Kind("sbv", is_sbv, read_subrip),
    _Kind("srt", begins_with_times, read_subrip, accepts=has_times),
    _Kind("whisper-printed", is_printed, read_printed, language_of_printed),
    _Kind("text", is_own_text, read_own_text),
    _Kind("turns", is_turns, read_turns),
    _Kind("dialogue", is_dialogue, read_dialogue, accepts=has_colons),
)


def _fits(kind: _Kind, source: Source) -> bool:
    # A WebVTT file without its header looks like SubRip, and either may have a long head.
    by_name = kind.name == {".vtt": "webvtt", ".srt": "srt"}.get(source.suffix)
    return kind.fits(source.text) or (by_name and has_times(source.text))


def _format(kind: _Kind, before: Sequence[_Kind]) -> Format:
    """Return a format that leaves a file to those before it, which are more particular."""
    return Format(
        kind.name,
        lambda source: _fits(kind, source) and not any(_fits(each, source) for each in before),
        lambda source, speakers: kind.read(source.text, speakers),
        lambda source: kind.language_of(source.text),
        lambda source: (kind.accepts or kind.fits)(source.text),
    )


TEXT_FORMATS = tuple(_format(kind, _KINDS[:place]) for place, kind in enumerate(_KINDS))
