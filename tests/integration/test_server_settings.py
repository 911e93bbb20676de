"""Settings of PostgreSQL that a role, a database or a URL can change: they change nothing, or are refused."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest
from conftest import APPLICATION, url_of
from helpers.stored import Program
from helpers.support import audio, transcript, translation
from psycopg import sql
from pytest_postgresql import factories
from sqlalchemy import text

from livetranslate_store import (
    QueryTimeoutError,
    SegmentInput,
    Store,
    StoreError,
    StoreUnavailableError,
    UnitOfWork,
    Word,
)
from livetranslate_store.cli.__main__ import main
from livetranslate_store.ids import new_id
from livetranslate_store.schema.upgrade import applied_revision, upgrade

empty = factories.postgresql("postgresql_empty")

#: Settings that touch meaning, with values that nobody would expect.
HOSTILE = [
    ("standard_conforming_strings", "off"),
    ("backslash_quote", "on"),
    ("escape_string_warning", "on"),
    ("bytea_output", "escape"),
    ("xmlbinary", "hex"),
    ("xmloption", "document"),
    ("DateStyle", "SQL, DMY"),
    ("DateStyle", "German"),
    ("IntervalStyle", "iso_8601"),
    ("TimeZone", "Pacific/Kiritimati"),
    ("timezone_abbreviations", "India"),
    ("extra_float_digits", "-15"),
    ("client_encoding", "LATIN1"),
    ("client_encoding", "SQL_ASCII"),
    ("lc_messages", "C"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("default_text_search_config", "pg_catalog.turkish"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_isolation", "serializable"),
    ("default_transaction_deferrable", "on"),
    ("row_security", "off"),
    ("search_path", "pg_temp"),
    ("search_path", "no_such_schema"),
    ("transform_null_equals", "on"),
    ("array_nulls", "off"),
    ("quote_all_identifiers", "on"),
    ("gin_fuzzy_search_limit", "1"),
    ("pg_trgm.similarity_threshold", "1"),
    ("pg_trgm.word_similarity_threshold", "1"),
    ("plan_cache_mode", "force_custom_plan"),
    ("jit", "on"),
    ("enable_seqscan", "off"),
    ("enable_indexscan", "off"),
    ("enable_bitmapscan", "off"),
    ("work_mem", "64kB"),
    ("statement_timeout", "1ms"),
    ("lock_timeout", "1ms"),
    ("idle_session_timeout", "1ms"),
    ("exit_on_error", "on"),
    ("check_function_bodies", "off"),
    ("synchronous_commit", "off"),
    ("application_name", "a program"),
]
# PgBouncer's own connections meet these: it opens one again that the server has closed.
OF_CONNECTIONS = ("idle_session_timeout", "statement_timeout")
# Only a superuser may choose it, or let others choose it.
PRIVILEGED = "lc_messages"


@contextmanager
def setting(program: Program, target: sql.Composable, name: str, value: str) -> Iterator[None]:
    """Set a setting for a role or a database while the block runs."""
    program.execute(
        sql.SQL("ALTER {} SET {} = {}").format(target, sql.SQL(name), sql.Literal(value))
        if name != "search_path"
        else sql.SQL("ALTER {} SET search_path = {}").format(target, sql.Identifier(value))
    )
    program.commit()
    yield
    program.execute(sql.SQL("ALTER {} RESET {}").format(target, sql.SQL(name)))
    program.commit()


def role(program: Program) -> sql.Composable:
    return sql.SQL("ROLE {} IN DATABASE {}").format(
        sql.Identifier(APPLICATION), sql.Identifier(program.info.dbname)
    )


def database(program: Program) -> sql.Composable:
    return sql.SQL("DATABASE {}").format(sql.Identifier(program.info.dbname))


def options(url: str, name: str, value: str) -> str:
    escaped = value.replace(" ", "\\ ")
    return f"{url}{'&' if '?' in url else '?'}options={quote(f'-c {name}={escaped}')}"


async def everything(program: Program, url: str, folder: Path, **settings: Any) -> Mapping[str, Any]:
    """Write and read in every way; return what was stored, found and refused. Nothing of it stays."""
    refused: list[tuple[type[BaseException], str]] = []
    async with Store.open(url, min_connections=1, audio_url=f"file:{folder}", **settings) as store:
        async with store.unit_of_work() as uow:
            created = await uow.sessions.create(
                bot_id="b",
                meeting_id="m",
                external_id="meet-42",
                started_at=datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
                title="C:\\new\\table 'quoted'",
                target_languages=["ja", "es"],
                metadata={"path": "a\\b", "none": None, "number": 0.1},
            )
        for number, said in enumerate(("Łódź's café \\ n° 1", "本日の会議を始めます。", "naïve façade")):
            await store.record_segment(
                created.id,
                transcript=transcript(
                    said,
                    language="ja" if number == 1 else "fr",
                    segment_key=f"seg-{number}",
                    speaker_label="S\\1",
                    start_time=number + 0.1,
                    end_time=number + 0.7,
                    confidence=0.123456789012345,
                    words=[Word("a\\", number + 0.1, number + 0.30000000000000004)],
                    is_final=True,
                ),
                translations=[translation("¿Qué\\tal?"), translation("会議", "ja")],
                audio=audio(bytes(range(256)), start_time=float(number)),
            )
        imported = SegmentInput(
            session_id=created.id,
            transcript=transcript("imported \\N 'x'", segment_key="seg-9", start_time=9.0),
            translations=[translation("\\.")],
        )
        for _ in range(2):
            await store.import_segments([imported])
        try:
            await store.record_segment(new_id(), transcript=transcript())
        except StoreError as error:
            refused.append((type(error), str(error)))
        try:
            async with store.unit_of_work() as uow:
                await uow.sessions.create(bot_id="other", meeting_id="m", external_id="meet-42")
        except StoreError as error:
            refused.append((type(error), str(error)))
        async with store.unit_of_work() as uow:
            other = await uow.sessions.create(bot_id="b", meeting_id="m2", external_id="meet-43")

        async def rename(number: int) -> None:
            async with store.unit_of_work() as uow:
                await uow.sessions.update(other.id, title=f"{number}")
                await asyncio.sleep(0.01)

        renamed = await asyncio.gather(*map(rename, range(4)), return_exceptions=True)
        refused += [(type(each), str(each)) for each in renamed if each is not None]
        async with store.unit_of_work() as uow:
            await uow.sessions.delete(other.id)
        found = {
            query: [without_new_ids(hit) for hit in await store.search(query)]
            for query in ("cafe", "会議", "facade", '"qué tal"', "imported", "nothing")
        }
        read = [without_new_ids(entry) for entry in await store.timeline(created.id)]
        counted = str(await store.session_statistics(created.id))
        rows = stored(program)
        async with store.unit_of_work() as uow:
            await uow.sessions.delete(created.id)
    return {"rows": rows, "search": found, "timeline": read, "statistics": counted, "refused": refused}


def without_new_ids(value: object) -> str:
    """Return `value` as text; ids that are not derived from a name differ each time."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "new", str(value))


