"""The progress of a long command, on stderr and for people only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

#: Called with the amount done, and the whole if it is known.
Advance = Callable[[int, int | None], None]


@contextmanager
def shown_progress(doing: str, unit: str) -> Iterator[Advance]:
    """Show a progress bar while the block runs; without a terminal, show nothing."""
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as progress:
        task = progress.add_task(doing, total=None, done="")

        def advance(done: int, total: int | None) -> None:
            text = f"{done:,} {unit}" if total is None else f"{done:,} of {total:,} {unit}"
            progress.update(task, completed=done, total=total, done=text)

        yield advance
