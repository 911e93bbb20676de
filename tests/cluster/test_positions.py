"""Positions on a cluster: each read shows every commit, and no replica answers one."""

import pytest
from helpers.stored import Program
from helpers.support import transcript

from livetranslate_store import InvalidInputError, Store

OTHER_NODE = """
    SELECT shard.shardid, here.nodename, here.nodeport, other.nodename, other.nodeport
    FROM (SELECT get_shard_id_for_distribution_column('livetranslate.sessions', %s) AS shardid) AS shard
    JOIN pg_dist_placement AS placement ON placement.shardid = shard.shardid
    JOIN pg_dist_node AS here ON here.groupid = placement.groupid
    JOIN pg_dist_node AS other ON other.groupid NOT IN (0, here.groupid)
    LIMIT 1
"""


async def test_a_position_holds_after_the_shard_has_moved_to_a_node_that_counts_otherwise(
    store: Store, database_url: str, other_program: Program
) -> None:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    before = await store.record_segment(session.id, transcript=transcript("one", segment_key="a"))
    other_program.autocommit = True
    move = other_program.execute(OTHER_NODE, [session.id]).fetchone()
    assert move is not None
    other_program.execute("SELECT citus_move_shard_placement(%s, %s, %s, %s, %s, 'block_writes')", move)
    after = await store.record_segment(session.id, transcript=transcript("two", segment_key="b"))
    async with Store.open(database_url, min_connections=0) as another:
        for reader in (store, another):
            for receipt in (before, after):
                page = await reader.timeline(session.id, min_position=receipt.position)
                assert {entry.text for entry in page} == {"one", "two"}
                assert len(await reader.search("one or two", min_position=receipt.position)) == 2


async def test_replicas_are_refused_with_distributed_tables(database_url: str) -> None:
    with pytest.raises(InvalidInputError, match=r"replica_urls .* distributed"):
        async with Store.open(database_url, min_connections=0, replica_urls=[database_url]):
            pass
