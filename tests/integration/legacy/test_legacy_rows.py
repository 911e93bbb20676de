"""Each row of the older system is moved, changed and reported, or refused and reported."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers.moved_rows import SESSION, session_of, transcript_of
from helpers.older_system import (
    STARTED,
    insert,
    insert_audio,
    insert_session,
    insert_transcript,
    insert_translation,
)
from helpers.stored import Program
from helpers.support import counts, transcript, translation

from livetranslate_store import Outcome, Store
from livetranslate_store.legacy import (
    LegacyRemark,
    LegacyReport,
    import_legacy,
)
from livetranslate_store.values import ImportCounts

pytestmark = pytest.mark.slow


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


async def test_what_a_person_corrected_there_stays_above_every_machine(
    store: Store, older: Program, url: str
) -> None:
    by_ana = {"corrected_by": "Ana", "corrected_at": "2026-01-02T03:04:05"}
    insert_session(older)
    insert_transcript(older, "transcript_1", processing_metadata={"a": 1} | by_ana)
    insert_translation(older, "translation_1", "transcript_1", processing_metadata=by_ana)
    older.commit()
    report = await import_legacy(store, url)
    assert (report.complete, report.verified) == (True, 1)
    spoken, translated = await store.timeline(SESSION, include=["edits"])
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    for entry in (spoken, translated):
        assert (entry.edited_by, entry.edited_at) == ("Ana", moment)
    assert spoken.metadata == {"a": 1}
    machines = transcript(
        "By a machine.", segment_key="transcript_1", source="whisper_service", is_final=True
    )
    receipt = await store.record_segment(SESSION, transcript=machines, translations=[translation("Máquina.")])
    assert receipt.transcript_id == spoken.transcript_id
    assert [receipt.outcome, receipt.translations[0].outcome] == [Outcome.STALE, Outcome.STALE]
    assert (await import_legacy(store, url)).already_moved == 1


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
