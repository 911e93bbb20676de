"""All bots and viewers of a run on one store."""

import asyncio
import random
import statistics
import time

from rich.progress import Progress

from benchmarks.soak.bot import Bot, Phase
from benchmarks.soak.gauges import Durations
from benchmarks.soak.viewer import Viewer
from livetranslate_store import Store

SEED = 7
# A viewer looks every two seconds of speech; full load is some four times as fast as speech.
PAUSE, FULL_LOAD_PAUSE = 2.0, 0.5


class Meetings:
    """Bots, and viewers of the first of them."""

    def __init__(self, store: Store, bots: int, viewers: int, progress: Progress) -> None:
        self._bots = [Bot(store, number, SEED) for number in range(bots)]
        chance = random.Random(SEED)  # noqa: S311 (no secret)
        self._viewers = [Viewer(bot, chance) for bot in self._bots[:viewers]]
        self._progress = progress

    @property
    def clock(self) -> float:
        """Seconds of speech since the start, as the mean of all bots."""
        return statistics.mean(bot.clock for bot in self._bots)

    @property
    def begun(self) -> int:
        """How many meetings have begun."""
        return sum(bot.meetings for bot in self._bots)

    def start(
        self, group: asyncio.TaskGroup, name: str, seconds: float, taken: Durations, *, paced: bool
    ) -> Phase:
        """Start a phase that ends by itself; every write adds its duration to `taken`."""
        ends = asyncio.get_running_loop().time() + seconds
        phase = Phase(ends, paced, PAUSE if paced else FULL_LOAD_PAUSE)
        for bot in self._bots:
            group.create_task(bot.speak(phase, taken))
        for viewer in self._viewers:
            group.create_task(viewer.watch(phase))
        group.create_task(self._show(name, seconds, phase))
        return phase

    async def _show(self, name: str, seconds: float, phase: Phase) -> None:
        bar = self._progress.add_task(name, total=seconds)
        loop = asyncio.get_running_loop()
        while (left := phase.ends - loop.time()) > 0:
            self._progress.update(bar, completed=seconds - left)
            await asyncio.sleep(0.5)
        self._progress.update(bar, completed=seconds)


class Load:
    """Measures the work of a store from its creation until `end`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._before = store.statistics()
        self._began = time.monotonic(), time.process_time()
        #: How long each write took.
        self.taken = Durations()

    @property
    def written(self) -> int:
        """Writes since the creation."""
        return self._store.statistics().gate.completed - self._before.gate.completed

    def end(self) -> None:
        """Take the figures."""
        self.seconds = time.monotonic() - self._began[0]
        self.cpu = (time.process_time() - self._began[1]) / self.seconds
        before, after = self._before, self._store.statistics()
        written = after.gate.completed - before.gate.completed
        self.rejected = after.gate.rejected - before.gate.rejected
        self.writes_per_second = written / self.seconds
        self.rejection_rate = _share(self.rejected, written + self.rejected)
        misses = after.cache.misses - before.cache.misses
        self.hit_rate = 1.0 - _share(misses, after.cache.hits - before.cache.hits + misses)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
