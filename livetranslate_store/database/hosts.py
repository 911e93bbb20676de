"""Finding the primary among several hosts of one URL."""

from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from livetranslate_store.database.failures import DRIVER_ERRORS, is_broken

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]


# The driver's own default for opening a connection.
DEFAULT_SECONDS = 60.0


class HostFinder:
    """Opens the driver's connections; of several hosts to the one that is no standby.

    The driver would do so too, but in one time limit for all hosts, which one that is silent uses up.
    """

    def __init__(self) -> None:
        # Where the primary was last: the others are only asked when it is not there any more.
        self._first = 0

    async def connect(self, **arguments: Any) -> "Driver":
        """Return a connection of the driver's; `host` and `port` are lists where there are several."""
        hosts = arguments.get("host")
        if not isinstance(hosts, list):
            driver: Driver = await asyncpg.connect(**arguments)
            return driver
        addresses = list(zip(hosts, arguments["port"], strict=True))
        arguments["timeout"] = arguments.get("timeout", DEFAULT_SECONDS) / len(addresses)
        first = self._first
        for turn in range(len(addresses)):
            index = (first + turn) % len(addresses)
            arguments["host"], arguments["port"] = addresses[index]
            try:
                driver = await asyncpg.connect(**arguments, target_session_attrs=SessionAttribute.primary)
            except DRIVER_ERRORS as error:
                if not (is_broken(error) or isinstance(error, TimeoutError)):
                    raise
                failure = error
            else:
                self._first = index
                return driver
        raise failure
