"""The move from the older system: its database is read, and a store writes everything in it."""

from livetranslate_store.legacy.move import import_legacy
from livetranslate_store.legacy.report import (
    LegacyMismatch,
    LegacyProgress,
    LegacyRemark,
    LegacyReport,
    LegacyTotals,
)

__all__ = [
    "LegacyMismatch",
    "LegacyProgress",
    "LegacyRemark",
    "LegacyReport",
    "LegacyTotals",
    "import_legacy",
]
