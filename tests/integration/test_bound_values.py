"""No statement has a value in its text: the server itself is asked what it was sent."""

from pathlib import Path
from typing import Any

import pytest
from helpers.support import audio, sql, transcript, translation

from livetranslate_store import SegmentInput, Store, Word

CANARY = "canary-in-a-coal-mine"


@pytest.mark.parametrize("number", [1, 20])
async def test_no_text_of_a_caller_is_in_a_statement(
    database_url: str, audio_folder: Path, number: int
) -> None:
    # One connection for everything, which remembers the text of all that was prepared on it.
    limits: dict[str, Any] = {"min_connections": 1, "max_connections": 1}
    async with Store.open(database_url, audio_url=f"file:{audio_folder}", **limits) as store:
        session_id = await use_everything(store, number)
        rows = await store._database.fetch(sql("SELECT statement FROM pg_prepared_statements"))
    statements = [row["statement"] for row in rows]
    assert len(statements) > 25
    for statement in statements:
        assert CANARY not in statement
        assert str(session_id) not in statement


async def use_everything(store: Store, number: int) -> Any:
    """Call every method, with a canary wherever a caller may give a text."""
    named: dict[str, Any] = {"bot_id": CANARY, "meeting_id": CANARY, "external_id": CANARY}
    metadata = {CANARY: CANARY}
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(**named, title=CANARY, uri=CANARY, metadata=metadata)
        await uow.sessions.update(session.id, title=CANARY, metadata=metadata)
        await uow.sessions.named(CANARY)
        recorded = await uow.audio_files.add(session.id, audio(format=CANARY, metadata=metadata))
        await uow.audio_files.get(session.id, recorded.audio_file_id)
        await uow.audio_files.list_for_session(session.id)
        spoken = transcript(
            CANARY,
            segment_key=CANARY,
            source=CANARY,
            speaker_label=CANARY,
            speaker_name=CANARY,
            words=[Word(CANARY)],
            metadata=metadata,
        )
        written = await uow.transcripts.add(session.id, spoken)
        await uow.transcripts.list_for_session(session.id)
        translated = translation(CANARY, service=CANARY, model=CANARY, metadata=metadata)
        await uow.translations.add(session.id, written.transcript_id, translated)
        await uow.translations.list_for_session(session.id, target_languages=["es"])
        await uow.translations.get(session.id, written.transcript_id, "es")
        await uow.speakers.rename(session.id, CANARY, CANARY)
        await uow.speakers.list_for_session(session.id)
        await uow.speakers.rename(session.id, f"{CANARY}-2", CANARY)
        await uow.speakers.split(session.id, CANARY, at=0.0, into=f"{CANARY}-3")
        await uow.speakers.merge(session.id, f"{CANARY}-2", into=CANARY)
    for _ in range(2):
        await store.record_segment(
            session.id, transcript=spoken, translations=[translated], audio=audio(format=CANARY)
        )
    await store.add_translation(session.id, written.transcript_id, translation(CANARY, "ja"))
    await store.import_segments(
        SegmentInput(
            session_id=session.id,
            transcript=transcript(CANARY, segment_key=f"{CANARY} {each}", speaker_label=CANARY),
            translations=[translated],
        )
        for each in range(number)
    )
    await store.find_sessions(
        bot_id=CANARY, meeting_id=CANARY, tenant=CANARY, text=CANARY, metadata=metadata, count=True
    )
    await store.timeline(session.id, speakers=[CANARY], languages=["en"], start=0.0, limit=1)
    await store.transcript_view(session.id, ["ja"], speakers=[CANARY], end=1.0, limit=1)
    await store.missing_translations(session.id, "ja", limit=1)
    await store.session_statistics(session.id)
    async with store.unit_of_work() as uow:
        await uow.transcripts.delete(session.id, written.transcript_id)
        await uow.speakers.forget(session.id, CANARY)
        await uow.sessions.end(session.id)
        await uow.sessions.delete(session.id)
    await store.sweep_audio()
    return session.id
