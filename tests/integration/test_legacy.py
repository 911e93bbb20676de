"""Moving from the older system: nothing is lost in silence, nothing twice, and nothing is written there."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from conftest import url_of
from helpers.older_system import (
    STARTED,
    Program,
    generate,
    insert,
    insert_audio,
    insert_session,
    insert_transcript,
    insert_translation,
    make_schema,
)
from helpers.support import TABLES, counts, transcript
from pytest_postgresql import factories

from livetranslate_store import InvalidInputError, Store, StoreUnavailableError
from livetranslate_store.ids import session_id_for, transcript_id_for
from livetranslate_store.legacy import (
    LegacyProgress,
    LegacyRemark,
    LegacyReport,
    import_legacy,
    segments,
)
from livetranslate_store.models import Session, Transcript
from livetranslate_store.values import ImportCounts

older_database = factories.postgresql("postgresql_empty")

SESSION = session_id_for("session_1")


@pytest.fixture
def older(older_database: Program) -> Program:
    make_schema(older_database)
    return older_database


@pytest.fixture
def url(older: Program) -> str:
    info = older.info
    return url_of(info.user, info.password or None, info.host, info.port, info.dbname)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


def rows(program: Program, *, without: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Return all rows of all tables here as text, in the order of their keys."""
    found = {}
    for table in TABLES:
        statement = f"SELECT (to_jsonb(t) - %s::text[])::text FROM livetranslate.{table} t ORDER BY 1"
        found[table] = [row[0] for row in program.execute(statement.encode(), [list(without)])]
    program.rollback()
    return found


async def session_of(store: Store) -> Session:
    async with store.read() as reader:
        return await reader.sessions.get(SESSION)


async def transcript_of(store: Store, key: str, source: str = "whisper_service") -> Transcript:
    async with store.read() as reader:
        return await reader.transcripts.get(SESSION, transcript_id_for(SESSION, source, key))


