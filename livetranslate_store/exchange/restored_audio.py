"""The recordings of a restore: from the pieces before their rows, or from where they are stored already."""

import hashlib
from uuid import UUID

import msgspec

from livetranslate_store.audio.recording import StoredBytes
from livetranslate_store.audio.upload import PART_BYTES, Upload
from livetranslate_store.checks import MAX_STREAMED_AUDIO_BYTES
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
        self._upload: Upload | None = None
        self._size_bytes = 0
        self._digest = hashlib.sha256()
        #: The audio files whose bytes are nowhere.
        self.left_out: list[UUID] = []

    @property
    def is_open(self) -> bool:
        """Whether pieces wait for the row that they belong to."""
        return self._size_bytes > 0

    async def add_piece(self, piece: bytes) -> None:
        """Take a piece of the recording whose row comes next; raises InvalidInputError for too much."""
        self._size_bytes += len(piece)
        if self._size_bytes > MAX_STREAMED_AUDIO_BYTES:
            raise self._backup.refused(f"the audio has more than {MAX_STREAMED_AUDIO_BYTES:,} bytes")
        self._digest.update(piece)
        self._pieces += piece
        # A recording that is stored already is not stored again, unless it is a long one.
        if len(self._pieces) >= PART_BYTES:
            await self._flush()

    async def key_of(self, row: AudioRow) -> str | None:
        """Return under which key the bytes are stored, once they are; None if they are nowhere.

        Raises InvalidInputError if the pieces are not the recording of the row.
        """
        found = (self._size_bytes, self._digest.hexdigest())
        if self._has_bytes and found != (row.size_bytes, row.sha256):
            raise self._backup.refused("the audio before it is not the audio that it tells of")
        key = await self._key_of(row)
        self._upload, self._pieces = None, bytearray()
        self._size_bytes, self._digest = 0, hashlib.sha256()
        return key

    async def _key_of(self, row: AudioRow) -> str | None:
        try:
            stored = await self._uow.audio_files.get(self._session_id, row.id)
        except NotFoundError:
            return await self._key_of_new(row)
        bytes_of_row = StoredBytes(stored.storage_key, stored.size_bytes, stored.sha256)
        if self._has_bytes and not await self._uow.archive.has_bytes(self._session_id, row.id, bytes_of_row):
            # The recording was lost or damaged: the backup's takes its place.
            key = await self._uploaded()
            await self._uow.archive.refer_to(self._session_id, row.id, key)
            return key
        if self._upload is not None:
            await self._upload.abandon()
        return stored.storage_key

    async def _key_of_new(self, row: AudioRow) -> str | None:
        if self._has_bytes:
            return await self._uploaded()
        expected = StoredBytes(row.storage_key, row.size_bytes, row.sha256)
        if await self._uow.archive.has_bytes(self._session_id, row.id, expected):
            return row.storage_key
        self.left_out.append(row.id)
        return None

    async def _uploaded(self) -> str:
        upload = await self._flush()
        await upload.finish()
        return upload.key

    async def _flush(self) -> Upload:
        """Hand the pieces to the upload of the recording, which is begun by the first ones."""
        if self._upload is None:
            self._upload = await self._uow.archive.upload(self._session_id)
        await self._upload.write(bytes(self._pieces))
        self._pieces = bytearray()
        return self._upload
