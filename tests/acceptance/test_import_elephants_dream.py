"""Real captions in five languages go in from their files, whole, and only once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from livetranslate_store import ImportCounts, Store
from livetranslate_store.exchange import backup_session, export_session, import_file, restore_session
from livetranslate_store.formats import read_transcript

OTHERS = ("sv", "ru", "ja", "ar")


async def test_five_languages_go_in_and_nothing_is_lost(
    store: Store, session_id: UUID, captions_folder: Path
) -> None:
    report = await import_file(store, session_id, captions_folder / "captions.en.vtt")
    assert report.transcripts == ImportCounts(inserted=78)
    assert report.refused == 0
    for language in OTHERS:
        path = captions_folder / f"captions.{language}.vtt"
        first = await import_file(store, session_id, path, as_translation=True)
        second = await import_file(store, session_id, path, as_translation=True)
        assert first.refused == 0
        assert second.translations == ImportCounts(unchanged=first.translations.inserted)
        stored = [
            line
            for entry in await store.timeline(session_id, languages=[language])
            for line in entry.text.split("\n")
        ]
        cues = read_transcript(path.read_bytes(), name=path.name).cues
        assert sorted(stored) == sorted(line for cue in cues for line in cue.text.split("\n"))


async def imported(store: Store, session_id: UUID, folder: Path) -> None:
    await import_file(store, session_id, folder / "captions.en.vtt")
    for language in OTHERS:
        await import_file(store, session_id, folder / f"captions.{language}.vtt", as_translation=True)


async def side_by_side(store: Store, session_id: UUID, language: str) -> list[tuple[object, ...]]:
    """Return when what was said and how it was translated, each text in one line as subtitles have it."""
    return [
        (row.start_time, row.end_time, row.text.split(), translation and translation.text.split())
        for row in await store.transcript_view(session_id, [language])
        for translation in row.translations
    ]


@pytest.mark.parametrize("format_", ["vtt", "srt"])
async def test_bilingual_subtitles_go_out_and_in_again_as_the_same(
    store: Store, session_id: UUID, captions_folder: Path, tmp_path: Path, format_: str
) -> None:
    await imported(store, session_id, captions_folder)
    for language in OTHERS:
        file = tmp_path / f"both.{language}.{format_}"
        pieces = [
            text
            async for text in export_session(store, session_id, format=format_, languages=["en", language])
        ]
        await asyncio.to_thread(file.write_text, "".join(pieces), encoding="utf-8")
        async with store.unit_of_work() as uow:
            again = (await uow.sessions.create(bot_id="b", meeting_id=language)).id
        report = await import_file(store, again, file, language="en", second_language=language)
        assert report.refused == 0
        assert report.transcripts.inserted == 78
        assert await side_by_side(store, again, language) == await side_by_side(store, session_id, language)
        repeated = await import_file(store, again, file, language="en", second_language=language)
        assert repeated.transcripts == ImportCounts(unchanged=78)
        assert repeated.translations == ImportCounts(unchanged=report.translations.inserted)


async def test_a_backup_of_all_five_languages_comes_back_row_by_row(
    store: Store, session_id: UUID, captions_folder: Path, other_program: psycopg.Connection[Any]
) -> None:
    await imported(store, session_id, captions_folder)
    before = rows(other_program)
    lines = [line async for line in backup_session(store, session_id)]
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(session_id)

    async def again() -> AsyncIterator[bytes]:
        for line in lines:
            yield line

    await restore_session(store, again())
    assert rows(other_program) == before


def rows(program: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    found = {
        table: program.execute(f"SELECT {table}::text FROM livetranslate.{table} ORDER BY 1").fetchall()
        for table in ("sessions", "audio_files", "transcripts", "translations", "speakers")
    }
    program.rollback()
    return found
