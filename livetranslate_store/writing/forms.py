"""The two dialects of the write protocol: chained statements on a single server, steps on a cluster."""

from collections.abc import Sequence
from typing import Any, Protocol

from livetranslate_store.writing import chained, stepwise
from livetranslate_store.writing.binding import RowsByTable
from livetranslate_store.writing.connection import Connection
from livetranslate_store.writing.segments import Segment


class WriteForms(Protocol):
    """Each write in its forms: as the insert of rows that are probably new, and as the merge by the rules.

    The outcomes are rows as in `outcomes.py`.
    """

    async def insert_segments(self, rows: RowsByTable, connection: Connection) -> int | None:
        """Insert segments and return the position; None, or the error of a race, if one is stored.

        Nothing is written then.
        """

    def may_revise(self, segments: Sequence[Segment]) -> bool:
        """Return whether `revise_segments` is worth while for segments of which one is known."""

    async def revise_segments(self, rows: RowsByTable, connection: Connection) -> Sequence[Any]:
        """Revise stored segments that bring their transcripts alone, each by itself.

        Return session, id, revision and position of those that the rules accept, and that have no more to
        write, such as a new speaker.
        """

    async def merge_segments(self, rows: RowsByTable, connection: Connection) -> Sequence[Any]:
        """Merge segments, all or nothing, and return the outcomes; raises ConflictError for a lost race."""

    async def insert(self, table: str, rows: RowsByTable, connection: Connection) -> Sequence[Any]:
        """Insert rows of one table; return the outcomes of those that were missing."""

    async def merge(self, table: str, rows: RowsByTable, connection: Connection) -> Sequence[Any]:
        """Merge rows of one table, each by itself, and return the outcomes, and whether a race was lost."""


def forms_of(connection: Connection) -> WriteForms:
    """Return the dialect of the server that is connected."""
    return stepwise if connection.is_distributed else chained
