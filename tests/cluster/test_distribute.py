"""`distribute`: all tables over the cluster and back, every row of them, or nothing at all."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from helpers.clusters import Cluster
from helpers.distributed import (
    SESSIONS,
    all_rows,
    distributed,
    fill,
    nodes_agree_on_words,
    url_for,
    work_in_parallel,
)
from helpers.stored import Program
from helpers.support import TABLES, counts

from livetranslate_store import Store, StoreError, StoreUnavailableError
from livetranslate_store.cli.__main__ import main
from livetranslate_store.schema.distribution import (
    bring_back,
    distribute,
    plan_distribution,
    plan_return,
)
from livetranslate_store.schema.upgrade import upgrade

NAMES = sorted(f"livetranslate.{table}" for table in TABLES)
ROWS = {
    f"livetranslate.{table}": SESSIONS * (3 if table in ("transcripts", "translations") else 1)
    for table in TABLES
}

# Everything that a table is made of, with its rights.
CATALOG = """
    SELECT 'column', attrelid::regclass::text, attname::text,
        format_type(atttypid, atttypmod) || attnotnull::text || attgenerated::text
        || attcollation::regcollation::text || coalesce(pg_get_expr(adbin, adrelid), '')
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid IN (
        SELECT oid FROM pg_class WHERE relnamespace = 'livetranslate'::regnamespace AND relkind = 'r'
    ) AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'livetranslate'::regnamespace
    UNION ALL
    SELECT 'index', tablename::text, indexname::text, indexdef
    FROM pg_indexes WHERE schemaname = 'livetranslate'
    UNION ALL
    SELECT 'statistics', stxrelid::regclass::text, stxname::text, pg_get_statisticsobjdef(oid)
    FROM pg_statistic_ext WHERE stxnamespace = 'livetranslate'::regnamespace
    UNION ALL
    SELECT 'table', oid::regclass::text, relowner::regrole::text,
        coalesce(reloptions::text, '')
        || (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(relacl) AS acl)
    FROM pg_class WHERE relnamespace = 'livetranslate'::regnamespace AND relkind = 'r'
    ORDER BY 1, 2, 3, 4
"""


def catalog(program: Program) -> list[tuple[Any, ...]]:
    found = program.execute(CATALOG).fetchall()
    program.rollback()
    return found


@pytest.fixture
def program(undistributed: Program) -> Program:
    """A connection to a database with rows, and nothing distributed."""
    work_in_parallel(undistributed)
    fill(undistributed)
    return undistributed


@pytest.fixture
def url(program: Program) -> str:
    return url_for(program)


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs the command, and returns its exit code, output and notes."""
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", url)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run


async def test_every_row_and_all_that_a_table_is_made_of_goes_out_and_comes_back(
    program: Program, url: str
) -> None:
    rows, made_of = all_rows(program), catalog(program)
    assert await distribute(url, shards=4) == ROWS
    assert distributed(program) == NAMES
    assert (all_rows(program), catalog(program)) == (rows, made_of)
    # No copy stays behind where no query looks.
    for table in TABLES:
        assert program.execute(f"SELECT pg_relation_size('livetranslate.{table}')").fetchone() == (0,)
    program.rollback()
    assert await bring_back(url) == ROWS
    assert distributed(program) == []
    assert (all_rows(program), catalog(program)) == (rows, made_of)


async def test_shards_are_as_many_as_asked_for_and_one_session_lies_in_one_place(
    program: Program, url: str
) -> None:
    await distribute(url, shards=6)
    found = program.execute(
        "SELECT count(DISTINCT colocationid), min(shards), max(shards) FROM pg_dist_partition JOIN"
        " (SELECT logicalrelid, count(*) AS shards FROM pg_dist_shard GROUP BY 1) AS s USING (logicalrelid)"
    ).fetchone()
    assert found == (1, 6, 6)


def test_without_consent_there_is_a_plan_and_nothing_else(program: Program, run: Callable[..., Any]) -> None:
    code, out, err = run("distribute", "--shards", "4")
    assert (code, err) == (0, "Nothing was changed: --yes does it.\n")
    plan = {line.split("\t")[0]: line.split("\t")[1:] for line in out.splitlines()}
    assert {part: state for part, (state, _) in plan.items() if state != "moves"} == {
        "citus": "ok",
        "coordinator": "ok",
        "workers": "ok",
        "extensions": "ok",
        "connections": "ok",
        "prepared transactions": "ok",
        "wal_level": "ok",
        "worker slots": "ok",
        "schema": "ok",
        "stores": "advised",  # this test's own connection may be a store's
        "meanwhile": "ok",
    }
    state, detail = plan["livetranslate.transcripts"]
    assert state == "moves"
    assert detail.endswith(", by session_id")
    assert plan["livetranslate.sessions"][1].endswith(", by id")
    assert distributed(program) == []


