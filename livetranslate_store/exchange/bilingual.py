"""Bilingual subtitles: each cue has its original, and in its last line the translation."""

import dataclasses

from msgspec.structs import replace

from livetranslate_store.values import ImportedCue, Refusal, TranscriptFile


def split(file: TranscriptFile, second_language: str) -> tuple[TranscriptFile, TranscriptFile]:
    """Return the originals, with all that was refused, and the translations; a cue of one line has none."""
    originals: list[ImportedCue | Refusal] = []
    translations: list[ImportedCue | Refusal] = []
    for item in file:
        if isinstance(item, Refusal) or "\n" not in item.text:
            originals.append(item)
            continue
        first, _, second = item.text.rpartition("\n")
        # Words that are timed one by one are those of both.
        originals.append(replace(item, text=first, words=None))
        translations.append(replace(item, text=second, language=second_language, words=None))
    return dataclasses.replace(file, items=originals), dataclasses.replace(file, items=translations)
