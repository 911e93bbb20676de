"""Show the progress of a run: a bar on a terminal, otherwise a line for each step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class Steps:
    """The steps of a run, on standard error: standard output is for the tables."""

    def __init__(self, total: int) -> None:
        self._console = Console(stderr=True)
        columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._progress = Progress(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal
        )
        self._task = self._progress.add_task("", total=total)
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show the step while the block runs."""
        self._progress.update(self._task, description=what)
        if not self._console.is_terminal:
            self._console.print(f"{time.monotonic() - self._began:4.0f} s  {what}", highlight=False)
        yield
        self._progress.advance(self._task)
