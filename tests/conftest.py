"""A real PostgreSQL for the whole run: one server, one template database, one clone per test."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest
from pytest_postgresql import factories
from sqlalchemy import URL, make_url

from livetranslate_store import Store
from livetranslate_store.embedded.server import EmbeddedServer
from livetranslate_store.schema.roles import roles_script
from livetranslate_store.schema.upgrade import upgrade

# Who the stores of the tests are: neither may change the schema, and the second may not write.
APPLICATION = "application_under_test"
READER = "reader_under_test"
PASSWORD = "battery-staple"

# Roles belong to the whole server: another worker may be making them at this very moment.
USERS = f"""
    DO $$ BEGIN
        CREATE ROLE {APPLICATION} LOGIN PASSWORD '{PASSWORD}' IN ROLE livetranslate_app;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    DO $$ BEGIN
        CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD}' IN ROLE livetranslate_reader;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
"""

# Enough for the tests of concurrency; a test that needs other limits opens a store of its own.
MAX_CONNECTIONS = 8


class Address(NamedTuple):
    """Where the server of this run is."""

    host: str
    port: int
    user: str
    password: str | None


_server = pytest.StashKey[EmbeddedServer]()


def pytest_configure(config: pytest.Config) -> None:
    given = os.environ.get("LIVETRANSLATE_TEST_DATABASE_URL")
    # No test may find settings that the person at the keyboard has made.
    for name in [name for name in os.environ if name.startswith("LIVETRANSLATE_")]:
        del os.environ[name]
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        address = Address(*worker["address"])
    elif given:
        url = make_url(given)
        host = url.host or str(url.query.get("host", "localhost"))
        address = Address(host, url.port or 5432, url.username or "postgres", url.password)
    else:
        server = EmbeddedServer()
        server.start()
        config.stash[_server] = server
        address = Address(str(server.host), server.port, "postgres", None)
    config.option.postgresql_host = address.host
    config.option.postgresql_port = str(address.port)
    config.option.postgresql_user = address.user
    config.option.postgresql_password = address.password


def pytest_unconfigure(config: pytest.Config) -> None:
    if _server in config.stash:
        config.stash[_server].stop()


class XdistHooks:
    """Tells the workers of pytest-xdist where the server is."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        option = node.config.option
        port = int(option.postgresql_port)
        node.workerinput["address"] = (
            option.postgresql_host,
            port,
            option.postgresql_user,
            option.postgresql_password,
        )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.register(XdistHooks())


def url_of(user: str, password: str | None, host: str, port: int, dbname: str) -> str:
    """Return the URL of a database of this run's server, whether it listens on a socket or not."""
    socket = host.startswith("/")
    return URL.create(
        "postgresql+asyncpg",
        user,
        password,
        None if socket else host,
        None if socket else port,
        dbname,
        {"host": host, "port": str(port)} if socket else {},
    ).render_as_string(hide_password=False)


def load_schema(**connection: Any) -> None:
    """Fill the template database as an operator would."""
    upgrade(
        url_of(
            connection["user"],
            connection.get("password"),
            str(connection["host"]),
            int(connection["port"]),
            connection["dbname"],
        )
    )
    with psycopg.connect(**connection) as owner:
        owner.execute(roles_script().encode())
        owner.execute(USERS.encode())


# Two runs on one server stay out of each other's way, and so do the workers of one run.
postgresql_empty = factories.postgresql_noproc(dbname=f"livetranslate_empty_{os.getpid()}_")
postgresql_with_schema = factories.postgresql_noproc(
    dbname=f"livetranslate_test_{os.getpid()}_", load=[load_schema]
)
#: Another program: a plain connection that writes straight into this test's own database.
other_program = factories.postgresql("postgresql_with_schema")


@pytest.fixture
def owner_url(other_program: psycopg.Connection[Any]) -> str:
    """The URL of a database of this test's own, for whoever owns its schema and runs its migrations."""
    info = other_program.info
    return url_of(info.user, info.password or None, info.host, info.port, info.dbname)


@pytest.fixture
def database_url(other_program: psycopg.Connection[Any]) -> str:
    """The URL of the same database for an application, which cannot change the schema."""
    info = other_program.info
    return url_of(APPLICATION, PASSWORD, info.host, info.port, info.dbname)


@pytest.fixture
def reader_url(other_program: psycopg.Connection[Any]) -> str:
    """The URL of the same database for somebody who only reads."""
    info = other_program.info
    return url_of(READER, PASSWORD, info.host, info.port, info.dbname)


@pytest.fixture
def audio_folder(tmp_path: Path) -> Path:
    """The folder in which the store keeps its audio."""
    return tmp_path / "audio"


@pytest.fixture
async def store(database_url: str, audio_folder: Path) -> AsyncIterator[Store]:
    """A store over a database and a folder of this test's own."""
    async with Store.open(
        database_url,
        audio_url=f"file:{audio_folder}",
        min_connections=1,
        max_connections=MAX_CONNECTIONS,
    ) as opened:
        yield opened


@pytest.fixture
async def session_id(store: Store) -> UUID:
    """A session to write into."""
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="bot-7", meeting_id="abc-defg-hij")
    return session.id


@pytest.fixture(scope="session")
def captions_folder() -> Path:
    """The real captions, a folder in the checkout or beside it."""
    return _shared("data/elephantsdream")


@pytest.fixture(scope="session")
def field_folder() -> Path:
    """The transcripts of many programs, a folder in the checkout or beside it."""
    return _shared("field")


def _shared(name: str) -> Path:
    checkout = Path(__file__).resolve().parents[1]
    places = [place / "shared" / name for place in (checkout, checkout.parent)]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        pytest.skip(f"shared/{name} is missing, in the checkout and beside it")
    return found
