"""How connections are opened: the driver's arguments, and the server's settings that all of them share."""

from typing import Any
from uuid import uuid4

import asyncpg

from livetranslate_store.database.address import Address
from livetranslate_store.database.hosts import HostFinder
from livetranslate_store.database.tls import tls_arguments
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.settings import StoreSettings

# The server's limit comes first: it is certain that nothing was changed, the driver's limit is not.
DRIVER_GRACE_SECONDS = 1.0

APPLICATION_NAME = "livetranslate_store"

# A role, a database or the options of a URL may set them otherwise. None of them may change what is stored,
# what is found, or which error comes.
_SAME_EVERYWHERE = {
    "standard_conforming_strings": "on",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # Above zero the server finds a random part of the rows.
    "gin_fuzzy_search_limit": "0",
    # `command_timeout` is the limit; a shorter one of the server would be a different error.
    "lock_timeout": "0",
    # The pool closes idle connections.
    "idle_session_timeout": "0",
    # An error of a statement would close the connection, and its cause would be lost.
    "exit_on_error": "off",
}


# The rules for revisions lock rows and read them again, which the higher levels refuse. Whether it may write
# is the role's to say.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
# One snapshot for all reads of the block, and a server that refuses writes.
_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Those of the settings on which a statement of the store may depend, and no connection behind PgBouncer has.
_OF_EACH_TRANSACTION = (
    "standard_conforming_strings",
    # A coordinator sends moments to the nodes of its cluster as text.
    "DateStyle",
    "extra_float_digits",
    "gin_fuzzy_search_limit",
    "lock_timeout",
    "exit_on_error",
)


def address_of(settings: StoreSettings) -> Address:
    """Return the address that the settings name; raises InvalidInputError for a wrong URL."""
    return Address.of(settings.database_url.get_secret_value())


def store_arguments(address: Address, settings: StoreSettings) -> dict[str, Any]:
    """Return the driver's arguments of a store's connections."""
    arguments = _arguments(address, settings) | {
        "timeout": min(settings.connection_timeout, address.connect_timeout or settings.connection_timeout),
        "command_timeout": settings.command_timeout + DRIVER_GRACE_SECONDS,
    }
    if settings.pgbouncer:
        return arguments | _behind_pgbouncer(address)
    return arguments | {
        # By default the driver prepares statements above 15 kB each time, and the write statement is longer.
        "max_cacheable_statement_size": 0,
        "server_settings": _server_settings(address)
        | _of_the_store(settings)
        # A plan is made once and kept. By default the server may plan a statement anew for each call,
        # which takes longer than running it.
        | {"plan_cache_mode": "force_generic_plan"},
    }


def beginning(settings: StoreSettings, *, read_only: bool) -> str:
    """Return the statement that begins a transaction, and sets what no connection behind PgBouncer has."""
    begin = _BEGIN_READING if read_only else _BEGIN
    if not settings.pgbouncer:
        return begin
    chosen = {name: _SAME_EVERYWHERE[name] for name in _OF_EACH_TRANSACTION} | _of_the_store(settings)
    return "; ".join([begin, *(f"SET LOCAL {name} = '{value}'" for name, value in chosen.items())])


async def let_citus_plan(driver: "asyncpg.Connection[asyncpg.Record]", time_limit: float) -> None:
    """Undo the choice of generic plans, which crash a coordinator: Citus plans each call for its shard.

    The server sends warnings, too: by one of them the store knows that a node failed at a commit.
    """
    await driver.execute("SET plan_cache_mode = auto; SET client_min_messages = warning", timeout=time_limit)


def _of_the_store(settings: StoreSettings) -> dict[str, str]:
    return {
        # Compiling a statement takes longer than running any of the store's.
        "jit": "off",
        "statement_timeout": str(round(settings.command_timeout * 1000)),
    }


def migration_arguments(address: Address, settings: StoreSettings) -> dict[str, Any]:
    """Return the driver's arguments of a migration's connection, whose statements may take hours."""
    return _arguments(address, settings) | {
        "timeout": address.connect_timeout or settings.connection_timeout,
        "server_settings": _server_settings(address) | {"statement_timeout": "0"},
    }


def _arguments(address: Address, settings: StoreSettings) -> dict[str, Any]:
    return (
        address.arguments()
        | tls_arguments(address, settings)
        | {"async_creator_fn": HostFinder(needs_primary=address.needs_primary).connect}
    )


def _server_settings(address: Address) -> dict[str, str]:
    # The server reads `options` first: the others overrule them.
    options = {} if address.options is None else {"options": address.options}
    return options | {"application_name": address.application_name or APPLICATION_NAME} | _SAME_EVERYWHERE


def _behind_pgbouncer(address: Address) -> dict[str, Any]:
    # In transaction mode the next statement may run on another server connection: prepared statements and
    # settings do not last, and PgBouncer refuses unknown start-up parameters.
    if address.options is not None:
        raise InvalidInputError(
            "database_url has the parameter options, which PgBouncer does not pass on: "
            "set them for the role, with ALTER ROLE … SET …."
        )
    return {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: f"__livetranslate_{uuid4()}__",
        "server_settings": {"application_name": address.application_name or APPLICATION_NAME},
    }
