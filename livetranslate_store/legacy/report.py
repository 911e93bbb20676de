"""What comes back from a move: what was done, what went in otherwise, what did not, and what was checked."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from livetranslate_store.values import ImportCounts, ImportReport, Outcome

# A report stays small whatever the source; the numbers beside the lists are complete.
REMARKS_LISTED = 1000


class LegacyRemark(Struct, frozen=True):
    """Something about a row of the older system: its table, its key there, and what is to be said."""

    table: str
    key: str
    reason: str


class LegacyTotals(Struct, frozen=True):
    """Numbers of rows of one session, and a checksum of all texts, languages and times."""

    audio_files: int
    transcripts: int
    translations: int
    checksum: str


class LegacyMismatch(Struct, frozen=True):
    """A session that does not hold what was moved into it; `key` is its id in the older system."""

    key: str
    session_id: UUID
    expected: LegacyTotals
    stored: LegacyTotals


class LegacyProgress(Struct, frozen=True):
    """How far a move is: sessions dealt with, of how many, and transcripts read in this run."""

    sessions: int
    of_sessions: int
    transcripts: int


class LegacyReport(Struct, frozen=True):
    """What a move did.

    `sessions` were found; `already_moved` of them had been moved and verified by an earlier run, had not
    changed since and were not touched; `verified` were moved by this run, read back and found equal.
    `refused` counts the rows and columns that are not here, `changed` those that are here otherwise than they
    were, with the original in the metadata, `superseded` the older translations of a transcript into the same
    language, which are in the metadata of the newest. The lists hold the first thousand of each.
    `missing_tables` names what the older database does not have.
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
        """Whether everything of the older system is here and was found equal."""
        return not self.refused and not self.mismatches


Progress: TypeAlias = Callable[[LegacyProgress], None]


class Tally:
    """The report in the making."""

    def __init__(self) -> None:
        self.sessions = self.already_moved = self.verified = self.read = 0
        self.speakers_named = self.superseded = 0
        self.refused = self.changed = 0
        self.mismatches: list[LegacyMismatch] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._refusals: list[LegacyRemark] = []
        self._changes: list[LegacyRemark] = []

    def refuse(self, table: str, key: str, reason: str) -> None:
        """Tell of a row or a column that is not taken."""
        self.refused += 1
        if len(self._refusals) < REMARKS_LISTED:
            self._refusals.append(LegacyRemark(table, key, reason))

    def change(self, table: str, key: str, reason: str) -> None:
        """Tell of a value that went in otherwise than it was."""
        self.changed += 1
        if len(self._changes) < REMARKS_LISTED:
            self._changes.append(LegacyRemark(table, key, reason))

    def count(self, table: str, outcome: Outcome) -> None:
        """Count one write."""
        self._counts[table, outcome] += 1

    def add(self, report: ImportReport) -> None:
        """Count what an import did."""
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
