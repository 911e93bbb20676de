"""`demo`: watch a live meeting, and read it back in several languages."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from livetranslate_store.cli.command import READ, Command, wait_for
from livetranslate_store.cli.commands.side_by_side import columns_beside
from livetranslate_store.cli.demo.captions import captions_meeting
from livetranslate_store.cli.demo.meeting import Meeting, sample_meeting
from livetranslate_store.cli.demo.replay import Advance, replay
from livetranslate_store.cli.terminal.output import Output, Value
from livetranslate_store.embedded.provision import EMBEDDED
from livetranslate_store.schema.upgrade import upgrade
from livetranslate_store.store import Store
from livetranslate_store.values import Outcome, StoreStatistics

# A terminal sees a meeting of ten minutes in a quarter of one; a pipe does not wait.
REPLAY_SECONDS = 15.0


def demo(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="LANGUAGE=FILE", show_default=False, help="More files, as with --captions."),
    ] = None,
    captions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LANGUAGE=FILE",
            show_default=False,
            help="Replay WebVTT files instead of the sample meeting: the original, then its translations.",
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            "-d",
            metavar="URL",
            show_default=False,
            help="Upgrade this database and write the meeting into it. The variable does not count here.",
        ),
    ] = None,
) -> None:
    """Watch how a live meeting is written and read back.

    The demo replays a meeting as a live transcriber would send it, then shows its timeline. It starts a
    private server and leaves nothing behind, unless --database names another one. Running it again changes
    nothing there.
    """
    given = [*(captions or ()), *(files or ())]
    meeting = captions_meeting(given) if given else sample_meeting()
    if database and not database.startswith(EMBEDDED):
        upgrade(database)
    wait_for(_show(database, meeting))


@asynccontextmanager
async def _opened(database: str | None) -> AsyncIterator[Store]:
    if database:
        async with Store.open(database) as store:
            yield store
        return
    # Whatever the settings name stays untouched.
    with TemporaryDirectory(prefix="livetranslate-demo-") as folder:
        async with Store.open(EMBEDDED, audio_url=f"file:{folder}", replica_urls=()) as store:
            yield store


async def _show(database: str | None, meeting: Meeting) -> None:
    output = Output()
    async with _opened(database) as store:
        with _progress(meeting) as advance:
            done = await replay(
                store, meeting, seconds=REPLAY_SECONDS if output.for_people else 0.0, progress=advance
            )
        rows = await store.transcript_view(done.session_id, meeting.languages)
        output.listed(rows, columns_beside(meeting.languages), title=meeting.title, whole=lambda row: row)
        output.facts(_counted(done.outcomes), title="Writes by outcome", whole=done.outcomes)
        output.facts(_figures(store.statistics()), title="Statistics", whole=store.statistics())


@contextmanager
def _progress(meeting: Meeting) -> Iterator[Advance]:
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[outcomes]}"),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(f"{len(meeting.segments)} live segments", total=None, outcomes="")

        def advance(done: int, total: int, outcomes: Counter[tuple[str, Outcome]]) -> None:
            progress.update(task, completed=done, total=total, outcomes=_summary(outcomes))

        yield advance


def _summary(outcomes: Counter[tuple[str, Outcome]]) -> str:
    totals: Counter[Outcome] = Counter()
    for (_, outcome), count in outcomes.items():
        totals[outcome] += count
    return " ".join(f"{outcome}: {totals[outcome]}" for outcome in Outcome)


def _counted(outcomes: Counter[tuple[str, Outcome]]) -> dict[str, Value]:
    return {
        f"{kind} {outcome}": outcomes[kind, outcome]
        for kind in ("transcripts", "translations", "audio files")
        for outcome in Outcome
        if outcomes[kind, outcome]
    }


def _figures(statistics: StoreStatistics) -> dict[str, Value]:
    return {
        f"{part} {name}": value
        for part in ("pool", "gate", "cache")
        for figures in [getattr(statistics, part)]
        for name in figures.__struct_fields__
        if isinstance(value := getattr(figures, name), int | float)
    }


DEMO = Command("demo", demo, READ, ("demo", "demo --captions en=talk.en.vtt ja=talk.ja.vtt"))
