"""A transcript file goes into a session: as what was said, or as a translation of what is there."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from livetranslate_store.checks import checked_language, checked_name
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.exchange.bilingual import paired
from livetranslate_store.exchange.segments import segments_of
from livetranslate_store.exchange.translations import import_translations
from livetranslate_store.formats import read_transcript
from livetranslate_store.store import Store
from livetranslate_store.values import (
    FileImportReport,
    ImportProgress,
    SpeakerChoice,
    TranscriptFile,
)

# As many as refusals are listed.
_NOTES_LISTED = 1000


async def import_file(
    store: Store,
    session_id: UUID,
    path: str | Path,
    *,
    language: str | None = None,
    format: str | None = None,  # noqa: A002 (the word for it)
    as_translation: bool = False,
    second_language: str | None = None,
    speakers: SpeakerChoice = "auto",
    source: str | None = None,
    progress: Callable[[ImportProgress], None] | None = None,
) -> FileImportReport:
    """Read a file of any of `formats.FORMATS` into a session, and tell what became of it.

    Its cues become final transcripts; as a translation, they go to the stored transcripts that they overlap
    most, several of them as lines of one text. `source` says where they come from (a translation's
    `service`); unless given it is the file's name. Importing again changes nothing; a file that was corrected
    updates the cues that have the same identifier, or the same times.

    In bilingual subtitles a cue's text in `second_language` is its translation: the text that the file marks
    as one in this language, else the last of several lines.
    `speakers` says how a text names its speakers; "none" leaves all speakers out.

    `language` and `format` are found out where they are not given. Raises InvalidInputError where the file
    cannot be read, is in none of the formats, has no known language, or has nothing that it could be a
    translation of; NotFoundError where the session is not there; and what `Store.import_segments` raises.
    """
    path = Path(path)
    second_language = checked_second(second_language, as_translation=as_translation)
    source = checked_name(path.name if source is None else source, "source")
    async with store.read() as reader:
        await reader.sessions.get(session_id)
    # Hours of speech take a second to read: others on the event loop go on meanwhile.
    file = await asyncio.to_thread(read_file, path, language, format, second_language, speakers)
    return await import_read(
        store, session_id, file, source=source, as_translation=as_translation, progress=progress
    )


def checked_second(second_language: str | None, *, as_translation: bool) -> str | None:
    """Return the canonical tag; raises InvalidInputError if the file is a translation as a whole."""
    if second_language is None:
        return None
    if as_translation:
        raise InvalidInputError("A file with a second_language brings its originals: it is no translation.")
    return checked_language(second_language, "second_language")


def read_file(
    path: Path,
    language: str | None,
    format: str | None,  # noqa: A002 (the word for it)
    second_language: str | None,
    speakers: SpeakerChoice,
) -> TranscriptFile:
    """Return what `import_file` imports; raises InvalidInputError."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # no path has a NUL
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidInputError(f"{path.name} cannot be read: {reason}.") from error
    file = read_transcript(data, format=format, language=language, speakers=speakers, name=path.name)
    return file if second_language is None else paired(file, second_language)


async def import_read(
    store: Store,
    session_id: UUID,
    file: TranscriptFile,
    *,
    source: str,
    as_translation: bool,
    progress: Callable[[ImportProgress], None] | None,
) -> FileImportReport:
    """Import a file that was read, as `import_file` does."""
    if as_translation:
        report = await import_translations(store, session_id, file, service=source, progress=progress)
    else:
        segments = segments_of(session_id, file, source=source)
        report = await store.import_segments(segments, total=len(file), progress=progress)
    return FileImportReport(
        report.transcripts,
        report.translations,
        report.audio_files,
        report.refused,
        report.refusals,
        file.format,
        file.encoding,
        file.encoding_is_guessed,
        len(file.notes),
        file.notes[:_NOTES_LISTED],
    )
