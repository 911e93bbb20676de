"""Simulate the planned installations: times under load, one great meeting, and the loss of a node."""

import random
import statistics
from typing import NamedTuple

import simpy

from benchmarks.scale_out.assumptions import Assumptions
from benchmarks.scale_out.load import calls_of, over_shards
from benchmarks.scale_out.measured import Demand, Measured
from benchmarks.scale_out.plan import Plan
from benchmarks.scale_out.simulation import Caller, Machine, Queue, Server, Steps, Thread

SEED = 12
# Calls until the figures count, and calls that count.
WARM_UP, CALLS = 500, 5_000
# A store has caught up within so many times the loss.
CAUGHT_UP = 1.0
# Cores of the machines of stores: a store has one to itself.
PLENTY = 1_000_000


class Times(NamedTuple):
    """Seconds of an interim revision."""

    p50: float
    p99: float


def times(measured: Measured, assumed: Assumptions, plan: Plan, calls: int = CALLS) -> Times:
    """Return how long a write takes while all meetings speak; arrivals are random (Poisson)."""
    chance = random.Random(SEED)  # noqa: S311 (no secret)
    env, node = simpy.Environment(), assumed.node
    workers = [Server(env, Machine(env, node.cores), node.flush) for _ in range(plan.nodes)]
    demands = over_shards(measured.cluster, plan.shards / measured.shards)
    entries = workers
    if plan.placement == "one server":
        workers = entries = [Server(env, Machine(env, plan.entry_cores), node.flush)]
        demands = measured.single
    elif plan.placement == "cluster, coordinator":
        entries = [Server(env, Machine(env, plan.entry_cores), node.flush)]
    clients = Machine(env, PLENTY)
    stores = [
        Caller(env, Thread(env, clients), entries[number % len(entries)], workers, node.hop)
        for number in range(-(-plan.meetings // assumed.store.bots))
    ]
    kinds = calls_of(assumed.meeting, plan.meetings, measured.page_entries)
    rates = [each.rate for each in kinds]
    taken: list[float] = []

    def one(kind: str, items: int, shard: Server) -> Steps:
        began = env.now
        yield from chance.choice(stores).call(demands[kind], items, shard)
        if kind == "interim":
            taken.append(env.now - began)

    def arrivals() -> Steps:
        for number in range(WARM_UP + calls):
            yield env.timeout(chance.expovariate(sum(rates)))
            if number == WARM_UP:
                taken.clear()
            (made,) = chance.choices(kinds, rates)
            env.process(one(made.kind, made.items, chance.choice(workers)))

    env.process(arrivals())
    env.run()
    cuts = statistics.quantiles(taken, n=100)
    return Times(cuts[49], cuts[98])


class GreatMeeting(NamedTuple):
    """A meeting in which everybody speaks at once, and what its shard and its store can take."""

    speakers: int
    languages: int
    #: Writes a second, and busy cores of the node with its shard.
    writes: float
    cores: float
    #: Writes a second of one store into one shard, at most.
    capacity: float


def great_meeting(
    measured: Measured, assumed: Assumptions, *, speakers: int = 200, languages: int = 10
) -> GreatMeeting:
    """Return what a meeting writes if all its speakers speak at once, each transcribed for itself."""
    meeting = assumed.meeting
    segments = speakers / meeting.segment_seconds
    demands = measured.cluster
    return GreatMeeting(
        speakers=speakers,
        languages=languages,
        writes=segments * (meeting.interims + 1 + languages),
        cores=segments
        * (
            meeting.interims * demands["interim"].shards.of(1)
            + demands["final"].shards.of(1)
            + demands["late_translation"].shards.of(languages)
        ),
        capacity=capacity(measured, assumed, demands["interim"]),
    )


def capacity(
    measured: Measured, assumed: Assumptions, demand: Demand, *, writers: int = 200, seconds: float = 2.0
) -> float:
    """Return the writes a second of one store into one shard while many writers wait."""
    env, node = simpy.Environment(), assumed.node
    shard = Server(env, Machine(env, node.cores), node.flush)
    entry = Server(env, Machine(env, node.cores), node.flush)
    caller = Caller(env, Thread(env, Machine(env, 1)), entry, [shard], node.hop)
    queue = Queue(
        env,
        lambda items, server: caller.call(demand, items, server),
        connections=simpy.Resource(env, assumed.store.connections),
        largest=measured.groups.largest,
        under_way=measured.groups.under_way_on_a_cluster,
    )
    gate = simpy.Resource(env, assumed.store.gate)
    stored = 0

    def writer() -> Steps:
        nonlocal stored
        while True:
            with gate.request() as slot:
                yield slot
                yield queue.write(0, shard)
            stored += 1

    for _ in range(writers):
        env.process(writer())
    env.run(seconds)
    return stored / seconds


class Loss(NamedTuple):
    """A node is lost: what its meetings and the others of the same store meet until its standby answers."""

    nodes: int
    gate: int
    #: The store's meetings on the lost node.
    waiting: int
    #: Writes of the other meetings meanwhile, over those that they would have made.
    others: float
    #: Seconds after the takeover until no write is late.
    catching_up: float


def loss(
    measured: Measured, assumed: Assumptions, *, nodes: int, gate: int, takeover: float | None = None
) -> Loss:
    """Simulate a store whose bots speak on, each waiting for its own writes, while a node is away.

    A write to the lost node keeps its place at the gate while it is repeated. Arrivals are regular.
    """
    env, node, meeting = simpy.Environment(), assumed.node, assumed.meeting
    away = node.takeover if takeover is None else takeover
    begins, ends = 1.0, 1.0 + away
    chance = random.Random(SEED)  # noqa: S311 (no secret)
    workers = [Server(env, Machine(env, node.cores), node.flush) for _ in range(nodes)]
    entry = Server(env, Machine(env, node.cores), node.flush)
    caller = Caller(env, Thread(env, Machine(env, 1)), entry, workers, node.hop)
    places = simpy.Resource(env, gate)
    demand = measured.cluster["interim"]
    pause = meeting.segment_seconds / (meeting.interims + 1 + meeting.translations)
    late_until = ends
    made = 0

    def bot(first: float, shard: Server) -> Steps:
        nonlocal late_until, made
        at = first
        while at < ends + CAUGHT_UP * away:
            yield env.timeout(max(0.0, at - env.now))
            with places.request() as place:
                yield place
                if shard is workers[0] and begins <= env.now < ends:
                    yield env.timeout(ends - env.now)
                yield from caller.call(demand, 1, shard)
            made += shard is not workers[0] and begins <= env.now < ends
            if env.now > at + pause:
                late_until = max(late_until, env.now)
            at += pause

    for number in range(assumed.store.bots):
        env.process(bot(chance.uniform(0.0, pause), workers[number % nodes]))
    env.run()
    waiting = len(range(0, assumed.store.bots, nodes))
    due = (assumed.store.bots - waiting) * away / pause
    return Loss(nodes, gate, waiting, min(1.0, made / due), late_until - ends)
