"""`search`: who said it, and in which meeting."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from livetranslate_store.cli.command import READ, Command, wait_for
from livetranslate_store.cli.opening import opened, session_named
from livetranslate_store.cli.options import (
    AsJson,
    CursorText,
    Database,
    FinalsOnly,
    Kind,
    Languages,
    Limit,
    Since,
    Speakers,
    Tenant,
    Until,
    checked_moment,
)
from livetranslate_store.cli.terminal.output import Column, Output, note_next
from livetranslate_store.cli.terminal.terminal_text import clock, local_minute, moment, visible
from livetranslate_store.values import SearchHit, SearchPage


def _where(hit: SearchHit) -> Text:
    text = Text(clock(hit.timestamp), style="cyan")
    text.append(f"\n{local_minute(hit.session_started_at)}", style="dim")
    return text.append(f"\n{visible(hit.session_title or hit.meeting_id)}", style="dim")


def _matched(hit: SearchHit) -> Text:
    # The highlights are places in the snippet before its controls are made visible.
    text, end = Text(), 0
    for start, stop in hit.highlights:
        text.append(visible(hit.snippet[end:start]))
        text.append(visible(hit.snippet[start:stop]), style="bold yellow")
        end = stop
    text.append(visible(hit.snippet[end:]))
    if not hit.is_final:
        text.append(" [interim]", style="yellow")
    if hit.is_stale:
        text.append(" [stale]", style="yellow")
    other = hit.translation if hit.kind == "transcript" else hit.text
    if other:
        text.append(f"\n{visible(other)}", style="dim")
    return text


def _language(hit: SearchHit) -> str:
    return hit.language if hit.kind == "transcript" else hit.translation_language or ""


COLUMNS: Sequence[Column[SearchHit]] = (
    Column("session", lambda each: str(each.session_id), for_programs=True),
    Column("where", lambda each: each.timestamp, _where),
    Column("started", lambda each: moment(each.session_started_at), for_programs=True),
    Column("speaker", lambda each: each.speaker_name or each.speaker_label, style="bold"),
    Column("language", _language, style="magenta"),
    Column("kind", lambda each: each.kind, for_programs=True),
    Column("text", lambda each: each.snippet, _matched, is_text=True),
    Column("original", lambda each: each.text, for_programs=True),
    Column("translation", lambda each: each.translation, for_programs=True),
)


def search(
    *,
    query: Annotated[
        str,
        typer.Argument(
            metavar="QUERY", help='Words, "an exact phrase", -excluded, one or another.', show_default=False
        ),
    ],
    session: Annotated[
        list[str] | None,
        typer.Option(metavar="SESSION", show_default=False, help="Only in this session. Can be given again."),
    ] = None,
    language: Languages = None,
    speaker: Speakers = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    translation: Annotated[
        str | None,
        typer.Option(
            "--translation",
            "-t",
            metavar="TAG",
            show_default=False,
            help="Show the text in this language, too.",
        ),
    ] = None,
    fuzzy: Annotated[bool, typer.Option("--fuzzy", "-f", help="Forgive typing mistakes.")] = False,
    finals_only: FinalsOnly = False,
    limit: Limit = 20,
    cursor: CursorText = None,
    as_json: AsJson = False,
    tenant: Tenant = None,
    database: Database = None,
) -> None:
    """Search the transcripts and translations of all meetings.

    Write -- before a query that begins with a dash. Fields of a line: session id, seconds since the session's
    start, the start itself, speaker, language, kind, matching extract, original, translation.
    """

    async def find() -> SearchPage:
        async with opened(database, tenant) as store:
            return await store.search(
                query,
                session_ids=[(await session_named(store, each)).id for each in session] if session else None,
                languages=language or None,
                speakers=speaker or None,
                kinds=None if kind is None else [kind],
                started_from=checked_moment(since),
                started_before=checked_moment(until),
                finals_only=finals_only,
                translation_language=translation,
                fuzzy=fuzzy,
                limit=limit,
                cursor=cursor,
            )

    page = wait_for(find())
    Output(as_json=as_json).listed(page, COLUMNS, title="Found", whole=lambda each: each)
    note_next(page.next_cursor)


SEARCH = Command(
    "search",
    search,
    READ,
    (
        "search 'budget -draft' --since 2026-01-01",
        "search --kind translation -- '-draft budget'",
        "search '会議' -t en",
        "search --fuzzy welcom --speaker 'Margaret Okafor'",
    ),
)
