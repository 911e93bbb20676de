"""Bilingual subtitles: each cue has its original and, in its last line, the translation."""

from collections.abc import Iterator

from msgspec.structs import replace

from livetranslate_store.formats.joiners import JOINER
from livetranslate_store.values import ImportedCue, ImportedTranslation, Refusal, TranscriptFile


def paired(file: TranscriptFile, second_language: str) -> TranscriptFile:
    """Return the file with each text in the second language as the translation of its cue.

    A file may name the language of each text; else the last of several lines of a cue is the second one. A
    cue in the second language alone stays a cue, in that language.
    """
    if any(_is_in(cue, second_language) for cue in file.cues):
        items = list(_joined(file, second_language))
    else:
        items = [_split(item, second_language) if isinstance(item, ImportedCue) else item for item in file]
    return TranscriptFile(file.format, file.encoding, file.encoding_is_guessed, items, file.notes)


def _is_in(cue: ImportedCue, language: str) -> bool:
    return f"{cue.language}-".startswith(f"{language}-")


def _joined(file: TranscriptFile, language: str) -> Iterator[ImportedCue | Refusal]:
    """Yield the cues; one in the language that follows another one of the same cue is its translation."""
    waiting: ImportedCue | None = None
    for item in file:
        if not isinstance(item, ImportedCue):
            if waiting is not None:
                yield waiting
            yield item
            waiting = None
        elif (
            waiting is None or waiting.line != item.line or not _is_in(item, language) or waiting.translations
        ):
            if waiting is not None:
                yield waiting
            waiting = item
        else:
            translation = ImportedTranslation(text=item.text, language=item.language)
            # Words that are timed one by one are those of both.
            waiting = replace(waiting, translations=[translation], words=None)
    if waiting is not None:
        yield waiting


def _split(cue: ImportedCue, language: str) -> ImportedCue:
    # This package's own SubRip marks a cue in the second language alone.
    if cue.text.endswith(JOINER):
        return replace(cue, text=cue.text.removesuffix(JOINER), language=language)
    if "\n" not in cue.text:
        return cue
    first, _, second = cue.text.rpartition("\n")
    return replace(
        cue, text=first, words=None, translations=[ImportedTranslation(text=second, language=language)]
    )