async def test_a_meeting_comes_over_with_everything(
    store: Store, older: Program, url: str, recordings: Path
) -> None:
    insert_session(
        older,
        meeting_title="Planning",
        meeting_uri="https://meet.example/abc",
        end_time=STARTED + timedelta(hours=1),
        target_languages=["es", "zh_CN"],
        session_metadata={"room": "A"},
        performance_stats={"latency": 0.5},
        participant_count=3,
        google_meet_space_id="spaces/x",
        created_at=STARTED,
    )
    insert_audio(older, "audio_1", recordings, b"RIFF", chunk_start_time=0.1, sample_rate=16000, channels=1)
    insert(
        older,
        "speaker_identities",
        identity_id="identity_1",
        session_id="session_1",
        speaker_label="SPEAKER_00",
        identified_name="Ada",
        identification_method="voice_print",
        identification_confidence=0.75,
        participant_id="p-1",
    )
    insert_transcript(
        older,
        "transcript_1",
        start_timestamp=0.1,
        end_timestamp=0.7,
        speaker_id="SPEAKER_00",
        speaker_name="Speaker",
        confidence_score=0.9,
        audio_file_id="audio_1",
        processing_metadata={
            "is_final": False,
            "words": [{"word": "Hi", "start": 0.1, "end": 0.2, "probability": 0.5}],
            "model": "large",
        },
        previous_segment_id="transcript_0",
        is_segment_boundary=True,
    )
    insert_translation(
        older,
        "translation_1",
        "transcript_1",
        start_timestamp=0.1,
        end_timestamp=0.7,
        processing_metadata={"model_name": "m-1"},
        speaker_id="SPEAKER_00",
    )
    older.commit()

    report = await import_legacy(store, url, audio_folder=recordings)

    one = ImportCounts(inserted=1)
    assert report == LegacyReport(1, 0, 1, 1, one, one, one, 0, 0, [], 0, [], [], [])
    assert report.complete
    session = await session_of(store)
    assert (session.bot_id, session.meeting_id, session.title) == ("bot-1", "abc", "Planning")
    assert (session.uri, session.status) == ("https://meet.example/abc", "ended")
    assert session.started_at == STARTED.replace(tzinfo=UTC)
    assert session.ended_at == STARTED.replace(tzinfo=UTC) + timedelta(hours=1)
    assert session.target_languages == ["es", "zh-CN"]
    assert session.metadata_["room"] == "A"
    legacy = session.metadata_["legacy"]
    assert isinstance(legacy, Mapping)
    assert legacy.pop("verified")  # type: ignore[attr-defined]  # a dict as it comes from the driver
    assert legacy == {
        "created_at": "2024-05-06T07:08:09+00:00",
        "google_meet_space_id": "spaces/x",
        "participant_count": 3,
        "performance_stats": {"latency": 0.5},
        "speaker_identities": {"SPEAKER_00": {"identity_id": "identity_1", "participant_id": "p-1"}},
        "target_languages": ["es", "zh_CN"],
    }
    spoken, translated = await store.timeline(SESSION)
    assert (spoken.text, spoken.start_time, spoken.end_time) == ("Text of transcript_1.", 0.1, 0.7)
    assert (spoken.speaker_label, spoken.speaker_name) == ("SPEAKER_00", "Ada")
    assert (spoken.source, spoken.is_final, spoken.confidence) == ("whisper_service", False, 0.9)
    assert spoken.metadata == {
        "model": "large",
        "legacy": {
            "audio_file_id": "audio_1",
            "is_segment_boundary": True,
            "previous_segment_id": "transcript_0",
            "speaker_name": "Speaker",
        },
    }
    assert (translated.text, translated.language, translated.start_time) == (
        "Texto de translation_1.",
        "es",
        0.1,
    )
    assert translated.metadata == {"legacy": {"translation_id": "translation_1"}}
    stored = await transcript_of(store, "transcript_1")
    assert stored.segment_key == "transcript_1"
    assert stored.words == [{"text": "Hi", "start_time": 0.1, "end_time": 0.2, "confidence": 0.5}]
    assert stored.audio_file_id is not None
    assert await store.read_audio(SESSION, stored.audio_file_id) == b"RIFF"
    async with store.read() as reader:
        (audio,) = await reader.audio_files.list_for_session(SESSION)
        (speaker,) = await reader.speakers.list_for_session(SESSION)
        (translation,) = await reader.translations.list_for_session(SESSION)
    assert (audio.start_time, audio.sample_rate, audio.format) == (0.1, 16000, "wav")
    assert audio.metadata_["legacy"]["file_id"] == "audio_1"
    assert (speaker.identification_method, speaker.confidence) == ("voice_print", 0.75)
    # The times are the transcript's: it follows them.
    assert (translation.start_time, translation.model, translation.service) == (None, "m-1", "older_service")


async def test_of_several_translations_the_newest_with_a_text_is_used_and_the_others_are_kept(
    store: Store, older: Program, url: str
) -> None:
    insert_session(older)
    insert_transcript(older, "transcript_1")
    for number, (text, tag) in enumerate([("old", "es"), ("new", "ES"), (None, "es"), ("other", "de")]):
        insert_translation(
            older,
            f"translation_{number}",
            "transcript_1",
            translated_text=text,
            target_language=tag,
            created_at=STARTED + timedelta(seconds=number),
        )
    older.commit()
    report = await import_legacy(store, url)
    entries = await store.timeline(SESSION, kinds=["translation"])
    assert [(entry.language, entry.text) for entry in entries] == [("de", "other"), ("es", "new")]
    async with store.read() as reader:
        _, spanish = await reader.translations.list_for_session(SESSION)
    superseded = spanish.metadata_["legacy"]["superseded"]
    assert [(each["translation_id"], each.get("translated_text")) for each in superseded] == [
        ("translation_0", "old"),
        ("translation_2", None),
    ]
    assert (report.superseded, report.refused, report.verified) == (2, 0, 1)
    assert (
        LegacyRemark("translations", "translation_0", "superseded by translation_1, kept in its metadata")
        in report.changes
    )


