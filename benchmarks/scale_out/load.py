"""The calls that meetings make at the pace of speech, and what they demand."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from benchmarks.scale_out.assumptions import Meeting
from benchmarks.scale_out.measured import Cost, Demand


class Calls(NamedTuple):
    """Calls of one kind: how many a second, and the items of each."""

    kind: str
    rate: float
    items: int


def over_shards(demands: Mapping[str, Demand], more: float) -> dict[str, Demand]:
    """Return the demands with so many times the shards: what asks all of them costs each of them as much."""
    return {
        kind: replace(
            demand,
            entry=demand.entry.times(more),
            shards=demand.shards.times(more),
            shard_bytes=demand.shard_bytes.times(more),
        )
        if demand.everywhere
        else demand
        for kind, demand in demands.items()
    }


class Used(NamedTuple):
    """What calls use in a second: busy cores, and bytes."""

    client: float
    entry: float
    shards: float
    client_bytes: float
    shard_bytes: float


def calls_of(meeting: Meeting, meetings: float, page_entries: int) -> list[Calls]:
    """Return the calls of so many meetings.

    At the pace of speech writes are so far apart that each goes alone, but for the translations of a segment.
    """
    segments = meetings / meeting.segment_seconds
    return [
        Calls("interim", segments * meeting.interims, 1),
        Calls("final", segments, 1),
        Calls("late_translation", segments, meeting.translations),
        Calls("page", meetings * meeting.pages_per_second, page_entries),
        Calls("search", meetings * meeting.searches_per_hour / 3600, 1),
    ]


def used(calls: Sequence[Calls], demands: Mapping[str, Demand]) -> Used:
    """Return what the calls use in a second."""

    def total(of: Callable[[Demand], Cost]) -> float:
        return sum(each.rate * of(demands[each.kind]).of(each.items) for each in calls)

    return Used(
        client=total(lambda demand: demand.client),
        entry=total(lambda demand: demand.entry),
        shards=total(lambda demand: demand.shards),
        client_bytes=total(lambda demand: demand.client_bytes),
        shard_bytes=total(lambda demand: demand.shard_bytes),
    )
