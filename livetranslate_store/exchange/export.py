"""A session as a file for other programs and for people."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias
from uuid import UUID

from livetranslate_store.checks import checked_choice, checked_languages, checked_uuid
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.writers.json import JSONWriter
from livetranslate_store.formats.writers.markdown import MarkdownWriter
from livetranslate_store.formats.writers.subrip import SubRipWriter
from livetranslate_store.formats.writers.subtitles import PlainCues, ReadableCues
from livetranslate_store.formats.writers.text import TextWriter
from livetranslate_store.formats.writers.webvtt import WebVTTWriter
from livetranslate_store.store import Store
from livetranslate_store.values import SessionFacts, TranscriptRow

# More do not fit below each other.
MAX_LANGUAGES = 2


class Writer(Protocol):
    """Writes one session in one format, piece by piece."""

    def begin(self) -> str:
        """Return what comes before the rows."""

    def add(self, row: TranscriptRow) -> str:
        """Return what the next row, in the timeline's order, adds."""

    def end(self) -> str:
        """Return what comes after the rows."""


MakeWriter: TypeAlias = Callable[[SessionFacts, Sequence[str]], Writer]

_DOCUMENTS: Mapping[str, MakeWriter] = {
    "json": JSONWriter,
    "markdown": MarkdownWriter,
    "text": TextWriter,
}
_SUBTITLES: Mapping[str, Callable[[SessionFacts, Sequence[str], bool], Writer]] = {
    "srt": lambda session, languages, readable: SubRipWriter(
        session, (ReadableCues if readable else PlainCues)(languages, named=True)
    ),
    "vtt": lambda session, languages, readable: WebVTTWriter(
        session, (ReadableCues if readable else PlainCues)(languages), languages
    ),
}

#: The formats that a session can be exported in.
EXPORT_FORMATS = tuple(sorted((*_DOCUMENTS, *_SUBTITLES)))


def export_session(
    store: Store,
    session_id: UUID,
    *,
    format: str,  # noqa: A002 (what it is called everywhere)
    languages: Sequence[str] = (),
    readable: bool = False,
    finals_only: bool = False,
) -> AsyncIterator[str]:
    """Yield a session as text in one of `EXPORT_FORMATS`, in pieces that make one file.

    Without `languages` it has the originals; with one, what was said or translated into it; with two, both
    below each other. JSON takes any number and has the originals always. Subtitles leave out what has no
    text in the languages asked for. `readable` makes subtitles of two lines of 42 columns, a second long at
    least, one at a time. Segments that are not final are exported unless `finals_only`. JSON, text and
    Markdown name the editor of an edited text. Raises InvalidInputError at once, and NotFoundError if the
    session does not exist.
    """
    checked_uuid(session_id, "session_id")
    format = checked_choice(format, "format", EXPORT_FORMATS)  # noqa: A001 (as above)
    wanted = checked_languages(languages, "languages")
    if format != "json" and len(wanted) > MAX_LANGUAGES:
        raise InvalidInputError(f"languages has {len(wanted)} tags; {format} takes {MAX_LANGUAGES} at most.")
    if readable and format not in _SUBTITLES:
        raise InvalidInputError(f"readable is for subtitles ({', '.join(_SUBTITLES)}), not for {format}.")

    def writer(session: SessionFacts) -> Writer:
        if format in _SUBTITLES:
            return _SUBTITLES[format](session, wanted, readable)
        return _DOCUMENTS[format](session, wanted)

    return _written(store, session_id, writer, wanted, finals_only=finals_only)


async def _written(
    store: Store,
    session_id: UUID,
    make: Callable[[SessionFacts], Writer],
    languages: Sequence[str],
    *,
    finals_only: bool,
) -> AsyncIterator[str]:
    writer = make(await _facts(store, session_id))
    yield writer.begin()
    rows = store.stream_transcript_view(session_id, languages, finals_only=finals_only, include=["edits"])
    async for row in rows:
        if text := writer.add(row):
            yield text
    yield writer.end()


async def _facts(store: Store, session_id: UUID) -> SessionFacts:
    async with store.read() as reader:
        session = await reader.sessions.get(session_id)
    return SessionFacts(**{name: getattr(session, name) for name in SessionFacts.__struct_fields__})