async def test_a_recording_that_is_not_to_be_had_is_told_and_its_transcript_says_so(
    store: Store, older: Program, url: str, recordings: Path, tmp_path: Path
) -> None:
    insert_session(older)
    outside = tmp_path / "outside.wav"
    outside.write_bytes(b"secret")
    (recordings / "link.wav").symlink_to(outside)
    paths = {
        "missing": recordings / "missing.wav",
        "outside": outside,
        "climbing": f"{recordings}/../outside.wav",
        "link": recordings / "link.wav",
        "folder": recordings,
        "none": None,
        "nul": "",
    }
    for key, path in paths.items():
        insert(
            older,
            "audio_files",
            file_id=key,
            session_id="session_1",
            file_path=None if path is None else str(path),
        )
        insert_transcript(older, f"transcript_{key}", audio_file_id=key)
    insert_audio(older, "changed", recordings, b"RIFF", file_hash="0" * 64)
    older.commit()
    report = await import_legacy(store, url, audio_folder=recordings)
    assert {remark.key: remark.reason for remark in report.refusals} == {
        "missing": "its file is not there",
        "outside": "its file_path leads out of the audio folder",
        "climbing": "its file_path leads out of the audio folder",
        "link": "its file_path leads out of the audio folder",
        "folder": "its file is not there",
        "none": "it has no file_path",
        "nul": "it has no file_path",
        "changed": "its file does not have the SHA-256 that file_hash tells",
    }
    stored = await transcript_of(store, "transcript_missing")
    assert stored.audio_file_id is None
    assert stored.metadata_["legacy"]["audio_file"] == {
        "file_id": "missing",
        "session_id": "session_1",
        "file_path": str(recordings / "missing.wav"),
        "refused": "its file is not there",
    }
    assert report.audio_files == ImportCounts()
    assert (report.verified, report.complete) == (1, False)

    # Once it is there the session is taken up again.
    (recordings / "missing.wav").write_bytes(b"RIFF")
    report = await import_legacy(store, url, audio_folder=recordings)
    assert report.audio_files == ImportCounts(inserted=1)
    stored = await transcript_of(store, "transcript_missing")
    assert stored.audio_file_id is not None
    assert await store.read_audio(SESSION, stored.audio_file_id) == b"RIFF"
    assert stored.metadata_["legacy"] == {"audio_file_id": "missing"}


async def test_without_a_folder_no_recording_is_looked_for(
    store: Store, older: Program, url: str, recordings: Path
) -> None:
    insert_session(older)
    insert_audio(older, "audio_1", recordings, b"RIFF")
    older.commit()
    report = await import_legacy(store, url)
    assert [remark.reason for remark in report.refusals] == [
        "its bytes were not looked for: no audio folder was named"
    ]


async def test_the_same_recording_at_the_same_time_is_stored_once_with_all_its_rows(
    store: Store, older: Program, url: str, recordings: Path
) -> None:
    insert_session(older)
    for key in ("audio_1", "audio_2"):
        insert_audio(older, key, recordings, b"RIFF", metadata={"of": key})
        insert_transcript(older, f"transcript_{key}", audio_file_id=key)
    (recordings / "audio_1.wav").unlink()
    older.commit()
    report = await import_legacy(store, url, audio_folder=recordings)
    assert report.complete
    async with store.read() as reader:
        (audio,) = await reader.audio_files.list_for_session(SESSION)
    (same,) = audio.metadata_["legacy"]["same_recordings"]
    assert {audio.metadata_["of"], same["metadata"]["of"]} == {"audio_1", "audio_2"}
    for key in ("audio_1", "audio_2"):
        assert (await transcript_of(store, f"transcript_{key}")).audio_file_id == audio.id


