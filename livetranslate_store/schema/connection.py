"""The connection of those who change the schema: its statements may take hours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import pool
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from livetranslate_store.database.connecting import address_of, migration_arguments
from livetranslate_store.database.failures import DATABASE_ERRORS, wrap
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
            connection = await engine.connect()
            driver = (await connection.get_raw_connection()).driver_connection
        try:
            yield connection
        except DATABASE_ERRORS as error:
            if isinstance(error, OSError) and driver is not None and not driver.is_closed():
                # The caller's own: a closed pipe, or a missing file.
                raise
            with wrap():
                raise
        finally:
            await connection.close()
    finally:
        await engine.dispose()
