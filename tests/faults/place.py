"""Where a test's data lie, and who else can look at them."""

from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from faults.ledger import Findings, Ledger
from helpers.stored import objects


class Place(NamedTuple):
    """A database by its URL, another program's connection to it, the audio, and a folder for the rest."""

    url: str
    program: psycopg.Connection[Any]
    audio_folder: Path
    folder: Path

    @property
    def audio_url(self) -> str:
        """The address of the audio for the store."""
        return f"file:{self.audio_folder}"

    def ledger(self, session_id: UUID) -> Ledger:
        """Return the ledger of a session."""
        return Ledger(self.folder / f"{session_id}.ledger", session_id)

    def check(self, ledger: Ledger) -> Findings:
        """Compare what is stored with what was acknowledged."""
        return ledger.check(self.program, self.audio_folder)

    def objects(self) -> list[str]:
        """Return the recordings by their keys."""
        return objects(self.audio_folder)

    def orphans(self) -> int:
        """Return how many files have no row, those included that no listing of the store's shows."""
        return len(self.objects()) - self._number("SELECT count(*) FROM livetranslate.audio_files")

    def connections(self) -> int:
        """Return how many connections stores have to this database."""
        return self._number(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'livetranslate_store'"
        )

    def _number(self, query: str) -> int:
        with self.program.transaction():
            row = self.program.execute(query).fetchone()
        assert row is not None
        return int(row[0])
