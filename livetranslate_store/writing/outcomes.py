"""The rows of a write statement become receipts."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from livetranslate_store.values import (
    AudioReceipt,
    Outcome,
    TranscriptReceipt,
    TranslationReceipt,
)
from livetranslate_store.writing.segment_statement import OVERTAKEN
from livetranslate_store.writing.upserts import POSITION

Key = tuple[UUID, UUID]


class WriteResults:
    """What a statement did, to be asked by `(session_id, id)`."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows: dict[str, dict[Key, tuple[Outcome, int]]] = {}
        self._position = 0
        self.add(rows)

    def add(self, rows: Iterable[Any]) -> None:
        """Take in the rows of a run, or of the next one for what was missing in the first."""
        #: True where a concurrent transaction came in between: run it again for what is missing here.
        self.overtaken = False
        for kind, session_id, row_id, outcome, revision in rows:
            if kind == OVERTAKEN:
                self.overtaken = True
            elif kind == POSITION:
                self._position = revision
            else:
                self._rows.setdefault(kind, {})[session_id, row_id] = (Outcome(outcome), revision)

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def has_translation(self, key: Key) -> bool:
        """Tell whether it is known what became of a translation."""
        return key in self._rows.get("translations", {})

    def audio_file(self, key: Key) -> AudioReceipt:
        """Return the receipt of an audio file."""
        outcome, _ = self._rows["audio_files"][key]
        return AudioReceipt(*key, outcome, self._position)

    def transcript(self, key: Key) -> TranscriptReceipt:
        """Return the receipt of a transcript."""
        return TranscriptReceipt(*key, *self._rows["transcripts"][key], self._position)

    def translation(self, key: Key, target_language: str) -> TranslationReceipt:
        """Return the receipt of a translation."""
        outcome, revision = self._rows["translations"][key]
        return TranslationReceipt(*key, target_language, outcome, revision, self._position)