async def test_what_is_impossible_is_taken_as_unknown_and_its_original_is_kept(
    store: Store, older: Program, url: str
) -> None:
    insert_session(
        older,
        bot_id=None,
        meeting_id=" ",
        status="cancelled",
        end_time=STARTED - timedelta(hours=1),
        target_languages='"es"',
    )
    insert_transcript(
        older,
        "transcript_1",
        source_type=None,
        transcript_text=None,
        language_code="auto",
        start_timestamp=float("nan"),
        end_timestamp=float("inf"),
        confidence_score=1.5,
        segment_index=-1,
        speaker_id=None,
        speaker_name="Ada",
    )
    insert_transcript(older, "transcript_2", start_timestamp=2.0, end_timestamp=1.0, language_code="zh_CN")
    older.commit()
    report = await import_legacy(store, url)
    assert (report.refused, report.verified) == (0, 1)
    session = await session_of(store)
    assert (session.bot_id, session.meeting_id, session.status) == ("unknown", "unknown", "error")
    assert session.ended_at is None
    legacy = session.metadata_["legacy"]
    assert legacy["bot_id"] is None
    assert (legacy["meeting_id"], legacy["status"], legacy["target_languages"]) == (" ", "cancelled", "es")
    assert legacy["end_time"] == "2024-05-06T06:08:09+00:00"
    first = await transcript_of(store, "transcript_1", "unknown")
    assert (first.text, first.language, first.start_time, first.end_time) == ("", "und", None, None)
    assert (first.confidence, first.segment_index, first.speaker_label) == (None, 0, "Ada")
    assert first.metadata_["legacy"] == {
        "source_type": None,
        "transcript_text": None,
        "language_code": "auto",
        "start_timestamp": "NaN",
        "end_timestamp": "Infinity",
        "confidence_score": 1.5,
        "segment_index": -1,
        "speaker_id": None,
    }
    second = await transcript_of(store, "transcript_2")
    assert (second.language, second.start_time, second.end_time) == ("zh-CN", 2.0, None)
    assert second.metadata_["legacy"] == {"language_code": "zh_CN", "end_timestamp": 1.0}
    assert {remark.key for remark in report.changes} == {"session_1", "transcript_1", "transcript_2"}


async def test_what_the_store_refuses_is_listed_and_the_rest_goes_in(
    store: Store, older: Program, url: str
) -> None:
    insert_session(older)
    insert_transcript(older, "long", transcript_text="x" * 1_000_001)
    insert_translation(older, "of_long", "long")
    insert_transcript(older, "heavy", processing_metadata={"a": "x" * 900_000, "b": "y" * 900_000})
    insert_transcript(older, "good")
    insert_translation(older, "good_es", "good")
    insert_translation(older, "long_es", "good", translated_text="x" * 1_000_001, created_at=STARTED)
    insert_session(older, "session_2")
    insert_translation(older, "astray", "good", "session_2")
    insert_translation(older, "lost", None, "session_2")  # type: ignore[arg-type]  # NULL
    older.commit()
    report = await import_legacy(store, url)
    assert {remark.key: remark.reason[:40] for remark in report.refusals} == {
        "long": "text has 1,000,001 characters; at most 1",
        "of_long": "its transcript long is refused",
        "heavy": "the attached metadata is left out: metad",
        "long_es": "text has 1,000,001 characters; at most 1",
        "astray": "its transcript is not in this session",
        "lost": "its transcript is not in this session",
    }
    assert report.mismatches == []
    texts = {entry.text for entry in await store.timeline(SESSION)}
    assert texts == {"Text of good.", "Texto de good_es.", "Text of heavy."}


async def test_json_is_read_from_text_columns_and_kept_as_text_where_it_is_none(
    store: Store, older: Program, url: str
) -> None:
    insert_session(older)
    older.execute("ALTER TABLE bot_sessions.transcripts ALTER processing_metadata TYPE text")
    older.execute("ALTER TABLE bot_sessions.sessions ALTER session_metadata TYPE json")
    older.execute("""UPDATE bot_sessions.sessions SET session_metadata = '{"a": "\\u0000"}'""")
    insert_transcript(older, "good", processing_metadata={"is_final": False, "a": 1})
    insert_transcript(older, "python", processing_metadata="{'a': 1}")
    insert_transcript(older, "nan", processing_metadata='{"a": NaN}')
    older.commit()
    report = await import_legacy(store, url)
    assert report.complete
    assert (await session_of(store)).metadata_["legacy"]["session_metadata"] == '{"a": "\\u0000"}'
    good = await transcript_of(store, "good")
    assert (good.metadata_, good.is_final) == ({"a": 1}, False)
    for key, text in (("python", "{'a': 1}"), ("nan", '{"a": NaN}')):
        stored = await transcript_of(store, key)
        assert (stored.metadata_, stored.is_final) == ({"legacy": {"processing_metadata": text}}, True)


