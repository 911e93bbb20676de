"""The forms of a write on a single server: each is one chained statement and one round trip."""

from collections.abc import Mapping, Sequence
from typing import Any

from livetranslate_store.writing.binding import RowsByTable, bound
from livetranslate_store.writing.connection import Connection
from livetranslate_store.writing.segments import Segment
from livetranslate_store.writing.statements import (
    AUDIO_FILE_WRITE,
    TRANSCRIPT_WRITE,
    TRANSLATION_WRITE,
    TableWrite,
)
from livetranslate_store.writing.statements import insert_segments as segments_insert
from livetranslate_store.writing.statements import merge_segments as segments_merge
from livetranslate_store.writing.statements import revise_segment as segments_revise

_WRITES: Mapping[str, TableWrite] = {
    each.table: each for each in (AUDIO_FILE_WRITE, TRANSCRIPT_WRITE, TRANSLATION_WRITE)
}


async def insert_segments(rows: RowsByTable, connection: Connection) -> int | None:
    """See `WriteForms.insert_segments`."""
    [answer] = await connection.fetch(bound(segments_insert, rows))
    position: int = answer["position"]
    return None if answer["found"] else position


def may_revise(segments: Sequence[Segment]) -> bool:
    """See `WriteForms.may_revise`: a merge costs no more for several of them."""
    return len(segments) == 1 and segments[0].is_transcript_alone


async def revise_segments(rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.revise_segments`."""
    [row] = rows["transcripts"]
    return [(*row[:2], *each) for each in await connection.fetch(bound(segments_revise, rows))]


async def merge_segments(rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.merge_segments`."""
    return await connection.fetch(bound(segments_merge, rows))


async def insert(table: str, rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.insert`."""
    return await connection.fetch(bound(_WRITES[table].insert, rows))


async def merge(table: str, rows: RowsByTable, connection: Connection) -> Sequence[Any]:
    """See `WriteForms.merge`."""
    return await connection.fetch(bound(_WRITES[table].merge, rows))
