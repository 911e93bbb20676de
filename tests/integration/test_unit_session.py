"""`uow.session`: SQLAlchemy's session in the unit's transaction, for an application's own models."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from helpers.stored import Program, end_unnoticed, objects
from helpers.support import audio, counts, is_on_a_cluster, sql, transcript, translation
from sqlalchemy import ForeignKey, MetaData, func, insert, select, text, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from livetranslate_store import (
    ConflictError,
    DuplicateError,
    InvalidInputError,
    MissingReferenceError,
    QueryTimeoutError,
    Store,
    UnitOfWork,
    UsageError,
)
from livetranslate_store.ids import new_id
from livetranslate_store.models import Session, Speaker, Transcript, Translation


class ApplicationBase(DeclarativeBase):
    metadata = MetaData()


class Note(ApplicationBase):
    __tablename__ = "notes"

    session_id: Mapped[UUID] = mapped_column(ForeignKey(Session.id, ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    text: Mapped[str]


@pytest.fixture(autouse=True)
def notes(other_program: Program) -> None:
    """The application's own table, with a foreign key to the store's; distributed like the store's own."""
    other_program.execute(
        "CREATE TABLE notes (session_id uuid REFERENCES livetranslate.sessions ON DELETE CASCADE, id serial,"
        " text text NOT NULL, PRIMARY KEY (session_id, id),"
        " CONSTRAINT notes_text_key UNIQUE (session_id, text));"
        "GRANT ALL ON notes TO PUBLIC; GRANT ALL ON SEQUENCE notes_id_seq TO PUBLIC"
    )
    distribute(other_program, "notes")
    other_program.commit()


def distribute(program: Program, table: str) -> None:
    """Distribute an application's table like the store's own, if these are."""
    if is_on_a_cluster(program):
        program.execute(
            "SELECT create_distributed_table(%s, 'session_id', colocate_with => 'livetranslate.sessions')",
            (table,),
        )


def stored_notes(program: Program) -> list[str]:
    found = [row[0] for row in program.execute("SELECT text FROM notes ORDER BY id")]
    program.rollback()
    return found


async def spoken(store: Store, session_id: UUID) -> UUID:
    receipt = await store.record_segment(
        session_id, transcript=transcript("one", speaker_label="S"), translations=[translation()]
    )
    return receipt.transcript_id


# An application's own rows.


async def test_own_rows_and_the_stores_are_written_in_one_transaction(
    store: Store, other_program: Program
) -> None:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
        uow.session.add(Note(session_id=session.id, text="first"))
        await uow.transcripts.add(session.id, transcript())
        assert counts(other_program)["sessions"] == 0
    assert stored_notes(other_program) == ["first"]
    assert counts(other_program)["transcripts"] == 1


async def test_own_rows_alone_are_written_too(store: Store, session_id: UUID, other_program: Program) -> None:
    async with store.unit_of_work() as uow:
        uow.session.add(Note(session_id=session_id, text="alone"))
    assert stored_notes(other_program) == ["alone"]