async def test_columns_and_tables_of_other_deployments_are_no_obstacle(
    store: Store, older: Program, url: str
) -> None:
    older.execute("DROP TABLE bot_sessions.speaker_identities")
    older.execute(
        "ALTER TABLE bot_sessions.transcripts DROP search_vector, DROP speaker_id, DROP speaker_name"
    )
    older.execute('ALTER TABLE bot_sessions.transcripts ADD "more ""room""" int')
    older.execute("ALTER TABLE bot_sessions.transcripts ALTER start_timestamp TYPE numeric")
    insert_session(older)
    insert_transcript(older, "transcript_1")
    older.execute('UPDATE bot_sessions.transcripts SET "more ""room""" = 7')
    older.commit()
    report = await import_legacy(store, url)
    assert report.missing_tables == ["speaker_identities"]
    assert report.complete
    stored = await transcript_of(store, "transcript_1")
    assert (stored.start_time, stored.metadata_) == (1.5, {"legacy": {'more "room"': 7}})


async def test_a_row_of_no_session_is_told(store: Store, older: Program, url: str) -> None:
    older.execute("ALTER TABLE bot_sessions.transcripts DROP CONSTRAINT transcripts_session_id_fkey")
    insert_transcript(older, "stray", "nowhere")
    older.commit()
    report = await import_legacy(store, url)
    assert report.refusals == [LegacyRemark("transcripts", "stray", "it belongs to no session")]


async def test_a_label_without_an_identity_has_the_name_that_it_is_given_most_often(
    store: Store, older: Program, url: str
) -> None:
    insert_session(older)
    for number, name in enumerate(["Bob", "Ada", "Ada", None, " "]):
        insert_transcript(older, f"t{number}", speaker_id="SPEAKER_00", speaker_name=name)
    older.commit()
    await import_legacy(store, url)
    assert {entry.speaker_name for entry in await store.timeline(SESSION)} == {"Ada"}
    assert (await transcript_of(store, "t0")).metadata_ == {"legacy": {"speaker_name": "Bob"}}


async def test_a_session_that_is_another_one_here_is_left_out_and_told(
    store: Store, older: Program, url: str, other_program: Program
) -> None:
    async with store.unit_of_work() as uow:
        await uow.sessions.create(bot_id="another", meeting_id="m", external_id="session_1")
    insert_session(older)
    insert_transcript(older, "transcript_1")
    older.commit()
    report = await import_legacy(store, url)
    assert [remark.table for remark in report.refusals] == ["sessions"]
    assert counts(other_program)["transcripts"] == 0


async def test_rows_that_are_not_the_older_system_s_are_a_mismatch(
    store: Store, older: Program, url: str
) -> None:
    async with store.unit_of_work() as uow:
        await uow.sessions.create(
            bot_id="bot-1", meeting_id="abc", external_id="session_1", started_at=STARTED.replace(tzinfo=UTC)
        )
    await store.record_segment(SESSION, transcript=transcript())
    insert_session(older)
    insert_transcript(older, "transcript_1")
    older.commit()
    report = await import_legacy(store, url)
    (mismatch,) = report.mismatches
    assert (mismatch.expected.transcripts, mismatch.stored.transcripts) == (1, 2)
    assert mismatch.expected.checksum != mismatch.stored.checksum
    assert (report.verified, report.complete) == (0, False)


async def test_a_move_that_is_repeated_changes_no_row(
    store: Store, older: Program, url: str, recordings: Path, other_program: Program
) -> None:
    generate(older, recordings, 1, sessions=3, transcripts=20)
    report = await import_legacy(store, url, audio_folder=recordings)
    assert (report.verified, report.refused, report.mismatches) == (3, 0, [])
    before = rows(other_program)
    report = await import_legacy(store, url, audio_folder=recordings)
    assert (report.already_moved, report.verified) == (3, 0)
    assert rows(other_program) == before


