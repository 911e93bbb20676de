"""The write of a recording that comes as a stream: its bytes first, then its row."""

from collections.abc import AsyncIterable
from uuid import UUID

from livetranslate_store.audio.storage import AudioStorage, StagedAudio
from livetranslate_store.audio.upload import Upload
from livetranslate_store.database.engine import Database
from livetranslate_store.database.failures import NO_SESSION
from livetranslate_store.database.statement import Statement
from livetranslate_store.database.transaction import Ending, Transaction
from livetranslate_store.errors import InvalidInputError, MissingReferenceError
from livetranslate_store.ids import audio_file_id_for
from livetranslate_store.models import SCHEMA
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.tasks import run_to_end
from livetranslate_store.values import AudioInput, AudioReceipt, Outcome
from livetranslate_store.write_gate import WriteGate
from livetranslate_store.writing.encoding import audio_row
from livetranslate_store.writing.protocol import write_rows

_SESSION = Statement(
    "recordings.session",
    f"SELECT id FROM {SCHEMA}.sessions WHERE id = $1",  # noqa: S608 (a constant)
    ("session_id",),
)


class RecordingWriter:
    """Writes recordings whose bytes come as a stream.

    While the bytes come, a write holds no slot at the gate, no connection, and no thread between two parts.
    """

    def __init__(
        self, database: Database, storage: AudioStorage, gate: WriteGate, limits: SizeLimits
    ) -> None:
        self._database = database
        self._storage = storage
        self._gate = gate
        self._limits = limits

    async def write(self, session_id: UUID, pieces: AsyncIterable[bytes], facts: AudioInput) -> AudioReceipt:
        """Store the bytes, then write the row; the object of a failed or repeated write is removed."""
        upload = self._storage.upload(session_id)

        async def store_pieces() -> None:
            self._database.breaker(writes=True).check()
            await self._check_session(session_id)
            await self._storage.claim(self._database.fetch_for_write)
            await self._fill(upload, pieces)

        endings: list[Ending] = []
        is_needed = False
        try:
            async with self._gate.slot(prepare=store_pieces):
                receipt = await self._write_row(session_id, _staged(session_id, upload, facts), endings)
            is_needed = receipt.outcome is not Outcome.UNCHANGED
        except BaseException:
            # A row may refer to the object, also after a cancellation; if none does, the sweep finds it.
            is_needed = any(ending is not Ending.ROLLED_BACK for ending in endings)
            raise
        finally:
            if not is_needed:
                await upload.abandon()
        return receipt

    async def _check_session(self, session_id: UUID) -> None:
        # A stream may take an hour: the caller learns it now, and not at the end.
        if not await self._database.fetch_for_write(_SESSION.bind({"session_id": session_id})):
            raise MissingReferenceError(NO_SESSION)

    async def _fill(self, upload: Upload, pieces: AsyncIterable[bytes]) -> None:
        async for piece in pieces:
            if not isinstance(piece, bytes):
                raise InvalidInputError(f"Each piece must be bytes, not {type(piece).__name__}.")
            self._limits.check_streamed_audio(upload.size_bytes + len(piece))
            await upload.write(piece)
        if not upload.size_bytes:
            raise InvalidInputError("The recording is empty: pieces gave no bytes.")
        await upload.finish()

    async def _write_row(self, session_id: UUID, staged: StagedAudio, endings: list[Ending]) -> AudioReceipt:
        async def note(ending: Ending) -> None:
            endings.append(ending)

        async def attempt() -> AudioReceipt:
            transaction = Transaction(self._database)
            transaction.when_done(note)
            try:
                outcomes = await write_rows(
                    "audio_files", {"audio_files": [audio_row(session_id, staged)]}, transaction
                )
            except BaseException:
                await run_to_end(transaction.end(commit=False))
                raise
            await run_to_end(transaction.end(commit=True), hurry=transaction.hurry)
            return outcomes.audio_file((session_id, staged.audio_file_id))

        return await self._database.retries.run(attempt)


def _staged(session_id: UUID, upload: Upload, facts: AudioInput) -> StagedAudio:
    audio_file_id = audio_file_id_for(session_id, upload.sha256, facts.start_time)
    return StagedAudio(audio_file_id, upload.key, upload.sha256, upload.size_bytes, facts)