# The hour of a row, and the transaction that wrote it, differ each time.
_COLUMNS = """
    SELECT table_name, string_agg(quote_ident(column_name) || '::text', ', ' ORDER BY ordinal_position)
    FROM information_schema.columns
    WHERE table_schema = 'livetranslate' AND table_name <> 'alembic_version'
      AND data_type NOT IN ('timestamp with time zone', 'xid8', 'pg_snapshot')
    GROUP BY 1 ORDER BY 1
"""


def stored(program: Program) -> dict[str, list[Any]]:
    """Return the rows of all tables as text, as another program sees them."""
    tables = program.execute(_COLUMNS).fetchall()
    found = {
        name: sorted(map(without_new_ids, program.execute(f"SELECT {columns} FROM livetranslate.{name}")))
        for name, columns in tables
    }
    program.rollback()
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), HOSTILE)
async def test_a_setting_changes_no_row_no_hit_and_no_error(
    other_program: Program, database_url: str, audio_folder: Path, name: str, value: str
) -> None:
    usual = await everything(other_program, database_url, audio_folder)
    assert len(usual["refused"]) == 2
    assert all(found for query, found in usual["search"].items() if query != "nothing")
    for target in (role(other_program), database(other_program)):
        with setting(other_program, target, name, value):
            assert await everything(other_program, database_url, audio_folder) == usual
            if name not in OF_CONNECTIONS:
                behind = await everything(other_program, database_url, audio_folder, pgbouncer=True)
                assert behind == usual
    url = options(database_url, name, value)
    if name == PRIVILEGED:
        with pytest.raises(StoreUnavailableError, match='permission denied to set parameter "lc_messages"'):
            await everything(other_program, url, audio_folder)
    else:
        assert await everything(other_program, url, audio_folder) == usual


