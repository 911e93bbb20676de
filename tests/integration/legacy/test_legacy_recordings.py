"""Recordings of the older system: moved, refused, or stored once."""

from pathlib import Path

import pytest
from helpers.moved_rows import SESSION, transcript_of
from helpers.older_system import (
    insert,
    insert_audio,
    insert_session,
    insert_transcript,
)
from helpers.stored import Program

from livetranslate_store import InvalidInputError, Store
from livetranslate_store.legacy import (
    import_legacy,
)
from livetranslate_store.values import ImportCounts

pytestmark = pytest.mark.slow


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
        "missing": "its file does not exist",
        "outside": "its file_path leads out of the audio folder",
        "climbing": "its file_path leads out of the audio folder",
        "link": "its file_path leads out of the audio folder",
        "folder": "its file does not exist",
        "none": "it has no file_path",
        "nul": "it has no file_path",
        "changed": "the SHA-256 of its file is not file_hash",
    }
    stored = await transcript_of(store, "transcript_missing")
    assert stored.audio_file_id is None
    assert stored.metadata_["legacy"]["audio_file"] == {
        "file_id": "missing",
        "session_id": "session_1",
        "file_path": str(recordings / "missing.wav"),
        "refused": "its file does not exist",
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


async def test_an_audio_folder_that_is_not_there_is_refused(store: Store, url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is not a folder"):
        await import_legacy(store, url, audio_folder=tmp_path / "nowhere")


async def test_a_blank_hash_is_none(store: Store, older: Program, url: str, recordings: Path) -> None:
    insert_session(older)
    for key, blank in (("empty", ""), ("spaces", "  ")):
        insert_audio(older, key, recordings, key.encode(), file_hash=blank)
    older.commit()
    report = await import_legacy(store, url, audio_folder=recordings)
    assert (report.audio_files.inserted, report.complete) == (2, True)
