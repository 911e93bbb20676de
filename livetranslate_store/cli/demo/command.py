"""The demo: a live meeting goes into PostgreSQL, and comes back as a timeline in several languages."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from livetranslate_store.cli.demo.meeting import Meeting, captions_meeting, sample_meeting
from livetranslate_store.cli.demo.replay import replay
from livetranslate_store.store import Store
from livetranslate_store.values import Outcome, StoreStatistics, TimelineEntry

# A meeting of ten minutes, watched in a quarter of one.
REPLAY_SECONDS = 15.0
# Where nobody looks, there is a width that keeps a row on a line or two.
PLAIN_WIDTH = 160


async def demo(database_url: str, captions: Sequence[str] | None) -> None:
    """Replay the sample meeting, or one made of caption files, and show what is stored."""
    meeting = captions_meeting(captions) if captions else sample_meeting()
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    console.print(f"[bold]{meeting.title}[/bold]: {len(meeting.segments)} segments, as they arrive")
    async with Store.open(database_url) as store:
        with _progress(console) as progress:
            task = progress.add_task("recording", total=None, outcomes="")

            def show(done: int, total: int, outcomes: Counter[tuple[str, Outcome]]) -> None:
                progress.update(task, completed=done, total=total, outcomes=_summary(outcomes))

            done = await replay(
                store, meeting, seconds=REPLAY_SECONDS if console.is_terminal else 0.0, progress=show
            )
        entries = await store.timeline(done.session_id)
        console.print(_timeline(meeting, entries))
        console.print(_outcomes(done.outcomes))
        console.print(_statistics(store.statistics()))


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[outcomes]}"),
        console=console,
    )


def _summary(outcomes: Counter[tuple[str, Outcome]]) -> str:
    totals: Counter[Outcome] = Counter()
    for (_, outcome), count in outcomes.items():
        totals[outcome] += count
    return " ".join(f"{outcome}: {totals[outcome]}" for outcome in Outcome)


def _timeline(meeting: Meeting, entries: Iterable[TimelineEntry]) -> Table:
    table = Table(title="Timeline", show_lines=False, row_styles=["", "dim"])
    table.add_column("time", justify="right")
    table.add_column("speaker", no_wrap=True)
    table.add_column("original", ratio=1, overflow="fold")
    for language in meeting.languages:
        table.add_column(language, ratio=1, overflow="fold")
    rows: dict[object, dict[str, TimelineEntry]] = {}
    for entry in entries:
        column = "" if entry.kind == "transcript" else entry.language
        rows.setdefault(entry.transcript_id, {})[column] = entry
    for row in rows.values():
        spoken = row.get("")
        texts = [Text(row[tag].text if tag in row else "-") for tag in ("", *meeting.languages)]
        at = min(entry.timestamp for entry in row.values()) if spoken is None else spoken.timestamp
        speaker = "" if spoken is None else spoken.speaker_name or spoken.speaker_label or ""
        table.add_row(_clock(at), Text(speaker), *texts)
    return table


def _outcomes(outcomes: Counter[tuple[str, Outcome]]) -> Table:
    table = Table(title="What became of what arrived")
    table.add_column("")
    for outcome in Outcome:
        table.add_column(outcome.value, justify="right")
    for kind in ("transcripts", "translations", "audio files"):
        table.add_row(kind, *(str(outcomes[kind, outcome]) for outcome in Outcome))
    return table


def _statistics(statistics: StoreStatistics) -> Table:
    table = Table(title="Statistics")
    for name in ("part", "figures"):
        table.add_column(name)
    for part in ("pool", "gate", "cache"):
        figures = getattr(statistics, part)
        shown = [f"{name} {_short(getattr(figures, name))}" for name in figures.__struct_fields__]
        table.add_row(part, ", ".join(shown))
    return table


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:d}:{seconds % 60:04.1f}"


def _short(value: float) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
