"""Least privilege: what the roles of the shipped script may do, and what they may not.

All other tests run their stores under the application role as well.
"""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import APPLICATION, READER
from helpers.stored import Program
from helpers.support import TABLES, counts, transcript, translation

from livetranslate_store import SegmentInput, Store, StoreUnavailableError
from livetranslate_store.cli.__main__ import main
from livetranslate_store.ids import new_id
from livetranslate_store.schema.roles import roles_script

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def refused(program: Program, role: str, statement: str) -> bool:
    """Tell whether the server refuses a statement to a role, for want of a privilege."""
    program.rollback()
    program.execute(f"SET ROLE {role}")
    try:
        program.execute(statement)
    except psycopg.Error as error:
        return isinstance(error, psycopg.errors.InsufficientPrivilege)
    finally:
        program.rollback()
    return False


CHANGES = [
    "CREATE TABLE livetranslate.more (id int)",
    "ALTER TABLE livetranslate.sessions ADD COLUMN more int",
    "ALTER TABLE livetranslate.transcripts DISABLE TRIGGER ALL",
    "CREATE INDEX more ON livetranslate.transcripts (text)",
    "DROP TABLE livetranslate.translations",
    "TRUNCATE livetranslate.translations",
    "DROP SCHEMA livetranslate CASCADE",
    "UPDATE livetranslate.alembic_version SET version_num = 'x'",
    "DELETE FROM livetranslate.alembic_version",
    "CREATE ROLE more",
]


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("role", [APPLICATION, READER])
def test_neither_role_can_change_the_schema(other_program: Program, role: str, statement: str) -> None:
    assert refused(other_program, role, statement)


@pytest.mark.parametrize("table", TABLES)
def test_a_reader_reads_and_does_not_write(other_program: Program, table: str) -> None:
    key = "id" if table == "sessions" else "session_id"
    for statement in (
        f"INSERT INTO livetranslate.{table} DEFAULT VALUES",
        f"UPDATE livetranslate.{table} SET metadata = '{{}}'",
        f"DELETE FROM livetranslate.{table}",
        f"SELECT 1 FROM livetranslate.{table} WHERE {key} = '{new_id()}' FOR UPDATE",
    ):
        assert refused(other_program, READER, statement)
        assert not refused(other_program, APPLICATION, statement)
    assert not refused(other_program, READER, f"SELECT * FROM livetranslate.{table}")


async def test_a_readers_store_shows_everything_and_its_writes_are_typed_errors(
    store: Store, session_id: Any, reader_url: str, other_program: Program
) -> None:
    await store.record_segment(session_id, transcript=transcript("Hello."), translations=[translation()])
    async with Store.open(reader_url, min_connections=1) as reading:
        assert [entry.text for entry in await reading.timeline(session_id)] == ["Hello.", "Buenos días."]
        assert (await reading.health()).problems == {}
        with pytest.raises(StoreUnavailableError, match="lacks a privilege"):
            await reading.record_segment(session_id, transcript=transcript())
        with pytest.raises(StoreUnavailableError, match="lacks a privilege"):
            async with reading.unit_of_work() as uow:
                await uow.sessions.delete(session_id)
    assert counts(other_program)["transcripts"] == 1


async def test_an_import_needs_nothing_that_the_application_role_does_not_have(
    database_url: str, other_program: Program
) -> None:
    # What everybody may do by default is not relied on.
    other_program.execute(f'REVOKE ALL ON DATABASE "{other_program.info.dbname}" FROM PUBLIC')
    other_program.execute(roles_script().encode())
    other_program.commit()
    async with Store.open(database_url, min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        for text in ("first", "second"):  # the second is merged by way of temporary tables
            spoken = transcript(text, segment_key="seg-1")
            report = await store.import_segments([SegmentInput(session_id=session.id, transcript=spoken)])
            assert report.refused == 0
        assert [entry.text for entry in await store.timeline(session.id)] == ["second"]


def test_tables_of_a_later_migration_get_the_same_privileges(other_program: Program) -> None:
    other_program.execute("CREATE TABLE livetranslate.later (id int)")
    other_program.commit()
    assert not refused(other_program, APPLICATION, "INSERT INTO livetranslate.later VALUES (1)")
    assert not refused(other_program, READER, "SELECT * FROM livetranslate.later")
    assert refused(other_program, READER, "INSERT INTO livetranslate.later VALUES (1)")


def test_the_script_can_be_run_again(other_program: Program) -> None:
    for _ in range(2):
        other_program.execute(roles_script().encode())
        other_program.commit()


def test_the_command_line_prints_the_script_that_the_documentation_tells_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["roles"]) == 0
    assert capsys.readouterr().out == roles_script()
    shown = OPERATIONS.read_text(encoding="utf-8")
    assert "livetranslate-store roles" in shown
    for role in ("livetranslate_app", "livetranslate_reader"):
        assert role in shown
