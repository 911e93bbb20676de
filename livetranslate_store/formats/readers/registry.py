"""Reads a transcript that another program wrote, whatever its format."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import NamedTuple, TypeVar

from langcodes import tag_is_valid

from livetranslate_store.checks import checked_choice, checked_language
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.readers.assemblyai import (
    is_assemblyai,
    language_of_assemblyai,
    read_assemblyai,
)
from livetranslate_store.formats.readers.decoding import Decoded, decode
from livetranslate_store.formats.readers.deepgram import is_deepgram, language_of_deepgram, read_deepgram
from livetranslate_store.formats.readers.dialogue import is_dialogue, read_dialogue
from livetranslate_store.formats.readers.fields import JSON
from livetranslate_store.formats.readers.fireflies import is_fireflies, read_fireflies
from livetranslate_store.formats.readers.google_meet import is_google_meet, read_google_meet
from livetranslate_store.formats.readers.subrip import read_subrip
from livetranslate_store.formats.readers.timed_blocks import has_times
from livetranslate_store.formats.readers.webvtt import is_webvtt, language_of_webvtt, read_webvtt_text
from livetranslate_store.formats.readers.whisper import (
    is_whisper,
    is_whisperx,
    language_of_whisper,
    read_whisper,
)
from livetranslate_store.values import ImportedCue, Refusal, TranscriptFile

Document = TypeVar("Document")
Items = Iterator[ImportedCue | Refusal]


class _Format(NamedTuple):
    """A format: how it is known, read, and asked for its language."""

    matches: Callable[[JSON], bool]
    read: Callable[[JSON, str], Items]
    language_of: Callable[[JSON], str | None] = lambda _: None
    is_json: bool = True
    # Each entry says in which language it is.
    names_languages: bool = False


def _text(
    matches: Callable[[str], bool],
    read: Callable[[str, str], Items],
    language_of: Callable[[str], str | None] = lambda _: None,
) -> _Format:
    """Return a format of text; its document is always a str."""
    return _Format(
        lambda document: matches(str(document)),
        lambda document, language: read(str(document), language),
        lambda document: language_of(str(document)),
        is_json=False,
    )


# In the order in which they are tried: what is more particular comes first.
_FORMATS: Mapping[str, _Format] = {
    "webvtt": _text(is_webvtt, read_webvtt_text, language_of_webvtt),
    "srt": _text(has_times, read_subrip),
    "dialogue": _text(is_dialogue, read_dialogue),
    "deepgram": _Format(is_deepgram, read_deepgram, language_of_deepgram),
    "assemblyai": _Format(is_assemblyai, read_assemblyai, language_of_assemblyai),
    "whisperx": _Format(is_whisperx, read_whisper, language_of_whisper),
    "whisper": _Format(is_whisper, read_whisper, language_of_whisper),
    "google-meet": _Format(is_google_meet, read_google_meet, names_languages=True),
    "fireflies": _Format(is_fireflies, read_fireflies),
}

#: The names of the formats that are read.
FORMATS = tuple(_FORMATS)

# Names that people give to files which their content alone would not tell.
_ENDINGS = {".vtt": "webvtt", ".srt": "srt"}
# "talk.en.vtt", "talk.pt-BR.srt": two letters first, because most words of three are some language's code.
_LANGUAGE_IN_NAME = re.compile(r"[A-Za-z]{2}(?:-[A-Za-z0-9]{2,8})*")


def read_transcript(
    data: bytes,
    *,
    format: str | None = None,  # noqa: A002 (the word for it)
    language: str | None = None,
    name: str = "",
) -> TranscriptFile:
    """Return what a transcript holds that some other program wrote: cues, and what was refused, with lines.

    The format is found by content and by the file's `name`, unless it is one of FORMATS. The language is
    `language`, or what the file says, or what its name does ("talk.en.vtt"). Raises InvalidInputError where
    the file is in none of the formats, or nothing says in which language it is.
    """
    if language is not None:
        language = checked_language(language)
    decoded = decode(data, language or next(iter(_languages_in(name)), None))
    if format is None:
        chosen, document = _recognized(decoded.text, name)
    else:
        chosen = checked_choice(format, "format", FORMATS)
        document = _document(decoded, chosen)
    read = _FORMATS[chosen]
    tag = _language(read, document, language, name)
    return TranscriptFile(chosen, decoded.encoding, decoded.is_guessed, list(read.read(document, tag)))


def _recognized(text: str, name: str) -> tuple[str, JSON]:
    if not text.strip():
        raise InvalidInputError(f"{name or 'The file'} is empty.")
    document, problem = _json(text) if text.lstrip()[:1] in {"{", "["} else (None, None)
    for each, candidate in _FORMATS.items():
        if candidate.is_json and document is not None and candidate.matches(document):
            return each, document
    if document is None:
        by_name = _ENDINGS.get(PurePath(name).suffix.lower())
        for each, candidate in _FORMATS.items():
            if not candidate.is_json and candidate.matches(text):
                # A WebVTT file without its header looks like the other.
                return by_name if each == "srt" and by_name is not None else each, text
    hint = f" It begins as JSON does, but {problem}." if problem is not None else ""
    raise InvalidInputError(
        f"{name or 'The file'} is in none of the formats that are read: {', '.join(FORMATS)}.{hint}"
    )


def _document(decoded: Decoded, chosen: str) -> JSON:
    read = _FORMATS[chosen]
    document: JSON = decoded.text
    if read.is_json:
        document, problem = _json(decoded.text)
        if problem is not None:
            raise InvalidInputError(f"The file is not {chosen}: {problem}.")
    if not read.matches(document) and not (chosen == "webvtt" and has_times(decoded.text)):
        raise InvalidInputError(f"The file is not {chosen}.")
    return document


def _json(text: str) -> tuple[JSON, str | None]:
    """Return the parsed JSON, or None and what is wrong with it."""
    try:
        return json.loads(text), None
    except json.JSONDecodeError as error:
        return None, f"line {error.lineno} is no JSON ({error.msg})"
    except RecursionError:
        return None, "it is nested too deeply"
    except ValueError:
        return None, "it holds a number of too many digits"


def _language(read: _Format, document: JSON, language: str | None, name: str) -> str:
    if language is not None:
        return language
    if read.names_languages:
        return ""
    for said in (read.language_of(document), *_languages_in(name)):
        # A name such as "english" is no tag, even where it has the form of one.
        if said is not None and tag_is_valid(said):
            return checked_language(said)
    raise InvalidInputError(
        "Nothing says in which language this transcript is; give it as a BCP-47 tag such as 'en'."
    )


def _languages_in(name: str) -> list[str]:
    suffixes = [suffix[1:] for suffix in PurePath(name).suffixes[:-1]]
    return [suffix for suffix in suffixes[-1:] if _LANGUAGE_IN_NAME.fullmatch(suffix)]
