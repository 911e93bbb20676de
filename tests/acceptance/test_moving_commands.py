"""The commands that count, search, import, export, back up and restore, over a meeting of their own."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import url_of
from helpers.older_system import insert_session, insert_transcript, insert_translation, make_schema
from helpers.wavs import RATE, read_back, wav
from pytest_postgresql import factories
from rich.text import Text

from livetranslate_store import AudioInput, InvalidInputError, Store
from livetranslate_store.cli import files
from livetranslate_store.cli.__main__ import main

SPOKEN = """WEBVTT

00:01.000 --> 00:02.500
<v Ana>Good evening, everybody.

00:04.000 --> soon
This one ends nobody knows when.

00:05.000 --> 00:06.000
<v Ben>The budget is settled.
"""
JAPANESE = """WEBVTT

00:01.000 --> 00:02.500
皆さん、こんばんは。
"""


#: A database of its own for the older system.
older_database = factories.postgresql("postgresql_empty")


class Commands:
    """Runs commands in this process, and gives exit code, output and what was told beside it."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        return main([str(each) for each in arguments]), *self._capsys.readouterr()

    def on_terminal(self, *arguments: str) -> str:
        with self._monkeypatch.context() as patch:
            patch.setenv("FORCE_COLOR", "1")
            patch.setenv("COLUMNS", "120")
            return Text.from_ansi(self(*arguments)[1]).plain


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    audio_folder: Path,
    tmp_path: Path,
) -> Commands:
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", database_url)
    monkeypatch.setenv("LIVETRANSLATE_AUDIO_URL", f"file:{audio_folder}")
    (tmp_path / "talk.vtt").write_text(SPOKEN, encoding="utf-8")
    (tmp_path / "talk.ja.vtt").write_text(JAPANESE, encoding="utf-8")
    return Commands(capsys, monkeypatch)


@pytest.fixture
def talk(run: Commands, tmp_path: Path) -> str:
    """The external id of a session with a transcript, and a translation of half of it."""
    run("import", "talk", tmp_path / "talk.vtt", "--create", "-l", "en")
    run("import", "talk", tmp_path / "talk.ja.vtt", "--translation", "-l", "ja")
    return "talk"


def test_import_takes_what_it_can_and_ends_with_1_where_something_was_refused(
    run: Commands, tmp_path: Path
) -> None:
    code, out, err = run("import", "talk", tmp_path / "talk.vtt", "--create", "-l", "en")
    assert code == 1
    assert "transcripts inserted\t2\n" in out
    assert err.startswith("refused: line ")
    code, out, _ = run("import", "talk", tmp_path / "talk.vtt", "-l", "en", "--json")
    assert json.loads(out)["transcripts"]["unchanged"] == 2
    code, out, _ = run("import", "talk", tmp_path / "talk.ja.vtt", "--translation", "-l", "ja")
    assert (code, "translations inserted\t1\n" in out) == (0, True)


def test_import_makes_no_session_unless_it_is_told_to(run: Commands, tmp_path: Path) -> None:
    assert run("import", "talk", tmp_path / "talk.vtt", "-l", "en")[0] == 1
    assert run("sessions")[1] == ""
    assert run("import", "talk", tmp_path / "nowhere.vtt", "-l", "en")[0] == 1


def test_a_file_that_cannot_be_imported_leaves_no_new_session(run: Commands, tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text("no format at all")
    for name, *options in (
        ("nowhere.vtt", "-l", "en"),
        ("talk.txt", "-l", "en"),
        ("talk.vtt", "-l", "no tag"),
        ("talk.vtt", "-l", "en", "--second", "no tag"),
        ("talk.ja.vtt", "--translation"),
    ):
        assert run("import", "new", tmp_path / name, "--create", *options)[0] > 0
    assert run("sessions")[1] == ""


def test_export_follows_the_name_of_the_file_and_replaces_it_whole(
    run: Commands, talk: str, tmp_path: Path
) -> None:
    for name, begin in (("a.vtt", "WEBVTT"), ("a.srt", "1\n00:00:01,000"), ("a.md", "#"), ("a.json", "{")):
        (tmp_path / name).write_text("old")
        assert run("export", talk, "-o", tmp_path / name) == (0, "", "")
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begin)
    assert "皆さん" in run("export", talk, "--format", "text", "-l", "ja")[1]
    assert run("export", talk, "-o", tmp_path / "a.docx")[0] == 2