def test_the_command_goes_there_and_back_and_knows_when_nothing_is_left(
    program: Program, run: Callable[..., Any]
) -> None:
    assert run("distribute", "--yes", "--shards", "4") == (
        0,
        "".join(f"livetranslate.{table}\t{ROWS[f'livetranslate.{table}']}\n" for table in IN_ORDER),
        "",
    )
    code, out, err = run("distribute", "--yes")
    assert (code, err) == (0, "Nothing is left to do.\n")
    assert out.count("\tdone\tdistributed\n") == len(TABLES)
    code, out, _ = run("distribute", "--undo", "--yes", "--json")
    assert (code, json.loads(out)) == (0, ROWS)
    assert distributed(program) == []
    assert run("distribute", "--undo", "--yes")[::2] == (0, "Nothing is left to do.\n")


IN_ORDER = ("sessions", "audio_files", "speakers", "transcripts", "text_versions", "translations")


async def test_open_stores_are_counted_and_refuse_the_move_in_both_directions(
    program: Program, url: str
) -> None:
    async with Store.open(url, min_connections=2):
        with pytest.raises(StoreUnavailableError, match="2 connections of stores are open"):
            await distribute(url, shards=4)
        assert (
            "2 connections" in {each.part: each.detail for each in (await plan_return(url)).lines}["stores"]
        )
    assert distributed(program) == []


def test_a_store_with_a_name_of_its_own_is_known_by_the_url(program: Program, url: str) -> None:
    named = f"{url}?application_name=bots"
    with psycopg.connect(named.replace("+asyncpg", "")):
        assert main(["distribute", "--yes", "--database", named]) == 1
    assert distributed(program) == []


class StopError(Exception):
    """The operator has had enough."""


@pytest.mark.parametrize("after", [1, 3, 5])
async def test_an_interruption_between_two_tables_changes_nothing_and_the_next_run_does_it(
    program: Program, url: str, after: int
) -> None:
    rows, seen = all_rows(program), []

    def interrupt(moved: int, total: int) -> None:
        seen.append((moved, total))
        if len(seen) == after:
            raise StopError

    with pytest.raises(StopError):
        await distribute(url, shards=4, advance=interrupt)
    assert distributed(program) == []
    assert all_rows(program) == rows
    await distribute(url, shards=4)
    assert all_rows(program) == rows


async def test_a_connection_that_breaks_midway_changes_nothing(program: Program, url: str) -> None:
    rows = all_rows(program)

    def end_it(_moved: int, _total: int) -> None:
        program.execute(
            "SELECT pg_terminate_backend(pid, 1000::bigint) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'livetranslate_store'"
        )
        program.commit()

    with pytest.raises(StoreError):
        await distribute(url, shards=4, advance=end_it)
    assert distributed(program) == []
    assert all_rows(program) == rows


def _note(seen: list[tuple[int, int]], moved: int, total: int) -> None:
    seen.append((moved, total))


@pytest.mark.parametrize("moves", [[distribute], [distribute, bring_back]])
async def test_a_move_reports_its_progress_in_rows(url: str, moves: list[Callable[..., Any]]) -> None:
    for move in moves:
        seen: list[tuple[int, int]] = []
        await move(url, advance=partial(_note, seen))
    assert len(seen) == len(TABLES)
    assert max(seen) == (sum(ROWS.values()),) * 2


async def test_tables_that_were_distributed_by_hand_are_left_and_their_hidden_copies_removed(
    program: Program, url: str
) -> None:
    rows = all_rows(program)
    program.execute("SELECT create_distributed_table('livetranslate.sessions', 'id', shard_count => 4)")
    program.execute(
        "SELECT create_distributed_table('livetranslate.audio_files', 'session_id',"
        " colocate_with => 'livetranslate.sessions')"
    )
    program.commit()
    states = {each.part: each.state for each in (await plan_distribution(url)).lines}
    assert states["livetranslate.sessions"] == states["livetranslate.speakers"] == "moves"
    assert sorted(await distribute(url)) == ["livetranslate.speakers", *NAMES[3:]]
    assert all_rows(program) == rows
    for table in TABLES:
        assert program.execute(f"SELECT pg_relation_size('livetranslate.{table}')").fetchone() == (0,)


async def test_tables_of_an_application_come_along(program: Program, url: str) -> None:
    program.execute(
        "CREATE TABLE notes (meeting uuid REFERENCES livetranslate.sessions ON DELETE CASCADE, n int,"
        " PRIMARY KEY (meeting, n))"
    )
    program.execute("INSERT INTO notes SELECT id, 1 FROM livetranslate.sessions")
    # The names in the report do not depend on it.
    program.execute(f'ALTER DATABASE "{program.info.dbname}" SET search_path = livetranslate, public')
    program.commit()
    assert (await distribute(url, shards=4))["notes"] == SESSIONS
    program.execute("DELETE FROM livetranslate.sessions WHERE id = md5('1')::uuid")
    program.commit()
    assert program.execute("SELECT count(*) FROM notes").fetchone() == (SESSIONS - 1,)
    program.rollback()
    assert (await bring_back(url))["notes"] == SESSIONS - 1
    foreign_keys = "SELECT count(*) FROM pg_constraint WHERE conrelid = 'notes'::regclass AND contype = 'f'"
    assert program.execute(foreign_keys).fetchone() == (1,)


