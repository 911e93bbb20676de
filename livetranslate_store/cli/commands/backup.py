"""`backup` and `restore`: a whole session, to keep or to move to another server."""

from typing import Annotated

import typer

from livetranslate_store.cli.command import MOVE, Command, wait_for
from livetranslate_store.cli.files import STANDARD, lines_of, replacing
from livetranslate_store.cli.opening import opened, session_named
from livetranslate_store.cli.options import AsJson, Database, OutputFile, SessionName
from livetranslate_store.cli.reports import counted, tell_refusals
from livetranslate_store.cli.terminal.output import Output
from livetranslate_store.cli.terminal.progress import shown_progress
from livetranslate_store.exchange import backup_session, restore_session


def backup(
    *,
    session: SessionName,
    output: OutputFile = STANDARD,
    audio: Annotated[
        bool, typer.Option("--audio/--no-audio", help="Include the recordings, or only their rows.")
    ] = True,
    database: Database = None,
) -> None:
    """Write a session with everything into JSON Lines, from one snapshot.

    An existing file is replaced once the new one is complete.
    """

    async def run() -> None:
        async with opened(database) as store:
            found = await session_named(store, session)
            with replacing(output) as file, shown_progress("backing up", "bytes") as advance:
                done = 0
                async for line in backup_session(store, found.id, audio=audio):
                    file.write(line)
                    done += len(line)
                    advance(done, None)

    wait_for(run())


def restore(
    *,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The backup; - is the standard input.", show_default=False)
    ],
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """Restore a session from a backup: all of it or nothing. Running it again changes nothing.

    If a recording is missing, stderr names it, the rest is restored, and the command ends with 1.
    """

    async def run() -> int:
        async with opened(database) as store:
            with shown_progress("restoring", "bytes") as advance:
                report = await restore_session(store, lines_of(file, advance))
        facts = {"session": str(report.session_id), "session row": report.session.value} | counted(
            speakers=report.speakers,
            audio_files=report.audio_files,
            transcripts=report.transcripts,
            translations=report.translations,
        )
        Output(as_json=as_json).facts(facts, title="Restored", whole=report)
        left_out = [(f"line {each.line}", each.reason) for each in report.left_out]
        tell_refusals(left_out, len(left_out))
        return len(left_out)

    if wait_for(run()):
        raise typer.Exit(1)


BACKUP = Command(
    "backup", backup, MOVE, ("backup meet-42 -o meet-42.jsonl", "backup meet-42 | zstd > meet-42.zst")
)
RESTORE = Command(
    "restore",
    restore,
    MOVE,
    (
        "restore meet-42.jsonl -d postgresql://owner@other/db",
        "restore - < meet-42.jsonl",
    ),
)
