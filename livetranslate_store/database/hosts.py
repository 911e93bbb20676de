"""The hosts of a URL: their names in messages, and the primary among them."""

from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute
from sqlalchemy.engine import URL

from livetranslate_store.database.failures import DRIVER_ERRORS, is_broken

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]


# The driver's default time limit for opening a connection.
DEFAULT_SECONDS = 60.0


def address_of(url: URL) -> str:
    """Return the hosts and ports of `url`, for messages and statistics: no user and no password."""
    host = url.host or url.query.get("host") or "the default host"
    port = url.port or url.query.get("port")
    name = host if isinstance(host, str) else ",".join(host)
    return name if port is None else f"{name}:{port if isinstance(port, int | str) else ','.join(port)}"


class HostFinder:
    """Opens the driver's connections; if the URL names several hosts, to the primary.

    The driver could do that too, but one silent host would use up its time limit for all of them.
    """

    def __init__(self) -> None:
        # The index of the last primary: the other hosts are tried only if it does not answer as one.
        self._first = 0

    async def connect(self, **arguments: Any) -> "Driver":
        """Return a connection of the driver's; `host` and `port` are lists if the URL names several."""
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
