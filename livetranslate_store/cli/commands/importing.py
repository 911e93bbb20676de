"""`import`: a transcript of another program goes into a session."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from livetranslate_store.checks import checked_name
from livetranslate_store.cli.command import MOVE, Command, wait_for
from livetranslate_store.cli.opening import opened, session_named
from livetranslate_store.cli.options import AsJson, Database, SessionName, Tenant, one_of
from livetranslate_store.cli.reports import counted, tell_notes, tell_refusals
from livetranslate_store.cli.terminal.output import Output, Value
from livetranslate_store.cli.terminal.progress import shown_progress
from livetranslate_store.errors import NotFoundError
from livetranslate_store.exchange.import_file import checked_second, import_read, read_file
from livetranslate_store.formats import FORMATS
from livetranslate_store.models import Session
from livetranslate_store.store import Store
from livetranslate_store.values import FileImportReport, SpeakerChoice


def import_transcript(
    *,
    session: SessionName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file.", show_default=False)],
    language: Annotated[
        str | None,
        typer.Option(
            "--language",
            "-l",
            metavar="TAG",
            show_default=False,
            help="Language of the file, for everything in it that names none.",
        ),
    ] = None,
    translation: Annotated[
        bool, typer.Option("--translation", help="The file translates the transcripts of the session.")
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
        str | None, one_of(FORMATS, "--format", help="Format of the file, otherwise detected.")
    ] = None,
    speakers: Annotated[SpeakerChoice, typer.Option(help="How the file names its speakers.")] = "auto",
    create: Annotated[
        bool,
        typer.Option("--create", help="Create the session if it is missing, with SESSION as external id."),
    ] = False,
    as_json: AsJson = False,
    tenant: Tenant = None,
    database: Database = None,
) -> None:
    """Import a transcript of another program: captions, or the JSON of a transcription service.

    Importing it again changes nothing. If parts of the file are refused, stderr gives their lines, the rest
    goes in, and the command ends with 1.
    """

    async def run() -> tuple[Session, FileImportReport]:
        second_language = checked_second(second, as_translation=translation)
        source = checked_name(file.name, "source")
        async with opened(database, tenant) as store:
            try:
                found = await session_named(store, session)
            except NotFoundError:
                # A new session has nothing that the file could be a translation of.
                if translation or not create:
                    raise
                found = None
            read = await asyncio.to_thread(read_file, file, language, format_, second_language, speakers)
            if found is None:
                # Of a file that cannot be read, no empty session is left.
                found = await _created(store, session, file.stem)
            with shown_progress(f"importing {file.name}", "segments") as advance:
                return found, await import_read(
                    store,
                    found.id,
                    read,
                    source=source,
                    as_translation=translation,
                    progress=lambda done: advance(done.segments, done.total),
                )

    found, report = wait_for(run())
    Output(as_json=as_json).facts(_facts(found, report), title="Imported", whole=report)
    tell_notes(report.notes, report.noted)
    tell_refusals(((f"line {each.line}", each.reason) for each in report.refusals), report.refused)
    if report.refused:
        raise typer.Exit(1)


async def _created(store: Store, name: str, title: str) -> Session:
    async with store.unit_of_work() as uow:
        created = await uow.sessions.create(
            bot_id="import", meeting_id=name, external_id=name, title=title, status="ended"
        )
        return await uow.sessions.get(created.id)


def _facts(session: Session, report: FileImportReport) -> dict[str, Value]:
    return {
        "session": str(session.id),
        "format": report.format,
        "encoding": f"{report.encoding} (guessed)" if report.encoding_is_guessed else report.encoding,
        **counted(transcripts=report.transcripts, translations=report.translations),
        "refused": report.refused,
        "noted": report.noted,
    }


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
