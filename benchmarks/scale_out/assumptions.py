"""The assumptions of the plan, as `assumptions.toml` has them with their units."""

from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("assumptions.toml")


class Meeting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one meeting writes and reads, and how much of it is kept."""

    segment_seconds: float
    interims: int
    translations: int
    pages_per_second: float
    searches_per_hour: float
    kept_segments: int


class Stores(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The processes that write."""

    bots: int
    connections: int
    gate: int


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A machine with a server, and the network and disk around it."""

    cores: int
    largest_cores: int
    disk_gb: float
    largest_disk_gb: float
    log_mb: float
    network_mb: float
    utilization: float
    standbys: int
    hop: float
    flush: float
    full_pages: float
    takeover: float


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Examples of prices, in dollars."""

    core_hour: float
    disk_gb_month: float
    network_gb: float


class Assumptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the plan assumes."""

    meeting: Meeting
    store: Stores
    node: Node
    prices: Prices


def read(file: Path = FILE) -> Assumptions:
    """Return the assumptions."""
    return msgspec.toml.decode(file.read_bytes(), type=Assumptions)
