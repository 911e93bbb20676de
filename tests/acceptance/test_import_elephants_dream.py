"""Real captions in five languages go in from their files, whole, and only once."""

from pathlib import Path
from uuid import UUID

from livetranslate_store import ImportCounts, Store
from livetranslate_store.exchange import import_file
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