async def test_rows_that_are_here_already_are_not_written_again(
    *,
    store: Store,
    older: Program,
    url: str,
    recordings: Path,
    other_program: Program,
) -> None:
    expected = generate(older, recordings, 2, sessions=3, transcripts=20)
    await import_legacy(store, url, audio_folder=recordings)
    before = rows(other_program)
    other_program.execute("UPDATE livetranslate.sessions SET metadata = metadata #- '{legacy,verified}'")
    other_program.commit()
    report = await import_legacy(store, url, audio_folder=recordings)
    assert (report.verified, report.speakers_named) == (3, 0)
    assert report.transcripts == ImportCounts(unchanged=expected.transcripts)
    assert report.translations == ImportCounts(unchanged=expected.translations)
    after = rows(other_program)
    del before["sessions"], after["sessions"]  # these alone are marked anew
    assert after == before


async def test_a_session_that_changed_at_its_source_is_brought_up_to_date(
    store: Store, older: Program, url: str
) -> None:
    insert_session(older, status="active")
    insert_transcript(older, "transcript_1")
    insert_translation(older, "translation_1", "transcript_1")
    older.commit()
    assert (await import_legacy(store, url)).complete
    insert_transcript(older, "transcript_2", start_timestamp=9.0, end_timestamp=9.5)
    older.execute(
        "UPDATE bot_sessions.transcripts SET transcript_text = 'Other.' WHERE transcript_id = 'transcript_1'"
    )
    older.execute("UPDATE bot_sessions.sessions SET status = 'error', end_time = start_time")
    older.commit()
    report = await import_legacy(store, url)
    assert report.complete
    assert report.transcripts == ImportCounts(inserted=1, updated=1)
    entries = list(await store.timeline(SESSION))
    assert [entry.text for entry in entries] == ["Other.", "Texto de translation_1.", "Text of transcript_2."]
    assert not any(entry.is_stale for entry in entries)
    session = await session_of(store)
    assert (session.status, session.ended_at) == ("error", session.started_at)


async def test_what_is_changed_here_afterwards_is_not_undone(store: Store, older: Program, url: str) -> None:
    insert_session(older)
    insert_transcript(older, "transcript_1", speaker_id="SPEAKER_00", speaker_name="Ada")
    older.commit()
    await import_legacy(store, url)
    async with store.unit_of_work() as uow:
        await uow.speakers.rename(SESSION, "SPEAKER_00", "Grace")
        await uow.sessions.update(SESSION, title="Renamed")
    report = await import_legacy(store, url)
    assert report.already_moved == 1
    assert (await session_of(store)).title == "Renamed"
    assert {entry.speaker_name for entry in await store.timeline(SESSION)} == {"Grace"}


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_a_meeting_holds_every_row_is_here_or_told(
    *, store: Store, older: Program, url: str, recordings: Path, other_program: Program, seed: int
) -> None:
    expected = generate(older, recordings, seed, sessions=3, transcripts=30)
    report = await import_legacy(store, url, audio_folder=recordings)
    assert report.refusals == []
    assert report.mismatches == []
    found = counts(other_program)
    assert (found["sessions"], found["transcripts"], found["translations"]) == expected[:3]
    assert (report.verified, report.superseded) == (expected.sessions, expected.superseded)


