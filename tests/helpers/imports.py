"""Imports of many segments, and the ways to spoil them."""

from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import audio, transcript, translation

from livetranslate_store import (
    OutcomeUnknownError,
    SegmentInput,
)
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.values import SegmentLookup

TABLES = ("audio_files", "transcripts", "translations", "speakers")


def segment(session_id: UUID, key: str, text: str = "Good morning.", **fields: Any) -> SegmentInput:
    """Return a segment with a translation, a speaker and audio of its own."""
    whole: dict[str, Any] = {
        "translations": [translation()],
        "audio": audio(key.encode()),
        "transcript": transcript(text, segment_key=key, speaker_label="SPEAKER_00"),
    }
    return SegmentInput(session_id=session_id, **whole | fields)


def bare(session_id: UUID, key: str, text: str = "Good morning.", **fields: Any) -> SegmentInput:
    """Return a transcript without anything."""
    return SegmentInput(session_id=session_id, transcript=transcript(text, segment_key=key, **fields))


def many(session_id: UUID, number: int, begin: int = 0) -> list[SegmentInput]:
    return [segment(session_id, f"seg-{n}") for n in range(begin, begin + number)]


def rows(program: Program) -> dict[str, list[Any]]:
    """Return every row with where it lies and who wrote it: any change shows."""
    found = {
        table: program.execute(f"SELECT xmin, ctid, * FROM livetranslate.{table} ORDER BY ctid").fetchall()
        for table in TABLES
    }
    program.rollback()
    return found


def lose_the_answer(patch: pytest.MonkeyPatch) -> None:
    """Commit, and tell the first time that it is not known whether it was."""
    end = Transaction.end
    answers = ["lost"]

    async def lost(self: Transaction, *, commit: bool) -> None:
        await end(self, commit=commit)
        if commit and answers:
            answers.clear()
            raise OutcomeUnknownError

    patch.setattr(Transaction, "end", lost)


async def nothing(_keys: object) -> list[SegmentLookup]:
    """Find nothing: what is found then was in the cache."""
    return []
