"""Reads a transcript of another program, whatever its format."""

from collections.abc import Iterator
from itertools import chain

from livetranslate_store.checks import checked_choice, checked_language
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.readers.cues import RawCue, Read, finished
from livetranslate_store.formats.readers.format import Format
from livetranslate_store.formats.readers.json_formats import JSON_FORMATS
from livetranslate_store.formats.readers.languages import language_in_name, tag_of
from livetranslate_store.formats.readers.source import Source
from livetranslate_store.formats.readers.text_formats import TEXT_FORMATS
from livetranslate_store.formats.readers.unread import refuse_unread_text
from livetranslate_store.values import (
    SPEAKER_CHOICES,
    ImportedCue,
    Note,
    Refusal,
    SpeakerChoice,
    TranscriptFile,
)

_FORMATS = {each.name: each for each in chain(TEXT_FORMATS, JSON_FORMATS)}

#: The names of the formats that are read.
FORMATS = tuple(_FORMATS)


def read_transcript(
    data: bytes,
    *,
    format: str | None = None,  # noqa: A002 (the word for it)
    language: str | None = None,
    speakers: SpeakerChoice = "auto",
    name: str = "",
) -> TranscriptFile:
    """Return the cues of a transcript file, what was refused, and what was noted.

    The format is detected from the content and the file's `name` unless it is one of FORMATS. A cue has the
    language that it names itself, else `language`, else that of the file, else that of its name
    ("talk.en.vtt"). `speakers` says how a text names its speakers. Raises InvalidInputError if the file is in
    none of the formats, or nothing says in which language it is.
    """
    checked_choice(speakers, "speakers", SPEAKER_CHOICES)
    if language is not None:
        language = checked_language(language)
    source = Source(data, name, language or language_in_name(name))
    chosen = _detected(source) if format is None else _given(source, format)
    read = chosen.read(source, speakers)
    if speakers == "none":
        read = map(_without_speaker, read)
    _, encoding, is_guessed = source.decoded
    cues: list[ImportedCue] = []
    refusals: list[Refusal] = []
    notes = [Note(None, f"The encoding is guessed: {encoding}.")] if is_guessed else []
    for item in finished(read, language or _language_of(chosen, source)):
        match item:
            case Note():
                notes.append(item)
            case Refusal():
                refusals.append(item)
            case _:
                cues.append(item)
    return TranscriptFile(chosen.name, encoding, is_guessed, cues, refusals, notes)


def matching(source: Source) -> Iterator[Format]:
    """Yield the formats that fit a file; of a file that is read, it is one."""
    formats = TEXT_FORMATS if source.json is None else JSON_FORMATS
    return (each for each in formats if each.matches(source))


def _detected(source: Source) -> Format:
    name = source.name or "The file"
    if not source.text.strip():
        raise InvalidInputError(f"{name} is empty.")
    refuse_unread_text(source.text)
    found = next(matching(source), None)
    if found is None:
        problem = source.json_problem
        hint = f" It begins as JSON does, but {problem}." if problem is not None else ""
        raise InvalidInputError(
            f"{name} is in none of the formats that are read: {', '.join(FORMATS)}.{hint}"
        )
    return found


def _given(source: Source, name: str) -> Format:
    chosen = _FORMATS[checked_choice(name, "format", FORMATS)]
    if not (chosen.accepts or chosen.matches)(source):
        problem = source.json_problem
        raise InvalidInputError(f"The file is not {name}{'' if problem is None else f': {problem}'}.")
    return chosen


def _language_of(chosen: Format, source: Source) -> str | None:
    said = chosen.language_of(source)
    return (tag_of(said) if said else None) or language_in_name(source.name)


def _without_speaker(item: Read) -> Read:
    return item._replace(label=None, name=None) if isinstance(item, RawCue) else item
