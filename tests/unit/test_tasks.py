"""Work on many items: bounded, and over when it says so."""

import asyncio

import pytest

from livetranslate_store.tasks import for_each


async def test_no_more_are_under_way_than_allowed_and_all_are_done() -> None:
    under_way = most = 0
    done: list[int] = []

    async def work(item: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        done.append(item)

    await for_each(range(20), work, at_once=3)
    assert sorted(done) == list(range(20))
    assert most == 3


@pytest.mark.parametrize("how", ["failure", "cancellation"])
async def test_nothing_is_under_way_once_it_was_interrupted(how: str) -> None:
    begun: list[int] = []
    ended: list[int] = []

    async def work(item: int) -> None:
        begun.append(item)
        try:
            if how == "failure" and item == 1:
                raise ZeroDivisionError
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            ended.append(item)

    task = asyncio.create_task(for_each(range(20), work, at_once=3))
    while len(begun) < 3:
        await asyncio.sleep(0)
    if how == "cancellation":
        task.cancel()
    with pytest.raises(ZeroDivisionError if how == "failure" else asyncio.CancelledError):
        await task
    assert begun == [0, 1, 2]
    assert sorted(ended) == begun
