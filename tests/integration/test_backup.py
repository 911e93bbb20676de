"""Backups: the same tables come out, restoring twice changes nothing, and damage is told by its line."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program, objects
from helpers.support import TABLES, audio, counts, transcript, translation
from sqlalchemy import text as sql_text

from livetranslate_store import (
    CorruptAudioError,
    DuplicateError,
    InvalidInputError,
    NotFoundError,
    Outcome,
    RestoreProgress,
    Store,
    StoreError,
    Word,
)
from livetranslate_store.audio.upload import PART_BYTES
from livetranslate_store.checks import JSONObject
from livetranslate_store.exchange import backup_lines, backup_session, restore_session
from livetranslate_store.ids import new_id

pytestmark = pytest.mark.slow

# Kinds of text and number that a careless copy would change.
TEXTS = ("Καλημέρα \u2028 \\ \" 'x'\n\n\tи", "", "שלום \U0001f469‍\U0001f680 é", "0" * 20_000)
# More than an upload sends at once.
LONG_RECORDING = bytes(range(256)) * (PART_BYTES // 256 + 4321)
METADATA: JSONObject = {"0": 1e300, "n": None, "deep": [{"a": 0.1}, 12345678901234567890], "é": "\u0001"}


async def lines_of(lines: Sequence[bytes]) -> AsyncIterator[bytes]:
    for line in lines:
        yield line


async def backup(store: Store, session_id: UUID, *, audio: bool = True) -> list[bytes]:
    async with aclosing(backup_session(store, session_id, audio=audio)) as lines:
        return [line async for line in lines]


async def fill(store: Store, session_id: UUID) -> None:
    """Write a meeting with a bit of everything."""
    receipts = [
        await store.record_segment(
            session_id,
            transcript=transcript(
                text,
                segment_key=f"key {number}",
                start_time=-0.0 if number == 0 else 0.1 + number / 3,
                speaker_label=f"S{number % 2}",
                speaker_name="Ana" if number % 2 else None,
                revision=2**40 + number,
                is_final=number != 1,
                confidence=1e-300,
                words=[Word(text="a", start_time=0.1), Word(text="")] if number else None,
                metadata=METADATA if number else {},
            ),
            translations=[translation(text), translation("朝", "zh-Hans", model="m", start_time=7.7)],
            audio=audio(b"%d" % number * 1000, start_time=0.0, metadata={"n": 1}) if number < 3 else None,
        )
        for number, text in enumerate(TEXTS)
    ]
    async with store.unit_of_work() as uow:
        await uow.speakers.rename(session_id, "unheard", "Bé")
        key = (session_id, receipts[0].transcript_id)
        await uow.transcripts.edit(*key, text=f"{TEXTS[0]}!", edited_by="Bé")
        await uow.translations.edit(*key, "es", text="¡", edited_by="Bé")
        await uow.sessions.update(
            session_id, title="T\n", target_languages=["es", "zh-Hans"], metadata=METADATA
        )
        await uow.sessions.end(session_id)


def everything(program: Program) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows as their text, except under which key this server keeps the bytes of audio."""
    found = {}
    for table in TABLES:
        row = f"to_jsonb({table}) - 'storage_key'"
        found[table] = program.execute(
            f"SELECT ({row})::text FROM livetranslate.{table} ORDER BY 1"
        ).fetchall()
    program.rollback()
    return found


def addresses(program: Program) -> dict[str, list[tuple[Any, ...]]]:
    """Return where each row lies and which transaction wrote it: a row that was touched has moved."""
    found = {
        table: program.execute(f"SELECT xmin::text, ctid FROM livetranslate.{table} ORDER BY 1, 2").fetchall()
        for table in TABLES
    }
    program.rollback()
    return found


