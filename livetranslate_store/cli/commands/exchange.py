"""`import` and `export`: transcripts of other programs in, files for people and players out."""

from pathlib import Path
from typing import Annotated

import typer

from livetranslate_store.cli.command import MOVE, Command, wait_for
from livetranslate_store.cli.files import STANDARD, replacing
from livetranslate_store.cli.opening import opened, session_named
from livetranslate_store.cli.options import AsJson, Database, FinalsOnly, SessionName
from livetranslate_store.cli.reports import counted, tell_notes, tell_refusals
from livetranslate_store.cli.terminal.output import Output, Value
from livetranslate_store.cli.terminal.progress import shown_progress
from livetranslate_store.errors import NotFoundError
from livetranslate_store.exchange import EXPORT_FORMATS, export_session, import_file
from livetranslate_store.formats import FORMATS
from livetranslate_store.models import Session
from livetranslate_store.store import Store
from livetranslate_store.values import SPEAKER_CHOICES

_SUFFIXES = {".md": "markdown", ".txt": "text"}


def import_transcript(
    *,
    session: SessionName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file.", show_default=False)],
    language: Annotated[
        str | None,
        typer.Option(
            "--language", "-l", metavar="TAG", show_default=False, help="Its language, unless it says so."
        ),
    ] = None,
    translation: Annotated[
        bool, typer.Option("--translation", help="It is a translation of what the session holds already.")
    ] = False,
    second: Annotated[
        str | None,
        typer.Option(
            "--second",
            metavar="TAG",
            show_default=False,
            help="Bilingual subtitles: the last line of a cue is its translation into this language.",
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            show_default=False,
            help=f"One of {', '.join(FORMATS)}; else it is found out.",
        ),
    ] = None,
    speakers: Annotated[
        str,
        typer.Option(
            "--speakers",
            metavar="HOW",
            help=f"How a text names its speakers, one of {', '.join(SPEAKER_CHOICES)}.",
        ),
    ] = "auto",
    create: Annotated[
        bool,
        typer.Option(
            "--create", help="Make the session, with SESSION as its external id, where it is not there."
        ),
    ] = False,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """Import a transcript of another program: captions, or the JSON of a transcription service.

    Importing it again changes nothing. What is refused is told on stderr with its line, the rest goes in,
    and the command ends with 1.
    """
    chosen = next((each for each in SPEAKER_CHOICES if each == speakers), None)
    if chosen is None:
        raise typer.BadParameter(f"--speakers must be one of {', '.join(SPEAKER_CHOICES)}.")

    async def run() -> int:
        async with opened(database) as store:
            found = await _session(store, session, file) if create else await session_named(store, session)
            with shown_progress(f"importing {file.name}", "segments") as advance:
                report = await import_file(
                    store,
                    found.id,
                    file,
                    language=language,
                    format=format_,
                    as_translation=translation,
                    second_language=second,
                    speakers=chosen,
                    progress=lambda done: advance(done.segments, None),
                )
        facts: dict[str, Value] = {
            "session": str(found.id),
            "format": report.format,
            "encoding": report.encoding,
        }
        if report.encoding_is_guessed:
            facts["encoding"] = f"{report.encoding} (guessed)"
        facts |= counted(transcripts=report.transcripts, translations=report.translations)
        facts |= {"refused": report.refused, "noted": report.noted}
        Output(as_json=as_json).facts(facts, title="Imported", whole=report)
        tell_notes(report.notes, report.noted)
        tell_refusals(((f"line {each.line}", each.reason) for each in report.refusals), report.refused)
        return report.refused

    if wait_for(run()):
        raise typer.Exit(1)


async def _session(store: Store, name: str, file: Path) -> Session:
    try:
        return await session_named(store, name)
    except NotFoundError:
        async with store.unit_of_work() as uow:
            return await uow.sessions.create(
                bot_id="import", meeting_id=name, external_id=name, title=file.stem, status="ended"
            )


def export(
    *,
    session: SessionName,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to; - is the pipe or terminal.")
    ] = STANDARD,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            show_default=False,
            help=f"One of {', '.join(EXPORT_FORMATS)}; unless given, that of FILE's name.",
        ),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(
            "--language",
            "-l",
            metavar="TAG",
            show_default=False,
            help="In this language instead of the originals; given twice, both below each other.",
        ),
    ] = None,
    readable: Annotated[
        bool,
        typer.Option(
            "--readable", help="Subtitles that can be followed: short lines, long enough, one at a time."
        ),
    ] = False,
    finals_only: FinalsOnly = False,
    database: Database = None,
) -> None:
    """Export a meeting as subtitles, text, Markdown or JSON. A file is replaced when all of it is written."""
    suffix = Path(output).suffix.lower()
    chosen = format_ or _SUFFIXES.get(suffix, suffix.removeprefix("."))
    if chosen not in EXPORT_FORMATS:
        raise typer.BadParameter(f"--format must be one of {', '.join(EXPORT_FORMATS)}.")

    async def run() -> None:
        async with opened(database) as store:
            found = await session_named(store, session)
            pieces = export_session(
                store,
                found.id,
                format=chosen,
                languages=language or (),
                readable=readable,
                finals_only=finals_only,
            )
            with replacing(output) as file:
                async for piece in pieces:
                    file.write(piece.encode())

    wait_for(run())


IMPORT = Command(
    "import",
    import_transcript,
    MOVE,
    (
        "import talk-1 talk.en.vtt --create",
        "import talk-1 talk.ja.vtt --translation -l ja",
        "import meet-42 whisper.json",
    ),
)
EXPORT = Command(
    "export",
    export,
    MOVE,
    ("export meet-42 -o meeting.vtt -l en -l ja --readable", "export meet-42 --format markdown | less"),
)
