"""`timeline`: what was said in a meeting, in order."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Literal, TypedDict

import typer
from rich.text import Text

from livetranslate_store.cli.command import READ, Command, wait_for
from livetranslate_store.cli.commands.side_by_side import show_missing, show_page, write_page
from livetranslate_store.cli.opening import opened, session_named
from livetranslate_store.cli.options import (
    AsJson,
    CursorText,
    Database,
    FinalsOnly,
    Languages,
    SessionName,
    Speakers,
    checked_seconds,
)
from livetranslate_store.cli.terminal.output import Column, Output, note
from livetranslate_store.cli.terminal.terminal_text import clock, visible
from livetranslate_store.models import Session
from livetranslate_store.values import EntryKind, TimelineEntry, TimelinePage


def _shown_text(entry: TimelineEntry) -> Text:
    text = Text(visible(entry.text), style="dim" if entry.kind == "translation" else "")
    for mark, is_there in (("interim", not entry.is_final), ("stale", entry.is_stale)):
        if is_there:
            text.append(f" [{mark}]", style="yellow")
    return text


COLUMNS: Sequence[Column[TimelineEntry]] = (
    Column(
        "time",
        lambda each: each.timestamp,
        lambda each: clock(each.timestamp),
        style="cyan",
        right=True,
        is_whole=True,
    ),
    Column("duration", lambda each: each.duration, for_programs=True),
    Column(
        "speaker",
        lambda each: each.speaker_name or each.speaker_label,
        # Where a translation stands under its original, the speaker has been named.
        lambda each: (
            "" if each.kind == "translation" else visible(each.speaker_name or each.speaker_label or "")
        ),
        style="bold",
    ),
    Column("language", lambda each: each.language, style="magenta"),
    Column("kind", lambda each: each.kind, for_programs=True),
    Column("text", lambda each: each.text, _shown_text, is_text=True),
)


def timeline(
    *,
    session: SessionName,
    start: Annotated[
        str | None,
        typer.Option(metavar="TIME", show_default=False, help="From this time on: seconds, 1:30 or 1:02:03."),
    ] = None,
    end: Annotated[
        str | None, typer.Option(metavar="TIME", show_default=False, help="Before this time.")
    ] = None,
    language: Languages = None,
    speaker: Speakers = None,
    kind: Annotated[
        Literal["transcript", "translation"] | None,
        typer.Option(show_default=False, help="Only what was said, or only its translations."),
    ] = None,
    finals_only: FinalsOnly = False,
    timed_only: Annotated[bool, typer.Option("--timed-only", help="Leave out what has no time.")] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=1, metavar="N", show_default=False, help="Show at most so many."),
    ] = None,
    cursor: CursorText = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TAG",
            show_default=False,
            help="One row per segment, with this language beside the original. Can be given again.",
        ),
    ] = None,
    missing: Annotated[
        str | None,
        typer.Option(
            metavar="TAG", show_default=False, help="Only what needs a translation into this language."
        ),
    ] = None,
    html: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", show_default=False, help="Write the whole meeting as one HTML page instead."
        ),
    ] = None,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """Show what was said in a meeting, and its translations, in order.

    Fields of a line: seconds since the start, duration in seconds, speaker, language, kind, text. With
    --limit, stderr tells where the next page begins.
    """
    output = Output(as_json=as_json)

    async def show() -> None:
        async with opened(database) as store:
            found = await session_named(store, session)
            if html is not None:
                await write_page(store, found, html)
                return
            if missing is not None:
                await show_missing(
                    output, store, found, missing, finals_only=finals_only, limit=limit, cursor=cursor
                )
                return
            if beside:
                rows = await store.transcript_view(
                    found.id,
                    beside,
                    start=asked["start"],
                    end=asked["end"],
                    speakers=asked["speakers"],
                    finals_only=finals_only,
                    untimed=asked["untimed"],
                    limit=limit,
                    cursor=cursor,
                )
                await show_page(output, rows, beside, title=_title(found))
                return
            page: TimelinePage | None = None
            if limit is not None:
                page = await store.timeline(found.id, limit=limit, **asked)
            entries = store.stream_timeline(found.id, **asked) if page is None else _each(page)
            await output.rows(entries, COLUMNS, title=_title(found), whole=lambda each: each)
            if page is not None and page.next_cursor is not None:
                note(f"There is more: --cursor {page.next_cursor}")

    asked = _Asked(
        start=checked_seconds(start, "--start"),
        end=checked_seconds(end, "--end"),
        languages=language or None,
        speakers=speaker or None,
        kinds=None if kind is None else [kind],
        finals_only=finals_only,
        untimed=not timed_only,
        cursor=cursor,
    )
    wait_for(show())


class _Asked(TypedDict):
    start: float | None
    end: float | None
    languages: Sequence[str] | None
    speakers: Sequence[str] | None
    kinds: Sequence[EntryKind] | None
    finals_only: bool
    untimed: bool
    cursor: str | None


async def _each(page: TimelinePage) -> AsyncIterator[TimelineEntry]:
    for entry in page:
        yield entry


def _title(session: Session) -> str:
    return visible(session.title or session.external_id or str(session.id))


TIMELINE = Command(
    "timeline",
    timeline,
    READ,
    (
        "timeline meet-42 --start 10:00 --end 12:30 -l ja",
        "timeline meet-42 --beside es --beside ja --finals-only",
        "timeline meet-42 --html meeting.html",
        "timeline meet-42 --json | jq -r .text",
    ),
)
