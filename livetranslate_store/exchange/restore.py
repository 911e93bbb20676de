"""A session from its backup: all of it or none of it, under the ids, revisions and times that it had."""

from collections import Counter
from collections.abc import AsyncIterable, Callable, Mapping
from typing import TypeAlias
from uuid import UUID

import msgspec

from livetranslate_store.errors import DuplicateError, InvalidInputError, MissingReferenceError
from livetranslate_store.exchange.backup_lines import AUDIO_BYTES, Header
from livetranslate_store.exchange.backup_reader import BackupReader, Line
from livetranslate_store.exchange.restored_audio import AudioRow, RestoredAudio
from livetranslate_store.store import Store
from livetranslate_store.unit_of_work import UnitOfWork
from livetranslate_store.values import ImportCounts, Outcome, Refusal, RestoreProgress, RestoreReport

Progress: TypeAlias = Callable[[RestoreProgress], None]
Row: TypeAlias = dict[str, msgspec.Raw]

# One statement takes so many rows, or fewer where they are long.
BATCH_ROWS = 500
BATCH_CHARACTERS = 4 * 1024 * 1024
# Columns of earlier schemas that a backup may hold: they were derived from others.
_FORMER_COLUMNS = {"translations": ("id",)}
# Columns that a backup of an earlier schema does not have yet, with the value of its rows.
_NO_EDIT = {"edited_by": msgspec.Raw(b"null"), "edited_at": msgspec.Raw(b"null")}
_LATER_COLUMNS: Mapping[str, Row] = {
    "sessions": {"tenant_id": msgspec.Raw(b'""')},
    "transcripts": _NO_EDIT,
    "translations": _NO_EDIT,
}

_NO_BYTES = "the bytes of this audio file are neither in the backup nor in the audio storage under its key"


async def restore_session(
    store: Store, lines: AsyncIterable[bytes], *, progress: Progress | None = None
) -> RestoreReport:
    """Write the session of a backup, given line by line, in one transaction.

    Rows that are there already and the same stay as they are, so that restoring twice changes nothing;
    nothing is ever overwritten. An audio file whose bytes are not in the backup is restored where the audio
    storage has them under the same key, and left out otherwise. Raises InvalidInputError, with the number of
    the line, for a file that is no backup, was cut or changed, or is of another version; DuplicateError where
    a row is stored otherwise; and what a unit of work raises. A gate's slot and a connection are held while
    `lines` are read.
    """
    backup = BackupReader(lines)
    header = await backup.header()
    async with store.unit_of_work() as uow:
        return await _Restore(uow, backup, header, progress).run()


class _Restore:
    """One restore: the rows that it has read and not written yet, and what it did so far."""

    def __init__(
        self, uow: UnitOfWork, backup: BackupReader, header: Header, progress: Progress | None
    ) -> None:
        self._archive = uow.archive
        self._backup = backup
        self._session_id = header.session_id
        self._audio = RestoredAudio(uow, backup, header)
        self._progress = progress
        self._inserted: Counter[str] = Counter()
        self._left_out: list[Refusal] = []
        # All of one table: their JSON, and where each stands in the backup.
        self._table = ""
        self._rows: list[str] = []
        self._numbers: list[int] = []
        self._size = 0

    async def run(self) -> RestoreReport:
        """Read and write everything; the caller's transaction ends it."""
        async for line in self._backup.rows():
            if self._table != ("audio_files" if line.kind == AUDIO_BYTES else line.kind):
                # A session comes before its audio: the store of a tenant looks whose it is.
                await self._write()
            if line.kind == AUDIO_BYTES:
                await self._audio.add_piece(self._backup.decoded(line.value, bytes))
                continue
            row = self._row(line)
            if line.kind != "audio_files" or await self._has_bytes(line, row):
                await self._add(line, row)
        await self._write()
        return self._report()

    def _row(self, line: Line) -> Row:
        columns = self._archive.tables.get(line.kind)
        if columns is None:
            raise self._backup.refused(f"{line.kind[:40]!r} is not known here")
        row = self._backup.decoded(line.value, Row)
        for former in _FORMER_COLUMNS.get(line.kind, ()):
            row.pop(former, None)
        row = {**_LATER_COLUMNS.get(line.kind, {}), **row}
        if row.keys() != columns:
            names = ", ".join(sorted(row.keys() ^ columns))[:200]
            raise self._backup.refused(f"these columns are missing, or not known here: {names}")
        session_id = row["id" if line.kind == "sessions" else "session_id"]
        if self._backup.decoded(session_id, UUID) != self._session_id:
            raise self._backup.refused("it belongs to another session than the first line says")
        if self._audio.is_open and line.kind != "audio_files":
            raise self._backup.refused("the audio before it belongs to no audio file")
        return row

    async def _has_bytes(self, line: Line, row: Row) -> bool:
        """Put the key into the row under which its bytes are stored now, if they are anywhere."""
        key = await self._audio.key_of(self._backup.decoded(line.value, AudioRow))
        if key is None:
            self._left_out.append(Refusal(line.number, _NO_BYTES))
            return False
        row["storage_key"] = msgspec.Raw(msgspec.json.encode(key))
        return True

    async def _add(self, line: Line, row: Row) -> None:
        # Made anew from what was checked: a member that is given twice is there once.
        text = msgspec.json.encode(row).decode()
        if len(self._rows) >= BATCH_ROWS or self._size + len(text) > BATCH_CHARACTERS:
            await self._write()
        self._table = line.kind
        self._rows.append(text)
        self._numbers.append(line.number)
        self._size += len(text)

    async def _write(self) -> None:
        """Write the rows that wait."""
        if not self._rows:
            return
        first, last = self._numbers[0], self._numbers[-1]
        try:
            added = await self._archive.add_rows(self._table, self._rows, left_out=self._audio.left_out)
        except (InvalidInputError, MissingReferenceError) as error:
            raise type(error)(
                f"Lines {first} to {last} of the backup: {error} Nothing was restored."
            ) from error
        if added.different is not None:
            raise DuplicateError(
                f"Line {self._numbers[added.different - 1]} of the backup: this row of {self._table} is "
                "stored already, and otherwise; nothing was restored. To have this one, delete the session."
            )
        self._inserted[self._table] += added.inserted
        self._rows, self._numbers, self._size = [], [], 0
        if self._progress is not None:
            self._progress(RestoreProgress(last))

    def _report(self) -> RestoreReport:
        read = self._backup.counts - Counter(audio_files=len(self._left_out))

        def counts(table: str) -> ImportCounts:
            inserted = self._inserted[table]
            return ImportCounts(inserted=inserted, unchanged=read[table] - inserted)

        return RestoreReport(
            session_id=self._session_id,
            session=Outcome.INSERTED if self._inserted["sessions"] else Outcome.UNCHANGED,
            speakers=counts("speakers"),
            audio_files=counts("audio_files"),
            transcripts=counts("transcripts"),
            translations=counts("translations"),
            text_versions=counts("text_versions"),
            left_out=self._left_out,
        )
