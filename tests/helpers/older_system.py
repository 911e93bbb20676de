"""The older system's database, made by hand from what is known of it, and meetings to fill it with."""

import hashlib
import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from helpers.stored import Program

SCHEMA = """
CREATE SCHEMA bot_sessions;
SET search_path = bot_sessions;
CREATE TABLE sessions (
    session_id varchar(100) PRIMARY KEY, bot_id varchar(100), meeting_id varchar(255),
    meeting_title varchar(500), meeting_uri text, google_meet_space_id varchar(255),
    conference_record_id varchar(255), status varchar(50), start_time timestamp, end_time timestamp,
    participant_count int, target_languages jsonb, session_metadata jsonb, performance_stats jsonb,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE audio_files (
    file_id varchar(100) PRIMARY KEY, session_id varchar(100) REFERENCES sessions ON DELETE CASCADE,
    file_path text, file_name varchar(500), file_size bigint, file_format varchar(20), duration_seconds real,
    sample_rate int, channels int, chunk_start_time real, chunk_end_time real, audio_quality_score real,
    processing_status varchar(50), file_hash varchar(128), metadata jsonb, created_at timestamp,
    updated_at timestamp
);
CREATE TABLE transcripts (
    transcript_id varchar(100) PRIMARY KEY, session_id varchar(100) REFERENCES sessions ON DELETE CASCADE,
    source_type varchar(50), transcript_text text, language_code varchar(11), start_timestamp real,
    end_timestamp real, speaker_id varchar(100), speaker_name varchar(255), confidence_score real,
    segment_index int, audio_file_id varchar(100) REFERENCES audio_files ON DELETE SET NULL,
    google_transcript_entry_id varchar(255), processing_metadata jsonb, search_vector tsvector,
    previous_segment_id varchar(100), next_segment_id varchar(100), is_segment_boundary boolean,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE translations (
    translation_id varchar(100) PRIMARY KEY, session_id varchar(100) REFERENCES sessions ON DELETE CASCADE,
    source_transcript_id varchar(100) REFERENCES transcripts ON DELETE CASCADE, translated_text text,
    source_language varchar(11), target_language varchar(11), translation_confidence real,
    translation_service varchar(100), speaker_id varchar(100), speaker_name varchar(255),
    start_timestamp real, end_timestamp real, processing_metadata jsonb, search_vector tsvector,
    created_at timestamp, updated_at timestamp
);
CREATE TABLE speaker_identities (
    identity_id varchar(100) PRIMARY KEY, session_id varchar(100) REFERENCES sessions ON DELETE CASCADE,
    speaker_label varchar(100), participant_id varchar(100), identified_name varchar(255),
    identification_method varchar(50), identification_confidence real, identification_timestamp timestamp,
    metadata jsonb, UNIQUE (session_id, speaker_label)
);
SET search_path = DEFAULT;
"""

STARTED = datetime(2024, 5, 6, 7, 8, 9)  # noqa: DTZ001 (naive, as the older system's are)


def make_schema(program: Program) -> None:
    program.execute(SCHEMA.encode())
    program.commit()


def insert(program: Program, table: str, **cells: Any) -> None:
    """Insert a row; objects and lists become JSON."""
    values = [json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in cells.values()]
    places = ", ".join(["%s"] * len(values))
    statement = f"INSERT INTO bot_sessions.{table} ({', '.join(cells)}) VALUES ({places})"
    program.execute(statement.encode(), values)


def insert_session(program: Program, key: str = "session_1", **cells: Any) -> None:
    """Insert a session with what every one has."""
    usual = {"bot_id": "bot-1", "meeting_id": "abc", "status": "ended", "start_time": STARTED}
    insert(program, "sessions", **{"session_id": key} | usual | cells)


def insert_transcript(program: Program, key: str, session: str = "session_1", **cells: Any) -> None:
    """Insert a transcript with what every one has."""
    usual = {
        "source_type": "whisper_service",
        "transcript_text": f"Text of {key}.",
        "language_code": "en",
        "start_timestamp": 1.5,
        "end_timestamp": 2.25,
        "segment_index": 3,
    }
    insert(program, "transcripts", **{"transcript_id": key, "session_id": session} | usual | cells)


def insert_translation(
    program: Program, key: str, transcript: str, session: str = "session_1", **cells: Any
) -> None:
    """Insert a translation with what every one has."""
    usual = {
        "translated_text": f"Texto de {key}.",
        "source_language": "en",
        "target_language": "es",
        "translation_service": "older_service",
        "start_timestamp": 1.5,
        "end_timestamp": 2.25,
    }
    keys = {"translation_id": key, "session_id": session, "source_transcript_id": transcript}
    insert(program, "translations", **keys | usual | cells)


