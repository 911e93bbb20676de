"""What was acknowledged, and whether a database and its audio folder hold it: whole, and nothing partial."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from faults.plan import LATE, late_translation, planned

from livetranslate_store import SegmentInput

# One row for each transcript with all that belongs to it, as another program sees it.
_SEGMENTS = """
    SELECT segment_key, coalesce(transcripts.text, draft),
        (SELECT coalesce(jsonb_object_agg(target_language, translations.text), '{}')
         FROM livetranslate.translations
         WHERE translations.session_id = transcripts.session_id AND transcript_id = transcripts.id),
        (SELECT label FROM livetranslate.speakers
         WHERE speakers.session_id = transcripts.session_id AND label = speaker_label),
        sha256, storage_key
    FROM livetranslate.transcripts LEFT JOIN livetranslate.audio_files
    ON audio_files.session_id = transcripts.session_id AND audio_files.id = audio_file_id
    WHERE transcripts.session_id = %s
"""
_LONELY_AUDIO = """
    SELECT count(*) FROM livetranslate.audio_files WHERE session_id = %s AND NOT EXISTS (
        SELECT FROM livetranslate.transcripts
        WHERE transcripts.session_id = audio_files.session_id AND audio_file_id = audio_files.id)
"""


class Findings(NamedTuple):
    """Numbers of segments and late translations that were acknowledged, lost, or partial."""

    acknowledged: int
    lost: int
    partial: int


class Ledger:
    """The acknowledgements of one session's writers; several processes may share its file."""

    def __init__(self, file: Path, session_id: UUID) -> None:
        self.session_id = session_id
        self._file = file
        file.touch()

    @property
    def acknowledged(self) -> set[tuple[str, bool]]:
        """What was acknowledged: keys, and whether it was the late translation."""
        return set(self._lines())

    def acknowledge(self, key: str, *, late: bool = False) -> None:
        """Note, before anything else happens, that the store has answered."""
        # One write of a short line in this mode is all or nothing, whoever is killed.
        with self._file.open("ab", buffering=0) as file:
            file.write(f"{key}{' late' if late else ''}\n".encode())

    def _lines(self) -> Iterator[tuple[str, bool]]:
        for line in self._file.read_text().splitlines():
            key, _, late = line.partition(" ")
            yield key, late == "late"

    def check(self, program: psycopg.Connection[Any], audio_folder: Path) -> Findings:
        """Compare what is stored with what was acknowledged, and with what was planned."""
        stored, partial = self._read(program, audio_folder)
        acknowledged = self.acknowledged
        lost = [
            (key, late)
            for key, late in acknowledged
            if (LATE not in stored.get(key, ()) if late else key not in stored)
        ]
        for each in lost:
            print("lost:", *each)
        return Findings(len(acknowledged), len(lost), partial)

    def _read(
        self, program: psycopg.Connection[Any], audio_folder: Path
    ) -> tuple[dict[str, dict[str, str]], int]:
        """Return the translations of the segments that are whole, by key, and how many are not."""
        whole = {}
        with program.transaction():
            found = program.execute(_SEGMENTS, [self.session_id]).fetchall()
            lonely = program.execute(_LONELY_AUDIO, [self.session_id]).fetchone()
        assert lonely is not None
        for key, text, translations, speaker, sha256, storage_key in found:
            expected = planned(self.session_id, key)
            recorded = None if storage_key is None else _digest(audio_folder / storage_key)
            if sha256 == recorded and _as_planned(expected, text, translations, speaker, recorded):
                whole[key] = translations
            else:
                print("partial:", key, [*translations], speaker, storage_key, recorded)
        return whole, len(found) - len(whole) + int(lonely[0])


def _as_planned(
    expected: SegmentInput, text: str, translations: dict[str, str], speaker: str, digest: str | None
) -> bool:
    spoken, recorded = expected.transcript, expected.audio
    assert spoken.segment_key is not None
    wanted = {each.target_language: each.text for each in expected.translations}
    if LATE in translations:
        wanted[LATE] = late_translation(spoken.segment_key).text
    return (text, translations, speaker, digest) == (
        spoken.text,
        wanted,
        spoken.speaker_label,
        None if recorded is None else hashlib.sha256(recorded.data).hexdigest(),
    )


def _digest(file: Path) -> str | None:
    """Return the SHA-256 of a file; where there is none, what equals no digest of a row."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
