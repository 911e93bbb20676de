"""The schema's migrations: up, down and up again, without drift, one at a time, from the wheel too."""

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from conftest import url_of
from helpers.support import audio, counts, transcript, translation
from pytest_postgresql import factories
from sqlalchemy import create_engine

from livetranslate_store import Store
from livetranslate_store.models import Base
from livetranslate_store.schema.upgrade import configuration, upgrade

Program = psycopg.Connection[Any]
CHECKOUT = Path(__file__).resolve().parents[2]

empty = factories.postgresql("postgresql_empty")


@pytest.fixture
def empty_url(empty: Program) -> str:
    info = empty.info
    return url_of(info.user, info.password or None, info.host, info.port, info.dbname)


# What a database is made of, as the server itself tells it.
CATALOG = """
    SELECT 'column', table_name, column_name, data_type || ' ' || is_nullable
        || ' ' || coalesce(column_default, '') || ' ' || coalesce(generation_expression, '')
        || ' ' || coalesce(collation_name, '')
    FROM information_schema.columns WHERE table_schema = 'livetranslate' AND table_name <> 'alembic_version'
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'livetranslate'::regnamespace AND contype <> 'n'
        AND conrelid <> coalesce(to_regclass('livetranslate.alembic_version'), 0)
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef
    FROM pg_indexes WHERE schemaname = 'livetranslate' AND tablename <> 'alembic_version'
    ORDER BY 1, 2, 3
"""


def catalog(connection: Program) -> list[tuple[Any, ...]]:
    found = connection.execute(CATALOG).fetchall()
    connection.rollback()
    return found


def test_there_is_one_head(empty_url: str) -> None:
    assert len(ScriptDirectory.from_config(configuration(empty_url)).get_heads()) == 1


def test_the_migrations_build_what_the_models_say(empty: Program, empty_url: str) -> None:
    upgrade(empty_url)
    migrated = catalog(empty)
    command.check(configuration(empty_url))  # raises where the models have moved on
    empty.execute("DROP SCHEMA livetranslate CASCADE")
    empty.execute("CREATE SCHEMA livetranslate")
    scripts = ScriptDirectory.from_config(configuration(empty_url))
    for statement in scripts.get_revision("0002").module.before_tables():
        empty.execute(statement)
    empty.commit()
    engine = create_engine(empty_url.replace("+asyncpg", "+psycopg"))
    Base.metadata.create_all(engine)
    engine.dispose()
    # More than `alembic check` compares: CHECKs, generated columns, collations.
    assert catalog(empty) == migrated


async def test_down_to_base_and_up_again_works_with_rows_in_the_tables(
    owner_url: str, other_program: Program, store: Store
) -> None:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    spoken = transcript(speaker_label="SPEAKER_00")
    await store.record_segment(session.id, transcript=spoken, translations=[translation()], audio=audio())
    before = catalog(other_program)
    in_thread(command.downgrade, configuration(owner_url), "base")
    assert tables(other_program) == ["alembic_version"]
    in_thread(upgrade, owner_url)
    assert catalog(other_program) == before
    assert set(counts(other_program).values()) == {0}


