"""Foretell what was measured on one machine from the service times alone, and judge by how much it is off.

The store, the single server and all nodes of the cluster share the machine's cores, as they did in the
measurement. The service times come from lone calls and from single groups; the crowd of writers, the whole
timeline and the sums are foretold.
"""

import itertools
import random
from typing import NamedTuple

import simpy

from benchmarks.scale_out.measured import Measured
from benchmarks.scale_out.simulation import Caller, Machine, Queue, Server, Steps, Thread

# The simulation is believed if nothing is off by more.
TOLERANCE = 0.20
SEED = 12
WARM_UP, SECONDS = 0.5, 2.0


class Row(NamedTuple):
    """A figure of one installation, measured and simulated."""

    title: str
    installation: str
    measured: float
    simulated: float
    is_rate: bool

    @property
    def off(self) -> float:
        """The simulated figure over the measured one, less one."""
        return self.simulated / self.measured - 1

    @property
    def ok(self) -> bool:
        """Whether it is near enough."""
        return abs(self.off) <= TOLERANCE


def reproduce(measured: Measured) -> list[Row]:
    """Return every measured figure beside the simulated one."""
    rows = []
    for name, seen in measured.seen.items():
        for installation, figure in (("single server", seen.single), ("cluster", seen.cluster)):
            clustered = installation == "cluster"
            simulated = (
                crowd(measured, clustered=clustered)
                if name == "groups"
                else alone(measured, name, clustered=clustered)
            )
            rows.append(Row(seen.title, installation, figure, simulated, seen.is_rate))
    return rows


class _OneMachine:
    """The machine of the measurement with all that runs on it."""

    def __init__(self, measured: Measured, *, clustered: bool, idle: float = 0.0) -> None:
        self.env = simpy.Environment()
        machine = Machine(self.env, measured.cores, idle)
        self.demands = measured.cluster if clustered else measured.single
        self.entry = Server(self.env, machine, measured.flush)
        self.workers = [
            Server(self.env, machine, measured.flush) for _ in range(measured.workers if clustered else 0)
        ]
        thread = Thread(self.env, machine)
        self.caller = Caller(self.env, thread, self.entry, self.workers, measured.hop)

    def shards(self, many: int) -> list[Server]:
        """Return the server of each shard; the single server has one."""
        return [self.workers[n % len(self.workers)] for n in range(many)] if self.workers else [self.entry]


def alone(measured: Measured, name: str, *, clustered: bool) -> float:
    """Return the seconds of a call while nothing else is under way."""
    machine = _OneMachine(measured, clustered=clustered)
    items = {"page": measured.page_entries, "timeline": measured.timeline_entries}.get(name, 1)
    shard = machine.shards(1)[0]
    machine.env.run(machine.env.process(machine.caller.call(machine.demands[name], items, shard)))
    return float(machine.env.now)


def crowd(measured: Measured, *, clustered: bool, seconds: float = SECONDS) -> float:
    """Return the new segments a second that the measured crowd of writers stores."""
    machine, groups = _OneMachine(measured, clustered=clustered, idle=measured.idle), measured.groups
    env, demand = machine.env, machine.demands["new_segment"]
    queue = Queue(
        env,
        lambda items, server: machine.caller.call(demand, items, server),
        connections=simpy.Resource(env, groups.connections),
        largest=groups.largest,
        under_way=groups.under_way_on_a_cluster if clustered else groups.under_way,
    )
    # Citus places a session by a hash of its id.
    chance = random.Random(SEED)  # noqa: S311 (no secret)
    places = list(enumerate(machine.shards(measured.shards if clustered else 1)))
    sessions = [chance.choice(places) for _ in range(groups.sessions)]
    gate = simpy.Resource(env, groups.gate)
    stored = 0

    def writer(number: int) -> Steps:
        nonlocal stored
        # As the segments of the measurement are dealt out.
        for segment in itertools.count(number, groups.writers):
            shard, server = sessions[segment % len(sessions)]
            with gate.request() as slot:
                yield slot
                yield queue.write(shard, server)
            if env.now >= WARM_UP:
                stored += 1

    for number in range(groups.writers):
        env.process(writer(number))
    env.run(WARM_UP + seconds)
    return stored / seconds
