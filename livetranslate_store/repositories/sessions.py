"""Sessions: created once per external id, ended, found, deleted with everything in them."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET, UnsetType
from sqlalchemy import ColumnElement, CursorResult, Result, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.checks import (
    JSONObject,
    check_kind,
    checked_choice,
    checked_json_object,
    checked_languages,
    checked_name,
    checked_uuid,
)
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.errors import ConflictError, DuplicateError, InvalidInputError
from livetranslate_store.ids import new_id, session_id_for
from livetranslate_store.models import AudioFile, Session, Speaker, TextVersion, Transcript, Translation
from livetranslate_store.repositories.base import Repository
from livetranslate_store.repositories.segment_lookups import SegmentLookups
from livetranslate_store.repositories.stored_objects import remove_if_committed
from livetranslate_store.size_limits import SizeLimits
from livetranslate_store.values import SESSION_STATUSES, DeletedSession, Outcome, SessionInput, SessionReceipt
from livetranslate_store.values.inputs import STATUSES_OF_ENDED_SESSIONS, checked_end, optional_title
from livetranslate_store.writing.settling import settle_statement

# The server takes 32,767 parameters, and a session has a dozen.
_ROWS_AT_ONCE = 1000
_NOW_OR_START = func.greatest(func.now(), Session.started_at)


class SessionRepository(Repository[Session]):
    """One bot's stays in meetings."""

    model = Session

    def __init__(
        self, transaction: Transaction, lookups: SegmentLookups, storage: AudioStorage, limits: SizeLimits
    ) -> None:
        super().__init__(transaction)
        self._limits = limits
        self._lookups = lookups
        self._storage = storage

    async def create(
        self,
        *,
        bot_id: str,
        meeting_id: str,
        external_id: str | None = None,
        title: str | None = None,
        uri: str | None = None,
        status: str = "active",
        started_at: datetime | None = None,
        ended_at: datetime | None = None,
        target_languages: Sequence[str] = (),
        metadata: JSONObject = {},  # noqa: B006 (it is never changed)
    ) -> SessionReceipt:
        """Create a session, unless `external_id` names one already; the receipt says which values differ.

        A session that is created as ended has `ended_at`, or else ends now. Raises DuplicateError if the
        session of that name belongs to another bot or meeting, or is over and `status` says that it goes on;
        InvalidInputError for an end of a session that is not over, or before its start.
        """
        session = SessionInput(
            bot_id=bot_id,
            meeting_id=meeting_id,
            external_id=external_id,
            title=title,
            uri=uri,
            status=status,
            started_at=started_at,
            ended_at=ended_at,
            target_languages=target_languages,
            metadata=metadata,
        )
        [receipt] = await self.create_many([session])
        return receipt

    async def create_many(self, sessions: Sequence[SessionInput]) -> list[SessionReceipt]:
        """Create sessions as `create` does, a thousand in a statement; the receipts come in the given order.

        Meetings that are over have their `status` and `ended_at` at once. Two with the same `external_id` are
        the same session, as in two calls. Raises the errors of `create`; none is created then.
        """
        for session in sessions:
            check_kind(session, SessionInput, "sessions")
            self._limits.check_metadata(session.metadata)
        self._transaction.check_usable(writing=True)
        ids = [new_id() if each.external_id is None else self._id_for(each.external_id) for each in sessions]
        created = await self._insert(ids, sessions)
        try:
            receipts = await self._receipts(created, ids, sessions)
        except DuplicateError:
            if created:
                await self._transaction.delete(delete(Session).where(Session.id.in_(created)))
            raise
        for session_id in created:
            self._transaction.made(session_id)
        return receipts

    async def get(self, session_id: UUID) -> Session:
        """Return the session; raises NotFoundError."""
        checked_uuid(session_id, "session_id")
        return await self._one(Session.id == session_id, what=f"session {session_id}")

    async def named(self, external_id: str) -> Session | None:
        """Return the session of that external id, or None; `store.find_sessions` lists sessions."""
        session_id = self._id_for(checked_name(external_id, "external_id"))
        found = await self.get_many(self.statement().where(Session.id == session_id))
        return found[0] if found else None

    async def update(
        self,
        session_id: UUID,
        *,
        title: str | UnsetType | None = UNSET,
        uri: str | UnsetType | None = UNSET,
        status: str | UnsetType = UNSET,
        ended_at: datetime | UnsetType = UNSET,
        target_languages: Sequence[str] | UnsetType = UNSET,
        metadata: JSONObject | UnsetType = UNSET,
    ) -> Session:
        """Change the given values and return the session.

        The status "ended" sets the end, unless there is one; a status of a session that goes on reopens the
        session and removes its end. The same `segment_key` names the same segment as before.
        `ended_at` corrects the end. Raises NotFoundError, and InvalidInputError as `create` does.
        """
        values: dict[str, Any] = {}
        ends = False
        if title is not UNSET:
            values["title"] = optional_title(title, "title")
        if uri is not UNSET:
            values["uri"] = optional_title(uri, "uri")
        if status is not UNSET:
            values["status"] = checked_choice(status, "status", SESSION_STATUSES)
            ends = status == "ended" and ended_at is UNSET
            if status not in STATUSES_OF_ENDED_SESSIONS:
                values["ended_at"] = None
        if ended_at is not UNSET:
            session = await self.get(session_id)
            new_status = session.status if status is UNSET else status
            values["ended_at"] = checked_end(ended_at, session.started_at, new_status)
        if target_languages is not UNSET:
            values["target_languages"] = checked_languages(target_languages, "target_languages")
        if metadata is not UNSET:
            values["metadata_"] = self._checked_metadata(metadata)
        if not values:
            raise InvalidInputError("update() needs at least one value.")
        return await self._change(session_id, values, end=_NOW_OR_START if ends else None)

    async def end(self, session_id: UUID, *, ended_at: datetime | None = None) -> Session:
        """Mark the session as ended, now or at `ended_at`; a second call keeps the first moment.

        Raises NotFoundError, and InvalidInputError for an end before the start.
        """
        session = await self.get(session_id)
        if ended_at is not None:
            checked_end(ended_at, session.started_at, "ended")
        if session.status == "ended" and session.ended_at is not None:
            return session
        return await self._change(
            session_id, {"status": "ended"}, end=_NOW_OR_START if ended_at is None else ended_at
        )

    async def delete(self, session_id: UUID) -> DeletedSession:
        """Delete the session with its rows, and its stored audio after the commit; return the numbers.

        Raises NotFoundError, and UsageError if the session has audio and this store no `audio_url`.
        """
        await self.get(session_id)
        self._transaction.check_usable(writing=True)
        # Objects that come later may be those of a session that is made anew under this id.
        storage_keys = await self._storage.keys_of(session_id)
        # From here on no other transaction can add to the session: the counts are right.
        await self._transaction.execute(select(Session.id).where(Session.id == session_id).with_for_update())
        audio_files = select(AudioFile.storage_key).where(AudioFile.session_id == session_id)
        storage_keys |= set((await self._transaction.execute(audio_files)).scalars())
        if storage_keys:
            await self._storage.check_may_delete(self._transaction.fetch)
        # Children first, so that the rows are counted; a cascade would delete them silently.
        counts = {
            model.__tablename__: await self._delete(model, session_id)
            for model in (TextVersion, Translation, Transcript, Speaker, AudioFile)
        }
        await self._transaction.delete(delete(Session).where(Session.id == session_id))
        self._lookups.deleted_session(session_id)
        remove_if_committed(self._transaction, self._storage, storage_keys)
        return DeletedSession(session_id=session_id, **counts)

    async def _insert(self, ids: Sequence[UUID], sessions: Sequence[SessionInput]) -> list[UUID]:
        """Insert the sessions that are new, and return their ids."""
        rows = [
            {"id": session_id, "tenant_id": self._tenant_id} | _values(session)
            for session_id, session in zip(ids, sessions, strict=True)
        ]
        created: list[UUID] = []
        for begin in range(0, len(rows), _ROWS_AT_ONCE):
            statement = insert(Session).values(rows[begin : begin + _ROWS_AT_ONCE]).on_conflict_do_nothing()
            inserted = await self._transaction.insert(statement.returning(Session.id))
            created += inserted.scalars()
        return created

    async def _receipts(
        self, created: Sequence[UUID], ids: Sequence[UUID], sessions: Sequence[SessionInput]
    ) -> list[SessionReceipt]:
        """Return the receipts; raises DuplicateError if a name belongs to another session."""
        new = set(created)
        # The second one of a name among those given finds the first.
        known = {each for each, times in Counter(ids).items() if each not in new or times > 1}
        stored = await self._stored(known) if known else {}
        receipts = []
        for session_id, session in zip(ids, sessions, strict=True):
            if session_id in new:
                new.remove(session_id)
                receipts.append(SessionReceipt(session_id, Outcome.INSERTED))
            else:
                if session_id not in stored:
                    raise ConflictError("A session of this name was deleted at this moment.")
                receipts.append(_receipt(stored[session_id], session))
        return receipts

    async def _stored(self, ids: Collection[UUID]) -> dict[UUID, Session]:
        found = await self.get_many(self.statement().where(Session.id.in_(ids)))
        return {each.id: each for each in found}

    async def _delete(
        self, model: type[TextVersion | Translation | Transcript | Speaker | AudioFile], session_id: UUID
    ) -> int:
        statement = delete(model).where(model.session_id == session_id)
        return _row_count(await self._transaction.execute(statement))

    def _id_for(self, external_id: str) -> UUID:
        return session_id_for(external_id, self._tenant_id)

    @property
    def _tenant_id(self) -> str:
        tenant = self._transaction.tenant
        return "" if tenant is None else tenant.name

    def _checked_metadata(self, metadata: JSONObject) -> JSONObject:
        checked_json_object(metadata, "metadata")
        self._limits.check_metadata(metadata)
        return metadata

    async def _change(
        self, session_id: UUID, values: dict[str, Any], *, end: datetime | ColumnElement[Any] | None = None
    ) -> Session:
        """Change the values, with `end` as the end of a session that has none."""
        checked_uuid(session_id, "session_id")
        self._transaction.check_usable(writing=True)
        statement = update(Session).where(Session.id == session_id)
        if end is not None:
            # By itself: a cluster cannot coalesce a column and the time of now.
            await self._transaction.execute(statement.where(Session.ended_at.is_(None)).values(ended_at=end))
        changed = await self._transaction.execute(
            statement.values(updated_at=func.statement_timestamp(), **values)
        )
        if "status" in values and _row_count(changed):
            await self._transaction.fetch(settle_statement().bind({"session_ids": [session_id]}))
        return await self.get(session_id)