def in_thread(function: Any, *arguments: Any) -> None:
    """Run what has an event loop of its own, and hand its error on."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            function(*arguments)
        except BaseException as error:  # noqa: BLE001 (raised below)
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    for failure in failures:
        raise failure


def tables(connection: Program) -> list[str]:
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'livetranslate' ORDER BY tablename"
    ).fetchall()
    connection.rollback()
    return [row[0] for row in rows]


def test_upgrading_twice_changes_nothing(empty: Program, empty_url: str) -> None:
    upgrade(empty_url)
    before = catalog(empty)
    upgrade(empty_url)
    assert catalog(empty) == before


def test_a_table_called_sessions_elsewhere_is_left_alone(empty: Program, empty_url: str) -> None:
    empty.execute("CREATE TABLE public.sessions AS SELECT 1 AS mine")
    empty.commit()
    upgrade(empty_url)
    command.check(configuration(empty_url))
    command.downgrade(configuration(empty_url), "base")
    assert empty.execute("SELECT mine FROM public.sessions").fetchone() == (1,)


TEXTS = ["en: Two meetings.", "ja: 予算の件", "es: ¿Un café?", "und: Ångström"]


async def test_what_was_stored_before_is_found_afterwards_and_nothing_else_changes(
    owner_url: str, other_program: Program, store: Store
) -> None:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    for text in TEXTS:
        language, said = text.split(": ")
        spoken = transcript(said, language=language)
        await store.record_segment(session.id, transcript=spoken, translations=[translation(said, language)])
    before = await store.timeline(session.id)
    in_thread(command.downgrade, configuration(owner_url), "0001")
    assert "search" not in {row[2] for row in catalog(other_program)}
    in_thread(upgrade, owner_url)
    async with Store.open(owner_url, min_connections=1) as again:
        assert list(await again.timeline(session.id)) == list(before)
        for query in ("meeting", "件", "cafe", "angstrom"):
            assert len(await again.search(query)) == 2


def test_search_uses_the_extension_where_it_is(empty: Program, empty_url: str) -> None:
    empty.execute("CREATE SCHEMA elsewhere; CREATE EXTENSION pg_trgm SCHEMA elsewhere")
    empty.commit()
    upgrade(empty_url)
    similarity = empty.execute(
        "SELECT livetranslate.search_similarity('welcom', 'a welcome guest')"
    ).fetchone()
    assert similarity is not None
    assert similarity[0] > 0.5
    empty.commit()
    command.downgrade(configuration(empty_url), "base")
    # What was there before stays.
    assert empty.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'").fetchone() == (1,)


@pytest.fixture
def humble_url(empty: Program) -> str:
    """The URL for a user who owns the schema, and may create nothing else in the database."""
    empty.execute(
        "DO $$ BEGIN CREATE ROLE humble LOGIN PASSWORD 'x'; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    empty.execute("CREATE SCHEMA livetranslate AUTHORIZATION humble")
    empty.commit()
    info = empty.info
    return url_of("humble", "x", info.host, info.port, info.dbname)


def test_an_owner_of_the_schema_alone_is_told_what_is_missing_and_needs_no_more(
    empty: Program, humble_url: str
) -> None:
    with pytest.raises(Exception, match="may not create") as failure:
        command.upgrade(configuration(humble_url), "head")
    assert "CREATE EXTENSION pg_trgm" in str(failure.value)
    empty.execute("CREATE EXTENSION pg_trgm")
    empty.commit()
    upgrade(humble_url)
    assert len(tables(empty)) == 6


def test_offline_mode_writes_sql_that_builds_the_same(empty: Program, empty_url: str) -> None:
    config = configuration(empty_url)
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    script = config.output_buffer.getvalue()
    assert "lock_timeout" in script
    empty.autocommit = True
    empty.execute(script)
    empty.autocommit = False
    built = catalog(empty)
    empty.execute("DROP SCHEMA livetranslate CASCADE")
    empty.commit()
    upgrade(empty_url)
    assert catalog(empty) == built


@contextmanager
def locked(connection: Program, statement: str) -> Iterator[None]:
    connection.execute(statement)
    yield
    connection.rollback()


def test_a_migration_does_not_wait_for_a_lock_for_long(owner_url: str, other_program: Program) -> None:
    other_program.execute("SELECT 1")
    with locked(other_program, "LOCK TABLE livetranslate.translations IN ACCESS SHARE MODE"):
        began = time.monotonic()
        with pytest.raises(Exception, match="lock timeout"):
            command.downgrade(configuration(owner_url), "base")
        assert time.monotonic() - began < 30
    # The migration was a transaction of its own: it happened not at all.
    assert len(tables(other_program)) == 6


def test_two_upgrades_at_once_take_turns(empty: Program, empty_url: str) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            subprocess.run(
                [sys.executable, "-m", "livetranslate_store.cli", "upgrade", "--database", empty_url],
                check=True,
                capture_output=True,
            )
        except subprocess.CalledProcessError as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(tables(empty)) == 6


def alembic(url: str | None, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run alembic as an operator does, in the checkout."""

    environment = {**os.environ, **({"LIVETRANSLATE_DATABASE_URL": url} if url else {})}
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_operators_commands_work_from_the_checkout(empty: Program, empty_url: str) -> None:
    for arguments in (("upgrade", "head"), ("check",), ("current",)):
        done = alembic(empty_url, *arguments)
        assert done.returncode == 0, done.stderr
    assert len(tables(empty)) == 6


def test_without_a_database_alembic_says_what_to_set() -> None:
    done = alembic(None, "upgrade", "head")
    assert done.returncode != 0
    assert "LIVETRANSLATE_DATABASE_URL" in done.stderr


def test_the_url_can_come_from_alembic_ini(empty: Program, empty_url: str, tmp_path: Path) -> None:
    text = (CHECKOUT / "alembic.ini").read_text()
    escaped = empty_url.replace("%", "%%")
    ini = tmp_path / "alembic.ini"
    ini.write_text(
        text.replace("sqlalchemy.url =", f"sqlalchemy.url = {escaped}").replace("%(here)s", str(CHECKOUT))
    )
    config = Config(str(ini))
    command.upgrade(config, "head")
    assert len(tables(empty)) == 6
