"""How many nodes so many meetings need, what saturates first, and what a meeting's hour costs.

A resource's use is its rate of calls times what a call was measured to use (the utilization law), so it needs
no simulation; the times of calls under that load do.
"""

import json
import math
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from benchmarks.scale_out.assumptions import Assumptions
from benchmarks.scale_out.load import Calls, Used, calls_of, used
from benchmarks.scale_out.measured import Measured

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "performance" / "results.json"
#: One server, or a cluster that stores reach through the coordinator only, or through all nodes.
Placement: TypeAlias = Literal["one server", "cluster, coordinator", "cluster, any node"]
PLACEMENTS: tuple[Placement, ...] = ("one server", "cluster, coordinator", "cluster, any node")
MEETINGS = (100, 1_000, 3_000, 10_000, 30_000, 100_000)
# Shards for each node at least, so that nodes can be added later, and never fewer than Citus makes.
SHARDS_OF_A_NODE, FEWEST_SHARDS = 4, 32
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
        return _one_server(assumed, stored, meetings, calls, used(calls, measured.single))
    return _cluster(
        assumed, stored, meetings, calls, used(calls, measured.cluster), spread=placement == PLACEMENTS[-1]
    )


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


def _one_server(assumed: Assumptions, stored: Bytes, meetings: int, calls: list[Calls], use: Used) -> Plan:
    node, total = assumed.node, _Totals.of(assumed, stored, meetings)
    cores = math.ceil(use.entry / node.utilization)
    network = use.client_bytes / MB + total.log * node.standbys
    return Plan(
        placement="one server",
        meetings=meetings,
        writes=_writes(calls),
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
        meeting_hour=_price(assumed, max(2, cores), total.disk, total.log * node.standbys) / meetings,
    )


def _cluster(
    assumed: Assumptions, stored: Bytes, meetings: int, calls: list[Calls], use: Used, *, spread: bool
) -> Plan:
    """Plan a cluster; `spread` lets stores connect to all nodes."""
    node, total = assumed.node, _Totals.of(assumed, stored, meetings)
    coordinator = 2 if spread else max(2, math.ceil(use.entry / node.utilization))
    busy = use.shards + (use.entry if spread else 0.0)
    traffic = (use.shard_bytes * (2 if spread else 1) + (use.client_bytes if spread else 0.0)) / MB
    needs = {
        "processors of the nodes": busy / (node.cores * node.utilization),
        "disks of the nodes": total.disk / node.disk_gb,
        "logs of the nodes": total.log / node.log_mb,
        "network of the nodes": (traffic + total.log * node.standbys) / node.network_mb,
    }
    nodes = max(2, math.ceil(max(needs.values())))
    while max(needs.values()) * fullest(meetings, nodes, shards_for(nodes)) > nodes:
        nodes += 1
    share = fullest(meetings, nodes, shards_for(nodes)) / nodes
    entry_network = (use.client_bytes + use.shard_bytes) / MB
    uses = {name: need * share for name, need in needs.items()}
    if not spread:
        uses["processor of the coordinator"] = coordinator / node.largest_cores
        uses["network of the coordinator"] = entry_network / node.network_mb
    # A node is rarely in the zone of the store or of the shard: all traffic is priced.
    crossing = traffic + (0.0 if spread else use.client_bytes / MB) + total.log * node.standbys
    return Plan(
        placement="cluster, any node" if spread else "cluster, coordinator",
        meetings=meetings,
        writes=_writes(calls),
        nodes=nodes,
        shards=shards_for(nodes),
        store_cores=use.client,
        entry_cores=coordinator,
        cores=nodes * node.cores + coordinator,
        use=uses,
        disk_of_a_node=total.disk * share,
        log_of_a_node=total.log * share,
        network_of_a_node=(traffic + total.log * node.standbys) * share,
        connections_of_an_entry=_connections(assumed, meetings, nodes if spread else 1),
        meeting_hour=_price(assumed, nodes * node.cores + coordinator, total.disk, crossing) / meetings,
    )


def shards_for(nodes: int) -> int:
    """Return the number of shards to distribute with: a power of two that leaves room for more nodes."""
    return max(FEWEST_SHARDS, 1 << (SHARDS_OF_A_NODE * nodes - 1).bit_length())


def fullest(meetings: float, nodes: int, shards: int) -> float:
    """Return the meetings of the fullest node over those of a mean one.

    Some nodes have a shard more than others, and a hash spreads the meetings over the shards as dice would.
    """
    uneven = math.ceil(shards / nodes) * nodes / shards
    return uneven * (1 + math.sqrt(2 * math.log(nodes) * nodes / meetings))


def _writes(calls: list[Calls]) -> float:
    return sum(each.rate * each.items for each in calls if each.kind not in {"page", "search"})


def _connections(assumed: Assumptions, meetings: int, entries: int) -> float:
    return math.ceil(meetings / assumed.store.bots) * assumed.store.connections / entries


def _price(assumed: Assumptions, cores: float, disk: float, network: float) -> float:
    """Return the dollars of an hour, with GB of disk, and MB a second between zones."""
    prices, copies = assumed.prices, 1 + assumed.node.standbys
    return (
        cores * copies * prices.core_hour
        + disk * copies * prices.disk_gb_month / HOURS_OF_A_MONTH
        + network * MB / GB * 3600 * prices.network_gb
    )