@pytest.mark.parametrize("pgbouncer", [False, True])
async def test_a_role_that_is_read_only_reads_and_says_that_it_takes_no_writes(
    store: Store, session_id: UUID, other_program: Program, database_url: str, pgbouncer: bool
) -> None:
    await store.record_segment(session_id, transcript=transcript("Hello."))
    with setting(other_program, role(other_program), "default_transaction_read_only", "on"):
        async with Store.open(database_url, min_connections=1, pgbouncer=pgbouncer) as reading:
            assert [entry.text for entry in await reading.timeline(session_id)] == ["Hello."]
            problem = "The database takes no writes: default_transaction_read_only is on"
            health = await reading.health()
            assert health.problems["database"].startswith(problem)
            with pytest.raises(StoreUnavailableError, match=problem) as raised:
                await reading.record_segment(session_id, transcript=transcript())
            assert not raised.value.is_transient
            with pytest.raises(StoreUnavailableError, match=problem) as raised:
                async with reading.unit_of_work() as uow:
                    await uow.transcripts.add(session_id, transcript())
            assert not raised.value.is_transient
            with pytest.raises(StoreUnavailableError, match=problem):
                async with reading.unit_of_work() as uow:
                    await uow.session.execute(text("DELETE FROM livetranslate.sessions"))
            # The connections are as good as before.
            assert reading.statistics().pool.opened <= 2
    assert (await store.health()).problems == {}


async def test_foreign_keys_that_are_turned_off_are_refused(
    other_program: Program, database_url: str
) -> None:
    with (
        setting(other_program, role(other_program), "session_replication_role", "replica"),
        pytest.raises(StoreUnavailableError, match="session_replication_role is 'replica'") as raised,
    ):
        async with Store.open(database_url, min_connections=1):
            pytest.fail("no foreign key is checked there")
    assert not raised.value.is_transient


@pytest.fixture(params=["SQL_ASCII", "LATIN1", "EUC_JP"])
def other_encoding(request: pytest.FixtureRequest, other_program: Program) -> Iterator[tuple[str, str]]:
    """An encoding, and the URL of a database in it."""
    info, name = other_program.info, f"{other_program.info.dbname}_encoded"
    address: dict[str, Any] = {
        "host": info.host,
        "port": info.port,
        "user": info.user,
        "password": info.password or None,
    }
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as owner:
        owner.execute(
            sql.SQL(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE_PROVIDER libc LOCALE 'C'"
            ).format(sql.Identifier(name), sql.Literal(request.param))
        )
        yield request.param, url_of(info.user, info.password or None, info.host, info.port, name)
        owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


