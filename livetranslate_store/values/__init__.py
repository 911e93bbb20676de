"""The frozen values that go in and come out: inputs, receipts, timeline entries, statistics.

Times of speech are seconds since the session's start, as float; None means that the time is not known.
"""

from livetranslate_store.values.imports import (
    ImportCounts,
    ImportProgress,
    ImportReport,
    Refusal,
)
from livetranslate_store.values.inputs import (
    AUDIO_STATUSES,
    IDENTIFICATION_METHODS,
    MAX_AUDIO_BYTES,
    SESSION_STATUSES,
    AudioInput,
    SegmentInput,
    TranscriptInput,
    TranslationInput,
    Word,
)
from livetranslate_store.values.receipts import (
    AudioReceipt,
    DeletedSession,
    Outcome,
    SegmentReceipt,
    SweepReport,
    TranscriptReceipt,
    TranslationReceipt,
)
from livetranslate_store.values.statistics import (
    BreakersStatistics,
    BreakerState,
    BreakerStatistics,
    CacheStatistics,
    GateStatistics,
    PoolStatistics,
    RetryStatistics,
    StoreStatistics,
)
from livetranslate_store.values.timeline import (
    ENTRY_KINDS,
    EntryKind,
    SegmentLookup,
    TimelineEntry,
    TimelinePage,
)

__all__ = [
    "AUDIO_STATUSES",
    "ENTRY_KINDS",
    "IDENTIFICATION_METHODS",
    "MAX_AUDIO_BYTES",
    "SESSION_STATUSES",
    "AudioInput",
    "AudioReceipt",
    "BreakerState",
    "BreakerStatistics",
    "BreakersStatistics",
    "CacheStatistics",
    "DeletedSession",
    "EntryKind",
    "GateStatistics",
    "ImportCounts",
    "ImportProgress",
    "ImportReport",
    "Outcome",
    "PoolStatistics",
    "Refusal",
    "RetryStatistics",
    "SegmentInput",
    "SegmentLookup",
    "SegmentReceipt",
    "StoreStatistics",
    "SweepReport",
    "TimelineEntry",
    "TimelinePage",
    "TranscriptInput",
    "TranscriptReceipt",
    "TranslationInput",
    "TranslationReceipt",
    "Word",
]
