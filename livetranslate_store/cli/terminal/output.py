"""What a command prints: a table for people, tab-separated lines or JSON Lines for programs."""

import sys
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from livetranslate_store.cli.terminal.terminal_text import Spoken, one_line

T = TypeVar("T")
Value: TypeAlias = str | int | float | None


class Column(NamedTuple, Generic[T]):
    """A column: its heading, its value as programs read it, and how people see it where that differs."""

    name: str
    value: Callable[[T], Value]
    shown: Callable[[T], str | Text] | None = None
    style: str = ""
    right: bool = False
    #: Whether it is broken into lines where the terminal is narrow.
    wraps: bool = False
    #: Whether it is left out of tables, for which there is only so much room.
    for_programs: bool = False


class Output:
    """Where a command prints to; `as_json` is what was asked for."""

    def __init__(self, *, as_json: bool = False, console: Console | None = None) -> None:
        self._console = Console() if console is None else console
        self.as_json = as_json
        #: Tables and colours are for a terminal.
        self.for_people = self._console.is_terminal and not as_json

    async def rows(
        self,
        items: AsyncIterable[T],
        columns: Sequence[Column[T]],
        *,
        title: str,
        whole: Callable[[T], object],
    ) -> None:
        """Print items as they come, or as one table for people; `whole` gives the object for JSON."""
        if self.for_people:
            self.table([item async for item in items], columns, title=title)
            return
        async for item in items:
            self._line(item, columns, whole)

    def listed(
        self, items: Iterable[T], columns: Sequence[Column[T]], *, title: str, whole: Callable[[T], object]
    ) -> None:
        """Print items that are all there."""
        if self.for_people:
            self.table(list(items), columns, title=title)
            return
        for item in items:
            self._line(item, columns, whole)

    def table(self, items: Sequence[T], columns: Sequence[Column[T]], *, title: str) -> None:
        """Print a table for people."""
        if not items:
            self.show(Text(f"{title}: nothing", style="dim"))
            return
        table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None)
        columns = [column for column in columns if not column.for_programs]
        for column in columns:
            table.add_column(
                column.name,
                justify="right" if column.right else "left",
                style=column.style,
                no_wrap=not column.wraps,
                overflow="fold" if column.wraps else "ellipsis",
            )
        for item in items:
            table.add_row(*(_cell(column, item) for column in columns))
        self.show(table)

    def show(self, what: RenderableType) -> None:
        """Print something for people."""
        self._console.print(what)

    def facts(self, facts: Mapping[str, Value], *, title: str, whole: object) -> None:
        """Print names and values: one object, one line each, or a small table."""
        columns = (
            Column[tuple[str, Value]]("", lambda fact: fact[0], style="dim"),
            Column[tuple[str, Value]]("", lambda fact: fact[1], wraps=True),
        )
        if self.as_json:
            write_json(whole)
        else:
            self.listed(facts.items(), columns, title=title, whole=lambda fact: fact)

    def _line(self, item: T, columns: Sequence[Column[T]], whole: Callable[[T], object]) -> None:
        if self.as_json:
            write_json(whole(item))
        else:
            sys.stdout.write("\t".join(one_line(text_of(each.value(item))) for each in columns) + "\n")


def write_json(value: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")


def text_of(value: Value) -> str:
    """Return a value as a field of a line; what is not known is empty, seconds are whole milliseconds."""
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def note(text: str) -> None:
    """Tell something beside the output, where it cannot get into a pipe."""
    sys.stderr.write(text + "\n")


def _cell(column: Column[T], item: T) -> RenderableType:
    text = text_of(column.value(item)) if column.shown is None else column.shown(item)
    return Spoken(text)
