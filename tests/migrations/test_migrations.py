"""The schema's migrations: up, down and up again, without drift, one at a time, from the wheel too."""

import asyncio
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from conftest import url_of
from helpers.stored import Program
from helpers.support import audio, counts, transcript, translation
from pytest_postgresql import factories
from sqlalchemy import create_engine

from livetranslate_store import Store, StoreUnavailableError
from livetranslate_store.models import Base
from livetranslate_store.schema import turns
from livetranslate_store.schema.upgrade import (
    applied_revision,
    configuration,
    newest_revision,
    upgrade,
    upgrade_script,
)

# With Alembic's own.
TABLES = len(Base.metadata.tables) + 1
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
    for statement in scripts.get_revision("0003").module.functions():
        empty.execute(statement)
    empty.execute(scripts.get_revision("0005").module.LANGUAGES_LISTED)
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


EXTENSIONS = ["pg_trgm", "unaccent"]
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


def test_search_uses_the_extensions_where_they_are(empty: Program, empty_url: str) -> None:
    empty.execute("CREATE SCHEMA elsewhere")
    for extension in EXTENSIONS:
        empty.execute(f"CREATE EXTENSION {extension} SCHEMA elsewhere")
    empty.commit()
    upgrade(empty_url)
    found = empty.execute(
        "SELECT livetranslate.search_similarity('welcom', 'a welcome guest') > 0.5,"
        " livetranslate.search_unaccented('Ångström')"
    ).fetchone()
    assert found == (True, "Angstrom")
    empty.commit()
    command.downgrade(configuration(empty_url), "base")
    # What was there before stays.
    found = empty.execute(
        "SELECT count(*) FROM pg_extension WHERE extname = ANY (%s)", (EXTENSIONS,)
    ).fetchone()
    assert found == (2,)


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
    for extension in EXTENSIONS:
        with pytest.raises(Exception, match="may not create") as failure:
            command.upgrade(configuration(humble_url), "head")
        assert f"CREATE EXTENSION {extension}" in str(failure.value)
        empty.execute(f"CREATE EXTENSION {extension}")
        empty.commit()
    upgrade(humble_url)
    assert len(tables(empty)) == TABLES


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
        with pytest.raises(Exception, match="A lock was not free within the time limit"):
            command.downgrade(configuration(owner_url), "base")
        assert time.monotonic() - began < 30
    # The migration was a transaction of its own: it happened not at all.
    assert len(tables(other_program)) == TABLES


def test_three_upgrades_at_once_make_one_schema(empty: Program, empty_url: str) -> None:
    command_line = [sys.executable, "-m", "livetranslate_store.cli", "upgrade", "--database", empty_url]
    upgrades = [
        subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = [each.communicate() for each in upgrades]
    assert [each.returncode for each in upgrades] == [0, 0, 0], answers
    assert sorted(output.split(" (")[0] for output, _ in answers) == [
        "The schema is up to date",
        "The schema is up to date",
        "The schema was made",
    ]
    assert len(tables(empty)) == TABLES


def test_an_upgrade_waits_for_another_one_longer_than_for_a_lock(
    empty: Program, empty_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(turns, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(turns, "POLL_SECONDS", 0.01)
    empty.execute("SELECT pg_advisory_lock(%s)", [turns.ADVISORY_LOCK])
    # A limit that the role or the database brings along does not count either.
    empty.execute(f"ALTER DATABASE {empty.info.dbname} SET lock_timeout = '50ms'")
    empty.commit()
    with ThreadPoolExecutor() as pool:
        done = pool.submit(upgrade, empty_url)
        wait_until(lambda: "upgrade_waits" in [getattr(each, "event", "") for each in caplog.records])
        with pytest.raises(TimeoutError):
            done.result(0.5)
        assert tables(empty) == []
        empty.execute("SELECT pg_advisory_unlock(%s)", [turns.ADVISORY_LOCK])
        empty.commit()
        assert done.result(30).changed
    assert len(caplog.records) == 1


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_upgrade_says_what_it_changed(empty: Program, empty_url: str) -> None:
    head = newest_revision()
    assert asyncio.run(applied_revision(empty_url)) is None
    assert upgrade(empty_url) == (None, head)
    assert upgrade(empty_url) == (head, head)
    command.downgrade(configuration(empty_url), "0001")
    assert asyncio.run(applied_revision(empty_url)) == "0001"
    assert upgrade(empty_url) == ("0001", head)
    assert len(tables(empty)) == TABLES


def test_a_schema_of_a_newer_version_is_not_touched(empty: Program, empty_url: str) -> None:
    upgrade(empty_url)
    empty.execute("UPDATE livetranslate.alembic_version SET version_num = '9999'")
    empty.commit()
    with pytest.raises(StoreUnavailableError, match=r"'9999'.*install that version"):
        upgrade(empty_url)


def test_the_script_for_an_older_schema_holds_only_the_missing_migrations(
    empty: Program, empty_url: str
) -> None:
    upgrade(empty_url)
    built = catalog(empty)
    command.downgrade(configuration(empty_url), "0001")
    empty.autocommit = True
    empty.execute(upgrade_script("0001").encode())
    empty.autocommit = False
    assert catalog(empty) == built
    assert asyncio.run(applied_revision(empty_url)) == newest_revision()


def alembic(url: str | None, *arguments: str, folder: Path = CHECKOUT) -> "subprocess.CompletedProcess[str]":
    """Run alembic as an operator does."""
    environment = {**os.environ, **({"LIVETRANSLATE_DATABASE_URL": url} if url else {})}
    return subprocess.run(
        [sys.executable, "-m", "alembic", "-c", str(CHECKOUT / "alembic.ini"), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_operators_commands_work_from_the_checkout(empty: Program, empty_url: str) -> None:
    for arguments in (("upgrade", "head"), ("check",), ("current",)):
        done = alembic(empty_url, *arguments)
        assert done.returncode == 0, done.stderr
    assert len(tables(empty)) == TABLES


def test_without_a_database_alembic_says_what_to_set() -> None:
    done = alembic(None, "upgrade", "head")
    assert done.returncode != 0
    assert "LIVETRANSLATE_DATABASE_URL" in done.stderr


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://app:hunter2@db/x?loop=x", "database_url has an unknown parameter loop"),
        ("postgresql://app:hunter2@127.0.0.1:1/x", "Cannot connect to the database at 127.0.0.1:1"),
    ],
)
def test_alembic_shows_an_error_as_a_sentence_without_the_password(url: str, reason: str) -> None:
    refused = alembic(url, "upgrade", "head")
    assert refused.returncode != 0
    assert refused.stderr.startswith(reason)
    assert "hunter2" not in refused.stderr + refused.stdout


def test_alembic_takes_what_a_dotenv_file_gives_to_a_store(
    empty: Program, empty_url: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"LIVETRANSLATE_DATABASE_URL={empty_url}\n")
    done = alembic(None, "upgrade", "head", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(tables(empty)) == TABLES
    with (tmp_path / ".env").open("a") as settings:
        settings.write("LIVETRANSLATE_TLS_CA_FILE=/nowhere.pem\n")
    refused = alembic(None, "current", folder=tmp_path)
    assert refused.returncode != 0
    assert "tls_ca_file" in refused.stderr


def test_alembic_leaves_a_private_server_to_the_store(tmp_path: Path) -> None:
    refused = alembic("embedded:meetings", "upgrade", "head", folder=tmp_path)
    assert refused.returncode != 0
    assert "livetranslate-store upgrade" in refused.stderr
    assert list(tmp_path.iterdir()) == []
