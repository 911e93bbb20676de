"""The connection of those who change the schema: its statements may take hours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import pool
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from livetranslate_store.database.connecting import address_of, migration_arguments
from livetranslate_store.database.failures import wrap
from livetranslate_store.settings import StoreSettings


@asynccontextmanager
async def owners_connection(settings: StoreSettings) -> AsyncIterator[AsyncConnection]:
    """Open one connection without a limit on statements; errors of the database come out as the store's."""
    address = address_of(settings)
    engine = create_async_engine(
        "postgresql+asyncpg://", poolclass=pool.NullPool, connect_args=migration_arguments(address, settings)
    )
    try:
        with wrap(address=str(address)):
            async with engine.connect() as connection:
                yield connection
    finally:
        await engine.dispose()
