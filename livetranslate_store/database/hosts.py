"""The hosts of an address: connections to the primary among them, if its database is suitable."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute
from asyncpg.exceptions import ClientConfigurationError

from livetranslate_store.database.failures import DRIVER_ERRORS, is_broken
from livetranslate_store.errors import InvalidInputError, StoreUnavailableError

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]


# Search folds letters that no other encoding has, and texts come in every script.
ENCODING = "UTF8"


class HostFinder:
    """Opens the driver's connections; if there are several hosts, to the primary.

    The driver could do that too, but one silent host would use up its time limit for all of them.
    """

    def __init__(self, *, needs_primary: bool = False) -> None:
        self._needs_primary = needs_primary
        # The index of the last primary: the other hosts are tried only if it does not answer as one.
        self._first = 0

    async def connect(self, **arguments: Any) -> "Driver":
        """Return a connection of the driver's; `host` and `port` are lists, or left to the environment.

        Raises the driver's errors, InvalidInputError if a variable of the environment is wrong, and
        StoreUnavailableError if the database is in another encoding than UTF8.
        """
        driver = await self._connect(arguments)
        encoding = getattr(driver.get_settings(), "server_encoding", ENCODING)
        if encoding != ENCODING:
            driver.terminate()
            raise StoreUnavailableError(
                f"The database is in the encoding {encoding}, and the store needs {ENCODING}: "
                f"create one with CREATE DATABASE … TEMPLATE template0 ENCODING '{ENCODING}'."
            )
        return driver

    async def _connect(self, arguments: dict[str, Any]) -> "Driver":
        hosts: Sequence[str] | None = arguments.get("host")
        if hosts is None:
            return await self._connect_to_one(arguments)
        addresses = list(zip(hosts, arguments["port"], strict=True))
        arguments["timeout"] = arguments["timeout"] / len(addresses)
        first = self._first
        for turn in range(len(addresses)):
            index = (first + turn) % len(addresses)
            arguments["host"], arguments["port"] = addresses[index]
            try:
                driver = await self._connect_to_one(arguments, is_one_of_many=len(addresses) > 1)
            except DRIVER_ERRORS as error:
                if not (is_broken(error) or isinstance(error, TimeoutError)):
                    raise
                failure = error
            else:
                self._first = index
                return driver
        raise failure

    async def _connect_to_one(self, arguments: dict[str, Any], *, is_one_of_many: bool = False) -> "Driver":
        if self._needs_primary or is_one_of_many:
            arguments["target_session_attrs"] = SessionAttribute.primary
        try:
            driver: Driver = await asyncpg.connect(**arguments)
        except OSError:
            raise  # of the network; a certificate's is a ValueError too
        except (ValueError, LookupError) as error:
            # The address has been checked: the rest comes from PGPORT, PGSSLMODE and the like.
            words = str(error) if isinstance(error, ClientConfigurationError) else type(error).__name__
            raise InvalidInputError(
                "The environment does not say how to connect, in PGUSER, PGPORT, PGSSLMODE "
                f"or the like: {words}."
            ) from error
        return driver