def insert_audio(
    program: Program, key: str, folder: Path, data: bytes, session: str = "session_1", **cells: Any
) -> None:
    """Insert an audio file whose bytes are on disk."""
    path = folder / f"{key}.wav"
    path.write_bytes(data)
    usual = {
        "file_path": str(path),
        "file_name": path.name,
        "file_size": len(data),
        "file_format": "wav",
        "processing_status": "completed",
        "file_hash": hashlib.sha256(data).hexdigest(),
    }
    insert(program, "audio_files", **{"file_id": key, "session_id": session} | usual | cells)


class Expected(NamedTuple):
    """What must be here of a generated database, as numbers of rows."""

    sessions: int
    transcripts: int
    translations: int
    superseded: int


def generate(program: Program, folder: Path, seed: int, *, sessions: int, transcripts: int) -> Expected:
    """Fill the older database with meetings in which everything occurs that can be taken."""
    dice = random.Random(seed)
    spoken = translated = superseded = 0

    def maybe(value: Any) -> Any:
        return None if dice.random() < 0.2 else value

    for s in range(sessions):
        session = f"session_{seed}_{s}"
        insert_session(
            program,
            session,
            status=maybe(dice.choice(["active", "ended", "ENDED", "cancelled", ""])),
            start_time=maybe(STARTED + timedelta(hours=s)),
            end_time=maybe(STARTED + timedelta(hours=dice.choice([s + 1, s - 1]))),
            target_languages=maybe(dice.choice([["es", "zh_CN"], ["auto"], '"es"', {"es": 1}])),
            session_metadata=maybe(dice.choice([{"room": "A"}, ["x"], {"legacy": 1}])),
            performance_stats=maybe({"latency": 0.5}),
            participant_count=maybe(3),
        )
        audio: list[str | None] = [None]
        for a in range(dice.randrange(3)):
            audio.append(f"audio_{session}_{a}")
            data = dice.choice([b"same", f"{a}".encode()])
            insert_audio(
                program,
                f"audio_{session}_{a}",
                folder,
                data,
                session,
                chunk_start_time=maybe(dice.choice([0.0, 0.1, float("nan")])),
                file_hash=maybe(hashlib.sha256(data).hexdigest()),
                metadata=maybe({"a": a}),
            )
        for label in ("SPEAKER_00", "SPEAKER_01"):
            if dice.random() < 0.7:
                insert(
                    program,
                    "speaker_identities",
                    identity_id=f"identity_{session}_{label}",
                    session_id=session,
                    speaker_label=label,
                    identified_name=maybe("Ada"),
                    identification_method=maybe(dice.choice(["manual", "guess", "google_meet"])),
                    identification_confidence=maybe(dice.choice([0.5, 7.0])),
                )
        for t in range(transcripts):
            spoken += 1
            key = f"transcript_{session}_{t}"
            start = maybe(dice.choice([0.1 * t, float("nan"), float("inf"), -3.0]))
            insert_transcript(
                program,
                key,
                session,
                source_type=maybe(dice.choice(["google_meet", "whisper_service", "other"])),
                transcript_text=maybe(dice.choice(["", "Hello there.", "こんにちは", "أهلا", "👩‍👩‍👧 é"])),
                language_code=maybe(dice.choice(["en", "EN", "auto", "unknown", "zh_CN", "abcdefghijk"])),
                start_timestamp=start,
                end_timestamp=maybe(dice.choice([0.1 * t + 0.7, -9.0, float("nan")])),
                speaker_id=maybe(dice.choice(["SPEAKER_00", "SPEAKER_01", " "])),
                speaker_name=maybe(dice.choice(["Ada", "Grace"])),
                confidence_score=maybe(dice.choice([0.9, 1.5, float("nan")])),
                segment_index=maybe(dice.choice([t, -1])),
                audio_file_id=dice.choice(audio),
                processing_metadata=maybe(
                    dice.choice(
                        [
                            {"is_final": True, "words": [{"word": "Hi", "start": 0.1, "end": 0.2}]},
                            {"is_final": False, "words": [{"word": "Hi", "extra": 1}]},
                            {"is_final": "no", "words": "none"},
                            [1, 2],
                        ]
                    )
                ),
                previous_segment_id=maybe("transcript_x"),
                is_segment_boundary=maybe(True),
                created_at=maybe(STARTED),
            )
            languages: set[str] = set()
            for n in range(dice.randrange(4)):
                tag, canonical = dice.choice(
                    [("es", "es"), ("ES", "es"), ("zh_CN", "zh-CN"), ("auto", "und")]
                )
                superseded += canonical in languages
                translated += canonical not in languages
                languages.add(canonical)
                insert_translation(
                    program,
                    f"translation_{session}_{t}_{n}",
                    key,
                    session,
                    translated_text=maybe(f"version {n}"),
                    target_language=tag,
                    start_timestamp=dice.choice([start, None, 0.5]),
                    end_timestamp=None,
                    translation_confidence=maybe(0.5),
                    translation_service=maybe("older_service"),
                    processing_metadata=maybe({"model_name": "model-1"}),
                    created_at=maybe(STARTED + timedelta(seconds=n)),
                )
    program.commit()
    return Expected(sessions, spoken, translated, superseded)
