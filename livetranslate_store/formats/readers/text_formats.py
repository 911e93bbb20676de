"""The formats of subtitles, texts and documents."""

from collections.abc import Callable, Iterator

from livetranslate_store.formats.readers.cues import Read
from livetranslate_store.formats.readers.dialogue import is_dialogue, read_dialogue
from livetranslate_store.formats.readers.format import Format, silent
from livetranslate_store.formats.readers.source import Source
from livetranslate_store.formats.readers.subrip import is_sbv, read_subrip
from livetranslate_store.formats.readers.timed_blocks import has_times
from livetranslate_store.formats.readers.webvtt import is_webvtt, language_of_webvtt, read_webvtt


def _text(
    name: str,
    matches: Callable[[str], bool],
    read: Callable[[str], Iterator[Read]],
    language_of: Callable[[str], str | None] = silent,
) -> Format:
    """Return a format that is read from text alone."""
    return Format(
        name,
        lambda source: matches(source.text),
        lambda source, _: read(source.text),
        lambda source: language_of(source.text),
    )


def _is_webvtt(source: Source) -> bool:
    # A WebVTT file without its header looks like SubRip.
    return is_webvtt(source.text) or (source.suffix == ".vtt" and has_times(source.text))


def _is_subrip(source: Source) -> bool:
    return has_times(source.text) and not _is_webvtt(source) and not is_sbv(source.text)


TEXT_FORMATS = (
    Format(
        "webvtt",
        _is_webvtt,
        lambda source, speakers: read_webvtt(source.text, speakers),
        lambda source: language_of_webvtt(source.text),
        accepts=lambda source: is_webvtt(source.text) or has_times(source.text),
    ),
    Format(
        "srt",
        _is_subrip,
        lambda source, speakers: read_subrip(source.text, speakers),
        accepts=lambda source: has_times(source.text),
    ),
    Format(
        "sbv",
        lambda source: is_sbv(source.text),
        lambda source, speakers: read_subrip(source.text, speakers),
    ),
    _text("dialogue", lambda text: not has_times(text) and is_dialogue(text), read_dialogue),
)
