"""Service times and figures of a real single server and a real cluster: all that the simulation is fed with.

`measured.json` holds one `Measured`. Times are seconds, sizes are bytes.
"""

from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("measured.json")


class Cost(msgspec.Struct, frozen=True):
    """A part for a call, and a part for each of its items: the writes of a group, the entries of a read."""

    call: float
    item: float = 0.0

    def of(self, items: float) -> float:
        """Return the cost of a call with so many items."""
        return self.call + self.item * items

    def times(self, many: float) -> "Cost":
        """Return so many times the cost."""
        return Cost(self.call * many, self.item * many)


NOTHING = Cost(0.0)


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of call demands, on a single server or on a cluster."""

    #: Processor time of the store's process.
    client: Cost
    #: Processor time of the node that the store is connected to: the single server, or the coordinator.
    entry: Cost
    #: Processor time of the workers together; nothing on a single server.
    shards: Cost = NOTHING
    #: Round trips between the store and its node, and then between that node and the shard's.
    round_trips: int = 1
    hops: int = 0
    #: Commits that wait for the log of the node with the rows.
    flushes: int = 0
    #: Whether rows are made, sent and read at once: a page walks an index, a timeline is sorted first.
    streamed: bool = False
    #: Whether the call goes to every worker at once, instead of to the one with the session.
    everywhere: bool = False
    #: Bytes on the network between the store and its node, and between that node and the shards'.
    client_bytes: Cost = NOTHING
    shard_bytes: Cost = NOTHING


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """How a store gathers writes, and the crowd that was measured."""

    writers: int
    sessions: int
    #: The writes that pass the gate at once.
    gate: int
    connections: int
    #: The most writes of a group, and the most groups under way, on a single server and on a cluster.
    largest: int
    under_way: int
    under_way_on_a_cluster: int


class Seen(msgspec.Struct, frozen=True):
    """A figure of the same work on both; `is_rate` if it is writes a second, otherwise seconds of a call."""

    title: str
    single: float
    cluster: float
    is_rate: bool = False


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was measured on one machine: the store, the single server, and all nodes shared it."""

    machine: str
    cores: int
    workers: int
    shards: int
    #: Seconds of a round trip that no processor works; negative if a server still works after its answer.
    hop: float
    #: Seconds of a flush of the log.
    flush: float
    #: The share of the cores that is idle although the crowd of writers keeps the single server busy.
    idle: float
    groups: Groups
    #: The number of items of the calls below, where it is not one.
    page_entries: int
    timeline_entries: int
    single: dict[str, Demand]
    cluster: dict[str, Demand]
    #: By the name of the row: what the simulation must reproduce.
    seen: dict[str, Seen]


def read(file: Path = FILE) -> Measured:
    """Return what was measured."""
    return msgspec.json.decode(file.read_bytes(), type=Measured)


def write(measured: Measured, file: Path = FILE) -> None:
    """Keep what was measured."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=2) + b"\n")
