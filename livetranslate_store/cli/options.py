"""The options and arguments that several commands share."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeAlias

import typer

from livetranslate_store.cli.completion import session_names
from livetranslate_store.values import EntryKind

Database: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--database",
        "-d",
        metavar="URL",
        envvar="LIVETRANSLATE_DATABASE_URL",
        show_default=False,
        help="postgresql://user@host/db, or embedded:FOLDER for a private server. Prefer the variable for "
        "a URL with a password: other users can see the arguments of a process.",
    ),
]


def one_of(values: Sequence[str], *names: str, help: str) -> Any:  # noqa: A002 (typer's word)
    """Return an option with one of these values, which a shell completes."""

    def checked(value: str | None) -> str | None:
        if value is not None and value not in values:
            raise typer.BadParameter(f"it must be one of {', '.join(values)}, not {value!r}")
        return value

    def completed(incomplete: str) -> list[str]:
        return [each for each in values if each.startswith(incomplete)]

    return typer.Option(
        *names,
        metavar=names[0].lstrip("-").upper(),
        show_default=False,
        help=f"{help} One of {', '.join(values)}.",
        callback=checked,
        autocompletion=completed,
    )


Tenant: TypeAlias = Annotated[
    str | None,
    typer.Option("--tenant", metavar="NAME", show_default=False, help="Only the sessions of this tenant."),
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON Lines: one object per line, every field.")
]
OutputFile: TypeAlias = Annotated[
    str,
    typer.Option("--output", "-o", metavar="FILE", help="Output file; - is the standard output."),
]
SessionName: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SESSION",
        help="The session's id, or its external id.",
        show_default=False,
        autocompletion=session_names,
    ),
]
Languages: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--language",
        "-l",
        metavar="TAG",
        show_default=False,
        help="Only this language and its variants (zh also zh-Hans). Can be given again.",
    ),
]
Speakers: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--speaker",
        "-s",
        metavar="NAME",
        show_default=False,
        help="Only this speaker: a label or a given name. Can be given again.",
    ),
]
Kind: TypeAlias = Annotated[
    EntryKind | None, typer.Option(show_default=False, help="Only originals, or only translations.")
]
Since: TypeAlias = Annotated[
    datetime | None,
    typer.Option(show_default=False, help="Only meetings that started then or later (UTC)."),
]
Until: TypeAlias = Annotated[
    datetime | None, typer.Option(show_default=False, help="Only meetings that started before (UTC).")
]
FinalsOnly: TypeAlias = Annotated[
    bool, typer.Option("--finals-only", help="Leave out texts that may still change.")
]
Limit: TypeAlias = Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="Show at most N.")]
CursorText: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--cursor",
        metavar="CURSOR",
        show_default=False,
        help="Continue from this cursor, printed by --limit.",
    ),
]


def checked_seconds(value: str | None, name: str) -> float | None:
    """Return the seconds in `90`, `1:30` or `1:02:03.5`; raises BadParameter."""
    if value is None:
        return None
    seconds = 0.0
    try:
        for part in value.split(":"):
            seconds = seconds * 60 + float(part)
    except ValueError:
        raise typer.BadParameter(f"{name} is {value!r}; write seconds, 1:30 or 1:02:03.") from None
    return seconds


def checked_moment(value: datetime | None) -> datetime | None:
    """Return the moment with its time zone: UTC unless it has one."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def checked_duration(value: str, name: str) -> timedelta:
    """Return the length of time in `90m`, `36h` or `7d`; raises BadParameter."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", value.strip().lower())
    if found is None:
        raise typer.BadParameter(f"{name} is {value!r}; write it like 90m, 36h or 7d.")
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    return timedelta(**{units[found[2]]: int(found[1])})
