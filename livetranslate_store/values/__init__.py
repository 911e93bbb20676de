"""The frozen values that go in and come out: inputs, receipts, timeline entries, statistics.

Times of speech are seconds since the session's start, as float; None means that the time is not known.
"""

from livetranslate_store.values.health import PartHealth, StoreHealth
from livetranslate_store.values.imports import (
    ImportCounts,
    ImportProgress,
    ImportReport,
    Refusal,
)
from livetranslate_store.values.inputs import (
    AUDIO_STATUSES,
    IDENTIFICATION_METHODS,
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
    DeletedSpeakerContent,
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
    ReplicaState,
    ReplicaStatistics,
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
    "SESSION_STATUSES",
    "AudioInput",
    "AudioReceipt",
    "BreakerState",
    "BreakerStatistics",
    "BreakersStatistics",
    "CacheStatistics",
    "DeletedSession",
    "DeletedSpeakerContent",
    "EntryKind",
    "GateStatistics",
    "ImportCounts",
    "ImportProgress",
    "ImportReport",
    "Outcome",
    "PartHealth",
    "PoolStatistics",
    "Refusal",
    "ReplicaState",
    "ReplicaStatistics",
    "RetryStatistics",
    "SegmentInput",
    "SegmentLookup",
    "SegmentReceipt",
    "StoreHealth",
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
