"""How far something long is, on stderr and for people only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

#: How much is done, and of how much where that is known.
Advance = Callable[[int, int | None], None]


@contextmanager
def shown_progress(doing: str, unit: str) -> Iterator[Advance]:
    """Yield what to call with how much of `unit` is done; without a terminal it shows nothing."""
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
