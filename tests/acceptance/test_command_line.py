"""The command line as people use it: the demo, the upgrade, and what happens when something is wrong."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import url_of
from pytest_postgresql import factories

from livetranslate_store.cli.demo.live import arrivals
from livetranslate_store.cli.demo.meeting import sample_meeting
from livetranslate_store.schema.upgrade import newest_revision

empty = factories.postgresql("postgresql_empty")


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "livetranslate_store.cli", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONUTF8": "1", **environment},
        timeout=120,
    )


@pytest.fixture
def empty_url(empty: psycopg.Connection[Any]) -> str:
    info = empty.info
    return url_of(info.user, info.password or None, info.host, info.port, info.dbname)


def test_the_demo_starts_its_own_server_and_shows_every_language_and_the_statistics() -> None:
    done = run("demo")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in ("Margaret Okafor", "Good morning, everyone.", "Estrich"):
        assert text in done.stdout
    for text in ("Adiós. Nos vemos el 17.", "失礼します。", "إلى اللقاء.", "hit_rate", "stale"):
        assert text in done.stdout


def test_the_demo_in_a_pipe_is_tab_separated_lines() -> None:
    lines = [line.split("\t") for line in run("demo").stdout.splitlines()]
    segments = len(sample_meeting().segments)
    assert {len(line) for line in lines[:segments]} == {7}
    assert {len(line) for line in lines[segments:]} == {2}


def test_the_demo_leaves_the_database_and_the_audio_of_the_settings_alone(
    empty: psycopg.Connection[Any], empty_url: str, tmp_path: Path
) -> None:
    done = run("demo", LIVETRANSLATE_DATABASE_URL=empty_url, LIVETRANSLATE_AUDIO_URL=f"file:{tmp_path}/audio")
    assert done.returncode == 0, done.stderr
    assert empty.execute("SELECT to_regclass('livetranslate.sessions')").fetchone() == (None,)
    assert list(tmp_path.iterdir()) == []


def test_the_demo_uses_the_database_that_is_named_and_brings_it_up_to_date(
    empty: psycopg.Connection[Any], empty_url: str, tmp_path: Path
) -> None:
    done = run("demo", "--database", empty_url, LIVETRANSLATE_AUDIO_URL=f"file:{tmp_path}/audio")
    assert done.returncode == 0, done.stderr
    row = empty.execute("SELECT count(*) FROM livetranslate.transcripts WHERE is_final").fetchone()
    assert row == (len(sample_meeting().segments),)


def test_upgrade_brings_a_database_up_to_date(empty: psycopg.Connection[Any], empty_url: str) -> None:
    head = newest_revision()
    up_to_date = f"The schema is up to date (revision {head}).\n"
    needed = f"The database has no schema yet, and this version of the package needs {head}.\n"
    script = run("upgrade", "--sql", "--database", empty_url).stdout
    assert "CREATE TABLE livetranslate.sessions" in script
    for arguments, expected in (
        (["--status"], needed),
        ([], f"The schema was made (revision {head}).\n"),
        ([], up_to_date),
        (["--status"], up_to_date),
        (["--sql"], f"-- {up_to_date}"),
    ):
        done = run("upgrade", "--database", empty_url, *arguments)
        assert (done.returncode, done.stdout) == (0, expected), done.stderr
    assert run("upgrade", "--status", "--sql", "--database", empty_url).returncode == 2
    assert empty.execute("SELECT count(*) FROM livetranslate.sessions").fetchone() == (0,)


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["upgrade"], 2, "set LIVETRANSLATE_DATABASE_URL"),
        (["upgrade", "--database", "mysql://root:hunter2@host/db"], 2, "it must be postgresql"),
        (
            ["upgrade", "--database", "postgresql://u:hunter2@127.0.0.1:1/db"],
            1,
            "127.0.0.1:1: connection refused",
        ),
        (["demo", "--captions", "talk.vtt"], 2, "'talk.vtt' is not LANGUAGE=FILE"),
        (["demo", "--captions", "en=/nowhere/talk.vtt"], 2, "talk.vtt cannot be read"),
        (["demo", "--captions", "en=" + __file__], 2, "is not a WebVTT file"),
    ],
)
def test_an_error_says_what_to_do_in_one_line_without_a_secret(
    arguments: list[str], code: int, hint: str
) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert hint in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_wrong_usage_is_told_apart_by_its_exit_code() -> None:
    assert run().returncode == 2
    assert run("no-such-command").returncode == 2
    assert run("--help").returncode == 0


def test_the_sample_meeting_is_what_a_live_meeting_is_like() -> None:
    meeting = sample_meeting()
    assert len(meeting.segments) >= 100
    assert len({segment.speaker_label for segment in meeting.segments}) == 4
    assert {segment.language for segment in meeting.segments} == {"en", "de"}
    assert 540 < meeting.segments[-1].end < 660
    for segment in meeting.segments:
        assert segment.end > segment.start
        assert [each.target_language for each in segment.translations] == ["es", "ja", "ar"]
        assert all(each.text.strip() for each in segment.translations)


def test_what_arrives_is_the_same_every_time_and_not_in_the_order_of_speech() -> None:
    coming = arrivals(sample_meeting())
    assert coming == arrivals(sample_meeting())
    starts = [each.transcript.start_time or 0.0 for each in coming if each.transcript is not None]
    assert starts != sorted(starts)
    finals = [each for each in coming if each.transcript is not None and each.transcript.is_final]
    assert all(each.audio is not None and each.audio.data.startswith(b"RIFF") for each in finals)
