"""An error as the server reported it, or as the coordinator of a cluster passed it on from a node.

A coordinator (Citus) names no constraint, writes the number of the shard behind the names in a message, and
loses the SQLSTATE of a node in statements of several steps: only the message is left then.
"""

import re
from typing import NamedTuple, Self

import asyncpg

# The SQLSTATE of an error whose own one is lost.
_LOST = "XX000"
_UNDEFINED_TABLE = "42P01"
_CONFLICT = "40001"
_NODE_BROKE = "08006"
_ROLLED_BACK = "58000"
# The own SQLSTATE, by the words of PostgreSQL and of Citus 13.
_BY_WORDS = (
    ("violates foreign key constraint", "23503"),
    ("violates unique constraint", "23505"),
    ("violates check constraint", "23514"),
    ("violates not-null constraint", "23502"),
    ("division by zero", "22012"),
    ("canceling statement due to lock timeout", "55P03"),
    ("canceling statement", "57014"),
    ("deadlock", "40P01"),
    ("could not serialize access", _CONFLICT),
    # A shard was moved or split meanwhile: the next plan finds it.
    ("could not find valid entry for shard", _CONFLICT),
    ("could not find any shard placements", _CONFLICT),
    # One node was to commit, and its answer is lost.
    ("could not commit transaction for shard", "08007"),
    # Several nodes were to commit: as long as one is not prepared, none does.
    ("failed to prepare transaction", _ROLLED_BACK),
    ("failure on connection marked as essential", _ROLLED_BACK),
    ("server closed the connection unexpectedly", _NODE_BROKE),
    ("connection has been closed unexpectedly", _NODE_BROKE),
    ("connection not open", _NODE_BROKE),
    ("terminating connection", _NODE_BROKE),
    # The coordinator itself was killed while it waited for a node.
    ("postmaster was shut down", "57P01"),
    ("No space left on device", "53100"),
    ("in a read-only transaction", "25006"),
)
_CONSTRAINT = re.compile(r'constraint "([^"]+)"')
_VIOLATION = "23"
# Citus numbers its shards from 102008 on.
_SHARD_NUMBER = re.compile(r"_\d{6,}$")
_TABLE_OF_SHARD = re.compile(r'_\d{6,}" does not exist')
_IN_CONTEXT = re.compile(r"while executing command on (\S+:\d+)")
_IN_MESSAGE = re.compile(r"(?:node|on|host|essential:) (?:\S+@)?(\S+:\d+)")
# Messages of these contain no value, which could look like an address.
_OF_NODES = ("08", "58", "XX")


class ServerReport(NamedTuple):
    """A server's error: its SQLSTATE, the constraint that was violated, and the node that it came from."""

    sqlstate: str
    constraint: str | None
    #: The address of the node; None for an error of the server that the store is connected to.
    node: str | None

    @classmethod
    def of(cls, error: asyncpg.PostgresError) -> Self:
        """Return the report in an error of the driver's."""
        message = str(error.args[0]) if error.args else ""
        sqlstate = str(error.sqlstate)
        node = _node(error, message)
        if sqlstate == _LOST:
            sqlstate = next((own for words, own in _BY_WORDS if words in message), sqlstate)
        elif sqlstate == _UNDEFINED_TABLE and node is not None and _TABLE_OF_SHARD.search(message):
            sqlstate = _CONFLICT
        constraint: str | None = getattr(error, "constraint_name", None)
        if constraint is None and sqlstate.startswith(_VIOLATION):
            constraint = _constraint_in(message)
        return cls(sqlstate, constraint, node)


def _constraint_in(message: str) -> str | None:
    found = _CONSTRAINT.search(message)
    return None if found is None else _SHARD_NUMBER.sub("", found[1])


def _node(error: asyncpg.PostgresError, message: str) -> str | None:
    found = _IN_CONTEXT.search(error.context or "")
    if found is None and str(error.sqlstate).startswith(_OF_NODES):
        found = _IN_MESSAGE.search(message)
    return None if found is None else found[1]
