"""Each test on a cluster has a database of its own on all nodes, with distributed tables."""

from typing import Any

import psycopg
import pytest
from helpers.clusters import SHARDS
from helpers.support import TABLES, counts

SHARDS_BY_TABLE = "SELECT logicalrelid::regclass::text, count(*) FROM pg_dist_shard GROUP BY 1"
A_SESSION = (
    "INSERT INTO livetranslate.sessions (id, bot_id, meeting_id) VALUES (gen_random_uuid(), 'bot-7', 'abc')"
)


@pytest.mark.parametrize("_again", range(2))
def test_a_test_begins_with_distributed_and_empty_tables(
    other_program: psycopg.Connection[Any], _again: int
) -> None:
    assert dict(other_program.execute(SHARDS_BY_TABLE).fetchall()) == dict.fromkeys(
        (f"livetranslate.{table}" for table in TABLES), SHARDS
    )
    assert set(counts(other_program).values()) == {0}
    other_program.execute(A_SESSION)
    other_program.commit()


def test_an_undistributed_database_knows_its_nodes(undistributed: psycopg.Connection[Any]) -> None:
    assert undistributed.execute(SHARDS_BY_TABLE).fetchall() == []
    assert undistributed.execute("SELECT count(*) > 1 FROM pg_dist_node").fetchone() == (True,)
