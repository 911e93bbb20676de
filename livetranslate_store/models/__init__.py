"""The declarative models and the relationships between them; they are read-only."""

from livetranslate_store.models.audio_file import AudioFile
from livetranslate_store.models.base import SCHEMA, Base
from livetranslate_store.models.session import Session
from livetranslate_store.models.speaker import Speaker
from livetranslate_store.models.text_version import TextVersion
from livetranslate_store.models.transcript import Transcript
from livetranslate_store.models.translation import Translation

__all__ = ["SCHEMA", "AudioFile", "Base", "Session", "Speaker", "TextVersion", "Transcript", "Translation"]
