"""The schema under running stores: calls survive a change, and another version says what to run."""

import asyncio
from uuid import UUID

import pytest
from alembic import command
from conftest import url_of
from helpers.stored import Program, terminate_all
from helpers.support import transcript, translation
from pytest_postgresql import factories
from sqlalchemy import select

from livetranslate_store import (
    MissingReferenceError,
    NotFoundError,
    SegmentInput,
    Store,
    StoreSettings,
    StoreUnavailableError,
    Transcript,
    UnitOfWork,
)
from livetranslate_store.ids import new_id
from livetranslate_store.schema.connection import owners_connection
from livetranslate_store.schema.roles import roles_script
from livetranslate_store.schema.upgrade import configuration, upgrade

empty = factories.postgresql("postgresql_empty")


ABSENT = (MissingReferenceError, NotFoundError)
CHANGES = [
    "ALTER TABLE livetranslate.transcripts ALTER COLUMN source TYPE varchar(600)",
    "ALTER TABLE livetranslate.sessions ALTER COLUMN title TYPE varchar(10000)",
    "ALTER TABLE livetranslate.transcripts ADD COLUMN more int",
    "REINDEX SCHEMA livetranslate",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_of_the_schema_is_not_seen_by_calls_that_are_safe_to_repeat(
    store: Store, session_id: UUID, other_program: Program, change: str
) -> None:
    async def write(uow: UnitOfWork) -> None:
        await uow.sessions.get(session_id)
        await uow.transcripts.add(session_id, transcript(segment_key="unit"))
        (await uow.session.execute(select(Transcript))).scalars().all()

    async def everything() -> None:
        await store.record_segment(
            session_id, transcript=transcript(segment_key="seg"), translations=[translation()]
        )
        await store.run_in_unit_of_work(write)
        await store.timeline(session_id)
        await store.search("morning")
        await store.import_segments(
            [SegmentInput(session_id=session_id, transcript=transcript(segment_key="import"))]
        )

    # Each connection has its statements prepared.
    await asyncio.gather(*(everything() for _ in range(8)))
    other_program.rollback()
    other_program.autocommit = True
    other_program.execute(change)
    await asyncio.gather(*(everything() for _ in range(8)))
    assert len(await store.timeline(session_id)) == 4


async def test_a_unit_in_a_block_meets_a_change_as_a_transient_error(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    await store.record_segment(session_id, transcript=transcript())
    async with store.read() as reader:
        await reader.transcripts.list_for_session(session_id)
    other_program.execute(CHANGES[0])
    other_program.commit()
    with pytest.raises(StoreUnavailableError, match="The schema was changed meanwhile") as raised:
        async with store.read() as reader:
            await reader.transcripts.list_for_session(session_id)
    assert raised.value.is_transient
    async with store.read() as reader:
        assert len(await reader.transcripts.list_for_session(session_id)) == 1


@pytest.mark.parametrize("revision", ["0001", "0002"])
async def test_an_older_schema_says_which_command_to_run(empty: Program, revision: str) -> None:
    info = empty.info
    url = url_of(info.user, info.password or None, info.host, info.port, info.dbname)
    await asyncio.to_thread(command.upgrade, configuration(url), revision)
    session_id, spoken = new_id(), transcript(segment_key="seg")
    async with Store.open(url, min_connections=1, retry_timeout=60) as store:
        async with asyncio.timeout(10):
            outcomes = await asyncio.gather(
                store.record_segment(session_id, transcript=spoken, translations=[translation()]),
                store.add_translation(session_id, new_id(), translation()),
                store.run_in_unit_of_work(lambda uow: uow.sessions.create(bot_id="b", meeting_id="m")),
                store.timeline(session_id),
                store.search("morning"),
                store.session_statistics(session_id),
                store.import_segments([SegmentInput(session_id=session_id, transcript=spoken)]),
                return_exceptions=True,
            )
        # Some find all that they need, but no session.
        failures = [
            each for each in outcomes if isinstance(each, BaseException) and not isinstance(each, ABSENT)
        ]
        assert failures
        for failure in failures:
            assert isinstance(failure, StoreUnavailableError)
            assert "run `livetranslate-store upgrade`" in str(failure)
            assert not failure.is_transient
        assert "livetranslate-store upgrade" in (await store.health()).problems["migrations"]


@pytest.mark.parametrize(
    "change",
    [
        "DROP FUNCTION livetranslate.search_similarity",
        "ALTER TABLE livetranslate.transcripts RENAME COLUMN text TO said",
        "ALTER TABLE livetranslate.transcripts RENAME TO utterances",
        "ALTER SCHEMA livetranslate RENAME TO another",
    ],
)
async def test_a_newer_schema_says_which_version_to_install(
    store: Store, session_id: UUID, other_program: Program, change: str
) -> None:
    other_program.execute(change)
    other_program.commit()

    async def calls() -> None:
        await store.record_segment(session_id, transcript=transcript())
        await store.timeline(session_id)
        await store.search("mornign", fuzzy=True)

    with pytest.raises(
        StoreUnavailableError, match="If a newer version made it, install that version"
    ) as raised:
        await calls()
    assert not raised.value.is_transient


def test_a_migration_that_lacks_a_privilege_keeps_its_own_sentence_and_hint(empty: Program) -> None:
    empty.execute(
        "DO $$ BEGIN CREATE ROLE poor LOGIN PASSWORD 'x'; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    empty.execute("CREATE SCHEMA livetranslate AUTHORIZATION poor")
    empty.commit()
    info = empty.info
    with pytest.raises(StoreUnavailableError, match="Search needs the extension pg_trgm") as raised:
        upgrade(url_of("poor", "x", info.host, info.port, info.dbname))
    assert "CREATE EXTENSION pg_trgm and CREATE EXTENSION unaccent in this database" in str(raised.value)


async def test_a_missing_privilege_is_named_and_who_can_give_it(
    store: Store, session_id: UUID, other_program: Program
) -> None:
    other_program.execute(
        f'REVOKE ALL ON DATABASE "{other_program.info.dbname}" FROM PUBLIC, livetranslate_app'
    )
    other_program.commit()
    source = [SegmentInput(session_id=session_id, transcript=transcript(segment_key="seg"))] * 2
    with pytest.raises(
        StoreUnavailableError, match="permission denied to create temporary tables in database"
    ) as raised:
        for _ in range(2):
            await store.import_segments(source)
    assert "`livetranslate-store roles` prints the SQL" in str(raised.value)
    other_program.execute(roles_script().encode())
    other_program.commit()
    assert (await store.import_segments(source)).refused == 0


async def test_an_owner_meets_the_databases_errors_as_the_stores_and_its_own_as_they_are(
    owner_url: str, other_program: Program
) -> None:
    settings = StoreSettings(database_url=owner_url)
    with pytest.raises(BrokenPipeError):
        async with owners_connection(settings):
            raise BrokenPipeError
    with pytest.raises(StoreUnavailableError):
        async with owners_connection(settings) as connection:
            terminate_all(other_program)
            await connection.execute(select(1))
