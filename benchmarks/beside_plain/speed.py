"""Time: lives at many bots, new finals, and a whole timeline; both sides take turns."""

import asyncio
import statistics
import time
from functools import partial
from typing import Self

from benchmarks import floor, plain_floor
from benchmarks.beside_plain.lives import Life, Ours, Plain, Side, whole
from benchmarks.contenders import Call, Contenders
from benchmarks.measures.clock import WRITES_IN_TURN, crowd, medians, settled, typical
from benchmarks.plain_floor import Recording, Revision, Translated
from benchmarks.report.results import Figure
from benchmarks.scale import Scale
from benchmarks.workload import LANGUAGES, LIVE, LONG, SECONDS, SPEAKER, SPOKEN, text_of
from livetranslate_store.reading.details import DETAIL_FIELDS


async def life_rate(store: Ours, pool: Plain, scale: Scale) -> Figure:
    """Measure lives a second, with as many bots as the crowd; the first round warms up."""
    each = scale.lives_per_bot
    rounds = [
        [await _rate(side, scale.crowd, range(first, first + each)) for side in (store, pool)]
        for first in range(0, each * (scale.rounds + 1), each)
    ]
    return Figure(*(statistics.median(rates) for rates in zip(*rounds[1:], strict=True)))


async def _rate(side: Side, bots: int, numbers: range) -> float:
    with settled():
        began = time.perf_counter()
        await asyncio.gather(*(_lives(side, bot, numbers) for bot in range(bots)))
        return bots * len(numbers) / (time.perf_counter() - began)


async def _lives(side: Side, bot: int, numbers: range) -> None:
    for number in numbers:
        await whole(side, Life(bot, number))


async def new_finals(contenders: Contenders, pool: floor.Pool, scale: Scale) -> dict[str, Figure]:
    """Measure new finals with audio and translations: as many writers as the crowd, then one.

    The first round of the crowd makes every connection prepare its statements.
    """
    finals = await Finals.of(pool)
    calls = scale.calls_per_writer * scale.crowd
    rounds = [
        (await crowd(contenders.record(calls), scale.crowd), await crowd(finals.calls(calls), scale.crowd))
        for _ in range(scale.rounds + 1)
    ]
    rates = [typical(side).rate for side in zip(*rounds[1:], strict=True)]
    each = scale.calls + scale.warm_up
    one = await medians(
        contenders.record(each), finals.calls(each), warm_up=scale.warm_up, turn=WRITES_IN_TURN
    )
    return {"new_finals": Figure(*rates), "one_final": Figure(*one)}


async def whole_timeline(contenders: Contenders, pool: floor.Pool, readings: int) -> Figure:
    """Measure the long meeting as values against the driver's rows of a plain SELECT with as many columns."""
    (meeting,) = await _meetings(pool, LONG)
    ours = partial(contenders.store.timeline, contenders.long_session)
    theirs = partial(pool.fetch, plain_floor.TIMELINE, meeting)
    entries, rows = await ours(), await theirs()
    columns = len(entries[0].__struct_fields__) - len(DETAIL_FIELDS)
    if len(entries) != len(rows) or columns != len(rows[0]):
        raise RuntimeError("Both sides must read as many rows and columns.")
    return Figure(*await medians([ours] * readings, [theirs] * readings, warm_up=1))


class Finals:
    """Makes calls that each write a new segment into the plain schema."""

    @classmethod
    async def of(cls, pool: floor.Pool) -> Self:
        """Return the maker of segments for the live meetings of a pool's database."""
        return cls(await _meetings(pool, LIVE), pool)

    def __init__(self, meetings: list[int], pool: floor.Pool) -> None:
        self._meetings = meetings
        self._pool = pool
        self._number = 0

    def calls(self, how_many: int) -> list[Call]:
        """Return so many calls."""
        return [self._call() for _ in range(how_many)]

    def _call(self) -> Call:
        number = self._number = self._number + 1
        start = SECONDS * (number // len(self._meetings))
        end = start + SECONDS
        meeting = self._meetings[number % len(self._meetings)]
        return partial(
            plain_floor.write_segment,
            self._pool,
            Recording(f"{meeting}/{number}", "wav", 8, "0" * 64, start, end),
            Revision(
                meeting_id=meeting,
                key=f"segment-{number}",
                text=text_of(SPOKEN, number),
                language=SPOKEN,
                start_s=start,
                end_s=end,
                speaker=SPEAKER,
                confidence=0.9,
                is_final=True,
            ),
            [Translated(tag, text_of(tag, number), 0.8, "translator") for tag in LANGUAGES],
        )


async def _meetings(pool: floor.Pool, name: str) -> list[int]:
    return [
        row["id"] for row in await pool.fetch("SELECT id FROM meetings WHERE name = $1 ORDER BY id", name)
    ]
