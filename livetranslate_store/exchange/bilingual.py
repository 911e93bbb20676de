"""Bilingual subtitles: each cue has its original and, in its last line, the translation."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from livetranslate_store.formats.joiners import JOINER
from livetranslate_store.values import ImportedCue, ImportedTranslation, TranscriptFile, is_variant


def paired(file: TranscriptFile, second_language: str) -> TranscriptFile:
    """Return the file with each text in the second language as the translation of its cue.

    A file may name the language of each text; else the last of several lines of a cue is the second one. A
    cue in the second language alone stays a cue, in that language.
    """
    if any(is_variant(cue.language, second_language) for cue in file.cues):
        return replace(file, cues=tuple(_joined(file.cues, second_language)))
    return replace(file, cues=tuple(_split(cue, second_language) for cue in file.cues))


def _joined(cues: Iterable[ImportedCue], language: str) -> Iterator[ImportedCue]:
    """Yield the cues; one in the language that follows another one of the same cue is its translation."""
    waiting: ImportedCue | None = None
    for cue in cues:
        is_second = is_variant(cue.language, language)
        if waiting is None or waiting.line != cue.line or not is_second or waiting.translations:
            if waiting is not None:
                yield waiting
            waiting = cue
        else:
            translation = ImportedTranslation(text=cue.text, language=cue.language)
            # Words that are timed one by one are those of both.
            waiting = replace(waiting, translations=[translation], words=None)
    if waiting is not None:
        yield waiting


def _split(cue: ImportedCue, language: str) -> ImportedCue:
    # This package's own SubRip marks a cue in the second language alone.
    alone = cue.text.removesuffix(JOINER)
    if alone != cue.text and alone.strip():
        return replace(cue, text=alone, language=language)
    # A line break at an end of the text parts nothing.
    first, _, second = cue.text.strip().rpartition("\n")
    if not first:
        return cue
    return replace(
        cue, text=first, words=None, translations=[ImportedTranslation(text=second, language=language)]
    )
