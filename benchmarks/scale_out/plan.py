"""How many nodes so many meetings need, what saturates first, and what a meeting's hour costs.

A resource's use is its rate of calls times what a call was measured to use (the utilization law), so it needs
no simulation; the times of calls under that load do.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from benchmarks.scale_out.assumptions import Assumptions, Node
from benchmarks.scale_out.load import Calls, Used, calls_of, over_shards, used
from benchmarks.scale_out.measured import Demand, Measured

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "performance" / "results.json"
#: One server, or a cluster that stores reach through the coordinator only, or through all nodes.
Placement: TypeAlias = Literal["one server", "cluster, coordinator", "cluster, any node"]
PLACEMENTS: tuple[Placement, ...] = ("one server", "cluster, coordinator", "cluster, any node")
MEETINGS = (100, 1_000, 3_000, 10_000, 30_000, 100_000)
# Each node has so many shards at least, so that nodes can be added later. Their number is a power of two, and
# never less than what `distribute` makes.
SHARDS_OF_A_NODE, FEWEST_SHARDS, MOST_SHARDS = 4, 32, 16_384
HOURS_OF_A_MONTH = 730
MB, GB = 1e6, 1e9


class Bytes(NamedTuple):
    """What a life of a segment takes: disk as autovacuum leaves it, and log without full pages."""

    disk: float
    log: float


class Plan(NamedTuple):
    """An installation for so many meetings at once."""

    placement: Placement
    meetings: int
    writes: float
    #: Nodes with shards; the coordinator is one more.
    nodes: int
    shards: int
    #: Busy cores of the stores; the cores of the server or coordinator, and of all servers.
    store_cores: float
    entry_cores: int
    cores: int
    #: The share that is used of each resource of the fullest machine, by its name.
    use: dict[str, float]
    disk_of_a_node: float
    log_of_a_node: float
    network_of_a_node: float
    connections_of_an_entry: float
    #: Dollars.
    meeting_hour: float

    @property
    def first(self) -> str:
        """The resource that saturates first."""
        return max(self.use, key=lambda name: self.use[name])

    @property
    def lacks_nodes(self) -> bool:
        """Whether more nodes, and so more shards, are needed."""
        return any(use > 1.0 for name, use in self.use.items() if name.endswith("of the nodes"))

    @property
    def is_possible(self) -> bool:
        """Whether no resource is used up."""
        return self.use[self.first] <= 1.0


def stored_bytes(file: Path = RESULTS) -> Bytes:
    """Return what `make bench` counted."""
    rows = json.loads(file.read_text(encoding="utf-8"))["beside_a_plain_schema"]
    ours = {row["name"]: row["loops"]["asyncio"]["ours"] for row in rows}
    return Bytes(ours["life_disk"] * ours["life_bloat"], ours["life_wal"])


def plan(
    measured: Measured, assumed: Assumptions, stored: Bytes, placement: Placement, meetings: int
) -> Plan:
    """Return the smallest installation of this kind for so many meetings."""
    calls = calls_of(assumed.meeting, meetings, measured.page_entries)
    if placement == "one server":
        return _one_server(assumed, stored, _Load.of(meetings, calls, measured.single))
    shards = FEWEST_SHARDS
    while True:
        # A search asks every shard, so that more of them cost more.
        demands = over_shards(measured.cluster, shards / measured.shards)
        load = _Load.of(meetings, calls, demands)
        found = _cluster(assumed, stored, load, shards, spread=placement == "cluster, any node")
        if shards == MOST_SHARDS or not found.lacks_nodes:
            return found
        shards *= 2


def most(measured: Measured, assumed: Assumptions, stored: Bytes, placement: Placement) -> Plan | None:
    """Return the plan for as many meetings as such an installation can serve; None if that has no limit."""
    few, too_many = 0, 10 * MEETINGS[-1]
    if plan(measured, assumed, stored, placement, too_many).is_possible:
        return None
    while too_many - few > few // 100 + 1:
        middle = (few + too_many) // 2
        if plan(measured, assumed, stored, placement, middle).is_possible:
            few = middle
        else:
            too_many = middle
    return plan(measured, assumed, stored, placement, max(1, few))


class _Load(NamedTuple):
    """What all meetings ask for in a second."""

    meetings: int
    writes: float
    used: Used

    @classmethod
    def of(cls, meetings: int, calls: list[Calls], demands: Mapping[str, Demand]) -> "_Load":
        writes = sum(each.rate * each.items for each in calls if each.kind not in {"page", "search"})
        return cls(meetings, writes, used(calls, demands))


class _Totals(NamedTuple):
    """What all meetings take: GB, and MB a second."""

    disk: float
    log: float

    @classmethod
    def of(cls, assumed: Assumptions, stored: Bytes, meetings: int) -> "_Totals":
        segments = meetings / assumed.meeting.segment_seconds
        return cls(
            meetings * assumed.meeting.kept_segments * stored.disk / GB,
            segments * stored.log * assumed.node.full_pages / MB,
        )


def _one_server(assumed: Assumptions, stored: Bytes, load: _Load) -> Plan:
    node, use, meetings = assumed.node, load.used, load.meetings
    total = _Totals.of(assumed, stored, meetings)
    cores = math.ceil(use.entry / node.utilization)
    network = _network(node, total, use)
    return Plan(
        placement="one server",
        meetings=meetings,
        writes=load.writes,
        nodes=1,
        shards=0,
        store_cores=use.client,
        entry_cores=max(2, cores),
        cores=max(2, cores),
        use={
            "processor of the server": cores / node.largest_cores,
            "disk of the server": total.disk / node.largest_disk_gb,
            "log of the server": total.log / node.log_mb,
            "network of the server": network / node.network_mb,
        },
        disk_of_a_node=total.disk,
        log_of_a_node=total.log,
        network_of_a_node=network,
        connections_of_an_entry=_connections(assumed, meetings, 1),
        meeting_hour=_price(assumed, max(2, cores), total.disk, network) / meetings,
    )


def _cluster(assumed: Assumptions, stored: Bytes, load: _Load, shards: int, *, spread: bool) -> Plan:
    """Plan a cluster with as few nodes as its shards allow; `spread` lets stores connect to all nodes."""
    node, use = assumed.node, load.used
    total = _Totals.of(assumed, stored, load.meetings)
    coordinator = 2 if spread else max(2, math.ceil(use.entry / node.utilization))
    busy = use.shards + (use.entry if spread else 0.0)
    traffic = (use.shard_bytes * (2 if spread else 1) + (use.client_bytes if spread else 0.0)) / MB
    needs = {
        "processors of the nodes": busy / (node.cores * node.utilization),
        "disks of the nodes": total.disk / node.disk_gb,
        "logs of the nodes": total.log / node.log_mb,
        "network of the nodes": (traffic + total.log * node.standbys) / node.network_mb,
    }
    need = max(needs.values())
    possible = range(2, shards // SHARDS_OF_A_NODE + 1)
    nodes = next((n for n in possible if need * fullest(load.meetings, n, shards) <= n), possible[-1])
    share = fullest(load.meetings, nodes, shards) / nodes
    uses = {name: each * share for name, each in needs.items()}
    if not spread:
        uses["processor of the coordinator"] = coordinator / node.largest_cores
        uses["network of the coordinator"] = (use.client_bytes + use.shard_bytes) / MB / node.network_mb
    cores = nodes * node.cores + coordinator
    return Plan(
        placement="cluster, any node" if spread else "cluster, coordinator",
        meetings=load.meetings,
        writes=load.writes,
        nodes=nodes,
        shards=shards,
        store_cores=use.client,
        entry_cores=coordinator,
        cores=cores,
        use=uses,
        disk_of_a_node=total.disk * share,
        log_of_a_node=total.log * share,
        network_of_a_node=(traffic + total.log * node.standbys) * share,
        connections_of_an_entry=_connections(assumed, load.meetings, nodes if spread else 1),
        meeting_hour=_price(assumed, cores, total.disk, _network(node, total, use)) / load.meetings,
    )


def fullest(meetings: float, nodes: int, shards: int) -> float:
    """Return the meetings of the fullest node over those of a mean one.

    Some nodes have a shard more than others, and a hash spreads the meetings over the shards as dice would.
    """
    uneven = math.ceil(shards / nodes) * nodes / shards
    return uneven * (1 + math.sqrt(2 * math.log(nodes) * nodes / meetings))


def _connections(assumed: Assumptions, meetings: int, entries: int) -> float:
    return math.ceil(meetings / assumed.store.bots) * assumed.store.connections / entries


def _network(node: Node, total: _Totals, use: Used) -> float:
    """Return the MB a second between all machines, standbys included."""
    return (use.client_bytes + use.shard_bytes) / MB + total.log * node.standbys


def _price(assumed: Assumptions, cores: float, disk: float, network: float) -> float:
    """Return the dollars of an hour, with GB of disk, and MB a second, all of it between zones."""
    prices, copies = assumed.prices, 1 + assumed.node.standbys
    return (
        cores * copies * prices.core_hour
        + disk * copies * prices.disk_gb_month / HOURS_OF_A_MONTH
        + network * MB / GB * 3600 * prices.network_gb
    )
