"""`delete`: a session with everything in it."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.prompt import Confirm
from rich.text import Text

from livetranslate_store.cli.command import RUN, Command, wait_for
from livetranslate_store.cli.opening import opened, session_named
from livetranslate_store.cli.options import AsJson, Database, SessionName
from livetranslate_store.cli.terminal.output import Output
from livetranslate_store.cli.terminal.terminal_text import visible
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.models import Session
from livetranslate_store.values import DeletedSession


def delete(
    session: SessionName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """Delete a session: its transcripts, translations, speakers and stored audio. Asks first."""
    found = wait_for(_found(database, session))
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidInputError("This is no terminal: pass --yes to confirm.")
        if not _agreed(f"Delete {_described(found)} with everything in it?"):
            raise typer.Abort
    deleted = wait_for(_delete(database, found))
    counts = {
        name: getattr(deleted, name)
        for name in ("transcripts", "translations", "text_versions", "speakers", "audio_files")
    }
    facts = {"session": str(found.id)} | {name.replace("_", " "): count for name, count in counts.items()}
    Output(as_json=as_json).facts(facts, title="Deleted", whole=deleted)


async def _found(database: str | None, name: str) -> Session:
    async with opened(database) as store:
        return await session_named(store, name)


async def _delete(database: str | None, session: Session) -> DeletedSession:
    async with opened(database) as store, store.unit_of_work() as uow:
        return await uow.sessions.delete(session.id)


def _agreed(question: str) -> bool:
    try:
        return Confirm.ask(Text(question), console=Console(stderr=True), default=False)
    except EOFError:
        return False


def _described(session: Session) -> str:
    name = visible(session.title or session.external_id or "the session")
    return f"{name} ({session.id}, {session.started_at:%Y-%m-%d %H:%M})"


DELETE = Command("delete", delete, RUN, ("delete meet-42", "delete meet-42 --yes"))