async def test_own_rows_go_with_the_rest_when_the_block_fails(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.unit_of_work() as uow:
            uow.session.add(Note(session_id=session_id, text="first"))
            await uow.session.flush()
            await uow.transcripts.add(session_id, transcript())
            raise ZeroDivisionError
    assert stored_notes(other_program) == []
    assert counts(other_program)["transcripts"] == 0


async def test_own_rows_can_be_changed_and_deleted(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    async with store.unit_of_work() as uow:
        uow.session.add_all([Note(session_id=session_id, text=each) for each in ("a", "b")])
    async with store.unit_of_work() as uow:
        first, second = await uow.session.scalars(select(Note).order_by(Note.id))
        first.text = "changed"
        await uow.session.delete(second)
    assert stored_notes(other_program) == ["changed"]


async def test_selects_join_own_models_and_the_stores(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        uow.session.add(Note(session_id=session_id, text="joined"))
        query = select(Session.bot_id, Note.text).join(Note, Note.session_id == Session.id)
        assert (await uow.session.execute(query)).all() == [("bot-7", "joined")]


async def test_core_statements_and_text_run_in_the_same_transaction(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    async with store.unit_of_work() as uow:
        await uow.session.execute(insert(Note).values(session_id=session_id, text="core"))
        await uow.session.execute(text("UPDATE notes SET text = text || :end"), {"end": "!"})
        connection = await uow.session.connection()
        assert (await connection.execute(select(func.count()).select_from(Note))).scalar_one() == 1
        assert stored_notes(other_program) == []
    assert stored_notes(other_program) == ["core!"]


async def test_a_result_can_be_streamed(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        uow.session.add_all([Note(session_id=session_id, text=str(each)) for each in range(5)])
        await uow.session.flush()
        streamed = await uow.session.stream_scalars(select(Note.text).order_by(Note.id))
        assert [each async for each in streamed] == list("01234")


# The store's models are read-only.


async def change(uow_session: AsyncSession, session_id: UUID, what: str) -> None:
    if what == "new":
        uow_session.add(Speaker(session_id=session_id, label="SPEAKER_99"))
        return
    found = await uow_session.scalar(select(Transcript).where(Transcript.session_id == session_id))
    assert found is not None
    if what == "changed":
        found.text = "two"
    else:
        await uow_session.delete(found)


@pytest.mark.parametrize("what", ["new", "changed", "deleted"])
async def test_a_change_of_a_model_of_the_stores_is_refused_at_the_flush(
    store: Store, session_id: UUID, other_program: Program, what: str
) -> None:
    await spoken(store, session_id)
    before = counts(other_program)
    with pytest.raises(UsageError, match="read-only"):
        async with store.unit_of_work() as uow:
            await change(uow.session, session_id, what)
            uow.session.add(Note(session_id=session_id, text="own"))
    assert counts(other_program) == before
    assert stored_notes(other_program) == []
    assert [entry.text for entry in await store.timeline(session_id)] == ["one", "Buenos días."]


async def test_a_change_of_what_a_repository_returned_is_refused(store: Store, session_id: UUID) -> None:
    transcript_id = await spoken(store, session_id)
    with pytest.raises(UsageError, match=rf"Transcript\(.*{transcript_id}\) was changed directly"):
        async with store.unit_of_work() as uow:
            found = await uow.transcripts.get(session_id, transcript_id)
            found.text = "two"
    assert [entry.text for entry in await store.timeline(session_id)] == ["one", "Buenos días."]


async def test_a_change_is_refused_before_the_next_statement_not_at_the_end_only(
    store: Store, session_id: UUID
) -> None:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.get(session_id)
        session.title = "changed"
        with pytest.raises(UsageError, match="changed directly"):
            await uow.transcripts.add(session_id, transcript())
        await uow.rollback()


async def test_the_same_value_again_is_no_change(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.get(session_id)
        session.bot_id = str(session.bot_id)
        await uow.transcripts.add(session_id, transcript())
    assert len(await store.timeline(session_id)) == 1


# Both lanes see each other's rows.


async def test_the_session_sees_what_a_repository_wrote_also_in_objects_that_it_had_loaded(
    store: Store, session_id: UUID
) -> None:
    async with store.unit_of_work() as uow:
        receipt = await uow.transcripts.add(session_id, transcript("one", segment_key="k"))
        query = select(Transcript).where(Transcript.session_id == session_id)
        loaded = (await uow.session.scalars(query)).one()
        assert loaded.text == "one"
        await uow.transcripts.add(session_id, transcript("two", segment_key="k"))
        assert (await uow.session.scalars(query)).one().text == "two"
        await uow.transcripts.add(session_id, transcript("three", segment_key="k"))
        again = await uow.session.get(Transcript, (session_id, receipt.transcript_id))
        assert again is loaded
        assert loaded.text == "three"
        await uow.transcripts.delete(session_id, receipt.transcript_id)
        assert await uow.session.get(Transcript, (session_id, receipt.transcript_id)) is None


async def test_rows_that_wait_in_the_session_are_there_for_the_drivers_statements(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    # A constraint of the application's, checked when the store's row is written.
    other_program.execute(
        "CREATE FUNCTION needs_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NOT EXISTS (SELECT FROM notes) THEN RAISE check_violation; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER needs_note BEFORE INSERT ON livetranslate.transcripts"
        " FOR EACH ROW EXECUTE FUNCTION needs_note()"
    )
    other_program.commit()
    async with store.unit_of_work() as uow:
        uow.session.add(Note(session_id=session_id, text="first"))
        await uow.transcripts.add(session_id, transcript())
    assert counts(other_program)["transcripts"] == 1


# Endings belong to the unit.


@pytest.mark.parametrize(
    "call", ["commit", "rollback", "begin", "begin_nested", "close", "reset", "invalidate"]
)
async def test_the_session_ends_and_begins_nothing_by_itself(
    store: Store, session_id: UUID, other_program: Program, call: str
) -> None:
    async with store.unit_of_work() as uow:
        uow.session.add(Note(session_id=session_id, text="kept"))
        await uow.session.flush()
        with pytest.raises(UsageError, match=r"uow\.session"):
            await getattr(uow.session, call)()
        assert stored_notes(other_program) == []
    assert stored_notes(other_program) == ["kept"]


async def test_its_connection_does_not_commit_either(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    async with store.unit_of_work() as uow:
        connection = await uow.session.connection()
        await connection.execute(insert(Note).values(session_id=session_id, text="core"))
        with pytest.raises(UsageError, match="does not commit"):
            await connection.commit()
        assert stored_notes(other_program) == []
        await uow.rollback()
    assert stored_notes(other_program) == []


async def test_a_commit_in_sql_is_found_out(store: Store) -> None:
    with pytest.raises(Exception, match="transaction was lost"):
        async with store.unit_of_work() as uow:
            await uow.session.execute(text("COMMIT"))


async def test_rollback_leaves_without_writing_files_included(
    store: Store, session_id: UUID, other_program: Program, audio_folder: Path
) -> None:
    async with store.unit_of_work() as uow:
        await uow.audio_files.add(session_id, audio())
        uow.session.add(Note(session_id=session_id, text="gone"))
        await uow.transcripts.add(session_id, transcript())
        await uow.rollback()
        assert objects(audio_folder) == []
        assert store.statistics().pool.in_use == 0
        with pytest.raises(UsageError, match="has ended"):
            await uow.transcripts.add(session_id, transcript())
        with pytest.raises(UsageError, match="has ended"):
            uow.session.add(Note(session_id=session_id, text="late"))
        with pytest.raises(UsageError, match="has ended"):
            await uow.rollback()
    assert counts(other_program) == dict.fromkeys(counts(other_program), 0) | {"sessions": 1}
    assert stored_notes(other_program) == []
    assert store.statistics().gate.in_flight == 0


async def test_a_rollback_after_an_error_ends_the_unit_quietly(store: Store) -> None:
    async with store.unit_of_work() as uow:
        with pytest.raises(MissingReferenceError):
            await uow.transcripts.add(new_id(), transcript())
        await uow.rollback()


async def test_an_error_after_a_rollback_leaves_the_block(store: Store, session_id: UUID) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.unit_of_work() as uow:
            await uow.transcripts.add(session_id, transcript())
            await uow.rollback()
            raise ZeroDivisionError
    assert len(await store.timeline(session_id)) == 0


# Its statements keep the unit's rules.


async def test_errors_of_its_statements_are_the_stores(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        uow.session.add(Note(session_id=session_id, text="same"))
    with pytest.raises(DuplicateError, match="notes_text_key") as raised:
        async with store.unit_of_work() as uow:
            uow.session.add(Note(session_id=session_id, text="same"))
    assert raised.value.constraint_name == "notes_text_key"
    with pytest.raises(MissingReferenceError):
        async with store.unit_of_work() as uow:
            await uow.session.execute(insert(Note).values(session_id=new_id(), text="other"))


async def test_an_error_of_its_statements_prevents_the_commit(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    with pytest.raises(UsageError, match="Nothing was committed"):
        async with store.unit_of_work() as uow:
            await uow.transcripts.add(session_id, transcript())
            with pytest.raises(MissingReferenceError):
                await uow.session.execute(insert(Note).values(session_id=new_id(), text="other"))
            with pytest.raises(UsageError, match="An earlier statement"):
                await uow.session.execute(select(Note))
            with pytest.raises(UsageError, match="An earlier statement"):
                await uow.transcripts.add(session_id, transcript())
    assert counts(other_program)["transcripts"] == 0


async def test_sqlalchemys_own_errors_stay_its_own_and_spoil_nothing(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        with pytest.raises(NoResultFound):
            (await uow.session.execute(select(Note))).one()
        uow.session.add(Note(session_id=session_id, text="after"))


async def test_its_statements_keep_the_time_limit(database_url: str) -> None:
    async with Store.open(database_url, command_timeout=0.2, min_connections=0) as store:
        with pytest.raises(QueryTimeoutError):
            async with store.unit_of_work() as uow:
                await uow.session.execute(text("SELECT pg_sleep(5)"))
        assert store.statistics().pool.in_use == 0


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("lane", ["session", "repository"])
async def test_a_cancelled_statement_spoils_the_unit(
    store: Store, session_id: UUID, lane: str, goes_on: bool
) -> None:
    with pytest.raises(UsageError, match="Nothing was committed"):
        async with store.unit_of_work() as uow:
            await uow.transcripts.add(session_id, transcript())
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    if lane == "session":
                        await uow.session.execute(text("SELECT pg_sleep(5)"))
                    else:
                        await uow.transcripts._transaction.fetch(sql("SELECT pg_sleep(5)"))
            if goes_on:
                with pytest.raises(UsageError, match="An earlier statement"):
                    await uow.session.execute(select(Note))
                with pytest.raises(UsageError, match="An earlier statement"):
                    await uow.transcripts.add(session_id, transcript())
    assert store.statistics().pool.in_use == 0
    assert len(await store.timeline(session_id)) == 0


async def test_another_task_cannot_use_it(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        session = uow.session
        results = await asyncio.gather(
            session.execute(select(Note)), session.get(Session, session_id), return_exceptions=True
        )
    assert [type(each) for each in results] == [UsageError, UsageError]


async def test_it_cannot_be_used_after_the_end(store: Store) -> None:
    async with store.unit_of_work() as uow:
        session = uow.session
        await session.execute(select(Note))
    with pytest.raises(UsageError, match="has ended"):
        await session.execute(select(Note))
    with pytest.raises(UsageError, match="has ended"):
        _ = uow.session


@pytest.mark.parametrize("how", ["add", "core", "text", "cte"])
async def test_a_reading_session_cannot_write(
    store: Store, session_id: UUID, other_program: Program, how: str
) -> None:
    with pytest.raises(UsageError, match=r"store\.read\(\) cannot write"):
        async with store.read() as reader:
            assert (await reader.session.scalars(select(Session.id))).all() == [session_id]
            row = insert(Note).values(session_id=session_id, text="read")
            if how == "add":
                reader.session.add(Note(session_id=session_id, text="read"))
            elif how == "core":
                await reader.session.execute(row)
            elif how == "text":
                await reader.session.execute(text("UPDATE notes SET text = 'x'"))
            else:
                await reader.session.execute(select(row.returning(Note.id).cte("written")))
    assert stored_notes(other_program) == []
    assert store.statistics().pool.in_use == 0


async def test_a_reading_session_reads_the_same_snapshot_as_the_repositories(
    store: Store, session_id: UUID
) -> None:
    async with store.read() as reader:
        assert (await reader.sessions.get(session_id)).id == session_id
        await store.record_segment(session_id, transcript=transcript(), translations=[translation()])
        for model in (Transcript, Translation):
            assert (await reader.session.scalars(select(model))).all() == []


async def test_models_leave_the_unit_loaded(store: Store, session_id: UUID) -> None:
    await spoken(store, session_id)
    async with store.read() as reader:
        found = (await reader.session.scalars(select(Transcript))).one()
    assert (found.text, found.speaker_label) == ("one", "S")


async def test_an_update_of_ones_own_reaches_the_table(store: Store, session_id: UUID) -> None:
    async with store.unit_of_work() as uow:
        note = Note(session_id=session_id, text="a")
        uow.session.add(note)
        await uow.session.execute(update(Note).values(text="b"))
        assert (await uow.session.scalar(select(Note.text))) == "b"


async def test_own_rows_may_be_the_first_thing_on_a_connection_that_has_died(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    await store.timeline(session_id)
    end_unnoticed(other_program)
    async with store.unit_of_work() as uow:
        uow.session.add(Note(session_id=session_id, text="first"))
        await uow.session.flush()
        uow.session.add(Note(session_id=session_id, text="second"))
    assert stored_notes(other_program) == ["first", "second"]


async def test_an_own_row_that_forbids_a_deletion_is_named(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    other_program.execute(
        "CREATE TABLE invoices"
        " (session_id uuid CONSTRAINT invoices_session REFERENCES livetranslate.sessions)"
    )
    distribute(other_program, "invoices")
    other_program.execute("INSERT INTO invoices VALUES (%s)", (session_id,))
    other_program.commit()
    with pytest.raises(ConflictError, match="constraint invoices_session") as caught:
        async with store.unit_of_work() as uow:
            await uow.sessions.delete(session_id)
    assert not caught.value.is_transient
    assert len(await store.find_sessions()) == 1


async def test_a_division_by_zero_of_an_application_is_not_taken_for_a_lost_race(store: Store) -> None:
    tries = 0

    async def divide(uow: UnitOfWork) -> None:
        nonlocal tries
        tries += 1
        await uow.session.execute(text("SELECT 1 / 0"))

    with pytest.raises(InvalidInputError, match="divides by zero"):
        await store.run_in_unit_of_work(divide)
    assert tries == 1
