"""Group commit alone: a fake database, a fake write and a clock that the test moves."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from typing import cast

import pytest
from helpers.group_commits import LIMIT, RETRY_SECONDS, STATEMENT, Bench, Item, opened_bench, results, settle

from livetranslate_store.database.engine import Database
from livetranslate_store.errors import (
    ConflictError,
    MissingReferenceError,
    OutcomeUnknownError,
    PoolTimeoutError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)
from livetranslate_store.writing import group_commit
from livetranslate_store.writing.connection import Connection
from livetranslate_store.writing.group_commit import LARGEST_GROUP, GroupCommit, group_limit


@pytest.mark.parametrize(("writes", "limit"), [(1, 1), (2, 1), (5, 3), (50, 25), (1_000, LARGEST_GROUP)])
def test_two_groups_hold_all_writes_that_may_run_until_they_are_large(writes: int, limit: int) -> None:
    assert group_limit(writes) == limit


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench() as made:
        yield made


async def test_a_lone_write_goes_at_once(bench: Bench) -> None:
    assert await bench.start("a") == "receipt of a"
    assert bench.write.groups == [["a"]]


async def test_writes_that_arrive_while_two_groups_are_under_way_go_together(bench: Bench) -> None:
    bench.write.goes_on.clear()
    first, second = [bench.start("a"), bench.start("b")], []
    await settle()
    second.append(bench.start("c"))
    await settle()
    late = [bench.start(name) for name in "def"]
    await settle()
    assert bench.write.groups == [["a", "b"], ["c"]]
    bench.write.goes_on.set()
    assert await results([*first, *second, *late]) == [f"receipt of {name}" for name in "abcdef"]
    assert bench.write.groups[2:] == [["d", "e", "f"]]


async def test_writes_join_the_group_that_waits_for_its_connection(bench: Bench) -> None:
    bench.database.is_free.clear()
    tasks = [bench.start("a")]
    await settle()
    tasks.append(bench.start("b"))
    await settle()
    bench.database.is_free.set()
    await results(tasks)
    assert bench.write.groups == [["a", "b"]]


async def test_a_group_has_a_limit(bench: Bench) -> None:
    await results([bench.start(f"{n}", n) for n in range(LIMIT + 3)])
    assert [len(group) for group in bench.write.groups] == [LIMIT, 3]


async def test_one_key_goes_once_in_a_group_and_in_the_order_of_arrival(bench: Bench) -> None:
    arrivals = [("first", 1), ("second", 1), ("other", 2), ("third", 1)]
    tasks = [bench.start(name, key) for name, key in arrivals]
    await results(tasks)
    assert bench.write.groups == [["first", "other"], ["second"], ["third"]]


async def test_a_transient_failure_goes_again_in_front_of_later_revisions(bench: Bench) -> None:
    bench.write.errors = [ConflictError()]
    bench.write.goes_on.clear()
    tasks = [bench.start("first", 1)]
    await settle()
    tasks += [bench.start("second", 1), bench.start("other", 2)]
    bench.write.goes_on.set()
    assert await results(tasks) == ["receipt of first", "receipt of second", "receipt of other"]
    order = [name for group in bench.write.groups for name in group]
    assert order.index("first", 1) < order.index("second")
    assert bench.retries.endings == [True]
    assert bench.write.given_up == []


async def test_a_failure_is_final_once_the_time_is_up_since_the_first_attempt(bench: Bench) -> None:
    bench.write.errors = [ConflictError("lost")] * 3
    bench.write.seconds = RETRY_SECONDS * 0.6
    [error] = await results([bench.start("a")])
    assert str(error) == "lost"
    assert bench.write.groups == [["a"], ["a"]]
    assert bench.write.given_up == [("a", False)]
    assert bench.retries.endings == [False]


async def test_a_write_that_is_cancelled_while_it_waits_leaves_at_once(bench: Bench) -> None:
    bench.database.is_free.clear()
    task, other = bench.start("a"), bench.start("b")
    await settle()
    task.cancel()
    await settle()
    assert task.cancelled()
    bench.database.is_free.set()
    assert await other == "receipt of b"
    assert bench.write.groups == [["b"]]
    assert bench.write.given_up == [("a", False)]


async def test_a_group_whose_writes_all_left_gives_its_connection_back(bench: Bench) -> None:
    bench.database.is_free.clear()
    task = bench.start("a")
    await settle()
    task.cancel()
    bench.database.is_free.set()
    await settle()
    assert bench.write.groups == []
    assert len(bench.database.leases) == 1


async def test_a_write_that_is_cancelled_under_way_ends_with_its_group(bench: Bench) -> None:
    bench.write.goes_on.clear()
    task, other = bench.start("a"), bench.start("b")
    await settle()
    task.cancel()
    await settle()
    assert not task.done()
    bench.write.goes_on.set()
    assert await other == "receipt of b"
    await settle()
    assert task.cancelled()
    assert bench.write.given_up == []


async def test_one_bad_item_fails_alone_and_the_others_are_written(bench: Bench) -> None:
    bench.write.errors = [MissingReferenceError("one of them"), None, MissingReferenceError("bad"), None]
    answers = await results([bench.start(name) for name in ("a", "bad", "c")])
    assert answers[::2] == ["receipt of a", "receipt of c"]
    assert str(answers[1]) == "bad"
    assert bench.write.groups == [["a", "bad", "c"], ["a"], ["bad"], ["c"]]
    assert bench.write.given_up == [("bad", False)]
    # The first attempt has the group's lease, the others connections of their own.
    assert bench.database.ran_on == [bench.database.leases[0], None, None, None]


async def test_an_error_after_a_part_was_committed_leaves_the_outcome_unknown(bench: Bench) -> None:
    bench.write.stores_a_part = True
    bench.write.errors = [PoolTimeoutError()]
    answers = await results([bench.start(name) for name in ("a", "b")])
    assert [type(error) for error in answers] == [OutcomeUnknownError, OutcomeUnknownError]
    assert isinstance(answers[0].__cause__, PoolTimeoutError)
    # Rows may refer to what they have left behind.
    assert bench.write.given_up == [("a", True), ("b", True)]


async def test_two_writes_that_alone_run_into_the_time_limit_are_enough(bench: Bench) -> None:
    bench.write.errors = [QueryTimeoutError(), None, QueryTimeoutError(), None, QueryTimeoutError("again")]
    answers = await results([bench.start(name) for name in "abcdef"])
    assert bench.write.groups == [[*"abcdef"], ["a"], ["b"], ["c"], ["d"]]
    assert [answers[0], answers[2]] == ["receipt of a", "receipt of c"]
    assert [str(answers[place]) for place in (3, 4, 5)] == ["again"] * 3
    assert bench.write.given_up == [("b", False), ("d", False), ("e", False), ("f", False)]


async def test_a_failed_group_goes_on_without_the_writes_whose_callers_have_left(bench: Bench) -> None:
    bench.write.errors = [MissingReferenceError("one of them")]
    bench.write.goes_on.clear()
    tasks = [bench.start(name) for name in "abc"]
    await settle()
    tasks[1].cancel()
    await settle()
    bench.write.goes_on.set()
    assert await tasks[2] == "receipt of c"
    await settle()
    assert bench.write.groups == [["a", "b", "c"], ["a"], ["c"]]
    assert bench.write.given_up == [("b", False)]


async def test_a_connection_that_fails_does_not_free_the_keys_of_a_running_group(bench: Bench) -> None:
    bench.write.goes_on.clear()
    first = bench.start("first", 1)
    await settle()
    bench.database.refusals = [PoolTimeoutError()]
    refused = [bench.start("second", 1), bench.start("other", 2)]
    assert [type(error) for error in await results(refused)] == [PoolTimeoutError] * 2
    third = bench.start("third", 1)
    await settle()
    assert bench.write.groups == [["first"]]
    bench.write.goes_on.set()
    assert await results([first, third]) == ["receipt of first", "receipt of third"]


async def test_the_limit_of_a_group_may_change(bench: Bench) -> None:
    sizes = iter((1, 2))
    groups: GroupCommit[Item, str] = GroupCommit(
        cast("Database", bench.database), bench.write, limit=lambda: next(sizes)
    )
    await asyncio.gather(*(groups.write(Item(name, n)) for n, name in enumerate("abc")))
    assert bench.write.groups == [["a"], ["b", "c"]]


async def test_an_error_in_the_place_of_a_receipt_is_that_items_alone(bench: Bench) -> None:
    bench.write.refused = {"b": MissingReferenceError("b has no transcript")}
    answers = await results([bench.start("a"), bench.start("b")])
    assert answers[0] == "receipt of a"
    assert str(answers[1]) == "b has no transcript"
    assert len(bench.write.groups) == 1
    assert bench.write.given_up == [("b", False)]


async def test_an_error_of_the_database_is_not_tried_one_by_one_and_each_caller_has_its_own(
    bench: Bench,
) -> None:
    bench.write.errors = [StoreUnavailableError("away")]
    answers = await results([bench.start("a"), bench.start("b")])
    assert [str(error) for error in answers] == ["away", "away"]
    assert answers[0] is not answers[1]
    assert bench.write.groups == [["a", "b"]]


async def test_a_lost_answer_stays_unknown_whatever_fails_afterwards(bench: Bench) -> None:
    bench.write.errors = [OutcomeUnknownError(), StoreUnavailableError("away")]
    [error] = await results([bench.start("a")])
    assert isinstance(error, OutcomeUnknownError)
    assert str(error.__cause__) == "away"
    assert bench.write.given_up == [("a", True)]
    assert len(bench.write.groups) == 2


async def test_a_lost_answer_that_is_repeated_has_a_receipt(bench: Bench) -> None:
    bench.write.errors = [OutcomeUnknownError()]
    assert await bench.start("a") == "receipt of a"
    assert bench.write.given_up == []


async def test_all_waiting_writes_have_the_error_of_the_connection_that_they_waited_for(
    bench: Bench,
) -> None:
    bench.database.refusals = [PoolTimeoutError("all in use")]
    answers = await results([bench.start("a"), bench.start("b")])
    assert [str(error) for error in answers] == ["all in use", "all in use"]
    assert bench.write.groups == []
    assert await bench.start("c") == "receipt of c"


async def test_an_unexpected_error_fails_one_write_and_after_a_statement_its_outcome_is_unknown(
    bench: Bench,
) -> None:
    bench.write.errors = [ValueError("one of them"), None, ValueError("a bug"), None]
    answers = await results([bench.start(name) for name in ("a", "bad", "c")])
    assert answers[::2] == ["receipt of a", "receipt of c"]
    assert isinstance(answers[1], OutcomeUnknownError)
    assert str(answers[1].__cause__) == "The write failed with an unexpected ValueError."
    assert bench.write.given_up == [("bad", True)]
    assert await bench.start("d") == "receipt of d"


async def test_an_unexpected_error_before_the_statement_is_a_plain_error_and_gives_the_connection_back(
    bench: Bench,
) -> None:
    async def write(items: Sequence[Item], connection: Connection) -> list[str | StoreError]:
        if any(each.name == "bad" for each in items):
            raise TypeError("cannot be encoded")
        await connection.fetch(STATEMENT)
        return [each.name for each in items]

    groups: GroupCommit[Item, str] = GroupCommit(
        cast("Database", bench.database), write, bench.write.give_up, limit=lambda: LIMIT
    )
    tasks = [asyncio.create_task(groups.write(Item(name, n))) for n, name in enumerate(("a", "bad", "c"))]
    answers = await results(tasks)
    assert answers[::2] == ["a", "c"]
    assert type(answers[1]) is StoreError
    assert isinstance(answers[1].__cause__, TypeError)
    assert bench.write.given_up == [("bad", False)]


async def test_an_unexpected_error_of_the_connection_reaches_every_waiting_write_once(bench: Bench) -> None:
    bench.database.refusals = [cast("StoreError", RuntimeError("a bug"))]
    answers = await results([bench.start("a"), bench.start("b")])
    assert [type(error) for error in answers] == [StoreError, StoreError]
    assert await bench.start("c") == "receipt of c"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
async def test_every_write_is_answered_under_eager_tasks(bench: Bench) -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]  # Python 3.12
    try:
        async with asyncio.timeout(5):
            for name in "abc":
                assert await bench.start(name) == f"receipt of {name}"
            many = [bench.start(f"{n}", n) for n in range(LIMIT + 3)]
            assert await results(many) == [f"receipt of {n}" for n in range(LIMIT + 3)]
    finally:
        loop.set_task_factory(None)


async def test_a_write_without_a_statement_gives_its_connection_back(bench: Bench) -> None:
    async def write(items: Sequence[Item], _connection: Connection) -> list[str | StoreError]:
        return [each.name for each in items]

    groups: GroupCommit[Item, str] = GroupCommit(cast("Database", bench.database), write, limit=lambda: LIMIT)
    assert await groups.write(Item("a", 1)) == "a"
    assert len(bench.database.leases) == 1


async def test_a_second_statement_has_a_connection_of_its_own(bench: Bench) -> None:
    async def write(items: Sequence[Item], connection: Connection) -> list[str | StoreError]:
        await connection.fetch(STATEMENT)
        await connection.fetch(STATEMENT)
        return [each.name for each in items]

    groups: GroupCommit[Item, str] = GroupCommit(cast("Database", bench.database), write, limit=lambda: LIMIT)
    assert await groups.write(Item("a", 1)) == "a"
    assert bench.database.ran_on == [bench.database.leases[0], None]


async def test_a_store_that_closes_before_the_connection_is_unavailable_to_its_writes(
    bench: Bench,
) -> None:
    bench.database.refusals = [UsageError("The store is closed.")]
    answers = await results([bench.start("a"), bench.start("b")])
    assert [type(error) for error in answers] == [StoreUnavailableError, StoreUnavailableError]


async def test_a_store_that_closes_while_writes_go_one_by_one_is_unavailable_to_them(bench: Bench) -> None:
    closed = [UsageError("The store is closed."), UsageError("The store is closed.")]
    bench.write.errors = [MissingReferenceError("one of them"), *closed]
    answers = await results([bench.start("a"), bench.start("b")])
    assert [type(error) for error in answers] == [StoreUnavailableError, StoreUnavailableError]
    assert bench.write.groups == [["a", "b"], ["a"], ["b"]]


async def test_closing_gives_up_the_waiting_writes(bench: Bench) -> None:
    bench.database.is_free.clear()
    tasks = [bench.start("a"), bench.start("b")]
    await settle()
    await bench.groups.close()
    answers = await results(tasks)
    assert {type(error) for error in answers} == {StoreUnavailableError}
    assert bench.write.given_up == [("a", False), ("b", False)]


async def test_closing_cuts_off_a_hanging_group_whose_writes_may_be_stored(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "CLOSE_SECONDS", 0.01)
    bench.write.goes_on.clear()
    task = bench.start("a")
    await settle()
    await bench.groups.close()
    [error] = await results([task])
    assert isinstance(error, OutcomeUnknownError)
    assert bench.write.given_up == [("a", True)]
