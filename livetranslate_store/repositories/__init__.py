"""One repository per model, for use inside a unit of work."""

from livetranslate_store.repositories.archive.sessions import SessionArchive
from livetranslate_store.repositories.audio_files import AudioFileRepository
from livetranslate_store.repositories.segment_lookups import SegmentLookups
from livetranslate_store.repositories.sessions import SessionRepository
from livetranslate_store.repositories.speakers import SpeakerRepository
from livetranslate_store.repositories.transcripts import TranscriptRepository
from livetranslate_store.repositories.translations import TranslationRepository

__all__ = [
    "AudioFileRepository",
    "SegmentLookups",
    "SessionArchive",
    "SessionRepository",
    "SpeakerRepository",
    "TranscriptRepository",
    "TranslationRepository",
]
