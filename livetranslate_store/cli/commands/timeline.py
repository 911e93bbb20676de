"""`timeline`: the transcripts of a meeting and their translations, in order."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import typer
from rich.text import Text

from livetranslate_store.cli.command import READ, Command, wait_for
from livetranslate_store.cli.commands.side_by_side import marked, show_missing, show_page, write_page
from livetranslate_store.cli.opening import opened, session_named
from livetranslate_store.cli.options import (
    AsJson,
    CursorText,
    Database,
    FinalsOnly,
    Kind,
    Languages,
    SessionName,
    Speakers,
    checked_seconds,
)
from livetranslate_store.cli.terminal.output import Column, Output, note_next
from livetranslate_store.cli.terminal.terminal_text import clock, visible
from livetranslate_store.models import Session
from livetranslate_store.store import Store
from livetranslate_store.values import SegmentFilters, TimelineEntry, TimelineFilters


def _shown_text(entry: TimelineEntry) -> Text:
    text = Text(visible(entry.text), style="dim" if entry.kind == "translation" else "")
    marks = (
        ("interim", not entry.is_final),
        ("stale", entry.is_stale),
        ("edited", entry.edited_by is not None),
    )
    return marked(text, marks)


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
        # The original above a translation names the speaker.
        lambda each: (
            "" if each.kind == "translation" else visible(each.speaker_name or each.speaker_label or "")
        ),
        style="bold",
    ),
    Column("language", lambda each: each.language, style="magenta"),
    Column("kind", lambda each: each.kind, for_programs=True),
    Column("text", lambda each: each.text, _shown_text, is_text=True),
)


Start: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="TIME", show_default=False, help="From this time on: seconds, 1:30 or 1:02:03."),
]
End: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TIME", show_default=False, help="Before this time.")
]
TimedOnly: TypeAlias = Annotated[bool, typer.Option("--timed-only", help="Leave out texts without any time.")]
AnyLimit: TypeAlias = Annotated[
    int | None,
    typer.Option("--limit", "-n", min=1, metavar="N", show_default=False, help="Show at most N."),
]
Beside: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TAG",
        show_default=False,
        help="One row per segment, with this language beside the original. Can be given again.",
    ),
]
Missing: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="TAG", show_default=False, help="Only segments that need a translation into this language."
    ),
]
Html: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", show_default=False, help="Write the whole meeting as one HTML page instead."
    ),
]


NARROWING = ("start", "end", "speakers", "languages", "kinds")


def timeline(
    *,
    session: SessionName,
    start: Start = None,
    end: End = None,
    language: Languages = None,
    speaker: Speakers = None,
    kind: Kind = None,
    finals_only: FinalsOnly = False,
    timed_only: TimedOnly = False,
    limit: AnyLimit = None,
    cursor: CursorText = None,
    beside: Beside = None,
    missing: Missing = None,
    html: Html = None,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """Show the transcripts of a meeting and their translations, in order.

    Fields of a line: seconds since the start, duration in seconds, speaker, language, kind, text. If --limit
    cuts, stderr gives the cursor of the next page.
    """
    output = Output(as_json=as_json)
    segments = SegmentFilters(
        start=checked_seconds(start, "--start"),
        end=checked_seconds(end, "--end"),
        speakers=speaker or None,
        finals_only=finals_only,
        untimed=not timed_only,
    )
    entries = TimelineFilters(**segments, languages=language or None, kinds=[kind] if kind else None)
    if (html is not None) + (missing is not None) + bool(beside) > 1:
        raise typer.BadParameter("--beside, --missing and --html exclude each other")
    if (beside or missing) and (language or kind):
        raise typer.BadParameter("--beside and --missing take no --language and no --kind")
    given = [limit, cursor, *(entries.get(name) for name in NARROWING)]
    # 0 is a time.
    if html and (finals_only or timed_only or any(each is not None for each in given)):
        raise typer.BadParameter("--html writes the whole meeting and takes no filter")

    async def show() -> None:
        async with opened(database) as store:
            found = await session_named(store, session)
            if html is not None:
                await write_page(store, found, html)
            elif missing is not None:
                await show_missing(output, store, found, missing, segments, limit=limit, cursor=cursor)
            elif beside:
                rows = await store.transcript_view(
                    found.id, beside, **segments, limit=limit, cursor=cursor, include=["edits"]
                )
                show_page(output, rows, beside, title=_title(found))
            else:
                await _show_entries(output, store, found, entries, limit=limit, cursor=cursor)

    wait_for(show())


async def _show_entries(
    output: Output,
    store: Store,
    session: Session,
    filters: TimelineFilters,
    *,
    limit: int | None,
    cursor: str | None,
) -> None:
    """Print one page, or without a limit everything as it comes."""
    if limit is None:
        entries = store.stream_timeline(session.id, **filters, cursor=cursor, include=["edits"])
        await output.rows(entries, COLUMNS, title=_title(session), whole=lambda each: each)
        return
    page = await store.timeline(session.id, **filters, limit=limit, cursor=cursor, include=["edits"])
    output.listed(page, COLUMNS, title=_title(session), whole=lambda each: each)
    note_next(page.next_cursor)


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
