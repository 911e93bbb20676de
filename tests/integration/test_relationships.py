"""Relationships of the store's models, and of an application's to them, are for reading."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from helpers.stored import Program
from helpers.support import audio, counts, is_on_a_cluster, transcript, translation
from sqlalchemy import ForeignKey, MetaData, func, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    RelationshipProperty,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)

from livetranslate_store import AudioFile, Session, Speaker, Store, Transcript, Translation, UsageError
from livetranslate_store.ids import new_id
from livetranslate_store.models import Base

RELATIONSHIPS = [
    pytest.param(each, id=f"{mapper.class_.__name__}.{each.key}")
    # In the same order in every process of a parallel run.
    for mapper in sorted(Base.registry.mappers, key=str)
    for each in mapper.relationships
]


class ApplicationBase(DeclarativeBase):
    metadata = MetaData()


class Bookmark(ApplicationBase):
    __tablename__ = "bookmarks"

    session_id: Mapped[UUID] = mapped_column(ForeignKey(Session.id, ondelete="CASCADE"), primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    session: Mapped[Session] = relationship()


@pytest.fixture
def bookmarks(other_program: Program) -> None:
    """The application's own table, distributed like the store's own."""
    other_program.execute(
        "CREATE TABLE bookmarks (session_id uuid REFERENCES livetranslate.sessions ON DELETE CASCADE,"
        " label text, PRIMARY KEY (session_id, label)); GRANT ALL ON bookmarks TO PUBLIC"
    )
    if is_on_a_cluster(other_program):
        other_program.execute(
            "SELECT create_distributed_table('bookmarks', 'session_id',"
            " colocate_with => 'livetranslate.sessions')"
        )
    other_program.commit()


async def meeting(store: Store, transcript_id: UUID, text: str) -> UUID:
    """Write a meeting of two segments, the second of them with everything that a segment can have."""
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="bot-7", meeting_id="abc")
    await store.record_segment(
        session.id, transcript=transcript(f"{text} after", start_time=2.0, speaker_label="A")
    )
    await store.record_segment(
        session.id,
        transcript=transcript(f"{text} before", id=transcript_id, start_time=1.0, speaker_label="B"),
        translations=[translation("antes"), translation("avant", "fr")],
        audio=audio(text.encode()),
    )
    return session.id


async def test_a_whole_meeting_is_loaded_along_its_relationships(store: Store) -> None:
    same = new_id()
    first, _ = [await meeting(store, same, each) for each in ("one", "two")]
    spoken = selectinload(Session.transcripts)
    query = (
        select(Session)
        .where(Session.id == first)
        .options(
            spoken.joinedload(Transcript.speaker),
            spoken.joinedload(Transcript.audio_file).selectinload(AudioFile.transcripts),
            spoken.selectinload(Transcript.translations).joinedload(Translation.transcript),
            selectinload(Session.speakers).selectinload(Speaker.transcripts),
            selectinload(Session.audio_files).joinedload(AudioFile.session),
        )
    )
    async with store.read() as reader:
        session = (await reader.session.scalars(query)).one()
    before, after = session.transcripts
    assert [each.text for each in session.transcripts] == ["one before", "one after"]
    assert (before.speaker, after.speaker) == tuple(reversed(session.speakers))
    assert [each.text for each in before.translations] == ["antes", "avant"]
    assert all(each.transcript is before for each in before.translations)
    assert (after.translations, after.audio_file) == ([], None)
    [recording] = session.audio_files
    assert before.audio_file is recording
    assert (recording.transcripts, recording.session) == ([before], session)
    assert [[each.text for each in speaker.transcripts] for speaker in session.speakers] == [
        ["one after"],
        ["one before"],
    ]


async def test_a_relationship_can_be_joined(store: Store, session_id: UUID) -> None:
    transcript_id = (
        await store.record_segment(session_id, transcript=transcript(), translations=[translation("Hola.")])
    ).transcript_id
    query = select(Session.bot_id, Transcript.id, Translation.text).join(Session.transcripts)
    async with store.read() as reader:
        found = (await reader.session.execute(query.join(Transcript.translations))).all()
    assert found == [("bot-7", transcript_id, "Hola.")]


@pytest.mark.parametrize("which", RELATIONSHIPS)
def test_no_relationship_writes_or_reads_by_itself(which: RelationshipProperty[Any]) -> None:
    assert which.viewonly
    assert which.lazy == "raise"


async def test_what_was_not_loaded_is_an_error_and_no_read(store: Store, session_id: UUID) -> None:
    async with store.read() as reader:
        session = await reader.sessions.get(session_id)
        with pytest.raises(InvalidRequestError, match="raise"):
            _ = session.transcripts


def clear(session: Session) -> None:
    session.transcripts.clear()


def replace(session: Session) -> None:
    session.transcripts = []


def append(session: Session) -> None:
    session.transcripts.append(session.transcripts[0])


def put(session: Session) -> None:
    session.transcripts[0].speaker = None


@pytest.mark.parametrize("change", [clear, replace, append, put])
async def test_a_change_of_a_relationship_is_refused(
    store: Store, session_id: UUID, other_program: Program, change: Callable[[Session], None]
) -> None:
    await store.record_segment(session_id, transcript=transcript(speaker_label="A"))
    before = counts(other_program)
    query = select(Session).options(selectinload(Session.transcripts).joinedload(Transcript.speaker))
    with pytest.raises(UsageError, match="read-only"):
        async with store.unit_of_work() as uow:
            change((await uow.session.scalars(query)).one())
    assert counts(other_program) == before


async def test_what_is_loaded_again_is_as_new_as_its_query(store: Store, session_id: UUID) -> None:
    query = select(Session).options(selectinload(Session.transcripts))
    async with store.unit_of_work() as uow:
        await uow.transcripts.add(session_id, transcript("one", segment_key="1"))
        session = (await uow.session.scalars(query)).one()
        await uow.transcripts.add(session_id, transcript("two", segment_key="1"))
        await uow.transcripts.add(session_id, transcript("more", segment_key="2", start_time=1.0))
        assert [each.text for each in session.transcripts] == ["one"]
        assert (await uow.session.scalars(query)).one() is session
        assert [each.text for each in session.transcripts] == ["two", "more"]


@pytest.mark.usefixtures("bookmarks")
async def test_an_application_relates_its_models_to_the_stores(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    async with store.read() as reader:
        elsewhere = await reader.sessions.get(session_id)
    async with store.unit_of_work() as uow:
        here = await uow.sessions.get(session_id)
        uow.session.add(Bookmark(session=here, label="of this unit"))
        await uow.session.flush()
    async with store.unit_of_work() as uow:
        uow.session.add(Bookmark(session=elsewhere, label="of an earlier one"))
    loaded = selectinload(Session.transcripts)
    await store.record_segment(session_id, transcript=transcript("heard"))
    async with store.read() as reader:
        query = select(Bookmark).join(Bookmark.session).where(Session.bot_id == "bot-7")
        query = query.order_by(Bookmark.label).options(joinedload(Bookmark.session).options(loaded))
        found = (await reader.session.scalars(query)).all()
    assert [each.label for each in found] == ["of an earlier one", "of this unit"]
    assert [each.text for each in found[0].session.transcripts] == ["heard"]
    async with store.unit_of_work() as uow:
        await uow.sessions.delete(session_id)
    assert other_program.execute("SELECT count(*) FROM bookmarks").fetchone() == (0,)


async def test_an_advisory_lock_is_held_to_the_end_of_the_unit(store: Store) -> None:
    order: list[str] = []
    locked = asyncio.Event()

    async def first() -> None:
        async with store.unit_of_work() as uow:
            await uow.session.execute(select(func.pg_advisory_xact_lock(7)))
            locked.set()
            async with store.unit_of_work() as other:
                free = await other.session.scalar(select(func.pg_try_advisory_xact_lock(7)))
                assert free is False
            order.append("first")

    async def second() -> None:
        await locked.wait()
        async with store.unit_of_work() as uow:
            await uow.session.execute(select(func.pg_advisory_xact_lock(7)))
            order.append("second")

    await asyncio.gather(first(), second())
    assert order == ["first", "second"]
