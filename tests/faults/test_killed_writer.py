"""A writing process is killed at any moment: what it was told is stored, and nothing is partial."""

import asyncio
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

from faults.conftest import StartRun
from faults.crowd import new_session
from faults.ledger import Ledger
from faults.place import Place
from faults.processes import Program, running
from faults.table import WRITER_KILLED
from faults.writer import write
from helpers.support import until

from livetranslate_store import Store

LONGEST_LIFE_SECONDS = 0.6
# Every second writer is killed only once it has got so far, however slow the machine is.
GOING_ACKNOWLEDGED = 3
BEGIN_SECONDS = 60.0


async def test_a_killed_writer_loses_nothing_and_leaves_nothing_partial(
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
                await until(partial(is_going, ledger), seconds=BEGIN_SECONDS)
            await asyncio.sleep(run.chance.uniform(0.0, LONGEST_LIFE_SECONDS))
            program.kill()
            run.found(place.check(ledger))
            run.tried()

    orphans = place.orphans()
    swept = await store.sweep_audio(older_than=timedelta(0))
    assert swept.orphans_removed == orphans
    assert place.orphans() == 0
    assert run.row.acknowledged > run.tries


def is_going(ledger: Ledger) -> bool:
    return len(ledger.acknowledged) >= GOING_ACKNOWLEDGED
