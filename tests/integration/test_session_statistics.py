"""A meeting in figures: right under unknown times, overlaps and revisions."""

from typing import Any
from uuid import UUID

import pytest
from helpers.support import audio, transcript, translation

from livetranslate_store import NotFoundError, Store
from livetranslate_store.ids import new_id
from livetranslate_store.values import (
    LanguageStatistics,
    MinuteStatistics,
    ScriptCounts,
    SpeakerStatistics,
    TranslationCoverage,
)


async def test_an_empty_session_has_figures_of_nothing(store: Store, session_id: UUID) -> None:
    found = await store.session_statistics(session_id)
    assert found.session_id == session_id
    assert (found.segments, found.final_segments, found.duration, found.speech_seconds) == (0, 0, 0.0, 0.0)
    assert found.counts == ScriptCounts(0, 0)
    assert found.mean_confidence is None
    assert (found.audio_files, found.audio_seconds, found.audio_bytes) == (0, 0.0, 0)
    assert (found.languages, found.translations, found.speakers, found.minutes) == ((), (), (), ())


async def test_an_unknown_session_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        await store.session_statistics(new_id())


async def test_a_meeting_in_figures(store: Store) -> None:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(
            bot_id="bot-7", meeting_id="abc-defg-hij", target_languages=["es", "ja"]
        )
    said: list[dict[str, Any]] = [
        {"text": "Good morning, all!", "start_time": 0.0, "end_time": 10.0, "speaker_label": "A"},
        {"text": "Hello.", "start_time": 5.0, "end_time": 20.0, "speaker_label": "B", "confidence": 0.5},
        {"text": "Well...", "start_time": 50.0, "end_time": 70.0, "speaker_label": "B", "is_final": True},
        {"text": "東京です。", "language": "ja", "start_time": 130.0, "end_time": 140.0, "confidence": 1.0},
        {"text": "no time", "speaker_label": "A"},
    ]
    for each in said:
        await store.record_segment(
            session.id, transcript=transcript(**each), translations=[translation()], audio=audio(b"12345")
        )
    async with store.unit_of_work() as uow:
        await uow.audio_files.add(session.id, audio(b"123", duration=2.5))
        await uow.audio_files.add(session.id, audio(b"4", start_time=1.0, end_time=2.0))
        await uow.speakers.rename(session.id, "A", "Ada")
    found = await store.session_statistics(session.id)
    assert (found.segments, found.final_segments) == (5, 1)
    assert (found.duration, found.speech_seconds) == (140.0, 50.0)
    assert found.counts == ScriptCounts(7, 4)
    assert found.mean_confidence == 0.75
    assert (found.audio_files, found.audio_seconds, found.audio_bytes) == (3, 3.5, 9)
    assert found.languages == (
        LanguageStatistics("en", 4, 40.0, ScriptCounts(7, 0)),
        LanguageStatistics("ja", 1, 10.0, ScriptCounts(0, 4)),
    )
    assert found.translations == (
        TranslationCoverage("es", needed=5, translated=5, stale=0, missing=0, coverage=1.0),
        TranslationCoverage("ja", needed=4, translated=0, stale=0, missing=4, coverage=0.0),
    )
    shares = [10 / 55, 35 / 55, 10 / 55]
    assert found.speakers == (
        SpeakerStatistics("A", "Ada", 2, 10.0, shares[0], ScriptCounts(5, 0), 18.0, 1, 0, ("en",)),
        SpeakerStatistics("B", None, 2, 35.0, shares[1], ScriptCounts(2, 0), 2 / (35 / 60), 1, 1, ("en",)),
        SpeakerStatistics(None, None, 1, 10.0, shares[2], ScriptCounts(0, 4), 0.0, 1, 0, ("ja",)),
    )
    assert found.minutes == (
        MinuteStatistics(0, 3, 30.0, ScriptCounts(5, 0)),
        MinuteStatistics(1, 0, 10.0, ScriptCounts(0, 0)),
        MinuteStatistics(2, 1, 10.0, ScriptCounts(0, 4)),
    )
