"""`export`: a meeting as a file for people and players."""

from pathlib import Path
from typing import Annotated

import typer

from livetranslate_store.cli.command import MOVE, Command, wait_for
from livetranslate_store.cli.files import STANDARD, replacing
from livetranslate_store.cli.opening import opened, session_named
from livetranslate_store.cli.options import Database, FinalsOnly, OutputFile, SessionName, one_of
from livetranslate_store.exchange import EXPORT_FORMATS, export_session

_SUFFIXES = {".md": "markdown", ".txt": "text"}


def export(
    *,
    session: SessionName,
    output: OutputFile = STANDARD,
    format_: Annotated[
        str | None,
        one_of(EXPORT_FORMATS, "--format", help="Format of the file, otherwise that of FILE's suffix."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(
            "--language",
            "-l",
            metavar="TAG",
            show_default=False,
            help="Export this language instead of the originals; of two, one below the other.",
        ),
    ] = None,
    readable: Annotated[
        bool,
        typer.Option(
            "--readable", help="Make subtitles easy to follow: short lines, long enough, one at a time."
        ),
    ] = False,
    finals_only: FinalsOnly = False,
    database: Database = None,
) -> None:
    """Export a meeting as subtitles, text, Markdown or JSON.

    An existing file is replaced once the new one is complete.
    """
    chosen = format_ or _format_of(output)

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


def _format_of(name: str) -> str:
    suffix = Path(name).suffix.lower()
    found = _SUFFIXES.get(suffix, suffix.removeprefix("."))
    if found not in EXPORT_FORMATS:
        raise typer.BadParameter(f"Name the format with --format, one of {', '.join(EXPORT_FORMATS)}.")
    return found


EXPORT = Command(
    "export",
    export,
    MOVE,
    ("export meet-42 -o meeting.vtt -l en -l ja --readable", "export meet-42 --format markdown | less"),
)
