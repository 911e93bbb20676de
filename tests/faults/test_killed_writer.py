"""A writing process is killed at any moment: what it was told is stored, and nothing is there by half."""

import asyncio
from contextlib import ExitStack
from datetime import timedelta

from faults.conftest import StartRun
from faults.crowd import new_session
from faults.ledger import Ledger
from faults.place import Place
from faults.processes import Program, running
from faults.table import WRITER_KILLED
from faults.writer import write

from livetranslate_store import Store

LONGEST_LIFE_SECONDS = 0.6
BEGIN_SECONDS = 60.0


async def test_a_killed_writer_loses_nothing_and_leaves_nothing_by_half(
    fault: StartRun, store: Store, place: Place
) -> None:
    run = fault(WRITER_KILLED, full=200, short=6)

    async def prepare(stack: ExitStack) -> tuple[Program, Ledger]:
        # A session of its own for each, so that each is checked alone.
        ledger = place.ledger(await new_session(store))
        writer = running(write, place.url, place.audio_url, ledger, run.chance.random())
        return stack.enter_context(writer), ledger

    with ExitStack() as stack:
        following = await prepare(stack)
        for number in range(run.tries):
            program, ledger = following
            program.begin()
            # The next one gets ready meanwhile.
            following = await prepare(stack)
            if number % 2:
                await begun(ledger)
            await asyncio.sleep(run.chance.uniform(0.0, LONGEST_LIFE_SECONDS))
            program.kill()
            run.found(place.check(ledger))
            run.tried()

    orphans = place.orphans()
    swept = await store.sweep_audio(older_than=timedelta(0))
    assert swept.orphans_removed == orphans
    assert place.orphans() == 0
    assert run.row.acknowledged >= run.tries // 2


async def begun(ledger: Ledger) -> None:
    """Wait for the first acknowledgement: on a slow machine a short life may see none."""
    async with asyncio.timeout(BEGIN_SECONDS):
        while not ledger.has_begun:
            await asyncio.sleep(0.01)
