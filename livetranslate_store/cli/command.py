"""A command of the application, and a way to run its asynchronous work."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

READ, MOVE, RUN = "Look into meetings", "Move meetings", "Run a database"

T = TypeVar("T")


class Command(NamedTuple):
    """A command: its name, its function, its heading in `--help`, and examples of its use."""

    name: str
    run: Callable[..., None]
    panel: str
    examples: tuple[str, ...]

    @property
    def help(self) -> str:
        """The help text, one line a paragraph: the terminal breaks lines."""
        paragraphs = (inspect.getdoc(self.run) or "").split("\n\n")
        return "\n\n".join(" ".join(each.split()) for each in paragraphs)

    @property
    def epilog(self) -> str:
        """The examples for `--help`, one a line."""
        return "\n\n".join(
            ["[bold]Examples[/bold]", *(f"livetranslate-store {each}" for each in self.examples)]
        )


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run the asynchronous part of a command; an interruption closes its store."""
    return asyncio.run(_interruptible(work))


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # An interruption cuts off work of asyncpg that nobody awaits; the user knows why.
        # The runner takes its request back once the task has ended.
        if task is None or not (task.cancelling() or task.cancelled()):
            loop.default_exception_handler(context)

    loop.set_exception_handler(report)
    return await work