async def test_a_move_that_is_cancelled_anywhere_ends_with_the_same_rows(
    *,
    store: Store,
    older: Program,
    url: str,
    recordings: Path,
    other_program: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(segments, "SEGMENTS_AT_ONCE", 7)
    generate(older, recordings, 5, sessions=3, transcripts=25)
    done = 0

    async def cancelled_at(step: int) -> bool:
        """Move until the given step, and tell whether it was cancelled there."""
        seen = 0

        def progress(_progress: LegacyProgress) -> None:
            nonlocal seen
            seen += 1
            if seen == step:
                task.cancel()

        task = asyncio.create_task(import_legacy(store, url, audio_folder=recordings, progress=progress))
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False

    step = 1
    while await cancelled_at(step):
        done += 1
        step += done % 3
    assert done > 3
    volatile = ("created_at", "updated_at", "storage_key")
    interrupted = rows(other_program, without=volatile)

    async with store.unit_of_work() as uow:
        for session in await uow.sessions.find():
            await uow.sessions.delete(session.id)
    report = await import_legacy(store, url, audio_folder=recordings)
    assert report.mismatches == []
    assert rows(other_program, without=volatile) == interrupted


async def test_the_older_database_cannot_be_written_while_it_is_read(
    store: Store, older: Program, url: str
) -> None:
    # Whatever a deployment may have put in the place of a table.
    older.execute("""
        CREATE TABLE bot_sessions.log (entry text);
        CREATE FUNCTION bot_sessions.logged(entry text) RETURNS text LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO bot_sessions.log VALUES (entry); RETURN entry; END $$;
        ALTER TABLE bot_sessions.sessions RENAME TO real_sessions;
        CREATE VIEW bot_sessions.sessions AS
            SELECT bot_sessions.logged(session_id) AS session_id FROM bot_sessions.real_sessions
    """)
    insert(older, "real_sessions", session_id="session_1")
    older.commit()
    with pytest.raises(StoreUnavailableError, match=r"The older database: .* read-only"):
        await import_legacy(store, url)


async def test_a_session_that_is_not_all_here_is_not_written_again_either(
    store: Store, older: Program, url: str, recordings: Path, other_program: Program
) -> None:
    insert_session(older, status="error", end_time=STARTED, session_metadata={"room": "A"})
    insert_audio(older, "audio_1", recordings, b"RIFF")
    insert_transcript(older, "transcript_1", audio_file_id="audio_1")
    older.commit()
    assert (await import_legacy(store, url)).refused == 1
    before = rows(other_program)
    assert (await import_legacy(store, url)).refused == 1
    assert rows(other_program) == before


async def test_an_error_of_the_caller_s_passes_through(store: Store, older: Program, url: str) -> None:
    insert_session(older)
    older.commit()

    def progress(_progress: LegacyProgress) -> None:
        raise OSError("the caller's own")

    with pytest.raises(OSError, match="the caller's own"):
        await import_legacy(store, url, progress=progress)


async def test_progress_counts_sessions_and_transcripts(store: Store, older: Program, url: str) -> None:
    for number in range(2):
        insert_session(older, f"session_{number}")
        insert_transcript(older, f"transcript_{number}", f"session_{number}")
    older.commit()
    seen: list[LegacyProgress] = []
    await import_legacy(store, url, progress=seen.append)
    assert seen == [
        LegacyProgress(0, 2, 1),
        LegacyProgress(1, 2, 1),
        LegacyProgress(1, 2, 2),
        LegacyProgress(2, 2, 2),
    ]


async def test_a_database_of_something_else_is_refused(store: Store, owner_url: str) -> None:
    with pytest.raises(InvalidInputError, match=r"no database of the older system: bot_sessions\.sessions"):
        await import_legacy(store, owner_url)


@pytest.mark.parametrize("url", ["not a url", "mysql://host/db", "postgresql://h/db?sslmode=nonsense"])
async def test_an_url_that_is_none_is_refused(store: Store, url: str) -> None:
    with pytest.raises(InvalidInputError, match="older database's URL"):
        await import_legacy(store, url)


async def test_a_server_that_is_not_there_is_told_without_its_password(store: Store) -> None:
    with pytest.raises(StoreUnavailableError, match="The older database: ") as raised:
        await import_legacy(store, "postgresql://user:battery-staple@127.0.0.1:1/db")
    assert "battery" not in str(raised.value)


async def test_an_audio_folder_that_is_not_there_is_refused(store: Store, url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is not a folder"):
        await import_legacy(store, url, audio_folder=tmp_path / "nowhere")
