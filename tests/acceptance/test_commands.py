"""The commands over a database with a meeting in it: what terminals, pipes and programs get."""

import asyncio
import json
import os
import pty
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from conftest import url_of
from helpers.stored import objects
from pytest_postgresql import factories
from rich.cells import cell_len
from rich.text import Text
from typer.main import get_command

from livetranslate_store import AudioInput, Store, TranscriptInput, TranslationInput
from livetranslate_store.cli.__main__ import main
from livetranslate_store.cli.app import COMMANDS, application
from livetranslate_store.cli.command import Command

MEETING = "meet-42"
HOSTILE = "one\ttwo\nthree \x1b[31mred \u202eback"

empty = factories.postgresql("postgresql_empty")


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def fields(self) -> list[list[str]]:
        return [line.split("\t") for line in self.out.splitlines()]


class Commands:
    """Runs commands in this process, on this test's own database."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str) -> Done:
        code = main(arguments)
        return Done(code, *self._capsys.readouterr())

    def on_terminal(self, *arguments: str, columns: int = 100) -> Done:
        with self._monkeypatch.context() as patch:
            patch.setenv("FORCE_COLOR", "1")
            patch.setenv("COLUMNS", str(columns))
            return self(*arguments)


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    audio_folder: Path,
) -> Commands:
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", database_url)
    monkeypatch.setenv("LIVETRANSLATE_AUDIO_URL", f"file:{audio_folder}")
    asyncio.run(fill(database_url))
    return Commands(capsys, monkeypatch)


async def fill(database_url: str) -> None:
    async with Store.open(database_url, min_connections=0) as store:
        async with store.unit_of_work() as uow:
            for bot, external_id in (("bot-1", "meet-41"), ("bot-7", MEETING)):
                session = await uow.sessions.create(
                    bot_id=bot, meeting_id="abc", external_id=external_id, title=f"Title of {external_id}"
                )
        for place, (text, translations) in enumerate(
            (
                ("Good morning.", {"ja": "おはようございます。", "ar": "صباح الخير جميعًا."}),
                (HOSTILE, {"ja": "二"}),
            )
        ):
            spoken = TranscriptInput(
                text=text,
                language="en",
                start_time=place * 60.0,
                end_time=place * 60.0 + 1.5,
                speaker_label="SPEAKER_00",
                speaker_name="Ana",
                segment_key=str(place),
                segment_index=place,
                is_final=place == 0,
            )
            await store.record_segment(
                session.id,
                transcript=spoken,
                translations=[
                    TranslationInput(text=each, target_language=to) for to, each in translations.items()
                ],
                audio=AudioInput(data=b"RIFF", format="wav") if place == 0 else None,
            )


def test_a_pipe_gets_tab_separated_lines_whatever_the_texts_hold(run: Commands) -> None:
    done = run("timeline", MEETING)
    assert (done.code, done.err) == (0, "")
    assert [len(fields) for fields in done.fields] == [6] * 5
    assert done.fields[0] == ["0", "1.5", "Ana", "en", "transcript", "Good morning."]
    assert done.fields[3][5] == "one\\ttwo\\nthree \x1b[31mred \u202eback"


def test_json_has_every_field_of_one_entry_per_line(run: Commands) -> None:
    entries = [json.loads(line) for line in run("timeline", MEETING, "--json").out.splitlines()]
    assert [entry["text"] for entry in entries if entry["kind"] == "transcript"] == ["Good morning.", HOSTILE]
    assert {"transcript_id", "start_time", "is_stale", "metadata", "speaker_label"} <= entries[0].keys()


def test_a_terminal_gets_a_table_in_which_wide_and_right_to_left_texts_stay_in_line(run: Commands) -> None:
    for columns in (60, 80, 120):
        shown = Text.from_ansi(run.on_terminal("timeline", MEETING, columns=columns).out).plain
        assert all(cell_len(line) <= columns for line in shown.splitlines())
        arabic = [line for line in shown.splitlines() if "صباح" in line]
        # Each line of it is closed up in its own direction.
        assert all(line.count("\u2068") == line.count("\u2069") == 1 for line in arabic)
        assert arabic
        (japanese,) = [line for line in shown.splitlines() if "おはよう" in line]
        assert cell_len(japanese[: japanese.index("お")]) == cell_len(arabic[0][: arabic[0].index("\u2068")])


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_texts_are_shown_at_any_width_whatever_the_names_of_speakers_and_meetings(
    run: Commands, other_program: psycopg.Connection[Any], columns: int
) -> None:
    other_program.execute("UPDATE livetranslate.sessions SET title = repeat('A long title ', 5)")
    other_program.execute("UPDATE livetranslate.speakers SET name = repeat('A long name ', 4)")
    other_program.execute(
        "UPDATE livetranslate.transcripts SET draft = NULL, text = 'Pump the water out, and dry the floor.'"
    )
    other_program.commit()
    for command, phrases in {
        ("timeline", MEETING): ["out", "A long name"],
        ("timeline", MEETING, "--beside", "ja", "--beside", "ar"): ["out", "おはようございます", "صباح"],
        ("search", "pump"): ["out", "A long name", "A long title"],
        ("sessions",): ["A long title", "A long"],
    }.items():
        shown = Text.from_ansi(run.on_terminal(*command, columns=columns).out).plain
        assert all(cell_len(line) <= columns for line in shown.splitlines())
        words = " ".join(shown.split())
        assert all(phrase in words for phrase in phrases), (command, shown)
    # Half of the row, or all of a narrow one.
    shown = Text.from_ansi(run.on_terminal("search", "pump", columns=columns).out).plain
    text = "Pump the water out, and dry the floor."[: columns // 2 - 6]
    assert text.rpartition(" ")[0] in shown


def test_nothing_that_was_said_can_command_a_terminal(run: Commands) -> None:
    shown = run.on_terminal("timeline", MEETING).out
    assert "\x1b[31m" not in shown
    assert "\u202e" not in shown
    assert "␛[31mred" in Text.from_ansi(shown).plain
    assert "[interim]" in shown


def test_an_edited_text_is_marked_and_json_names_the_editor(
    run: Commands, other_program: psycopg.Connection[Any]
) -> None:
    for table in ("transcripts", "translations"):
        other_program.execute(
            f"UPDATE livetranslate.{table} SET edited_by = 'Ana', edited_at = now()"
            + (" WHERE is_final" if table == "transcripts" else "")
        )
    other_program.commit()
    for options in ((), ("--limit", "9"), ("--beside", "ja")):
        shown = Text.from_ansi(run.on_terminal("timeline", MEETING, *options).out).plain
        assert "[edited]" in " ".join(shown.split()), options
        documents = [
            json.loads(line) for line in run("timeline", MEETING, "--json", *options).out.splitlines()
        ]
        assert "Ana" in {each.get("edited_by") for each in documents}


def test_windows_filters_and_pages_are_those_of_the_timeline(run: Commands) -> None:
    assert len(run("timeline", MEETING, "--start", "1:00", "-l", "ja").fields) == 1
    assert len(run("timeline", MEETING, "--end", "60", "--kind", "translation").fields) == 2
    assert run("timeline", MEETING, "--speaker", "nobody").out == ""
    first = run("timeline", MEETING, "--limit", "2")
    assert len(first.fields) == 2
    rest = run("timeline", MEETING, "--cursor", first.err.split("--cursor ")[1].strip())
    assert first.fields + rest.fields == run("timeline", MEETING).fields
    assert rest.err == ""


def test_sessions_are_listed_newest_first_and_filtered(run: Commands) -> None:
    listed = run("sessions").fields
    assert {each[1] for each in listed} == {"meet-41", MEETING}
    assert [each[3] for each in listed] == sorted((each[3] for each in listed), reverse=True)
    assert [each[1] for each in run("sessions", "--bot", "bot-1").fields] == ["meet-41"]
    assert len(run("sessions", "-n", "1").fields) == 1
    assert run("sessions", "--meeting", "other").out == ""
    found = json.loads(run("sessions", "--bot", "bot-7", "--json").out)
    assert found["external_id"] == MEETING
    shown = Text.from_ansi(run.on_terminal("sessions").out).plain
    assert "Title of meet-42" in shown
    assert "bot-7" in shown
    assert run("sessions", "--status", "unheard-of").code == 2


def test_sessions_says_on_stderr_that_the_limit_cuts(run: Commands) -> None:
    assert run("sessions", "-n", "2").err == ""
    cut = run("sessions", "-n", "1")
    assert cut.err.startswith("There is more: --cursor ")
    rest = run("sessions", "-n", "1", "--cursor", cut.err.split()[-1])
    assert rest.err == ""
    assert cut.fields + rest.fields == run("sessions").fields
    assert rest.fields + cut.fields == run("sessions", "--oldest").fields
    other = run("sessions", "--bot", "bot-1", "--cursor", cut.err.split()[-1])
    assert (other.code, "other filters" in other.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--text", "title 41"], ["meet-41"]),
        (["--text", "meet-42"], ["meet-42"]),
        (["--language", "ja"], []),
        (["--tenant", "acme"], []),
        (["--since", "2000-01-01", "--metadata", "{}", "--bot", "bot-1"], ["meet-41"]),
        (["--until", "2000-01-01"], []),
        (["--silent-for", "1h"], []),
    ],
)
def test_sessions_are_filtered(run: Commands, options: list[str], found: list[str]) -> None:
    assert [each[1] for each in run("sessions", *options).fields] == found


@pytest.mark.parametrize("wrong", ["sales", '["sales"]', "[" * 2000, '{"a":' * 2000])
def test_metadata_must_be_an_object(run: Commands, wrong: str) -> None:
    done = run("sessions", "--metadata", wrong)
    assert (done.code, "--metadata" in done.err) == (2, True)


def test_an_external_id_of_several_tenants_is_not_guessed(
    run: Commands, other_program: psycopg.Connection[Any]
) -> None:
    other_program.execute(
        "INSERT INTO livetranslate.sessions (id, tenant_id, bot_id, meeting_id, external_id)"
        f" VALUES (gen_random_uuid(), 'acme', 'b', 'm', '{MEETING}')"
    )
    other_program.commit()
    done = run("timeline", MEETING)
    assert (done.code, "Sessions of 2 tenants" in done.err) == (2, True)
    assert run("timeline", run("sessions", "--bot", "bot-7").fields[0][0]).code == 0


def test_a_session_is_named_by_its_id_or_its_external_id(run: Commands) -> None:
    session_id = run("sessions", "--bot", "bot-7").fields[0][0]
    assert run("timeline", session_id).out == run("timeline", MEETING).out
    for unknown in ("meet-43", "00000000-0000-0000-0000-000000000000"):
        done = run("timeline", unknown)
        assert done.code == 1
        assert unknown in done.err
        assert "`livetranslate-store sessions`" in done.err


def test_delete_needs_a_yes_and_says_what_it_removed(run: Commands, audio_folder: Path) -> None:
    refused = run("delete", MEETING)
    assert refused.code == 2
    assert "--yes" in refused.err
    deleted = json.loads(run("delete", MEETING, "--yes", "--json").out)
    assert (deleted["transcripts"], deleted["translations"], deleted["audio_files"]) == (2, 3, 1)
    assert run("timeline", MEETING).code == 1
    assert objects(audio_folder) == []


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [("n\n", 1, 1), ("\n", 1, 1), ("\x04", 1, 1), ("perhaps\ny\n", 0, 0), ("y\n", 0, 0)],
)
def test_at_a_terminal_delete_asks(run: Commands, answer: str, code: int, left: int) -> None:
    there, here = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "livetranslate_store.cli", "delete", MEETING],
        stdin=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(here)
    os.write(there, answer.encode())
    out, err = process.communicate(timeout=60)
    os.close(there)
    assert process.returncode == code, err
    assert "Title of meet-42" in err.decode()
    # The question is none of what a program reads.
    assert out.startswith(b"session\t") if code == 0 else out == b""
    assert len(run("sessions", "--bot", "bot-7").fields) == left


def test_check_tells_each_part_and_what_this_user_may_do(run: Commands) -> None:
    done = run("check")
    assert done.code == 0
    assert [fields[:2] for fields in done.fields] == [
        [part, "ok"] for part in ("database", "migrations", "storage", "replicas", "privileges")
    ]
    assert done.fields[4][2] == "application_under_test writes"
    assert "\x1b[32mok" in run.on_terminal("check").out


def test_check_knows_a_reader_and_an_owner(run: Commands, reader_url: str, owner_url: str) -> None:
    assert run("check", "--database", reader_url).fields[4][2] == "reader_under_test only reads"
    assert run("check", "--database", owner_url).fields[4][2].endswith("may change the schema")


def test_check_fails_where_a_table_was_forgotten_in_the_grants(
    run: Commands, other_program: psycopg.Connection[Any]
) -> None:
    for statement, problem in (
        ("REVOKE INSERT ON livetranslate.speakers FROM livetranslate_app", "but not speakers"),
        ("REVOKE SELECT ON livetranslate.speakers FROM livetranslate_app", "may not read speakers"),
    ):
        other_program.execute(statement.encode())
        other_program.commit()
        done = run("check", "--json")
        found = {each["part"]: each for each in map(json.loads, done.out.splitlines())}
        assert done.code == 1
        assert problem in found["privileges"]["detail"]
        assert found["database"]["healthy"]


def test_check_fails_on_a_schema_that_is_not_there(run: Commands, empty: psycopg.Connection[Any]) -> None:
    info = empty.info
    done = run("check", "-d", url_of(info.user, info.password or None, info.host, info.port, info.dbname))
    assert done.code == 1
    assert ["migrations", "failed"] in [fields[:2] for fields in done.fields]


def test_check_fails_where_no_server_answers_and_shows_no_password(run: Commands) -> None:
    done = run("check", "-d", "postgresql://u:hunter2@127.0.0.1:1/db")
    assert done.code == 1
    assert done.fields[0][:2] == ["database", "failed"]
    assert "hunter2" not in done.out + done.err


def test_sweep_removes_what_no_row_refers_to(run: Commands, audio_folder: Path) -> None:
    (recorded,) = [audio_folder / key for key in objects(audio_folder)]
    orphan = recorded.with_name(recorded.name[:-8] + "00000000")
    orphan.write_bytes(b"orphan")
    for path in (orphan, recorded):
        os.utime(path, (0, 0))
    found = "objects seen\t2\norphans\t1\nbytes of orphans\t6\norphans removed\t"
    assert run("sweep", "--older-than", "90m", "--dry-run").out == found + "0\n"
    listed = json.loads(run("sweep", "--dry-run", "--json").out)
    assert listed["keys"] == [orphan.relative_to(audio_folder).as_posix()]
    assert orphan.exists()
    assert run("sweep", "--older-than", "90m").out == found + "1\n"
    assert recorded.exists()
    assert not orphan.exists()
    for wrong in ("3", "1.5d", "-1d", "d"):
        assert run("sweep", f"--older-than={wrong}").code == 2


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_help_of_every_command_shows_examples_that_it_accepts(
    capsys: pytest.CaptureFixture[str], command: Command
) -> None:
    assert main([command.name, "--help"]) == 0
    assert "Examples" in capsys.readouterr().out
    group = get_command(application())
    for example in command.examples:
        # Up to where the shell takes over.
        name, *arguments = shlex.split(re.split("[|<>]", example)[0])
        assert name == command.name
        group.commands[name].make_context(name, arguments)  # type: ignore[attr-defined]  # a group's commands


def test_a_database_that_was_never_upgraded_is_told_with_what_to_do(
    run: Commands, empty: psycopg.Connection[Any]
) -> None:
    info = empty.info
    done = run("sessions", "-d", url_of(info.user, info.password or None, info.host, info.port, info.dbname))
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "upgrade" in done.err or "check" in done.err


def test_an_interruption_ends_with_130_and_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "livetranslate_store.cli",
                "sessions",
                "-d",
                f"postgresql://u@127.0.0.1:{port}/db",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # It hangs in the connection that nobody answers.
        assert select.select([silent], [], [], 60)[0]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out, err) == (b"", b"")


def test_a_reader_that_has_enough_is_no_error_to_complain_of(run: Commands) -> None:
    assert run("sessions").code == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "livetranslate_store.cli", "timeline", MEETING],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 0


def test_a_reader_that_leaves_in_the_middle_is_no_failure(
    run: Commands, other_program: psycopg.Connection[Any]
) -> None:
    assert run("sessions").code == 0
    # More than a pipe and the buffers hold.
    other_program.execute("UPDATE livetranslate.transcripts SET draft = NULL, text = repeat('word ', 40000)")
    other_program.commit()
    process = subprocess.Popen(
        [sys.executable, "-m", "livetranslate_store.cli", "timeline", MEETING],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("timeline", MEETING, "-l", "not a language"),
        ("timeline", MEETING, "--start", "soon"),
        ("timeline", MEETING, "--beside", "es", "--html", "page.html"),
        ("timeline", MEETING, "--speaker", "Ana", "--html", "page.html"),
        ("timeline", MEETING, "--start", "0", "--html", "page.html"),
        ("timeline", MEETING, "--end", "0", "--html", "page.html"),
        ("timeline", MEETING, "--beside", "es", "--language", "es"),
        ("sessions", "--status", "unheard-of"),
        ("export", MEETING, "--format", "docx"),
        ("import", MEETING, __file__, "--speakers", "loud"),
        ("import", MEETING, __file__, "-l", "not a language"),
        ("search", "-draft"),
    ],
)
def test_wrong_usage_and_wrong_input_end_with_2(run: Commands, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")


def test_roles_takes_a_database_as_every_command_does(run: Commands) -> None:
    assert run("roles", "-d", "postgresql://nobody@127.0.0.1:1/db").out == run("roles").out


@pytest.mark.parametrize("command", ["", *(command.name for command in COMMANDS)])
def test_help_shows_no_type_for_a_flag_and_no_braces(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([*([command] if command else []), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "<bool>" not in shown
    (usage,) = [line for line in shown.splitlines() if "Usage:" in line]
    assert not set("{}") & set(usage)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("se", ["sessions", "search"]),
        ("sessions --status e", ["ended", "error"]),
        ("export meet-42 --format v", ["vtt"]),
        ("import meet-42 talk.vtt --format web", ["webvtt"]),
        ("import meet-42 talk.vtt --speakers p", ["prefix"]),
        ("timeline meet-42 --kind tr", ["transcript", "translation"]),
        ("timeline meet", ["meet-41", "meet-42"]),
        ("timeline other", []),
    ],
)
def test_a_shell_completes_commands_values_and_sessions(
    run: Commands, line: str, expected: list[str]
) -> None:
    assert run("sessions").code == 0
    done = complete(line)
    assert done.stderr == ""
    assert sorted(done.stdout.split()) == sorted(expected)


def test_nothing_is_completed_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/db")
    done = complete("timeline meet")
    assert (done.stdout.strip(), done.stderr) == ("", "")


def complete(line: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "livetranslate_store.cli"],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "_LIVETRANSLATE_STORE_COMPLETE": "complete_bash",
            "COMP_WORDS": f"livetranslate-store {line}",
            "COMP_CWORD": str(len(line.split())),
        },
    )
