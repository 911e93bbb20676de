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
