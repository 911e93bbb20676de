"""`sessions`: the list of meetings."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from livetranslate_store.cli.command import READ, Command, wait_for
from livetranslate_store.cli.opening import opened
from livetranslate_store.cli.options import AsJson, Database, Limit, one_of
from livetranslate_store.cli.terminal.output import Column, Output, note
from livetranslate_store.cli.terminal.terminal_text import local_minute, moment, visible
from livetranslate_store.models import Session
from livetranslate_store.values import SESSION_STATUSES

_STATUS_STYLES = {"active": "green", "ended": "dim", "error": "red"}


def _title(session: Session) -> Text:
    text = Text(visible(session.title or session.external_id or session.meeting_id))
    return text.append(f"\n{visible(session.bot_id)} {','.join(session.target_languages)}", style="dim")


COLUMNS: Sequence[Column[Session]] = (
    Column("id", lambda each: str(each.id), style="cyan", is_whole=True),
    Column("external id", lambda each: each.external_id, for_programs=True),
    Column(
        "status",
        lambda each: each.status,
        lambda each: Text(each.status, style=_STATUS_STYLES.get(each.status, "")),
    ),
    Column("started", lambda each: moment(each.started_at), lambda each: local_minute(each.started_at)),
    Column("ended", lambda each: moment(each.ended_at), for_programs=True),
    Column("bot", lambda each: each.bot_id, for_programs=True),
    Column("meeting", lambda each: each.meeting_id, for_programs=True),
    Column("languages", lambda each: ",".join(each.target_languages), for_programs=True),
    Column("title", lambda each: each.title, _title, is_text=True),
)


def sessions(
    *,
    bot: Annotated[
        str | None, typer.Option(metavar="ID", help="Only sessions of this bot.", show_default=False)
    ] = None,
    meeting: Annotated[
        str | None, typer.Option(metavar="ID", help="Only sessions in this meeting.", show_default=False)
    ] = None,
    status: Annotated[
        str | None, one_of(SESSION_STATUSES, "--status", help="Only sessions with this status.")
    ] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """List sessions, the newest first.

    Fields of a line: id, external id, status, started, ended, bot, meeting, target languages, title.
    """
    output = Output(as_json=as_json)
    # One more shows whether the limit cuts.
    found = wait_for(_found(database, bot, meeting, status, limit + 1))
    output.listed(found[:limit], COLUMNS, title="Sessions", whole=session_object)
    if len(found) > limit:
        note(f"There are more sessions than --limit {limit}.")


async def _found(
    database: str | None, bot: str | None, meeting: str | None, status: str | None, limit: int
) -> list[Session]:
    async with opened(database) as store, store.read() as reader:
        return await reader.sessions.find(bot_id=bot, meeting_id=meeting, status=status, limit=limit)


def session_object(session: Session) -> dict[str, object]:
    """Return every field of a session, for JSON."""
    return {
        "id": session.id,
        "external_id": session.external_id,
        "bot_id": session.bot_id,
        "meeting_id": session.meeting_id,
        "title": session.title,
        "uri": session.uri,
        "status": session.status,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "target_languages": session.target_languages,
        "metadata": session.metadata_,
    }


SESSIONS = Command(
    "sessions",
    sessions,
    READ,
    ("sessions --status active", "sessions --bot bot-7 -n 5 --json | jq -r .id"),
)
