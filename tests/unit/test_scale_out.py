"""The simulation of larger installations agrees with queueing theory, loses no write, and judges itself."""

import random
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import simpy
from msgspec.structs import replace

from benchmarks.scale_out import assumptions
from benchmarks.scale_out.__main__ import main
from benchmarks.scale_out.load import calls_of, used
from benchmarks.scale_out.measured import Cost, Demand, Groups, Measured, Seen, read, write
from benchmarks.scale_out.page import Planned, picture
from benchmarks.scale_out.plan import MEETINGS, PLACEMENTS, Bytes, fullest, most, plan
from benchmarks.scale_out.reproduction import alone, crowd, reproduce
from benchmarks.scale_out.simulation import TURN, Caller, Log, Machine, Queue, Server, Steps, Thread
from benchmarks.scale_out.under_load import great_meeting, loss, times

ASSUMED = assumptions.read()
STORED = Bytes(disk=2_000.0, log=7_000.0)


def _demand(*, clustered: bool, flushes: int = 0, everywhere: bool = False) -> Demand:
    return Demand(
        client=Cost(0.0004, 0.00005),
        entry=Cost(0.0003, 0.0001 if not clustered else 0.00002),
        shards=Cost(0.0003, 0.0001) if clustered else Cost(0.0),
        hops=int(clustered),
        flushes=flushes,
        everywhere=everywhere,
        client_bytes=Cost(200.0, 400.0),
        shard_bytes=Cost(2_000.0, 400.0) if clustered else Cost(0.0),
    )


def _demands(*, clustered: bool) -> dict[str, Demand]:
    writes = ("new_segment", "revision", "interim", "final", "late_translation")
    return {name: _demand(clustered=clustered, flushes=1) for name in writes} | {
        "page": _demand(clustered=clustered),
        "timeline": _demand(clustered=clustered),
        "search": _demand(clustered=clustered, everywhere=True),
    }


def _measured() -> Measured:
    """Return service times, with figures that the simulation itself foretells."""
    blank = Measured(
        machine="none",
        cores=2,
        workers=2,
        shards=32,
        hop=-0.00005,
        flush=0.0002,
        idle=0.0,
        groups=Groups(
            writers=40,
            sessions=16,
            gate=20,
            connections=20,
            largest=10,
            under_way=2,
            under_way_on_a_cluster=8,
        ),
        page_entries=100,
        timeline_entries=2_000,
        single=_demands(clustered=False),
        cluster=_demands(clustered=True),
        seen={},
    )
    seen = {
        name: Seen(name, alone(blank, name, clustered=False), alone(blank, name, clustered=True))
        for name in ("new_segment", "page", "timeline", "search")
    }
    return replace(blank, seen=seen)


MEASURED = _measured()


@pytest.mark.parametrize(("cores", "rate", "wait"), [(1, 1_000.0, 0.00025), (1, 1_600.0, 0.001)])
def test_random_arrivals_wait_at_a_core_as_long_as_the_formula_of_pollaczek_and_khinchine_says(
    cores: int, rate: float, wait: float
) -> None:
    env, chance, waited = simpy.Environment(), random.Random(1), list[float]()
    machine, service = Machine(env, cores), 0.0005
    assert service <= TURN

    def one() -> Steps:
        began = env.now
        yield from machine.work(service)
        waited.append(env.now - began - service)

    def arrivals() -> Steps:
        for _ in range(12_000):
            yield env.timeout(chance.expovariate(rate))
            env.process(one())

    env.process(arrivals())
    env.run()
    assert sum(waited) / len(waited) == pytest.approx(wait, rel=0.1)


def test_processes_share_a_core_in_turns_so_that_a_short_one_does_not_wait_for_a_long_one() -> None:
    env, ended = simpy.Environment(), dict[str, float]()
    machine = Machine(env, 1)

    def one(name: str, seconds: float) -> Steps:
        yield from machine.work(seconds)
        ended[name] = env.now

    env.process(one("long", 10 * TURN))
    env.process(one("short", TURN))
    env.run()
    assert ended == {"short": pytest.approx(2 * TURN), "long": pytest.approx(11 * TURN)}
    assert machine.busy == pytest.approx(11 * TURN)


def test_commits_that_arrive_during_a_flush_share_the_next_one() -> None:
    env, ended = simpy.Environment(), list[float]()
    log = Log(env, 0.001)

    def commit(at: float) -> Steps:
        yield env.timeout(at)
        yield from log.flush()
        ended.append(env.now)

    for at in (0.0, 0.0002, 0.0009, 0.0015):
        env.process(commit(at))
    env.run()
    assert ended == pytest.approx([0.001, 0.002, 0.002, 0.003])


