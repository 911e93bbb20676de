"""Group commit alone, on a cluster: the fakes are those of one server."""

from collections.abc import AsyncIterator

import pytest
from helpers.group_commits import Bench, opened_bench, results, settle

from livetranslate_store.database.first_look import FirstLook
from livetranslate_store.errors import StoreUnavailableError


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench() as made:
        made.database.is_distributed = True
        made.database.server = FirstLook(nodes=4)
        yield made


async def test_a_group_holds_writes_of_one_shard_in_the_order_of_their_arrival(bench: Bench) -> None:
    tasks = [bench.start(f"{shard}{place}", shard=shard) for place in "ab" for shard in (1, 2, 3)]
    assert await results(tasks) == [f"receipt of {name}" for name in ("1a", "2a", "3a", "1b", "2b", "3b")]
    assert bench.write.groups == [["1a", "1b"], ["2a", "2b"], ["3a", "3b"]]


async def test_the_writes_of_a_failing_node_pause_and_the_others_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.retries, "pause", lambda _attempts: 0.2)
    bench.write.errors = [StoreUnavailableError("node 1", transient=True)]
    failing = bench.start("1a", 1, shard=1)
    await settle()
    later = bench.start("1b", 1, shard=1)
    others = [bench.start(name, shard=2) for name in ("2a", "2b")]
    assert await results(others) == ["receipt of 2a", "receipt of 2b"]
    assert bench.write.groups == [["1a"], ["2a", "2b"]]
    bench.clock.now += 0.2
    assert await results([failing, later]) == ["receipt of 1a", "receipt of 1b"]
    assert bench.write.groups[2:] == [["1a"], ["1b"]]


async def test_a_revision_behind_a_paused_one_takes_no_connection(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.retries, "pause", lambda _attempts: 0.2)
    bench.write.errors = [StoreUnavailableError("node 1", transient=True)]
    tasks = [bench.start("a", 1), bench.start("b", 2), bench.start("later a", 1)]
    await settle()
    assert len(bench.database.leases) == 1
    bench.clock.now += 0.2
    assert await results(tasks) == ["receipt of a", "receipt of b", "receipt of later a"]
    assert bench.write.groups == [["a", "b"], ["a", "b"], ["later a"]]
