"""`sessions`: the list of meetings."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from livetranslate_store.checks import JSONObject
from livetranslate_store.cli.command import READ, Command, wait_for
from livetranslate_store.cli.opening import opened
from livetranslate_store.cli.options import (
    AsJson,
    CursorText,
    Database,
    Limit,
    Since,
    Until,
    checked_duration,
    checked_moment,
    one_of,
)
from livetranslate_store.cli.terminal.output import Column, Output, note_next
from livetranslate_store.cli.terminal.terminal_text import clock, local_minute, moment, visible
from livetranslate_store.values import SESSION_STATUSES, SessionPage, SessionSummary

_STATUS_STYLES = {"active": "green", "ended": "dim", "error": "red"}


def _title(session: SessionSummary) -> Text:
    text = Text(visible(session.title or session.external_id or session.meeting_id))
    languages = f"→ {','.join(session.target_languages)}" if session.target_languages else ""
    length = "" if session.duration is None else clock(session.duration)
    facts = (session.bot_id, languages, length, ", ".join(session.speakers))
    return text.append("\n" + visible("  ".join(each for each in facts if each)), style="dim")


COLUMNS: Sequence[Column[SessionSummary]] = (
    Column("id", lambda each: str(each.id), style="cyan", is_whole=True),
    Column("external id", lambda each: each.external_id, for_programs=True),
    Column(
        "status",
        lambda each: each.status,
        lambda each: Text(each.status, style=_STATUS_STYLES.get(each.status, "")),
    ),
    Column("started", lambda each: moment(each.started_at), lambda each: local_minute(each.started_at)),
    Column("ended", lambda each: moment(each.ended_at), for_programs=True),
    Column("last activity", lambda each: moment(each.last_activity), for_programs=True),
    Column("tenant", lambda each: each.tenant_id, for_programs=True),
    Column("bot", lambda each: each.bot_id, for_programs=True),
    Column("meeting", lambda each: each.meeting_id, for_programs=True),
    Column("languages", lambda each: ",".join(each.target_languages), for_programs=True),
    Column("speakers", lambda each: ", ".join(each.speakers), for_programs=True),
    Column("title", lambda each: each.title, _title, is_text=True),
)


def sessions(
    *,
    tenant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only sessions of this tenant.", show_default=False)
    ] = None,
    bot: Annotated[
        str | None, typer.Option(metavar="ID", help="Only sessions of this bot.", show_default=False)
    ] = None,
    meeting: Annotated[
        str | None, typer.Option(metavar="ID", help="Only sessions in this meeting.", show_default=False)
    ] = None,
    status: Annotated[
        str | None, one_of(SESSION_STATUSES, "--status", help="Only sessions with this status.")
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(
            "--language",
            "-l",
            metavar="TAG",
            show_default=False,
            help="Only sessions translated into this language or a variant. Can be given again.",
        ),
    ] = None,
    since: Since = None,
    until: Until = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", show_default=False, help="An id, an external id, or words of the title."
        ),
    ] = None,
    metadata: Annotated[
        str | None,
        typer.Option(
            metavar="JSON", show_default=False, help="Only sessions whose metadata contains this object."
        ),
    ] = None,
    silent_for: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            show_default=False,
            help="Only active sessions in which nothing was heard for so long: 90m, 36h or 7d.",
        ),
    ] = None,
    oldest: Annotated[bool, typer.Option("--oldest", help="The oldest first.")] = False,
    limit: Limit = 20,
    cursor: CursorText = None,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """List sessions, the newest first.

    Fields of a line: id, external id, status, started, ended, last activity, tenant, bot, meeting, target
    languages, speakers, title. If --limit cuts, stderr gives the cursor of the next page: pass it with the
    same options.
    """

    async def find() -> SessionPage:
        async with opened(database) as store:
            return await store.find_sessions(
                tenant=tenant,
                bot_id=bot,
                meeting_id=meeting,
                status=status,
                languages=language or None,
                started_from=checked_moment(since),
                started_before=checked_moment(until),
                text=text,
                metadata=_checked_object(metadata),
                silent_for=None if silent_for is None else checked_duration(silent_for, "--silent-for"),
                order="oldest" if oldest else "newest",
                limit=limit,
                cursor=cursor,
            )

    page = wait_for(find())
    Output(as_json=as_json).listed(page, COLUMNS, title="Sessions", whole=lambda each: each)
    note_next(page.next_cursor)


def _checked_object(text: str | None) -> JSONObject | None:
    """Return the JSON object in an option; raises BadParameter."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"--metadata is not JSON: {error}") from None
    except RecursionError:
        raise typer.BadParameter("--metadata has too many levels") from None
    if not isinstance(value, dict):
        raise typer.BadParameter('--metadata must be a JSON object, such as \'{"team": "sales"}\'')
    return value


SESSIONS = Command(
    "sessions",
    sessions,
    READ,
    (
        "sessions --status active",
        "sessions --text weekly --since 2026-01-01 --until 2026-02-01",
        "sessions --silent-for 2h --json | jq -r .id",
    ),
)