async def add_audio(database_url: str, folder: Path) -> None:
    data = wav(b"\x01\x00" * RATE)
    async with (
        Store.open(database_url, audio_url=f"file:{folder}", min_connections=0) as store,
        store.unit_of_work() as uow,
    ):
        session_id = (await uow.sessions.create(bot_id="b", meeting_id="m", external_id="heard")).id
        for start in (0.0, 1.5):
            await uow.audio_files.add(session_id, AudioInput(data=data, format="wav", start_time=start))


def test_audio_writes_the_recordings_as_one_file(
    run: Commands, talk: str, database_url: str, audio_folder: Path, tmp_path: Path
) -> None:
    asyncio.run(add_audio(database_url, audio_folder))
    for option, frames in (((), 2 * RATE), (("--fill-gaps",), 2 * RATE + RATE // 2)):
        assert run("audio", "heard", "-o", tmp_path / "a.wav", *option) == (0, "", "")
        assert len(read_back((tmp_path / "a.wav").read_bytes()).frames) == 2 * frames
    (tmp_path / "a.wav").write_text("old")
    code, _, err = run("audio", talk, "-o", tmp_path / "a.wav")
    assert (code, "no audio in session" in err) == (1, True)
    assert (tmp_path / "a.wav").read_text() == "old"


def test_audio_does_not_go_to_a_terminal(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, _, err = run("audio", "heard")
    assert (code, "name a file with -o" in err) == (2, True)


def test_an_export_that_fails_leaves_the_file_as_it_was(run: Commands, talk: str, tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("old")
    code, _, err = run("export", talk, "-o", tmp_path / "a.srt", "-l", "no such tag")
    assert (code, len(err.splitlines())) == (2, 1)
    assert (tmp_path / "a.srt").read_text() == "old"
    assert not list(tmp_path.glob(".*"))
    assert "cannot be written" in run("export", talk, "-o", tmp_path / "nowhere" / "a.srt")[2]


def test_a_link_is_written_through_and_the_mode_of_a_file_stays(
    run: Commands, talk: str, tmp_path: Path
) -> None:
    (tmp_path / "a.srt").write_text("old")
    (tmp_path / "a.srt").chmod(0o640)
    (tmp_path / "link.srt").symlink_to("a.srt")
    (tmp_path / "new.srt").symlink_to("b.srt")
    for name in ("link.srt", "new.srt"):
        assert run("export", talk, "-o", tmp_path / name) == (0, "", "")
        assert (tmp_path / name).is_symlink()
    assert (tmp_path / "a.srt").read_text().startswith("1\n")
    assert (tmp_path / "a.srt").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "b.srt").read_text().startswith("1\n")


def test_a_pipe_or_a_device_is_written_and_not_replaced(run: Commands, talk: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.srt"
    os.mkfifo(pipe)
    # Opened for both, so that neither end waits for the other one.
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        assert run("export", talk, "-o", pipe) == (0, "", "")
        assert os.read(reader, 2) == b"1\n"
    finally:
        os.close(reader)
    # Under another name: a defect here must not replace the machine's own.
    (tmp_path / "full.srt").symlink_to("/dev/full")
    code, _, err = run("export", talk, "-o", tmp_path / "full.srt")
    assert (code, "cannot be written: No space left on device." in err) == (1, True)
    assert run("export", talk, "--format", "text", "-o", "/dev/stdout")[1].startswith("talk\n")


@pytest.mark.parametrize("name", ["", "/", ".."])
def test_a_name_without_a_file_is_told(run: Commands, talk: str, name: str) -> None:
    code, _, err = run("export", talk, "--format", "srt", "-o", name)
    assert (code, "names no file" in err) == (2, True)


def test_what_another_program_makes_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "token_hex", lambda _: "taken")
    taken = tmp_path / ".a.srt.taken.unfinished"
    taken.write_text("another program's")
    with pytest.raises(InvalidInputError, match="File exists"), files.replacing(str(tmp_path / "a.srt")):
        pass
    assert [*tmp_path.iterdir()] == [taken]


def test_a_backup_comes_back_after_its_session_was_deleted(run: Commands, talk: str, tmp_path: Path) -> None:
    before = run("timeline", talk, "--json")[1]
    assert run("backup", talk, "-o", tmp_path / "talk.jsonl") == (0, "", "")
    assert run("delete", talk, "--yes")[0] == 0
    code, out, err = run("restore", tmp_path / "talk.jsonl")
    assert (code, err) == (0, "")
    assert "transcripts inserted\t2\n" in out
    assert run("timeline", talk, "--json")[1] == before
    assert "transcripts unchanged\t2\n" in run("restore", tmp_path / "talk.jsonl")[1]


def test_a_backup_that_was_cut_is_refused(run: Commands, talk: str, tmp_path: Path) -> None:
    run("backup", talk, "-o", tmp_path / "talk.jsonl")
    run("delete", talk, "--yes")
    whole = (tmp_path / "talk.jsonl").read_bytes()
    (tmp_path / "talk.jsonl").write_bytes(whole[: len(whole) // 2])
    code, _, err = run("restore", tmp_path / "talk.jsonl")
    assert (code, len(err.splitlines())) == (2, 1)
    assert run("sessions")[1] == ""


def test_stats_are_lines_of_names_and_values_and_tables_on_a_terminal(run: Commands, talk: str) -> None:
    figures = dict(line.split("\t") for line in run("stats", talk)[1].splitlines())
    assert figures["segments"] == "2"
    assert figures["translation/ja/missing"] == "1"
    assert json.loads(run("stats", talk, "--json")[1])["counts"]["words"] == 7
    shown = run.on_terminal("stats", talk)
    for text in ("Speakers", "Ana", "Ben", "50%", "Translations"):
        assert text in shown


def test_search_finds_in_every_language_and_marks_the_place(run: Commands, talk: str) -> None:
    (line,) = run("search", "budgets")[1].splitlines()
    assert line.split("\t")[3:6] == ["Ben", "en", "transcript"]
    (line,) = run("search", "皆さん")[1].splitlines()
    assert line.split("\t")[7:] == ["Good evening, everybody.", "皆さん、こんばんは。"]
    assert run("search", "budget", "--until", "2000-01-01")[1] == ""
    assert len(run("search", "evenin", "--fuzzy", "--session", talk)[1].splitlines()) == 1
    hit = json.loads(run("search", "budget", "--json")[1])
    ((start, end),) = hit["highlights"]
    assert hit["snippet"][start:end] == "budget"
    assert "The budget is settled." in run.on_terminal("search", "budget")


def test_the_timeline_is_shown_side_by_side_and_what_is_missing_alone(run: Commands, talk: str) -> None:
    rows = [line.split("\t") for line in run("timeline", talk, "--beside", "ja")[1].splitlines()]
    assert [row[3:] for row in rows] == [
        ["Good evening, everybody.", "皆さん、こんばんは。"],
        ["The budget is settled.", ""],
    ]
    (missing,) = run("timeline", talk, "--missing", "ja")[1].splitlines()
    assert missing.endswith("The budget is settled.\t")
    assert "皆さん" in run.on_terminal("timeline", talk, "--beside", "ja")


def test_a_language_that_is_given_twice_is_shown_twice(run: Commands, talk: str) -> None:
    code, out, _ = run("timeline", talk, "--beside", "ja", "--beside", "jpn", "--beside", "ja")
    assert code == 0
    assert out.splitlines()[0].split("\t")[4:] == ["皆さん、こんばんは。"] * 3


def test_the_timeline_as_a_page_is_one_file(run: Commands, talk: str, tmp_path: Path) -> None:
    assert run("timeline", talk, "--html", tmp_path / "talk.html") == (0, "", "")
    page = (tmp_path / "talk.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "The budget is settled." in page


def test_the_older_system_must_be_there_and_its_password_is_not_shown(run: Commands) -> None:
    code, out, err = run("import-legacy", "postgresql://u:hunter2@127.0.0.1:1/db")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "hunter2" not in out + err


def test_a_database_of_the_older_system_comes_over_and_only_once(
    run: Commands, older_database: psycopg.Connection[Any]
) -> None:
    info = older_database.info
    older_url = url_of(info.user, info.password or None, info.host, info.port, info.dbname)
    make_schema(older_database)
    insert_session(older_database)
    insert_transcript(older_database, "transcript_1")
    insert_translation(older_database, "translation_1", "transcript_1")
    older_database.commit()
    code, out, err = run("import-legacy", older_url, "--json")
    assert (code, err) == (0, "")
    moved = json.loads(out)
    assert moved["transcripts"]["inserted"] == moved["translations"]["inserted"] == 1
    assert json.loads(run("import-legacy", older_url, "--json")[1])["already_moved"] == 1
    assert len(run("timeline", "session_1")[1].splitlines()) == 2