async def delete(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(session_id)


async def backed_up_and_deleted(store: Store, session_id: UUID) -> list[bytes]:
    """Fill a session, delete it, and return its backup without the bytes of audio."""
    await fill(store, session_id)
    lines = await backup(store, session_id, audio=False)
    await delete(store, session_id)
    return lines


async def test_the_same_tables_come_out_and_the_same_audio(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    await fill(store, session_id)
    before = everything(other_program)
    assert all(before.values())
    lines = await backup(store, session_id)
    await delete(store, session_id)
    assert not any(counts(other_program).values())

    report = await restore_session(store, lines_of(lines))

    assert everything(other_program) == before
    assert report.session is Outcome.INSERTED
    assert (report.transcripts.inserted, report.translations.inserted) == (4, 8)
    assert (report.audio_files.inserted, report.speakers.inserted) == (3, 3)
    assert report.left_out == []
    async with store.read() as reader:
        for row in await reader.audio_files.list_for_session(session_id):
            assert len(await reader.audio_files.read(session_id, row.id)) == 1000


async def test_a_backup_of_what_was_restored_is_the_same_backup(store: Store, session_id: UUID) -> None:
    await fill(store, session_id)
    lines = await backup(store, session_id, audio=False)
    restored = await restore_session(store, lines_of(lines))
    assert restored.audio_files.unchanged == 3
    assert await backup(store, session_id, audio=False) == lines


async def test_restoring_twice_changes_nothing(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    await fill(store, session_id)
    lines = await backup(store, session_id)
    before, stored = addresses(other_program), objects(audio_folder)

    report = await restore_session(store, lines_of(lines))

    assert addresses(other_program) == before
    assert objects(audio_folder) == stored
    assert report.session is Outcome.UNCHANGED
    assert (report.transcripts.inserted, report.transcripts.unchanged) == (0, 4)
    assert (report.audio_files.inserted, report.audio_files.unchanged) == (0, 3)


async def test_what_was_written_since_stays(store: Store, session_id: UUID, other_program: Program) -> None:
    await fill(store, session_id)
    lines = await backup(store, session_id)
    await store.record_segment(session_id, transcript=transcript("later"))
    assert (await restore_session(store, lines_of(lines))).transcripts.unchanged == 4
    assert counts(other_program)["transcripts"] == 5


async def test_a_row_that_is_stored_otherwise_is_refused_with_its_line_and_nothing_is_overwritten(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    await fill(store, session_id)
    lines = await backup(store, session_id)
    number = next(n for n, line in enumerate(lines, 1) if b'"segment_key":"key 3"' in line)
    await store.record_segment(
        session_id, transcript=transcript("new", segment_key="key 3", is_final=True, revision=2**50)
    )
    other_program.execute("DELETE FROM livetranslate.translations")
    other_program.execute("UPDATE livetranslate.transcripts SET audio_file_id = NULL")
    other_program.execute("DELETE FROM livetranslate.audio_files")
    other_program.execute("DELETE FROM livetranslate.transcripts WHERE segment_key <> 'key 3'")
    other_program.commit()
    before, stored = everything(other_program), objects(audio_folder)

    with pytest.raises(DuplicateError, match=f"Line {number} of the backup"):
        await restore_session(store, lines_of(lines))

    assert everything(other_program) == before
    assert objects(audio_folder) == stored


async def test_every_cut_and_every_missing_line_is_refused_and_nothing_is_there_afterwards(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    await fill(store, session_id)
    lines = await backup(store, session_id)
    await delete(store, session_id)
    for number in range(len(lines)):
        with pytest.raises(InvalidInputError, match=f"Line {number + 1} of the backup"):
            await restore_session(store, lines_of(lines[:number]))
        with pytest.raises(InvalidInputError, match=f"Line {number + 1} of the backup"):
            await restore_session(store, lines_of([*lines[:number], lines[number][:-20]]))
        without = [*lines[:number], *lines[number + 1 :]]
        with pytest.raises(InvalidInputError, match=f"Line {number + 1} of the backup"):
            await restore_session(store, lines_of(without))
    assert not any(counts(other_program).values())
    assert objects(audio_folder) == []


async def test_a_changed_byte_is_refused_with_its_line(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    lines = await backed_up_and_deleted(store, session_id)
    for number, line in enumerate(lines):
        for place in (0, 12, 30, len(line) // 2, len(line) - 3):
            changed = line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :]
            with pytest.raises(InvalidInputError, match=f"Line {number + 1} of the backup"):
                await restore_session(store, lines_of([*lines[:number], changed, *lines[number + 1 :]]))
    assert not any(counts(other_program).values())


async def test_line_ends_of_another_system_are_no_damage(store: Store, session_id: UUID) -> None:
    await fill(store, session_id)
    lines = [line.replace(b"\n", b"\r\n") for line in await backup(store, session_id)]
    assert (await restore_session(store, lines_of(lines))).session is Outcome.UNCHANGED
    bare = [line.rstrip() for line in lines]
    assert (await restore_session(store, lines_of(bare))).session is Outcome.UNCHANGED


@pytest.mark.parametrize("lines", [[b""], [b"\n"], [b"WEBVTT\n"], [b'{"check":"0123456789abcdef","a":1}']])
async def test_what_is_no_backup_is_refused(store: Store, lines: Sequence[bytes]) -> None:
    with pytest.raises(InvalidInputError, match="no backup"):
        await restore_session(store, lines_of(lines))


def forged(lines: Sequence[bytes], change: Callable[[str, Any], object]) -> list[bytes]:
    """Return a backup whose checksums are right, with what `change` makes of each line; None drops it."""
    writer = backup_lines.LineWriter()
    found: list[bytes] = []
    numbers: dict[str, int] = {}
    for line in lines[:-1]:
        (_, _), (kind, value) = json.loads(line).items()
        value = change(kind, value)
        if value is None:
            continue
        if kind != "backup":
            numbers[kind] = numbers.get(kind, 0) + 1
        found.append(writer.line(kind, json.dumps(value)))
    end = {"lines": numbers, "sha256": writer.checksum()}
    return [*found, writer.line("end", json.dumps(end))]


def with_value(table: str, name: str, new: object) -> Callable[[str, Any], object]:
    return lambda kind, value: value | {name: new} if kind == table else value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (with_value("transcripts", "session_id", str(new_id())), "another session"),
        (with_value("sessions", "id", str(new_id())), "another session"),
        (with_value("transcripts", "surprise", 1), "not known here: surprise"),
        (lambda kind, value: {} if kind == "speakers" else value, "missing"),
        (with_value("transcripts", "start_time", "soon"), "Lines"),
        (with_value("transcripts", "confidence", 2.0), "Lines"),
        (with_value("transcripts", "text", "\0"), "Lines"),
        (with_value("transcripts", "text", "\ud800"), "not JSON"),
        (with_value("audio_files", "sha256", "0" * 64), "not the audio"),
        (with_value("backup", "version", 2), "version 2"),
        (with_value("backup", "format", "x"), "no backup"),
        (lambda kind, value: None if kind == "audio_files" else value, "belongs to no audio file"),
        (
            lambda kind, value: "eA==" if kind == "audio_bytes" else value,
            "not the audio",
        ),
        (lambda kind, value: None if kind == "sessions" else value, "Line"),
        (lambda kind, value: [] if kind == "translations" else value, "does not hold"),
    ],
)
async def test_a_backup_that_somebody_wrote_anew_gets_no_further_than_a_write_would(
    store: Store, session_id: UUID, audio_folder: Path, change: Callable[[str, Any], object], said: str
) -> None:
    await fill(store, session_id)
    lines = forged(await backup(store, session_id), change)
    await delete(store, session_id)
    with pytest.raises(StoreError, match=said) as failure:
        await restore_session(store, lines_of(lines))
    assert "Line" in str(failure.value)
    with pytest.raises(NotFoundError):
        await backup(store, session_id)
    assert objects(audio_folder) == []


async def test_a_backup_without_audio_finds_the_bytes_that_are_stored_under_the_same_key(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    await fill(store, session_id)
    lines = await backup(store, session_id, audio=False)
    assert not any(b'"audio_bytes":' in line for line in lines[:-1])
    before = everything(other_program)
    other_program.execute("DELETE FROM livetranslate.sessions")  # its objects stay
    other_program.commit()
    report = await restore_session(store, lines_of(lines))
    assert (report.audio_files.inserted, report.left_out) == (3, [])
    assert everything(other_program) == before


async def test_audio_whose_bytes_are_nowhere_is_left_out_and_told_and_the_speech_is_restored(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    lines = await backed_up_and_deleted(store, session_id)
    report = await restore_session(store, lines_of(lines))
    assert [lines[refusal.line - 1][28:42] for refusal in report.left_out] == [b'"audio_files":'] * 3
    assert report.audio_files.inserted == 0
    assert counts(other_program) | {"audio_files": 0} == {
        "sessions": 1, "audio_files": 0, "transcripts": 4, "translations": 8, "speakers": 3
    }  # fmt: skip
    again = await restore_session(store, lines_of(lines))
    assert (again.transcripts.inserted, again.transcripts.unchanged, len(again.left_out)) == (0, 4, 3)


async def test_a_store_without_a_storage_leaves_audio_out_and_restores_the_speech(
    store: Store, session_id: UUID, database_url: str
) -> None:
    lines = await backed_up_and_deleted(store, session_id)
    async with Store.open(database_url, min_connections=1) as without:
        report = await restore_session(without, lines_of(lines))
    assert (report.transcripts.inserted, len(report.left_out)) == (4, 3)


async def test_no_row_takes_the_bytes_of_another_session(store: Store, session_id: UUID) -> None:
    await fill(store, session_id)
    async with store.unit_of_work() as uow:
        other = await uow.sessions.create(bot_id="b", meeting_id="m")
        theirs = await uow.audio_files.add(other.id, audio(b"0" * 1000))
        key = (await uow.audio_files.get(other.id, theirs.audio_file_id)).storage_key
    lines = forged(
        await backup(store, session_id, audio=False), with_value("audio_files", "storage_key", key)
    )
    await delete(store, session_id)
    assert len((await restore_session(store, lines_of(lines))).left_out) == 3


async def test_a_missing_recording_is_told_by_the_backup(
    store: Store, session_id: UUID, audio_folder: Path
) -> None:
    await fill(store, session_id)
    (audio_folder / objects(audio_folder)[0]).unlink()
    with pytest.raises(CorruptAudioError):
        await backup(store, session_id)
    assert await backup(store, session_id, audio=False)


async def test_a_restore_gives_lost_and_damaged_recordings_back(
    store: Store, session_id: UUID, audio_folder: Path
) -> None:
    await fill(store, session_id)
    lines = await backup(store, session_id)
    lost, damaged, _ = objects(audio_folder)
    (audio_folder / lost).unlink()
    (audio_folder / damaged).write_bytes(b"noise")
    report = await restore_session(store, lines_of(lines))
    assert (report.audio_files.inserted, report.audio_files.unchanged, report.left_out) == (0, 3, [])
    async with store.read() as reader:
        rows = await reader.audio_files.list_for_session(session_id)
        for row in rows:
            assert len(await reader.audio_files.read(session_id, row.id)) == row.size_bytes
    assert await backup(store, session_id) != []


async def test_an_unknown_session_has_no_backup(store: Store) -> None:
    with pytest.raises(NotFoundError):
        await backup(store, new_id())


async def test_a_backup_is_one_snapshot(store: Store, session_id: UUID) -> None:
    await fill(store, session_id)
    async with aclosing(backup_session(store, session_id, audio=False)) as lines:
        await anext(lines)
        await store.record_segment(session_id, transcript=transcript("later"))
        rest = [line async for line in lines]
    assert json.loads(rest[-1])["end"]["lines"]["transcripts"] == 4


async def test_long_recordings_and_many_rows_go_in_pieces(store: Store, session_id: UUID) -> None:
    data = bytes(range(256)) * 8192
    await store.record_segment(session_id, transcript=transcript(), audio=audio(data))
    async with store.unit_of_work() as uow:
        for number in range(1203):
            await uow.transcripts.add(session_id, transcript(f"{number}"))
    lines = await backup(store, session_id)
    assert max(map(len, lines)) < 1_100_000
    await delete(store, session_id)
    told: list[RestoreProgress] = []
    report = await restore_session(store, lines_of(lines), progress=told.append)
    assert report.transcripts.inserted == 1204
    assert [each.lines for each in told] == sorted({each.lines for each in told})
    assert told[-1].lines == len(lines) - 1
    async with store.read() as reader:
        (row,) = await reader.audio_files.list_for_session(session_id)
        read = await reader.audio_files.read(session_id, row.id)
    assert hashlib.sha256(read).digest() == hashlib.sha256(data).digest()


async def test_recordings_of_any_length_come_back_and_are_stored_once(
    store: Store, session_id: UUID, audio_folder: Path
) -> None:
    recordings = {0.0: b"", 1.0: b"RIFF", 2.0: LONG_RECORDING}
    for start, data in recordings.items():
        async with store.unit_of_work() as uow:
            await uow.audio_files.add(session_id, audio(data, start_time=start))
    lines = await backup(store, session_id)
    for expected in (0, 3):
        if expected:
            await delete(store, session_id)
        report = await restore_session(store, lines_of(lines))
        assert report.audio_files.inserted == expected
        async with store.read() as reader:
            rows = await reader.audio_files.list_for_session(session_id)
            found = {row.start_time: await reader.audio_files.read(session_id, row.id) for row in rows}
        assert found == recordings
        assert objects(audio_folder) == sorted(row.storage_key for row in rows)
    # Where its objects still are, a backup without bytes finds those that a restore has stored.
    lines = await backup(store, session_id, audio=False)
    async with store.unit_of_work() as uow:
        await uow.session.execute(sql_text("DELETE FROM livetranslate.audio_files"))
    report = await restore_session(store, lines_of(lines))
    assert (report.audio_files.inserted, list(report.left_out)) == (3, [])


async def test_what_breaks_midway_leaves_nothing_behind(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    await fill(store, session_id)
    async with store.unit_of_work() as uow:
        await uow.audio_files.add(session_id, audio(LONG_RECORDING))
    lines = await backup(store, session_id)
    await delete(store, session_id)

    async def breaking(count: int) -> AsyncIterator[bytes]:
        for line in lines[:count]:
            yield line
        raise OSError("the disk is gone")

    for count in (*range(1, len(lines), 6), len(lines) - 1):
        with pytest.raises(OSError, match="the disk is gone"):
            await restore_session(store, breaking(count))
        assert not any(counts(other_program).values())
        assert objects(audio_folder) == []