def _queue(env: simpy.Environment, sizes: list[int], *, connections: int = 20, under_way: int = 2) -> Queue:
    """Return a queue whose groups of at most five take a millisecond."""
    running = 0

    def send(items: int, _server: Server) -> Steps:
        nonlocal running
        running += 1
        assert running <= under_way
        sizes.append(items)
        yield env.timeout(0.001)
        running -= 1

    return Queue(env, send, connections=simpy.Resource(env, connections), largest=5, under_way=under_way)


def test_every_write_goes_in_one_group_and_no_group_exceeds_its_limits() -> None:
    env, sizes = simpy.Environment(), list[int]()
    queue, server = _queue(env, sizes), Server(env, Machine(env, 1), 0.0)
    stored = [queue.write(0, server) for _ in range(23)]
    env.run()
    assert all(each.processed for each in stored)
    assert sizes == [5, 5, 5, 5, 3]
    assert env.now == pytest.approx(0.003)


def test_a_group_takes_writes_of_one_shard_in_the_order_of_their_arrival() -> None:
    env, sizes = simpy.Environment(), list[int]()
    queue, server = _queue(env, sizes, under_way=1), Server(env, Machine(env, 1), 0.0)
    for shard in (1, 2, 1, 1, 2, 3):
        queue.write(shard, server)
    env.run()
    assert sizes == [3, 2, 1]


def test_writes_that_arrive_while_all_groups_are_under_way_go_together() -> None:
    env, sizes = simpy.Environment(), list[int]()
    queue, server = _queue(env, sizes, connections=1), Server(env, Machine(env, 1), 0.0)

    def late() -> Steps:
        yield env.timeout(0.0005)
        for _ in range(4):
            queue.write(0, server)

    queue.write(0, server)
    env.process(late())
    env.run()
    assert sizes == [1, 4]


def test_a_call_takes_the_sum_of_its_parts_if_nothing_else_is_under_way() -> None:
    env = simpy.Environment()
    entry, shard = (Server(env, Machine(env, 4), 0.002) for _ in range(2))
    caller = Caller(env, Thread(env, Machine(env, 1)), entry, [shard], 0.01)
    demand = Demand(
        client=Cost(0.004, 0.001),
        entry=Cost(0.005),
        shards=Cost(0.006),
        round_trips=2,
        hops=3,
        flushes=1,
    )
    env.run(env.process(caller.call(demand, 4, shard)))
    assert env.now == pytest.approx(0.008 + 0.005 + 0.006 + 2 * 0.01 + 3 * 0.01 + 0.002)


def test_a_coordinator_passes_items_on_while_the_client_reads_them() -> None:
    env = simpy.Environment()
    entry, shard = (Server(env, Machine(env, 4), 0.0) for _ in range(2))
    caller = Caller(env, Thread(env, Machine(env, 1)), entry, [shard], 0.0)
    demand = Demand(client=Cost(0.0, 0.001), entry=Cost(0.005, 0.001), shards=Cost(0.0, 0.002))
    env.run(env.process(caller.call(demand, 10, shard)))
    assert env.now == pytest.approx(0.010 + 0.005 + 0.005 + 0.020)
    assert entry.machine.busy == pytest.approx(0.015)


def test_cores_that_all_have_work_are_idle_for_their_share_of_the_time() -> None:
    env = simpy.Environment()
    machine = Machine(env, 2, 0.2)
    env.run(env.process(machine.work(TURN)))
    assert env.now == pytest.approx(TURN)
    for _ in range(2):
        env.process(machine.work(4 * TURN))
    env.run()
    assert env.now - TURN == pytest.approx(4 * TURN / 0.8, rel=0.1)


def test_a_call_everywhere_works_on_one_worker_after_the_other() -> None:
    env = simpy.Environment()
    workers = [Server(env, Machine(env, 1), 0.0) for _ in range(4)]
    caller = Caller(env, Thread(env, Machine(env, 1)), workers[0], workers, 0.0)
    demand = Demand(client=Cost(0.0), entry=Cost(0.0), shards=Cost(0.08), everywhere=True)
    env.run(env.process(caller.call(demand, 1, workers[0])))
    assert env.now == pytest.approx(0.08)
    assert [each.machine.busy for each in workers] == pytest.approx([0.02] * 4)


def test_a_crowd_writes_no_more_than_its_cores_can_do_and_nearly_as_much() -> None:
    groups, demand = MEASURED.groups, MEASURED.single["new_segment"]
    work = (demand.client.of(groups.largest) + demand.entry.of(groups.largest)) / groups.largest
    most = MEASURED.cores / work
    rate = crowd(MEASURED, clustered=False, seconds=0.5)
    assert 0.8 * most < rate <= most


