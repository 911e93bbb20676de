"""`import-legacy`: all sessions of the older system."""

from pathlib import Path
from typing import Annotated

import typer

from livetranslate_store.cli.command import MOVE, Command, wait_for
from livetranslate_store.cli.opening import opened
from livetranslate_store.cli.options import AsJson, Database, Tenant
from livetranslate_store.cli.reports import counted, tell_refusals
from livetranslate_store.cli.terminal.output import Output, Value
from livetranslate_store.cli.terminal.progress import shown_progress
from livetranslate_store.legacy import LegacyReport
from livetranslate_store.legacy import import_legacy as move


def import_legacy(
    *,
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            envvar="LIVETRANSLATE_LEGACY_URL",
            show_default=False,
            help="The older database. Prefer the variable for a URL with a password.",
        ),
    ],
    audio_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", show_default=False, help="Folder of its recordings. No file elsewhere is read."
        ),
    ] = None,
    as_json: AsJson = False,
    tenant: Tenant = None,
    database: Database = None,
) -> None:
    """Copy a database of the older system, without writing to it. Running it again continues.

    If rows are refused, stderr names them, and the command ends with 1.
    """

    async def run() -> LegacyReport:
        async with opened(database, tenant) as store:
            with shown_progress("moving", "sessions") as advance:
                return await move(
                    store,
                    url,
                    audio_folder=audio_folder,
                    progress=lambda done: advance(done.sessions, done.of_sessions),
                )

    report = wait_for(run())
    facts: dict[str, Value] = {
        "sessions": report.sessions,
        "already moved": report.already_moved,
        "moved and verified": report.verified,
        "speakers named": report.speakers_named,
    }
    facts |= counted(
        audio_files=report.audio_files, transcripts=report.transcripts, translations=report.translations
    )
    facts |= {"superseded": report.superseded, "changed": report.changed, "refused": report.refused}
    Output(as_json=as_json).facts(facts, title="Moved from the older system", whole=report)
    tell_refusals(((f"{each.table} {each.key}", each.reason) for each in report.refusals), report.refused)
    mismatches = [
        (each.key, f"session {each.session_id} holds not what was moved into it")
        for each in report.mismatches
    ]
    tell_refusals(mismatches, len(mismatches))
    if not report.complete:
        raise typer.Exit(1)


IMPORT_LEGACY = Command(
    "import-legacy",
    import_legacy,
    MOVE,
    ("import-legacy postgresql://reader@old/bots --audio-folder /srv/bot-audio",),
)
