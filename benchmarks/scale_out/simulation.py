"""Machines, logs, stores and their calls in simulated time; seconds everywhere.

Processes share the cores of a machine in turns. A store is one thread on its machine. Writes gather while the
groups before them are under way, as in a real store. A flush of a log serves all commits that arrived before
it began. Nothing here is random: arrivals and places are the caller's.
"""

from collections.abc import Callable, Generator, Sequence
from itertools import islice
from typing import Any, TypeAlias

import simpy

from benchmarks.scale_out.measured import Demand

#: Steps of a process; SimPy resumes it when the yielded event has happened.
Steps: TypeAlias = Generator[simpy.Event, Any, None]

# The longest turn of a process while others wait for a core.
TURN = 0.001


class Machine:
    """Cores that processes share in turns.

    When all of them have work, they are `idle` for a share of the time all the same: processes wait for each
    other's locks, and to be woken up.
    """

    def __init__(self, env: simpy.Environment, cores: int, idle: float = 0.0) -> None:
        self._env = env
        self._cores = simpy.Resource(env, cores)
        self._slower = 1.0 / (1.0 - idle)
        #: Seconds that the cores have worked.
        self.busy = 0.0

    def work(self, seconds: float) -> Steps:
        """Use a core for so long."""
        while seconds > 0.0:
            turn = min(seconds, TURN)
            with self._cores.request() as core:
                yield core
                is_full = self._cores.count == self._cores.capacity
                yield self._env.timeout(turn * self._slower if is_full else turn)
            self.busy += turn
            seconds -= turn


class Thread:
    """A process that does one thing at a time."""

    def __init__(self, env: simpy.Environment, machine: Machine) -> None:
        self._machine = machine
        self._free = simpy.Resource(env, 1)

    def work(self, seconds: float) -> Steps:
        """Use the thread, and a core with it."""
        with self._free.request() as mine:
            yield mine
            yield from self._machine.work(seconds)


class Log:
    """The log of a server: one flush at a time."""

    def __init__(self, env: simpy.Environment, seconds: float) -> None:
        self._env = env
        self._seconds = seconds
        self._under_way: simpy.Event | None = None
        self._next: simpy.Process | None = None

    def flush(self) -> Steps:
        """Wait for a flush that begins now or later."""
        if self._next is None:
            self._next = self._env.process(self._flush())
        yield self._next

    def _flush(self) -> Steps:
        while self._under_way is not None:
            yield self._under_way
        self._next, self._under_way = None, self._env.event()
        done = self._under_way
        yield self._env.timeout(self._seconds)
        self._under_way = None
        done.succeed()


class Server:
    """A PostgreSQL server: a machine, which it may share, and a log of its own."""

    def __init__(self, env: simpy.Environment, machine: Machine, flush: float) -> None:
        self.machine = machine
        self.log = Log(env, flush)


class Caller:
    """A store that is connected to one server, and calls it over a network.

    A hop is the seconds of a round trip between two machines. If it is negative, there is no network, and a
    server still works for so long after it has answered.
    """

    def __init__(
        self, env: simpy.Environment, thread: Thread, entry: Server, workers: Sequence[Server], hop: float
    ) -> None:
        self._env = env
        self._thread = thread
        self._entry = entry
        self._workers = workers
        self._hop = max(0.0, hop)
        self._afterwards = max(0.0, -hop)

    def call(self, demand: Demand, items: int, shard: Server) -> Steps:
        """Make a call with so many items; `shard` has the session."""
        rows = items if demand.streamed else 0
        turns = demand.round_trips
        client, entry, shards = (
            (cost.of(items) - cost.item * rows) / turns
            for cost in (demand.client, demand.entry, demand.shards)
        )
        # A node reaches its own shards without the network.
        is_passed_on = shard is not self._entry
        hop = self._hop * demand.hops / turns if is_passed_on else 0.0
        # A coordinator collects the items of a shard, and passes them on while the client reads them.
        passing = demand.entry.item * (items - rows) / turns / 2 if is_passed_on else 0.0
        for _ in range(turns):
            yield self._all(self._thread.work(client), self._entry.machine.work(passing))
            yield self._env.timeout(self._hop)
            yield from self._until_answered(self._entry, entry - passing)
            yield self._env.timeout(hop)
            yield from self._at_shards(demand, shard, shards)
        if rows:
            yield self._all(
                self._thread.work(demand.client.item * rows),
                self._entry.machine.work(demand.entry.item * rows),
                shard.machine.work(demand.shards.item * rows),
            )
        for _ in range(demand.flushes):
            yield from shard.log.flush()

    def _at_shards(self, demand: Demand, shard: Server, seconds: float) -> Steps:
        """Work on the node of the shard, or on one worker after the other."""
        if demand.everywhere and self._workers:
            for worker in self._workers:
                yield from worker.machine.work(seconds / len(self._workers))
        else:
            yield from self._until_answered(shard, seconds, demand.hops / demand.round_trips)

    def _until_answered(self, server: Server, seconds: float, answers: float = 1.0) -> Steps:
        afterwards = min(seconds, self._afterwards * answers)
        yield from server.machine.work(seconds - afterwards)
        if afterwards:
            self._env.process(server.machine.work(afterwards))

    def _all(self, *works: Steps) -> simpy.Event:
        return self._env.all_of([self._env.process(work) for work in works])


class Queue:
    """The waiting writes of a store, and its groups, at most so many of them under way at a time.

    A group takes the first write and those behind it that lie in the same shard. On a single server all do.
    """

    def __init__(
        self,
        env: simpy.Environment,
        send: Callable[[int, Server], Steps],
        *,
        connections: simpy.Resource,
        largest: int,
        under_way: int,
    ) -> None:
        self._env = env
        self._send = send
        self._connections = connections
        self._largest = largest
        self._most = under_way
        self._under_way = 0
        self._starting = False
        self._waiting: dict[simpy.Event, tuple[int, Server]] = {}

    def write(self, shard: int, server: Server) -> simpy.Event:
        """Wait for a group of the shard, which lies on the server; the event happens at its commit."""
        stored = self._env.event()
        self._waiting[stored] = shard, server
        self._start()
        return stored

    def _start(self) -> None:
        if self._waiting and not self._starting and self._under_way < self._most:
            self._starting = True
            self._under_way += 1
            self._env.process(self._group())

    def _group(self) -> Steps:
        with self._connections.request() as connection:
            yield connection
            place = next(iter(self._waiting.values()))
            same = (stored for stored, other in self._waiting.items() if other == place)
            group = list(islice(same, self._largest))
            for stored in group:
                del self._waiting[stored]
            self._starting = False
            self._start()
            yield from self._send(len(group), place[1])
        for stored in group:
            stored.succeed()
        self._under_way -= 1
        self._start()
