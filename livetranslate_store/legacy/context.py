"""What the parts of one session's move share."""

from typing import NamedTuple
from uuid import UUID

from livetranslate_store.legacy.report import Tally
from livetranslate_store.legacy.row import LegacyRow
from livetranslate_store.legacy.source import LegacySource
from livetranslate_store.store import Store


class Context(NamedTuple):
    """One session of the older system on its way, under `key` there and `session_id` here."""

    store: Store
    source: LegacySource
    tally: Tally
    key: str
    session_id: UUID

    def report(self, row: LegacyRow) -> None:
        """Report the changed and the refused values of a row."""
        for reason in row.changes:
            self.tally.change(row.table, row.key, reason)
        for reason in row.refusals:
            self.tally.refuse(row.table, row.key, reason)
