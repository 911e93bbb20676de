"""Runs the migrations: bounded lock waits, one transaction each, one upgrade at a time."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from livetranslate_store.database.engine import asyncpg_url
from livetranslate_store.database.hosts import HostFinder
from livetranslate_store.database.tls import with_tls
from livetranslate_store.models import SCHEMA, Base
from livetranslate_store.settings import StoreSettings

# A migration that waits for a lock makes every later statement on that table wait behind it: rather fail
# soon, and be repeated, than stop all bots.
LOCK_TIMEOUT = "5s"
# Any number will do, as long as nothing else in the database uses it.
ADVISORY_LOCK = 7_215_930_441


def database_url() -> str:
    url = (
        context.config.attributes.get("database_url")
        or os.environ.get("LIVETRANSLATE_DATABASE_URL")
        or context.config.get_main_option("sqlalchemy.url")
    )
    if not url:
        raise SystemExit(
            "No database: set LIVETRANSLATE_DATABASE_URL, e.g. postgresql+asyncpg://app@host/livetranslate, "
            "or sqlalchemy.url in alembic.ini."
        )
    return str(url)


def only_our_schema(name: str | None, kind: str, _parents: object) -> bool:
    return name == SCHEMA if kind == "schema" else True


def configure(**options: object) -> None:
    context.configure(
        target_metadata=Base.metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=only_our_schema,
        compare_server_default=True,
        transaction_per_migration=True,
        **options,
    )


def run_offline() -> None:
    configure(url=database_url(), dialect_name="postgresql", literal_binds=True)
    context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    context.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    context.run_migrations()


def run_online(connection: Connection) -> None:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    # Held until the connection closes: two deployments that upgrade at once take turns.
    connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
    present = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    if connection.scalar(present, {"name": SCHEMA}) is None:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    connection.commit()
    configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_run() -> None:
    url = database_url()
    # The settings of TLS hold for the migrations too.
    target, tls = with_tls(asyncpg_url(url), StoreSettings(database_url=url))
    engine = create_async_engine(
        target,
        poolclass=pool.NullPool,
        connect_args={"async_creator_fn": HostFinder().connect, **tls},
    )
    async with engine.connect() as connection:
        await connection.run_sync(run_online)
    await engine.dispose()


if context.is_offline_mode():
    run_offline()
else:
    asyncio.run(connect_and_run())
