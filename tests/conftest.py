"""A real PostgreSQL for the whole run: one server, one template database, one clone per test.

LIVETRANSLATE_TEST_CITUS_URL makes it a cluster: a test's database is on all nodes, with distributed tables.
"""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from cluster.does_not_apply import reason_to_skip
from helpers.clusters import Address, Cluster
from hypothesis import settings
from pytest_postgresql import factories
from pytest_postgresql.factories.noprocess import xdistify_dbname
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


_server = pytest.StashKey[EmbeddedServer]()
#: The database that knows the nodes of the cluster; None on a single server.
_nodes = pytest.StashKey[str | None]()


# Machines are shared: an example that took long is no fault of what it tests.
settings.register_profile("shared machines", deadline=None)
settings.load_profile("shared machines")


def pytest_configure(config: pytest.Config) -> None:
    # What a script starts in the background ignores SIGINT, and so would the programs that tests interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cluster = os.environ.get("LIVETRANSLATE_TEST_CITUS_URL")
    given = cluster or os.environ.get("LIVETRANSLATE_TEST_DATABASE_URL")
    # No test may find settings that the person at the keyboard has made.
    for name in [name for name in os.environ if name.startswith("LIVETRANSLATE_")]:
        del os.environ[name]
    worker = getattr(config, "workerinput", None)
    config.stash[_nodes] = None
    if worker is not None:
        address = Address(*worker["address"])
        config.stash[_nodes] = worker["nodes"]
    elif given:
        url = make_url(given)
        host = url.host or str(url.query.get("host", "localhost"))
        address = Address(host, url.port or 5432, url.username or "postgres", url.password)
        config.stash[_nodes] = (url.database or "postgres") if cluster else None
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.stash[_nodes] is not None:
        for item in items:
            if reason := reason_to_skip(item.nodeid):
                item.add_marker(pytest.mark.skip(reason=f"not on a cluster: {reason}"))


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
        node.workerinput["nodes"] = node.config.stash[_nodes]


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
database_on_one_server = factories.postgresql("postgresql_with_schema")


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The cluster of this run; a test that uses it is skipped on a single server."""
    dbname = request.config.stash[_nodes]
    if dbname is None:
        pytest.skip("LIVETRANSLATE_TEST_CITUS_URL is missing: these tests need a cluster")
    option = request.config.option
    cluster = Cluster(
        Address(
            option.postgresql_host,
            int(option.postgresql_port),
            option.postgresql_user,
            option.postgresql_password,
        ),
        dbname,
    )
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def cluster_with_schema(cluster: Cluster) -> Iterator[str]:
    """A template on all nodes of the cluster: the schema, the roles, and nothing distributed yet."""
    with cluster.template(
        xdistify_dbname(f"livetranslate_nodes_{os.getpid()}_"),
        lambda name: load_schema(**cluster.coordinator._asdict(), dbname=name),
    ) as name:
        yield name


@pytest.fixture(scope="session")
def cluster_with_shards(cluster: Cluster, cluster_with_schema: str) -> Iterator[str]:
    """The same with distributed tables."""
    with cluster.template(
        xdistify_dbname(f"livetranslate_shards_{os.getpid()}_"), cluster.distribute, of=cluster_with_schema
    ) as name:
        yield name


@pytest.fixture
def database_on_cluster(cluster: Cluster, cluster_with_shards: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database of this test's own, with distributed tables."""
    yield from _clone(cluster, cluster_with_shards)


@pytest.fixture
def undistributed(cluster: Cluster, cluster_with_schema: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database of this test's own on all nodes, with nothing distributed yet."""
    yield from _clone(cluster, cluster_with_schema)


def _clone(cluster: Cluster, template: str) -> Iterator[psycopg.Connection[Any]]:
    with (
        cluster.database(f"{template}_test", of=template) as name,
        cluster.coordinator.connect(name, autocommit=False) as connection,
    ):
        yield connection


@pytest.fixture
def other_program(request: pytest.FixtureRequest) -> psycopg.Connection[Any]:
    """Another program: a plain connection that writes straight into this test's own database."""
    on_cluster = request.config.stash[_nodes] is not None
    connection: psycopg.Connection[Any] = request.getfixturevalue(
        "database_on_cluster" if on_cluster else "database_on_one_server"
    )
    return connection


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
