"""Other tools connect with the address of a store, by either driver."""

import pytest
from helpers.stored import Program
from sqlalchemy import URL, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from livetranslate_store import Store

SESSIONS = text("SELECT id FROM livetranslate.sessions")


async def by_asyncpg(url: URL) -> list[object]:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = list((await connection.scalars(SESSIONS)).all())
    await engine.dispose()
    return found


def by_psycopg(url: URL) -> list[object]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = list(connection.scalars(SESSIONS).all())
    engine.dispose()
    return found


async def test_both_drivers_connect_to_the_database_of_the_store(store: Store) -> None:
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="b", meeting_id="m")
    assert await by_asyncpg(store.engine_url()) == [session.id]
    assert by_psycopg(store.engine_url(driver="psycopg")) == [session.id]


async def test_a_host_that_is_away_is_passed_over(database_url: str, other_program: Program) -> None:
    info = other_program.info
    url = f"{database_url.partition('?')[0]}?host=/nowhere,{info.host}&port={info.port}"
    async with Store.open(url, min_connections=0) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        assert await by_asyncpg(store.engine_url()) == [session.id]
        assert by_psycopg(store.engine_url(driver="psycopg")) == [session.id]


@pytest.mark.slow
async def test_a_private_server_has_an_address_too() -> None:
    async with Store.open("embedded:", min_connections=0) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        assert await by_asyncpg(store.engine_url()) == [session.id]
        assert by_psycopg(store.engine_url(driver="psycopg")) == [session.id]