async def test_a_key_of_an_application_that_a_cluster_cannot_hold_is_named(
    program: Program, url: str
) -> None:
    program.execute(
        "CREATE TABLE outbox (id int PRIMARY KEY, session_id uuid REFERENCES livetranslate.sessions)"
    )
    program.commit()
    with pytest.raises(StoreUnavailableError, match=r"outbox_pkey: make session_id part of each unique key"):
        await distribute(url, shards=4)
    assert distributed(program) == []


async def test_what_the_cluster_refuses_is_said_in_its_words(program: Program, url: str) -> None:
    program.execute(
        "CREATE TRIGGER theirs BEFORE UPDATE ON livetranslate.transcripts"
        " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    )
    program.commit()
    with pytest.raises(StoreError, match=r"Nothing was changed.*livetranslate.transcripts.*trigger"):
        await distribute(url, shards=4)
    assert distributed(program) == []


@pytest.fixture
def older(cluster: Cluster) -> Iterator[Program]:
    """A connection to a database with schema and rows, which became a cluster's afterwards."""
    with (
        cluster.database(f"livetranslate_older_{os.getpid()}") as name,
        cluster.coordinator.connect(name, autocommit=False) as program,
    ):
        upgrade(url_for(program))
        fill(program)
        cluster.add_nodes(name)
        yield program


async def test_a_server_that_becomes_a_cluster_gives_every_node_its_functions(older: Program) -> None:
    url = url_for(older)
    [functions] = [each for each in (await plan_distribution(url)).lines if each.part == "functions"]
    assert functions.state == "moves"
    rows = all_rows(older)
    await distribute(url, shards=4)
    assert all_rows(older) == rows
    assert nodes_agree_on_words(older)
    assert not (await plan_distribution(url)).is_needed


async def test_a_function_that_only_the_coordinator_has_is_a_problem_that_another_run_mends(
    program: Program, url: str
) -> None:
    await distribute(url, shards=4)
    program.execute("DELETE FROM pg_dist_object WHERE objid = 'livetranslate.search_letters'::regproc")
    program.commit()
    async with Store.open(url, min_connections=1) as store:
        problem = (await store.health()).problems["cluster"]
    assert problem == (
        "livetranslate.search_letters(text): only on the coordinator. Run `livetranslate-store distribute`."
    )
    assert await distribute(url) == {}
    async with Store.open(url, min_connections=1) as store:
        assert (await store.health()).problems == {}


REQUIREMENTS: list[tuple[str, str, str]] = [
    (
        "UPDATE livetranslate.alembic_version SET version_num = '0002'",
        "schema",
        "`livetranslate-store upgrade`",
    ),
    (
        "UPDATE pg_dist_node SET isactive = false WHERE groupid = 2",
        "workers",
        "`SELECT citus_activate_node(",
    ),
    (
        "DELETE FROM pg_dist_node WHERE groupid > 0",
        "workers",
        "`SELECT citus_add_node(",
    ),
    (
        "DELETE FROM pg_dist_node WHERE groupid = 0",
        "coordinator",
        "`SELECT citus_set_coordinator_host(",
    ),
    ("DROP EXTENSION citus CASCADE", "citus", "`CREATE EXTENSION citus;`"),
]


@pytest.mark.parametrize(("statement", "part", "mends"), REQUIREMENTS)
async def test_a_missing_requirement_refuses_the_move_and_names_the_command_that_mends_it(
    program: Program, url: str, statement: str, part: str, mends: str
) -> None:
    program.autocommit = True
    program.execute(statement.encode())
    [found] = [each for each in (await plan_distribution(url)).lines if each.part == part]
    assert found.state == "missing"
    assert mends in found.detail
    with pytest.raises(StoreUnavailableError, match="cannot move yet"):
        await distribute(url)


async def test_more_shards_than_a_node_allows_connections_are_refused_before_anything_is_written(
    url: str,
) -> None:
    found = {each.part: each for each in (await plan_distribution(url, shards=1000)).lines}["connections"]
    assert found.state == "missing"
    assert "`ALTER SYSTEM SET max_connections = 510;`" in found.detail


@pytest.fixture
def stranger(program: Program) -> str:
    program.execute("DO $$ BEGIN CREATE ROLE stranger LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
    program.execute("GRANT USAGE ON SCHEMA livetranslate TO stranger")
    program.execute("GRANT SELECT ON ALL TABLES IN SCHEMA livetranslate TO stranger")
    program.commit()
    return url_for(program, "stranger")


async def test_only_the_owner_of_the_tables_may_move_them(stranger: str) -> None:
    with pytest.raises(StoreUnavailableError, match=r"stranger does not own livetranslate\.sessions"):
        await distribute(stranger)


async def test_bringing_back_leaves_a_store_that_works_as_before(program: Program, url: str) -> None:
    await distribute(url, shards=4)
    async with Store.open(url, min_connections=1) as store:
        assert (await store.health()).cluster is not None
    await bring_back(url)
    async with Store.open(url, min_connections=1) as store:
        assert (await store.health()).cluster is None
    assert sum(counts(program).values()) == sum(ROWS.values()) - ROWS["livetranslate.text_versions"]
