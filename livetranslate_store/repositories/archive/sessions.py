"""A session's rows for backups: read unchanged, and written back without the rules for revisions."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import update

from livetranslate_store.audio.recording import StoredBytes, StoredPart, checked_pieces
from livetranslate_store.audio.storage import STREAMED, AudioStorage, ids_in
from livetranslate_store.audio.upload import Upload
from livetranslate_store.database.transaction import Ending, Transaction
from livetranslate_store.errors import CorruptAudioError, InvalidInputError
from livetranslate_store.models import AudioFile
from livetranslate_store.repositories.archive.rows import (
    ARCHIVED,
    ArchiveKey,
    columns_of,
    first_different,
    insert_missing,
    rows_after,
)

# Enough that round trips do not matter; a row is a segment, some hundred bytes of text.
PAGE = 500


class AddedRows(NamedTuple):
    """The number of new rows, and the place of the first row that is stored differently, if any."""

    inserted: int
    different: int | None


class _Owned(msgspec.Struct):
    """The session of a row, or the tenant of a session; and the key of a recording."""

    session_id: UUID | None = None
    tenant_id: str = ""
    storage_key: str = ""


class SessionArchive:
    """The rows of sessions by table name, as JSON text with all columns except generated ones."""

    #: The tables in the order of their references, and their columns.
    tables = {name: frozenset(columns_of(table)) for name, table in ARCHIVED.items()}  # noqa: RUF012 (constant)

    def __init__(self, transaction: Transaction, storage: AudioStorage) -> None:
        self._transaction = transaction
        self._storage = storage

    async def rows(self, table: str, session_id: UUID) -> AsyncIterator[str]:
        """Yield the rows of a session in the order of their key, in bounded memory."""
        if not await self._transaction.owns(session_id):
            return
        after: ArchiveKey | None = None
        while True:
            statement = rows_after(ARCHIVED[table], session_id, after, PAGE)
            # Rows are typed otherwise in SQLAlchemy 2.0 than in 2.1.
            page: Sequence[Any] = (await self._transaction.execute(statement)).all()
            for row, *key in page:
                yield row
                after = key
            if len(page) < PAGE:
                return

    async def add_rows(self, table: str, rows: Sequence[str], *, left_out: Sequence[UUID] = ()) -> AddedRows:
        """Insert the missing rows; compare the others and leave them unchanged.

        Transcripts lose the audio files named in `left_out`. Raises InvalidInputError for rows that the table
        does not accept, or for a session of another tenant than the store's, and MissingReferenceError.
        """
        if self._transaction.tenant is not None:
            await self._check_tenant(table, rows, self._transaction.tenant.name)
        values = {"rows": f"[{','.join(rows)}]", "left_out": left_out}
        inserted: int = (await self._transaction.fetch(insert_missing(table).bind(values)))[0][0]
        if inserted == len(rows):
            return AddedRows(inserted, None)
        return AddedRows(inserted, (await self._transaction.fetch(first_different(table).bind(values)))[0][0])

    async def _check_tenant(self, table: str, rows: Sequence[str], tenant: str) -> None:
        """Raise an error unless all rows are the tenant's."""
        try:
            owned = msgspec.json.decode(f"[{','.join(rows)}]", type=list[_Owned])
        except msgspec.DecodeError as error:
            raise InvalidInputError(f"The rows of {table} are no rows of a session ({error}).") from error
        if table == "sessions":
            if any(row.tenant_id != tenant for row in owned):
                raise InvalidInputError(
                    "This session belongs to another tenant, or to none: a session has one tenant for good."
                )
            return
        for row in owned:
            if row.session_id is None:
                raise InvalidInputError(f"A row of {table} has no session_id.")
            await self._transaction.check_session(row.session_id)
            if row.storage_key and (ids_in(row.storage_key) or (None,))[0] != row.session_id:
                raise InvalidInputError("The storage_key of an audio file is not of its session.")

    async def has_bytes(self, session_id: UUID, audio_file_id: UUID, given: StoredBytes) -> bool:
        """Return whether the audio storage has these bytes under a key of this audio file."""
        storage_key, size_bytes, sha256 = given
        if not self._storage.is_configured or not await self._transaction.owns(session_id):
            return False
        if ids_in(storage_key) not in ((session_id, audio_file_id), (session_id, STREAMED)):
            return False
        try:
            if not size_bytes:
                await self._storage.get(storage_key, size_bytes=0, sha256=sha256)
            async for _ in checked_pieces(self._storage, StoredPart(given, 0, size_bytes)):
                pass
        except CorruptAudioError:
            return False
        return True

    async def refer_to(self, session_id: UUID, audio_file_id: UUID, storage_key: str) -> None:
        """Let the row of an audio file refer to another object, which has the bytes of its recording."""
        await self._transaction.check_session(session_id)
        this = (AudioFile.session_id == session_id, AudioFile.id == audio_file_id)
        await self._transaction.execute(update(AudioFile).where(*this).values(storage_key=storage_key))

    async def upload(self, session_id: UUID) -> Upload:
        """Return the upload of an audio file's bytes, which `finish` ends; a rollback removes them."""
        await self._transaction.check_session(session_id)
        await self._storage.claim(self._transaction.fetch)
        upload = self._storage.upload(session_id)

        async def undo(ending: Ending) -> None:
            if ending is Ending.ROLLED_BACK:
                await upload.abandon()

        self._transaction.when_done(undo)
        return upload
