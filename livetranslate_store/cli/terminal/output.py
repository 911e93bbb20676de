"""What a command prints: a table for people, tab-separated lines or JSON Lines for programs."""

import sys
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from livetranslate_store.cli.terminal.layout import GAP, Width, column_widths
from livetranslate_store.cli.terminal.terminal_text import IsolatedText, one_line

T = TypeVar("T")
Value: TypeAlias = str | int | float | None


class Column(NamedTuple, Generic[T]):
    """A column: its heading, its value for programs, and how people see it if that differs."""

    name: str
    value: Callable[[T], Value]
    shown: Callable[[T], str | Text] | None = None
    style: str = ""
    right: bool = False
    #: Whether it holds texts, which get most of the width.
    is_text: bool = False
    #: Whether it must not be broken into lines, because people copy it.
    is_whole: bool = False
    #: Whether tables leave it out, for lack of room.
    for_programs: bool = False


class Output:
    """The standard output of a command; `as_json` is what the user asked for."""

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
        """Print a complete list of items."""
        if self.for_people:
            self.table(list(items), columns, title=title)
            return
        for item in items:
            self._line(item, columns, whole)

    def table(self, items: Sequence[T], columns: Sequence[Column[T]], *, title: str) -> None:
        """Print a table for people, or one record after the other on a narrow terminal."""
        if not items:
            self.show(Text(f"{title}: nothing", style="dim"))
            return
        columns = [column for column in columns if not column.for_programs]
        rows = [[_cell(column, item) for column in columns] for item in items]
        needs = [
            Width(max(len(column.name), *(row[place].width for row in rows)), column.is_text, column.is_whole)
            for place, column in enumerate(columns)
        ]
        widths = column_widths(needs, self._console.width)
        self.show(Text(title, style="bold"))
        if widths is None:
            self._records(rows, columns)
        else:
            self.show(_table(rows, columns, widths))

    def _records(self, rows: Sequence[Sequence[IsolatedText]], columns: Sequence[Column[T]]) -> None:
        """Print each row as a line of its short values, and below it every text with its heading."""
        texts = sum(column.is_text for column in columns)
        for row in rows:
            short = (
                _short(column, cell)
                for column, cell in zip(columns, row, strict=True)
                if not column.is_text and cell.text.plain
            )
            self.show(IsolatedText(Text(" " * GAP).join(short)))
            for column, cell in zip(columns, row, strict=True):
                if column.is_text:
                    if texts > 1:
                        self.show(Padding(Text(column.name, style="dim"), (0, 0, 0, GAP)))
                    self.show(Padding(cell, (0, 0, 0, GAP)))

    def show(self, what: RenderableType) -> None:
        """Print something for people."""
        self._console.print(what)

    def facts(self, facts: Mapping[str, Value], *, title: str, whole: object) -> None:
        """Print names and values: one object, one line each, or a small table."""
        columns = (
            Column[tuple[str, Value]]("", lambda fact: fact[0], style="dim"),
            Column[tuple[str, Value]]("", lambda fact: fact[1], is_text=True),
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
    """Return a value as a field of a line: empty if unknown, seconds to the millisecond."""
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def note(text: str) -> None:
    """Print a line on stderr, which no pipe reads."""
    sys.stderr.write(text + "\n")


def note_next(cursor: str | None) -> None:
    """Print on stderr how to continue after a page, if anything follows."""
    if cursor is not None:
        note(f"There is more: --cursor {cursor}")


def _table(
    rows: Sequence[Sequence[IsolatedText]], columns: Sequence[Column[T]], widths: Sequence[int]
) -> Table:
    headings = any(column.name for column in columns)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim", show_header=headings)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            column.name, justify="right" if column.right else "left", style=column.style, width=width
        )
    for row in rows:
        table.add_row(*row)
    return table


def _short(column: Column[T], cell: IsolatedText) -> Text:
    """Return a short value in one line; a number alone would say nothing without its heading."""
    heading = f"{column.name} " if column.right and not column.is_whole else ""
    return Text(heading, style=column.style).append_text(Text(" ").join(cell.text.split("\n")))


def _cell(column: Column[T], item: T) -> IsolatedText:
    return IsolatedText(text_of(column.value(item)) if column.shown is None else column.shown(item))
