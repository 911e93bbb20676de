"""The frozen values that go in and come out: inputs, receipts, timeline entries, statistics.

Times of speech are seconds since the session's start, as float; None means that the time is not known.
"""

from livetranslate_store.values.export import SessionDocument, SessionFacts
from livetranslate_store.values.filters import SearchFilters, SegmentFilters, TimelineFilters
from livetranslate_store.values.health import ClusterHealth, NodeHealth, PartHealth, StoreHealth
from livetranslate_store.values.imports import (
    FileImportReport,
    ImportCounts,
    ImportProgress,
    ImportReport,
    Note,
    Refusal,
)
from livetranslate_store.values.inputs import (
    AUDIO_STATUSES,
    IDENTIFICATION_METHODS,
    SESSION_STATUSES,
    AudioFacts,
    AudioInput,
    SegmentInput,
    TranscriptInput,
    TranslationInput,
    Word,
)
from livetranslate_store.values.languages import is_variant
from livetranslate_store.values.page import Page
from livetranslate_store.values.receipts import (
    AudioReceipt,
    DeletedAudioFile,
    DeletedSession,
    DeletedSpeakerContent,
    Outcome,
    SegmentReceipt,
    SessionReceipt,
    SweepReport,
    TranscriptReceipt,
    TranslationReceipt,
)
from livetranslate_store.values.restores import RestoreProgress, RestoreReport
from livetranslate_store.values.search import SearchHit, SearchPage
from livetranslate_store.values.session_statistics import (
    LanguageStatistics,
    MinuteStatistics,
    ScriptCounts,
    SessionStatistics,
    SpeakerStatistics,
    TranslationCoverage,
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
    StatementStatistics,
    StoreStatistics,
)
from livetranslate_store.values.text_history import TextHistoryEntry, VersionStatus
from livetranslate_store.values.timeline import (
    ENTRY_KINDS,
    EntryKind,
    SegmentLookup,
    TimelineEntry,
    TimelinePage,
)
from livetranslate_store.values.transcript_file import (
    SPEAKER_CHOICES,
    ImportedCue,
    ImportedTranslation,
    SpeakerChoice,
    TranscriptFile,
)
from livetranslate_store.values.transcript_view import (
    TranscriptRow,
    TranscriptViewPage,
    ViewedTranslation,
)

__all__ = [
    "AUDIO_STATUSES",
    "ENTRY_KINDS",
    "IDENTIFICATION_METHODS",
    "SESSION_STATUSES",
    "SPEAKER_CHOICES",
    "AudioFacts",
    "AudioInput",
    "AudioReceipt",
    "BreakerState",
    "BreakerStatistics",
    "BreakersStatistics",
    "CacheStatistics",
    "ClusterHealth",
    "DeletedAudioFile",
    "DeletedSession",
    "DeletedSpeakerContent",
    "EntryKind",
    "FileImportReport",
    "GateStatistics",
    "ImportCounts",
    "ImportProgress",
    "ImportReport",
    "ImportedCue",
    "ImportedTranslation",
    "LanguageStatistics",
    "MinuteStatistics",
    "NodeHealth",
    "Note",
    "Outcome",
    "Page",
    "PartHealth",
    "PoolStatistics",
    "Refusal",
    "ReplicaState",
    "ReplicaStatistics",
    "RestoreProgress",
    "RestoreReport",
    "RetryStatistics",
    "ScriptCounts",
    "SearchFilters",
    "SearchHit",
    "SearchPage",
    "SegmentFilters",
    "SegmentInput",
    "SegmentLookup",
    "SegmentReceipt",
    "SessionDocument",
    "SessionFacts",
    "SessionReceipt",
    "SessionStatistics",
    "SpeakerChoice",
    "SpeakerStatistics",
    "StatementStatistics",
    "StoreHealth",
    "StoreStatistics",
    "SweepReport",
    "TextHistoryEntry",
    "TimelineEntry",
    "TimelineFilters",
    "TimelinePage",
    "TranscriptFile",
    "TranscriptInput",
    "TranscriptReceipt",
    "TranscriptRow",
    "TranscriptViewPage",
    "TranslationCoverage",
    "TranslationInput",
    "TranslationReceipt",
    "VersionStatus",
    "ViewedTranslation",
    "Word",
    "is_variant",
]
