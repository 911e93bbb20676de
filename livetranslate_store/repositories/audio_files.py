"""Audio files: the object is written before its row, and removed after a rollback or a deletion."""

from uuid import UUID

from sqlalchemy import delete, func, select, update

from livetranslate_store.audio.joined import chunk_of, whole_file
from livetranslate_store.audio.recording import Recording
from livetranslate_store.audio.storage import AudioStorage, StagedAudio
from livetranslate_store.checks import checked_uuid
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.errors import NotFoundError
from livetranslate_store.models import AudioFile, Transcript
from livetranslate_store.repositories.base import Repository
from livetranslate_store.repositories.stored_objects import remove_if_committed, remove_if_rolled_back
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.values import AudioInput, AudioReceipt, DeletedAudioFile, Outcome
from livetranslate_store.writing.encoding import audio_row
from livetranslate_store.writing.protocol import write_rows


class AudioFileRepository(Repository[AudioFile]):
    """Recorded chunks: rows here, bytes in the object store."""

    model = AudioFile

    def __init__(self, transaction: Transaction, storage: AudioStorage, limits: SizeLimits) -> None:
        super().__init__(transaction)
        self._limits = limits
        self._storage = storage

    async def add(self, session_id: UUID, audio: AudioInput) -> AudioReceipt:
        """Store a chunk; the same bytes at the same start time are stored once.

        Raises InvalidInputError if it is too large, MissingReferenceError if the session does not exist, and
        UsageError without an `audio_url`.
        """
        checked_uuid(session_id, "session_id")
        self._limits.check_audio(audio)
        await self._transaction.check_session(session_id)
        await self._storage.claim(self._transaction.fetch)
        staged = await self._storage.stage(session_id, audio)
        # Before the object exists: it is removed whatever happens from here on.
        remove_if_rolled_back(self._transaction, self._storage, staged.storage_key)
        await self._storage.put(staged)
        receipt = await self._write_row(session_id, staged)
        if receipt.outcome is Outcome.UNCHANGED:
            await self._storage.discard(staged.storage_key)
        return receipt

    async def get(self, session_id: UUID, audio_file_id: UUID) -> AudioFile:
        """Return the row of an audio file; raises NotFoundError."""
        checked_uuid(session_id, "session_id")
        checked_uuid(audio_file_id, "audio_file_id")
        return await self._one(
            AudioFile.session_id == session_id,
            AudioFile.id == audio_file_id,
            what=_named(session_id, audio_file_id),
        )

    async def list_for_session(self, session_id: UUID) -> list[AudioFile]:
        """Return a session's audio files in the order of their start times."""
        checked_uuid(session_id, "session_id")
        order = (AudioFile.start_time.nulls_last(), AudioFile.id)
        return await self._list(AudioFile.session_id == session_id, order=order)

    async def read(self, session_id: UUID, audio_file_id: UUID) -> bytes:
        """Return the recording.

        Raises NotFoundError, CorruptAudioError if the bytes are missing or changed, and UsageError without an
        `audio_url`.
        """
        row = await self.get(session_id, audio_file_id)
        return await self._storage.get(row.storage_key, size_bytes=row.size_bytes, sha256=row.sha256)

    async def open(self, session_id: UUID, audio_file_id: UUID) -> Recording:
        """Return the recording, to be read in pieces, also after this unit; raises NotFoundError."""
        return whole_file(self._storage, chunk_of(await self.get(session_id, audio_file_id)))

    async def delete(self, session_id: UUID, audio_file_id: UUID) -> DeletedAudioFile:
        """Delete an audio file: its row now, and its bytes after the commit.

        Transcripts that refer to it stay, without audio. A concurrent write that refers to it gets a
        MissingReferenceError. Raises NotFoundError, and UsageError without an `audio_url`.
        """
        checked_uuid(session_id, "session_id")
        checked_uuid(audio_file_id, "audio_file_id")
        self._transaction.check_usable(writing=True)
        this = (AudioFile.session_id == session_id, AudioFile.id == audio_file_id)
        # Waits for transactions that are about to refer to it; the next statement sees their transcripts.
        locked = select(AudioFile.storage_key, AudioFile.size_bytes).where(*this).with_for_update()
        found = (await self._transaction.execute(locked)).one_or_none()
        if found is None:
            raise NotFoundError(f"There is no {_named(session_id, audio_file_id)}.")
        await self._storage.check_may_delete(self._transaction.fetch)
        referring = (Transcript.session_id == session_id, Transcript.audio_file_id == audio_file_id)
        transcripts = await self._transaction.execute(
            select(Transcript.id)
            .where(*referring)
            .order_by(Transcript.id)  # the order in which every writer locks them
            .with_for_update()
        )
        await self._transaction.execute(
            update(Transcript)
            .where(*referring)
            .values(audio_file_id=None, updated_at=func.statement_timestamp())
        )
        await self._transaction.delete(delete(AudioFile).where(*this))
        remove_if_committed(self._transaction, self._storage, [found.storage_key])
        return DeletedAudioFile(
            session_id=session_id,
            audio_file_id=audio_file_id,
            size_bytes=found.size_bytes,
            transcripts=len(transcripts.all()),
        )

    async def _write_row(self, session_id: UUID, staged: StagedAudio) -> AudioReceipt:
        rows = {"audio_files": [audio_row(session_id, staged)]}
        outcomes = await write_rows("audio_files", rows, self._transaction)
        return outcomes.audio_file((session_id, staged.audio_file_id))


def _named(session_id: UUID, audio_file_id: UUID) -> str:
    return f"audio file {audio_file_id} in session {session_id}"
