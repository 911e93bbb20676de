"""The files of recordings in a folder, and connections of other programs."""

from pathlib import Path
from typing import Any, TypeAlias

import psycopg

from livetranslate_store.audio.owner import MARKER

#: The bucket of the tests' S3 API.
BUCKET = "meetings"
#: Another program's connection to the database.
Program: TypeAlias = "psycopg.Connection[Any]"


def objects(folder: Path) -> list[str]:
    """Return the recordings in a folder by their keys, in order; the marker is none."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(key for key in found if key != MARKER)


def terminate_all(program: Program) -> None:
    """End every other connection to the database."""
    program.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    program.rollback()


def connections(program: Program) -> int:
    """Return the number of connections that stores have to the database."""
    row = program.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'livetranslate_store'"
    ).fetchone()
    program.rollback()
    assert row is not None
    return int(row[0])


def end_unnoticed(program: Program) -> None:
    """End every connection of the stores; they cannot have noticed, because the loop does not run."""
    terminate_all(program)
    while connections(program):
        pass
