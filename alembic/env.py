"""Runs the migrations: one transaction each, one upgrade at a time, bounded waits for locks."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from livetranslate_store.errors import StoreError, UsageError
from livetranslate_store.models import SCHEMA, Base
from livetranslate_store.schema.connection import owners_connection
from livetranslate_store.schema.turns import LOCK_TIMEOUT, ONE_CONNECTION_TO_A_WORKER, take_turn
from livetranslate_store.schema.upgrade import joined
from livetranslate_store.settings import StoreSettings


def settings() -> StoreSettings:
    """Return the settings of the caller, or those that the environment and `.env` give to a store."""
    given = context.config.attributes.get("settings")
    if isinstance(given, StoreSettings):
        return given
    found = StoreSettings()
    if found.database_url.get_secret_value().startswith("embedded:"):
        raise UsageError("A private server is upgraded when it starts: run `livetranslate-store upgrade`.")
    return found


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
    # Not the driver's own style, which doubles each percent sign.
    configure(dialect_name="postgresql", dialect_opts={"paramstyle": "named"}, literal_binds=True)
    context.execute(ONE_CONNECTION_TO_A_WORKER)
    context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    context.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    context.run_migrations()


def run_online(connection: Connection) -> None:
    take_turn(connection)
    present = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    if connection.scalar(present, {"name": SCHEMA}) is None:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    connection.commit()
    configure(connection=connection)
    before = revision(connection)
    with context.begin_transaction():
        context.run_migrations()
    context.config.attributes["revisions"] = before, revision(connection)


def revision(connection: Connection) -> str | None:
    found = joined(context.get_context().get_current_heads())
    connection.rollback()
    return found


async def connect_and_run(chosen: StoreSettings) -> None:
    async with owners_connection(chosen) as connection:
        await connection.run_sync(run_online)


if context.is_offline_mode():
    run_offline()
else:
    try:
        asyncio.run(connect_and_run(settings()))
    except StoreError as error:
        if "settings" in context.config.attributes:
            raise
        # Alembic's own command line would show a traceback.
        raise SystemExit(str(error)) from None
