"""Databases on every node of a Citus cluster at once: templates, and clones of them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import monotonic, sleep
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from livetranslate_store.models import Base

SHARDS = 4
#: How often the connections to a database are ended before that counts as a failure.
ATTEMPTS = 50
RECOVERY_SECONDS = 30.0
CONNECT_SECONDS = 10


class Address(NamedTuple):
    """Where a server is, and who connects to it."""

    host: str
    port: int
    user: str
    password: str | None

    def connect(self, dbname: str, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """Return a connection to one of its databases."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=dbname,
            autocommit=autocommit,
            connect_timeout=CONNECT_SECONDS,
        )


# The key of an advisory lock of the cluster's own tests.
ONE_AT_A_TIME = 7_310_226


class Cluster:
    """A coordinator and its workers, known from a database in which the workers are added."""

    def __init__(self, coordinator: Address, dbname: str) -> None:
        self.coordinator = coordinator
        with coordinator.connect(dbname) as connection:
            nodes = connection.execute(
                "SELECT nodename, nodeport FROM pg_dist_node WHERE isactive ORDER BY groupid <> 0, nodeid"
            ).fetchall()
        # The first one is the coordinator under the name that its workers know.
        self.nodes = [coordinator._replace(host=host, port=port) for host, port in nodes]
        self._threads = ThreadPoolExecutor(len(self.nodes))

    def close(self) -> None:
        """Forget the cluster."""
        self._threads.shutdown()

    @contextmanager
    def template(self, name: str, load: Callable[[str], None], *, of: str | None = None) -> Iterator[str]:
        """Make a database that is cloned, and fill it with `load`, which gets its name; drop it at the end.

        Without `of`, another template, it begins with the extension and all nodes, and nothing else.
        """
        with self.database(name, of=of):
            # Roles belong to all databases: Citus grants to them on each node without waiting for others.
            with self.coordinator.connect("postgres") as turn:
                turn.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
                if of is None:
                    self.add_nodes(name)
                load(name)
            # A clone needs a template without connections.
            self._on_all(partial(_clear, name=name))
            yield name

    @contextmanager
    def database(self, name: str, *, of: str | None = None) -> Iterator[str]:
        """Make a database on all nodes, a clone of the template `of`; drop it at the end."""
        self._on_all(partial(_make, name=name, template=of or "template1"))
        try:
            yield name
        finally:
            self._on_all(partial(_drop, name=name))

    def _on_all(self, work: Callable[[psycopg.Connection[Any]], None]) -> None:
        def on(node: Address) -> None:
            with _patient(node) as connection:
                work(connection)

        list(self._threads.map(on, self.nodes))

    def add_nodes(self, name: str) -> None:
        """Make the extension on all nodes of a database, and the workers known to the coordinator."""
        for node in self.nodes:
            with node.connect(name) as connection:
                connection.execute("CREATE EXTENSION citus")
        with self.coordinator.connect(name) as connection:
            coordinator, *workers = self.nodes
            connection.execute("SELECT citus_set_coordinator_host(%s, %s)", coordinator[:2])
            for worker in workers:
                connection.execute("SELECT citus_add_node(%s, %s)", worker[:2])

    def distribute(self, name: str) -> None:
        """Distribute the tables of a database by session, those of its schema."""
        with self.coordinator.connect(name) as connection:
            made = {row[0] for row in connection.execute(_MADE).fetchall()}
            first, *others = (each for each in Base.metadata.sorted_tables if each.name in made)
            connection.execute(
                "SELECT create_distributed_table(%s, 'id', shard_count => %s)", [first.fullname, SHARDS]
            )
            for table in others:
                connection.execute(
                    "SELECT create_distributed_table(%s, 'session_id', colocate_with => %s)",
                    [table.fullname, first.fullname],
                )


_MADE = "SELECT tablename FROM pg_tables WHERE schemaname = 'livetranslate'"


def _patient(node: Address) -> psycopg.Connection[Any]:
    """Connect to a node, also if it is about to come back from a crash."""
    deadline = monotonic() + RECOVERY_SECONDS
    while True:
        try:
            return node.connect("postgres")
        except psycopg.OperationalError:
            if monotonic() > deadline:
                raise
            sleep(0.1)


def _make(connection: psycopg.Connection[Any], name: str, template: str) -> None:
    # What an interrupted test has left must not be in the way of the next one.
    _drop(connection, name)
    names = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
    connection.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**names))


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None:
        _clear(connection, name)
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _clear(connection: psycopg.Connection[Any], name: str) -> None:
    """End all connections to a database; Citus's own processes begin again until none is allowed."""
    connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
    # A signal can be lost on one of Citus's processes that has just begun.
    ended = "SELECT pg_terminate_backend(pid, 200) FROM pg_stat_activity WHERE datname = %s"
    for _ in range(ATTEMPTS):
        if not connection.execute(ended, [name]).fetchall():
            return
