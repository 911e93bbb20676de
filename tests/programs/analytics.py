"""Invoices for meetings, in tables of an application's own beside those of the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

from livetranslate_store import Session, Speaker, Store, Transcript, Translation

#: What Alembic runs: the tables are found by autogenerate, and those of the store are left alone.
ENVIRONMENT = """
from alembic import context
from sqlalchemy import create_engine

given = context.config.attributes


def is_own(name, kind, parents):
    return name != "livetranslate" if kind == "schema" else parents.get("schema_name") != "livetranslate"


engine = create_engine(given["url"])
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=given["metadata"],
        include_schemas=True,
        include_name=is_own,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention={"ix": "ix_%(column_0_label)s", "pk": "pk_%(table_name)s"})
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True)}


class Invoice(Base):
    """What a meeting costs."""

    __tablename__ = "invoices"

    session_id: Mapped[UUID] = mapped_column(ForeignKey(Session.id, ondelete="CASCADE"), primary_key=True)
    seconds: Mapped[float]
    cents: Mapped[int]
    paid_at: Mapped[datetime | None]
    session: Mapped[Session] = relationship()


class Message(Base):
    """A message that is to be sent about an invoice."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_unsent", "id", postgresql_where=text("sent_at IS NULL")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    session_id: Mapped[UUID]
    sent_at: Mapped[datetime | None]


class Unpaid(NamedTuple):
    """An unpaid invoice with what a list shows of its meeting."""

    session_id: UUID
    title: str | None
    started_at: datetime
    cents: int


class Page(NamedTuple):
    """Unpaid invoices, and the place of the next page."""

    rows: Sequence[Unpaid]
    after: tuple[datetime, UUID] | None


async def bill(store: Store, session_id: UUID, *, cents_per_minute: int) -> int:
    """Write the invoice of a meeting and the message about it, once; return its cents."""
    async with store.unit_of_work() as uow:
        session = await uow.sessions.end(session_id)
        # Two that bill one meeting at the same time do it one after the other.
        await uow.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(str(session.id)))))
        known = await uow.session.get(Invoice, session.id)
        if known is not None:
            return known.cents
        spoken = select(func.sum(Transcript.end_time - Transcript.start_time))
        spoken = spoken.where(Transcript.session_id == session.id)
        seconds = (await uow.session.scalars(spoken)).one() or 0.0
        cents = round(seconds / 60 * cents_per_minute)
        uow.session.add_all(
            [
                Invoice(session_id=session.id, seconds=seconds, cents=cents),
                Message(session_id=session.id),
            ]
        )
        return cents


async def unpaid(store: Store, *, limit: int, after: tuple[datetime, UUID] | None = None) -> Page:
    """Return the oldest unpaid invoices, from a place on."""
    query = (
        select(Session.id, Session.title, Session.started_at, Invoice.cents)
        .join(Invoice, Invoice.session_id == Session.id)
        .where(Invoice.paid_at.is_(None))
        .order_by(Session.started_at, Session.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(Session.started_at, Session.id) > after)
    async with store.read() as reader:
        rows = [Unpaid(*row) for row in await reader.session.execute(query)]
    return Page(rows, (rows[-1].started_at, rows[-1].session_id) if len(rows) == limit else None)


async def invoice(store: Store, session_id: UUID) -> Invoice:
    """Return an invoice with its meeting, and with the speakers of that."""
    meeting = joinedload(Invoice.session).selectinload(Session.speakers)
    async with store.read() as reader:
        return await reader.session.get_one(Invoice, session_id, options=[meeting])


async def characters_by_speaker(store: Store, session_id: UUID) -> dict[str, tuple[int, int]]:
    """Return what each speaker said, and what was translated of it, in characters."""
    query = (
        select(
            func.coalesce(Speaker.name, Speaker.label),
            func.sum(func.length(Transcript.text)),
            func.coalesce(func.sum(func.length(Translation.text)), 0),
        )
        .join(Transcript.speaker)
        .outerjoin(Transcript.translations)
        .where(Transcript.session_id == session_id)
        .group_by(Speaker.label, Speaker.name)
    )
    async with store.read() as reader:
        rows = (await reader.session.execute(query)).all()
    return {name: (spoken, translated) for name, spoken, translated in rows}


async def hours_of_team(store: Store, team: str) -> float:
    """Return the hours that a team has met for."""
    hours, cursor = 0.0, None
    while True:
        page = await store.find_sessions(metadata={"team": team}, limit=2, cursor=cursor)
        hours += sum((each.duration or 0.0) / 3600 for each in page)
        cursor = page.next_cursor
        if cursor is None:
            return hours
