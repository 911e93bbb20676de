"""A session as JSON Lines with everything, for backups and for moving to another server."""

import base64
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from uuid import UUID

import msgspec

from livetranslate_store.exchange.backup_lines import (
    AUDIO_BYTES,
    END,
    FORMAT,
    HEADER,
    VERSION,
    End,
    Header,
    LineWriter,
)
from livetranslate_store.store import Store
from livetranslate_store.unit_of_work import UnitOfWork

# A line stays one that every program can read.
AUDIO_PIECE_BYTES = 768 * 1024


async def backup_session(
    store: Store, session_id: UUID, *, audio: bool = True
) -> AsyncGenerator[bytes, None]:
    """Yield the lines of a backup: the session's rows of every table, as one snapshot shows them.

    Without `audio` the bytes of the recordings are left out; their rows are there all the same. A connection
    is held until the last line: read on, or close the iterator. Memory is bounded. Raises
    NotFoundError, and CorruptAudioError where the stored bytes of a recording are missing or changed.
    """
    lines = LineWriter()
    counts: Counter[str] = Counter()
    async with store.read() as reader:
        await reader.sessions.get(session_id)
        yield lines.line(HEADER, _json(Header(FORMAT, VERSION, session_id, audio)))
        for table in reader.archive.tables:
            async for row in reader.archive.rows(table, session_id):
                if audio and table == "audio_files":
                    async for piece in _audio(reader, session_id, row):
                        counts[AUDIO_BYTES] += 1
                        yield lines.line(AUDIO_BYTES, piece)
                counts[table] += 1
                yield lines.line(table, row)
        yield lines.line(END, _json(End(dict(counts), lines.checksum())))


class _AudioRow(msgspec.Struct):
    id: UUID


async def _audio(reader: UnitOfWork, session_id: UUID, row: str) -> AsyncIterator[str]:
    """Yield the bytes of an audio file in pieces; they come before its row."""
    audio_file_id = msgspec.json.decode(row, type=_AudioRow).id
    recording = await reader.audio_files.open(session_id, audio_file_id)
    async for data in recording.stream():
        for start in range(0, len(data), AUDIO_PIECE_BYTES):
            piece = data[start : start + AUDIO_PIECE_BYTES]
            yield f'"{base64.b64encode(piece).decode()}"'


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