async def test_a_database_in_another_encoding_is_refused_by_name(
    other_encoding: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    encoding, url = other_encoding
    refusal = f"The database is in the encoding {encoding}, and the store needs UTF8"
    with pytest.raises(StoreUnavailableError, match=refusal) as raised:
        async with Store.open(url, min_connections=1):
            pytest.fail("the encoding is another one")
    assert not raised.value.is_transient
    with pytest.raises(StoreUnavailableError, match=refusal):
        await asyncio.to_thread(upgrade, url)
    with pytest.raises(StoreUnavailableError, match=refusal):
        await applied_revision(url)
    assert await asyncio.to_thread(main, ["check", "--database", url]) == 1
    assert refusal in capsys.readouterr().out


async def test_a_disk_that_is_full_is_a_problem_until_a_write_succeeds(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    other_program.execute("""
        CREATE FUNCTION full_disk() RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$
    """)
    # A check, because a cluster takes no triggers.
    other_program.execute(
        "ALTER TABLE livetranslate.transcripts ADD CONSTRAINT full_disk CHECK (full_disk()) NOT VALID"
    )
    other_program.commit()
    with pytest.raises(StoreUnavailableError, match="The disk of the database server is full"):
        await store.record_segment(session_id, transcript=transcript())
    assert "disk of the database server is full" in (await store.health()).problems["database"]
    other_program.execute("ALTER TABLE livetranslate.transcripts DROP CONSTRAINT full_disk")
    other_program.commit()
    await store.record_segment(session_id, transcript=transcript())
    assert (await store.health()).problems == {}


@pytest.mark.parametrize("name", ["idle_in_transaction_session_timeout", "transaction_timeout"])
@pytest.mark.parametrize("way", ["commit", "driver", "session"])
async def test_a_time_limit_of_the_server_inside_a_unit_is_named_and_not_repeated(
    session_id: UUID, other_program: Program, database_url: str, name: str, way: str
) -> None:
    if name == "transaction_timeout" and other_program.info.server_version < 170_000:
        pytest.skip("a later version has it")
    attempts = 0

    async def slow(uow: UnitOfWork) -> None:
        nonlocal attempts
        attempts += 1
        await uow.transcripts.add(session_id, transcript())
        await asyncio.sleep(0.6)
        if way == "driver":
            await uow.transcripts.add(session_id, transcript())
        elif way == "session":
            await uow.session.execute(text("SELECT 1"))

    with setting(other_program, role(other_program), name, "300ms"):
        async with Store.open(database_url, min_connections=1) as limited:
            with pytest.raises(QueryTimeoutError, match=name) as raised:
                await limited.run_in_unit_of_work(slow)
            assert not raised.value.is_transient
            assert attempts == 1
            assert (await limited.health()).is_healthy


async def test_a_time_limit_of_the_server_inside_a_statement_is_named(
    other_program: Program, database_url: str
) -> None:
    if other_program.info.server_version < 170_000:
        pytest.skip("a later version has it")
    with setting(other_program, role(other_program), "transaction_timeout", "300ms"):
        async with Store.open(database_url, min_connections=1) as limited:
            with pytest.raises(QueryTimeoutError, match="transaction_timeout"):
                async with limited.unit_of_work() as uow:
                    await uow.session.execute(text("SELECT pg_sleep(30)"))


@pytest.mark.slow
async def test_a_search_finds_every_row_whatever_the_role_lets_an_index_leave_out(
    store: Store, session_id: UUID, other_program: Program, database_url: str
) -> None:
    rows = 4000
    await store.import_segments(
        SegmentInput(
            session_id=session_id,
            transcript=transcript("A meeting.", segment_key=f"seg-{number}", is_final=True),
        )
        for number in range(rows)
    )
    other_program.rollback()
    other_program.autocommit = True
    other_program.execute("VACUUM ANALYZE livetranslate.transcripts")
    query = text(
        "SELECT count(*) FROM livetranslate.transcripts WHERE text IS NOT NULL"
        " AND livetranslate.search_vector(language, text) @@ plainto_tsquery('simple', 'meet')"
    )
    with (
        setting(other_program, role(other_program), "gin_fuzzy_search_limit", "1"),
        setting(other_program, role(other_program), "enable_seqscan", "off"),
    ):
        for pgbouncer in (False, True):
            async with (
                Store.open(database_url, min_connections=1, pgbouncer=pgbouncer) as limited,
                limited.read() as reader,
            ):
                assert (await reader.session.execute(query)).scalar() == rows
