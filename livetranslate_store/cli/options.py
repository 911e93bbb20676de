"""The options and arguments that several commands share."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

import typer

Database: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--database",
        "-d",
        metavar="URL",
        envvar="LIVETRANSLATE_DATABASE_URL",
        show_default=False,
        help="postgresql://user@host/db, or embedded:FOLDER for a private server. The variable keeps "
        "a password out of the list of processes.",
    ),
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON Lines: one object per line, every field.")
]
SessionName: TypeAlias = Annotated[
    str, typer.Argument(metavar="SESSION", help="The session's id, or its external id.", show_default=False)
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
FinalsOnly: TypeAlias = Annotated[
    bool, typer.Option("--finals-only", help="Leave out what may still change.")
]
Limit: TypeAlias = Annotated[
    int, typer.Option("--limit", "-n", min=1, metavar="N", help="Show at most so many.")
]
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
        raise typer.BadParameter(
            f"{name} is {value!r}; it must be seconds, or like 1:30 or 1:02:03."
        ) from None
    return seconds


def checked_moment(value: datetime | None) -> datetime | None:
    """Return the moment with its time zone: UTC unless it has one."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def checked_duration(value: str, name: str) -> timedelta:
    """Return the length of time in `90m`, `36h` or `7d`; raises BadParameter."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", value.strip().lower())
    if found is None:
        raise typer.BadParameter(f"{name} is {value!r}; it must be like 90m, 36h or 7d.")
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    return timedelta(**{units[found[2]]: int(found[1])})