def _row_count(result: Result[Any]) -> int:
    assert isinstance(result, CursorResult)  # noqa: S101 (what an UPDATE and a DELETE return)
    return result.rowcount


def _given(session: SessionInput) -> dict[str, Any]:
    """Return the values of a session by the names of the model."""
    given = {name: getattr(session, name) for name in session.__struct_fields__}
    given["metadata_"] = given.pop("metadata")
    given["target_languages"] = list(session.target_languages)
    return given


def _values(session: SessionInput) -> dict[str, Any]:
    """Return the columns of a new session."""
    values = _given(session)
    started_at = values["started_at"] = func.now() if session.started_at is None else session.started_at
    if session.status == "ended" and session.ended_at is None:
        values["ended_at"] = func.greatest(func.now(), started_at)
    return values


def _receipt(stored: Session, given: SessionInput) -> SessionReceipt:
    """Return the receipt of a session that is stored; raises DuplicateError if it is another one."""
    if (stored.bot_id, stored.meeting_id) != (given.bot_id, given.meeting_id):
        raise DuplicateError(
            f"external_id {given.external_id!r} names a session of bot {stored.bot_id!r} "
            f"in meeting {stored.meeting_id!r} already."
        )
    if stored.status in STATUSES_OF_ENDED_SESSIONS and given.status not in STATUSES_OF_ENDED_SESSIONS:
        # Another stay: a transcriber that counts from zero again would overwrite the first one's.
        raise DuplicateError(
            f"external_id {given.external_id!r} names a session that is over ({stored.status}): give a new "
            "stay an external_id of its own, or reopen that session with update(status=…)."
        )
    differs = (
        name.rstrip("_") for name, value in _given(given).items() if value and getattr(stored, name) != value
    )
    return SessionReceipt(stored.id, Outcome.UNCHANGED, tuple(differs))
