"""The recordings of a restore: from the pieces before their rows, or from where they are stored already."""

import hashlib
from uuid import UUID

import msgspec

from livetranslate_store.audio.recording import StoredBytes
from livetranslate_store.checks import MAX_AUDIO_BYTES
from livetranslate_store.errors import NotFoundError
from livetranslate_store.exchange.backup_lines import Header
from livetranslate_store.exchange.backup_reader import BackupReader
from livetranslate_store.unit_of_work import UnitOfWork


class AudioRow(msgspec.Struct, frozen=True):
    """What a restore reads of the row of an audio file."""

    id: UUID
    storage_key: str
    size_bytes: int
    sha256: str


class RestoredAudio:
    """Finds or stores the bytes of a session's audio files."""

    def __init__(self, uow: UnitOfWork, backup: BackupReader, header: Header) -> None:
        self._uow = uow
        self._backup = backup
        self._session_id = header.session_id
        self._has_bytes = header.audio
        self._pieces = bytearray()
        #: The audio files whose bytes are nowhere.
        self.left_out: list[UUID] = []

    @property
    def is_open(self) -> bool:
        """Tell whether pieces wait for the row that they belong to."""
        return bool(self._pieces)

    def add_piece(self, piece: bytes) -> None:
        """Take a piece of the recording whose row comes next; raises InvalidInputError for too much."""
        self._pieces += piece
        if len(self._pieces) > MAX_AUDIO_BYTES:
            raise self._backup.refused(f"the audio has more than {MAX_AUDIO_BYTES:,} bytes")

    async def key_of(self, row: AudioRow) -> str | None:
        """Return under which key the bytes are stored, once they are; None where they are nowhere.

        Raises InvalidInputError where the pieces are not what the row tells of.
        """
        data, self._pieces = bytes(self._pieces), bytearray()
        sha256 = hashlib.sha256(data).hexdigest()
        if self._has_bytes and (len(data), sha256) != (row.size_bytes, row.sha256):
            raise self._backup.refused("the audio before it is not the audio that it tells of")
        try:
            return (await self._uow.audio_files.get(self._session_id, row.id)).storage_key
        except NotFoundError:
            pass
        if self._has_bytes:
            return await self._uow.archive.put_bytes(self._session_id, row.id, data)
        expected = StoredBytes(row.storage_key, row.size_bytes, row.sha256)
        if await self._uow.archive.has_bytes(self._session_id, row.id, expected):
            return row.storage_key
        self.left_out.append(row.id)
        return None
