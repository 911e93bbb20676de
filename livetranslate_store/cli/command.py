"""A command as the application lists it, and how its work is run."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

READ, MOVE, RUN = "Look into meetings", "Move meetings", "Run a database"

T = TypeVar("T")


class Command(NamedTuple):
    """A command: its name, what it does, under which heading it stands, and how it is used."""

    name: str
    run: Callable[..., None]
    panel: str
    examples: tuple[str, ...]

    @property
    def help(self) -> str:
        """What it does, as paragraphs that a terminal breaks into lines of its own width."""
        paragraphs = (inspect.getdoc(self.run) or "").split("\n\n")
        return "\n\n".join(" ".join(each.split()) for each in paragraphs)

    @property
    def epilog(self) -> str:
        """The examples as `--help` shows them, each on a line of its own."""
        return "\n\n".join(
            ["[bold]Examples[/bold]", *(f"livetranslate-store {each}" for each in self.examples)]
        )


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run the asynchronous part of a command; an interruption closes what it had opened."""
    return asyncio.run(_interruptible(work))


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # What an interruption cuts off in asyncpg nobody waits for, and whoever pressed the keys knows why.
        if task is None or not task.cancelling():
            loop.default_exception_handler(context)

    loop.set_exception_handler(report)
    return await work
