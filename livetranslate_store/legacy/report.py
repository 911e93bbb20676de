"""The report of a move: rows moved, changed, refused and verified."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias
from uuid import UUID

from livetranslate_store.values import ImportCounts, ImportReport, Outcome
from livetranslate_store.values.value import Value

# A report stays small whatever the source; the numbers beside the lists are complete.
REMARKS_LISTED = 1000


class LegacyRemark(Value, frozen=True):
    """A remark about a row of the older system: its table, its key there, and the reason."""

    table: str
    key: str
    reason: str


class LegacyTotals(Value, frozen=True):
    """Numbers of rows of one session, and a checksum of all texts, languages and times."""

    audio_files: int
    transcripts: int
    translations: int
    checksum: str


class LegacyMismatch(Value, frozen=True):
    """A session that differs from its original; `key` is its id in the older system."""

    key: str
    session_id: UUID
    expected: LegacyTotals
    stored: LegacyTotals


class LegacyProgress(Value, frozen=True):
    """The progress of a move: sessions done, all sessions, and transcripts that an import took or refused."""

    sessions: int
    of_sessions: int
    transcripts: int


class LegacyReport(Value, frozen=True):
    """What a move did.

    `sessions` were found. An earlier run had moved and verified `already_moved` of them, and they were
    skipped; this run moved and verified `verified`. `refused` counts rows and columns that were not moved;
    `changed` the values that were changed, with the original in the metadata; `superseded` the older
    translations of a transcript into the same language, which are in the metadata of the newest. `refusals`
    and `changes` hold the first thousand. `missing_tables` names the tables that the older database does not
    have.
    """

    sessions: int
    already_moved: int
    verified: int
    speakers_named: int
    audio_files: ImportCounts
    transcripts: ImportCounts
    translations: ImportCounts
    superseded: int
    refused: int
    refusals: Sequence[LegacyRemark]
    changed: int
    changes: Sequence[LegacyRemark]
    mismatches: Sequence[LegacyMismatch]
    missing_tables: Sequence[str]

    @property
    def complete(self) -> bool:
        """Whether the whole older system was moved and found equal."""
        return not self.refused and not self.mismatches


Progress: TypeAlias = Callable[[LegacyProgress], None]


class Tally:
    """The counts of a running move."""

    def __init__(self) -> None:
        self.sessions = self.already_moved = self.verified = self.read = 0
        self.speakers_named = self.superseded = 0
        self.refused = self.changed = 0
        self.mismatches: list[LegacyMismatch] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._refusals: list[LegacyRemark] = []
        self._changes: list[LegacyRemark] = []

    def refuse(self, table: str, key: str, reason: str) -> None:
        """Report a row or a column that is not moved."""
        self.refused += 1
        if len(self._refusals) < REMARKS_LISTED:
            self._refusals.append(LegacyRemark(table, key, reason))

    def change(self, table: str, key: str, reason: str) -> None:
        """Report a value that was changed."""
        self.changed += 1
        if len(self._changes) < REMARKS_LISTED:
            self._changes.append(LegacyRemark(table, key, reason))

    def count(self, table: str, outcome: Outcome) -> None:
        """Count one write."""
        self._counts[table, outcome] += 1

    def add(self, report: ImportReport) -> None:
        """Count the writes of an import."""
        for table in ("transcripts", "translations"):
            for outcome in Outcome:
                self._counts[table, outcome] += getattr(getattr(report, table), outcome)

    def report(self, missing_tables: Sequence[str]) -> LegacyReport:
        """Return the report."""
        return LegacyReport(
            sessions=self.sessions,
            already_moved=self.already_moved,
            verified=self.verified,
            speakers_named=self.speakers_named,
            audio_files=self._counts_of("audio_files"),
            transcripts=self._counts_of("transcripts"),
            translations=self._counts_of("translations"),
            superseded=self.superseded,
            refused=self.refused,
            refusals=self._refusals,
            changed=self.changed,
            changes=self._changes,
            mismatches=self.mismatches,
            missing_tables=missing_tables,
        )

    def _counts_of(self, table: str) -> ImportCounts:
        return ImportCounts(*(self._counts[table, outcome] for outcome in Outcome))
