"""Migrations on distributed tables: up and down, with every row, and functions on every node."""

import asyncio
from hashlib import md5
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from helpers.clusters import Cluster
from helpers.distributed import (
    all_rows,
    distributed,
    fill,
    nodes_agree_on_words,
    on_workers,
    url_for,
    work_in_parallel,
)
from helpers.stored import Program
from helpers.support import counts

from livetranslate_store import Store
from livetranslate_store.schema.upgrade import configuration, newest_revision, upgrade

# As the second migration has them: texts that may still change, and repeated translations.
OLD_ROWS = """
    INSERT INTO livetranslate.sessions (id, bot_id, meeting_id, status, ended_at)
    SELECT md5(n::text)::uuid, 'b', 'm', CASE WHEN n % 2 = 0 THEN 'active' ELSE 'ended' END,
           CASE WHEN n % 2 = 1 THEN now() + interval '1 h' END
    FROM generate_series(1, 20) AS n;
    INSERT INTO livetranslate.audio_files (session_id, id, storage_key, format, size_bytes, sha256)
    SELECT id, id, 'key', 'wav', 1, repeat('a', 64) FROM livetranslate.sessions;
    INSERT INTO livetranslate.speakers (session_id, label)
    SELECT id, 'SPEAKER_00' FROM livetranslate.sessions;
    INSERT INTO livetranslate.transcripts
        (session_id, id, text, language, source, metadata, is_final, start_time, audio_file_id)
    SELECT s.id, md5(s.id::text || n)::uuid, 'said ' || n, 'en',
           CASE WHEN n = 1 THEN 'transcriber' ELSE 'other' END,
           CASE WHEN n = 1 THEN '{}' ELSE '{"a": 1}' END::jsonb, n = 3, n, s.id
    FROM livetranslate.sessions AS s, generate_series(1, 3) AS n;
    INSERT INTO livetranslate.translations
        (session_id, id, transcript_id, text, source_language, target_language, transcript_revision)
    SELECT session_id, md5(id::text || n)::uuid, id, 'dicho ' || n, 'en', 'es', n
    FROM livetranslate.transcripts, generate_series(0, 1) AS n WHERE n = 0 OR is_final
"""
# What a transcript and a translation say, in the columns that the second and the third version share.
SPOKEN = """
    SELECT session_id, id, {text}, language, coalesce(source, 'transcriber'),
           coalesce(metadata, '{{}}'), is_final, start_time, created_at, coalesce(updated_at, created_at)
    FROM livetranslate.transcripts ORDER BY 1, 2
"""
TRANSLATED = """
    SELECT session_id, transcript_id, target_language, text, source_language, transcript_revision,
           coalesce(service, 'translator'), coalesce(metadata, '{}'), created_at
    FROM livetranslate.translations ORDER BY 1, 2, 3, 4
"""


SAME_MOMENT = "UPDATE livetranslate.translations SET created_at = '2026-01-01', updated_at = '2026-01-02'"


def rows(program: Program, query: str) -> list[tuple[Any, ...]]:
    found = program.execute(query.encode()).fetchall()
    program.rollback()
    return found


def spoken(program: Program, text: str = "coalesce(text, draft)") -> list[tuple[Any, ...]]:
    return rows(program, SPOKEN.format(text=text))


@pytest.fixture
def url(undistributed: Program) -> str:
    return url_for(undistributed)


def test_the_newest_schema_and_the_models_agree_on_distributed_tables(
    undistributed: Program, cluster: Cluster, url: str
) -> None:
    cluster.distribute(undistributed.info.dbname)
    command.check(configuration(url))


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_all_rows_go_up_and_down_and_up_on_distributed_tables(
    undistributed: Program, cluster: Cluster, url: str, revision: str
) -> None:
    program = undistributed
    work_in_parallel(program)
    command.downgrade(configuration(url), revision)
    cluster.distribute(program.info.dbname)
    program.execute(OLD_ROWS.encode())
    program.commit()
    before = spoken(program, "text")
    old = distributed(program)
    # A table that a migration adds is distributed too.
    names = sorted([*old, "livetranslate.text_versions"])
    assert upgrade(url) == (revision, newest_revision())
    assert spoken(program) == before
    translated = rows(program, TRANSLATED)
    numbers = counts(program)
    assert numbers["transcripts"] == numbers["translations"] == len(before)
    assert distributed(program) == names
    for target in (revision, "head"):
        (command.downgrade if target == revision else command.upgrade)(configuration(url), target)
        text = "text" if target == revision else "coalesce(text, draft)"
        assert spoken(program, text) == before
        assert rows(program, TRANSLATED) == translated
        assert distributed(program) == (old if target == revision else names)


def test_repeated_translations_are_merged_as_on_a_single_server(
    undistributed: Program, cluster: Cluster, url: str
) -> None:
    merged = []
    for is_distributed in (False, True):
        command.downgrade(configuration(url), "0002")
        undistributed.execute("DELETE FROM livetranslate.sessions")
        undistributed.execute(OLD_ROWS.encode())
        undistributed.execute(
            "UPDATE livetranslate.translations SET created_at = '2026-01-01', updated_at = '2026-01-01'"
        )
        undistributed.commit()
        if is_distributed:
            cluster.distribute(undistributed.info.dbname)
        upgrade(url)
        merged.append(rows(undistributed, TRANSLATED))
    assert merged[0] == merged[1]
    assert sum("superseded" in row[7] for row in merged[0]) == 20


def test_down_to_base_and_up_again_with_rows_in_distributed_tables(
    undistributed: Program, cluster: Cluster, url: str
) -> None:
    cluster.distribute(undistributed.info.dbname)
    fill(undistributed)
    before = all_rows(undistributed)
    command.downgrade(configuration(url), "base")
    assert distributed(undistributed) == []
    assert set(on_workers(undistributed, OF_SCHEMA)) == {"0"}
    upgrade(url)
    cluster.distribute(undistributed.info.dbname)
    fill(undistributed)
    assert {table: len(found) for table, found in all_rows(undistributed).items()} == {
        table: len(found) for table, found in before.items()
    }


OF_SCHEMA = """
    SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = n.oid)
        + (SELECT count(*) FROM pg_proc WHERE pronamespace = n.oid)
        + (SELECT count(*) FROM pg_ts_config WHERE cfgnamespace = n.oid)
    FROM (SELECT coalesce(to_regnamespace('livetranslate')::oid, 0) AS oid) AS n
"""


def test_functions_dictionaries_and_extensions_are_on_every_node_and_agree(
    undistributed: Program, cluster: Cluster
) -> None:
    cluster.distribute(undistributed.info.dbname)
    assert nodes_agree_on_words(undistributed)


async def test_rows_from_before_are_found_after_an_upgrade_of_distributed_tables(
    undistributed: Program, cluster: Cluster, url: str
) -> None:
    await asyncio.to_thread(command.downgrade, configuration(url), "0002")
    cluster.distribute(undistributed.info.dbname)
    undistributed.execute(OLD_ROWS.encode())
    undistributed.commit()
    await asyncio.to_thread(upgrade, url)
    async with Store.open(url, min_connections=1) as store:
        timeline = await store.timeline(UUID(hex=md5(b"1").hexdigest()))
    assert [(entry.kind, entry.text) for entry in timeline][-2:] == [
        ("transcript", "said 3"),
        ("translation", "dicho 1"),
    ]