def test_what_is_off_by_more_than_a_fifth_is_not_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert all(row.off == pytest.approx(0.0) for row in reproduce(MEASURED))
    wrong = replace(MEASURED.seen["page"], cluster=MEASURED.seen["page"].cluster * 1.3)
    file = tmp_path / "measured.json"
    write(replace(MEASURED, seen={"page": wrong}), file)
    assert read(file).seen == {"page": wrong}
    assert main(["--measured", str(file), "--docs", str(tmp_path)]) == 1
    assert "not reproduced: page of a cluster is off by -23%" in capsys.readouterr().out
    assert not (tmp_path / "scale").exists()


def test_calls_demand_what_each_demands_times_their_rate() -> None:
    few, many = (used(calls_of(ASSUMED.meeting, meetings, 100), MEASURED.cluster) for meetings in (10, 1_000))
    assert many == pytest.approx([100 * each for each in few])


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_more_meetings_never_need_less(placement: str) -> None:
    plans = [plan(MEASURED, ASSUMED, STORED, placement, many) for many in MEETINGS]  # type: ignore[arg-type]
    for name in ("nodes", "cores", "shards", "entry_cores", "store_cores"):
        sizes = [getattr(each, name) for each in plans]
        assert sizes == sorted(sizes)


@pytest.mark.parametrize("meetings", [20_000, 50_000, 65_000, 80_000, 100_000])
def test_every_node_of_a_cluster_has_room_and_a_node_less_would_not_do(meetings: int) -> None:
    found = plan(MEASURED, ASSUMED, STORED, "cluster, any node", meetings)
    assert found.is_possible
    need = max(found.use.values()) * found.nodes / fullest(meetings, found.nodes, found.shards)
    fewer = found.nodes - 1
    assert need * fullest(meetings, fewer, found.shards) > fewer
    assert found.shards >= 4 * found.nodes


def test_the_most_that_an_installation_serves_is_possible_and_a_little_more_is_not() -> None:
    for placement in ("one server", "cluster, coordinator"):
        found = most(MEASURED, ASSUMED, STORED, placement)
        assert found is not None
        assert found.is_possible
        assert not plan(MEASURED, ASSUMED, STORED, found.placement, found.meetings * 21 // 20).is_possible


def test_searches_that_ask_every_shard_limit_even_a_cluster_without_a_coordinator_in_the_way() -> None:
    often = replace(ASSUMED, meeting=replace(ASSUMED.meeting, searches_per_hour=3_600.0))
    never = replace(ASSUMED, meeting=replace(ASSUMED.meeting, searches_per_hour=0.0))
    assert most(MEASURED, often, STORED, "cluster, any node") is not None
    assert most(MEASURED, never, STORED, "cluster, any node") is None


def test_one_coordinator_is_used_up_before_the_nodes_are() -> None:
    found = plan(MEASURED, ASSUMED, STORED, "cluster, coordinator", 100_000)
    assert found.first == "processor of the coordinator"
    assert not found.is_possible


def test_the_fullest_node_is_as_full_as_the_others_only_if_there_are_no_others() -> None:
    assert fullest(1_000, 1, 32) == 1.0
    assert fullest(1_000, 8, 32) < fullest(100, 8, 32)
    assert fullest(1_000_000, 24, 32) == pytest.approx(1.5, rel=0.02)


def test_a_write_under_load_takes_longer_than_alone_and_all_placements_can_be_timed() -> None:
    for placement in PLACEMENTS:
        found = times(MEASURED, ASSUMED, plan(MEASURED, ASSUMED, STORED, placement, 1_000), calls=300)
        assert ASSUMED.node.hop + ASSUMED.node.flush < found.p50 <= found.p99


def test_a_lost_node_stops_the_other_meetings_only_if_its_own_fill_the_gate() -> None:
    full = loss(MEASURED, ASSUMED, nodes=2, gate=50, takeover=1.0)
    wide = loss(MEASURED, ASSUMED, nodes=2, gate=100, takeover=1.0)
    assert full.waiting == wide.waiting == 50
    assert full.others < 0.5
    assert wide.others > 0.95
    assert 0.0 < wide.catching_up <= full.catching_up


def test_the_writes_of_a_great_meeting_are_those_of_its_speakers() -> None:
    found = great_meeting(MEASURED, ASSUMED, speakers=40, languages=5)
    assert found.writes == pytest.approx(
        40 / ASSUMED.meeting.segment_seconds * (ASSUMED.meeting.interims + 6)
    )
    assert found.capacity > found.writes


def test_the_picture_is_xml() -> None:
    planned = [
        Planned(plan(MEASURED, ASSUMED, STORED, placement, many), None)
        for many in MEETINGS
        for placement in PLACEMENTS
    ]
    assert ET.fromstring(picture(planned)).tag.endswith("svg")
