"""The address of a database, from a URL: each part that libpq reads is taken, or refused by name."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any, NamedTuple, NoReturn

from livetranslate_store.database.url_parameters import ENCODED, RefusedError, decoded, parameters, refuse
from livetranslate_store.errors import InvalidInputError

_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_EXAMPLE = "postgresql+asyncpg://user@host/database"
_HIGHEST_PORT = 65_535


class Host(NamedTuple):
    """A host's name, its IP address or the folder of its socket, and the port if it is given."""

    name: str
    port: int | None

    def __str__(self) -> str:
        """Return it for messages."""
        name = f"[{self.name}]" if _is_ipv6(self.name) else self.name
        return name if self.port is None else f"{name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """The hosts of a database, and as whom to connect to which; None leaves a part to the environment.

    Neither its repr nor its text shows the password.
    """

    hosts: tuple[Host, ...] = ()
    #: The port of a URL that names no host.
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str | None = None
    application_name: str | None = None
    #: Seconds that opening a connection may take.
    connect_timeout: float | None = None
    #: Settings for the server, as a command line: `-c name=value`.
    options: str | None = None
    tls_mode: str | None = None
    #: Only a primary will do; several hosts mean that too.
    needs_primary: bool = False

    @classmethod
    def of(cls, url: str, setting: str = "database_url") -> "Address":
        """Read a URL of `postgresql:`, `postgres:` or `postgresql+asyncpg:`, with libpq's rules.

        Raises InvalidInputError for a part that is not taken. The message names the setting and the
        parameter, but repeats no value: any of them may be a piece of a password.
        """
        try:
            return _read(url.strip())
        except RefusedError as refusal:
            raise InvalidInputError(f"{setting} {refusal}.") from None

    def __str__(self) -> str:
        """Return hosts and ports, for messages and statistics."""
        return ",".join(map(str, self.hosts)) or "the default host"

    def arguments(self) -> dict[str, Any]:
        """Return the driver's arguments; `host` and `port` are lists if the address has hosts."""
        given: dict[str, Any] = {
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.database,
        }
        if self.hosts:
            given |= {"host": [each.name for each in self.hosts], "port": [each.port for each in self.hosts]}
        return {name: value for name, value in given.items() if value is not None}


def _read(text: str) -> Address:
    scheme, mark, rest = text.partition("://")
    if not mark or scheme not in _SCHEMES:
        _refuse_scheme(text, scheme if mark else "")
    if " " in rest or not rest.isprintable():
        refuse("has white space or an invisible character in it: write a space as %20")
    # As in libpq: an @ before the first / ends the user and the password.
    end = re.search("[@/]", rest)
    login, rest = (rest[: end.start()], rest[end.end() :]) if end and end[0] == "@" else ("", rest)
    if "@" in rest or "?" in login:
        refuse(f"cannot be told apart into its parts: {ENCODED}")
    place, _, query = rest.partition("?")
    places, _, database = place.partition("/")
    user, _, password = login.partition(":")
    given = parameters(query)
    names, ports = _hosts(places, given)
    return Address(
        hosts=_with_ports(names, ports),
        port=_with_ports([""], ports)[0].port if not names else None,
        user=given.get("user", decoded(user)) or None,
        password=given.get("password", decoded(password)) or None,
        database=given.get("dbname", decoded(database)) or None,
        application_name=given.get("application_name") or None,
        connect_timeout=float(given["connect_timeout"]) if "connect_timeout" in given else None,
        options=given.get("options") or None,
        # JDBC writes ssl=true.
        tls_mode="require" if given.get("ssl") == "true" else given.get("sslmode", given.get("ssl")),
        needs_primary="target_session_attrs" in given,
    )


def _refuse_scheme(text: str, scheme: str) -> NoReturn:
    if re.match(r"(host|hostaddr|port|dbname|user|password|service)\s*=", text):
        refuse(f"is a list such as host=… dbname=…: write it as {_EXAMPLE}")
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]{0,30}", scheme):
        refuse(f"is of {scheme!r}; it must be postgresql+asyncpg://…")
    refuse(f"is not a URL such as {_EXAMPLE}")


def _hosts(places: str, given: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the names and the ports of the hosts; as in libpq, parameters go before the rest."""
    pairs = [_split(each) for each in places.split(",")]
    names, ports = [name for name, _ in pairs], [port for _, port in pairs]
    if "host" in given:
        pairs = [_split_parameter(each) for each in given["host"].split(",")]
        names = [name for name, _ in pairs]
        if any(port for _, port in pairs):
            if "port" in given:
                refuse("has ports in its hosts and as a parameter: write them in one place")
            ports = [port for _, port in pairs]
    if "port" in given:
        ports = given["port"].split(",")
    if len(names) > 1 and not all(names):
        refuse("has an empty name among its hosts")
    return [each for each in names if each], ports if any(ports) else [""]


def _with_ports(names: list[str], ports: list[str]) -> tuple[Host, ...]:
    if len(ports) == 1:
        ports = ports * len(names)
    if len(ports) != len(names):
        refuse(f"has {len(names)} hosts and {len(ports)} ports: write one port, or one for each host")
    return tuple(Host(name, _port(port)) for name, port in zip(names, ports, strict=True))


def _port(text: str) -> int | None:
    if text == "":
        return None
    if not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) <= _HIGHEST_PORT:
        refuse(f"has a port that is no number from 1 to {_HIGHEST_PORT}; {ENCODED}")
    return int(text)


def _split(place: str) -> tuple[str, str]:
    """Return the name and the port of `host:port`, `[IPv6]:port` or the encoded folder of a socket."""
    found = re.fullmatch(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::([^:\[\]]*))?", place)
    if found is None:
        refuse("has a host that cannot be read: write an IPv6 address in brackets, as [::1]:5432")
    bracketed, name, port = found.groups("")
    if place.startswith("["):
        name = decoded(bracketed)
        if not _is_ipv6(name):
            refuse("has brackets around a host that is no IPv6 address")
        return name, decoded(port)
    return _checked_host(decoded(name)), decoded(port)


def _split_parameter(place: str) -> tuple[str, str]:
    """Return the name and the port of a host among the parameters, where it is decoded already."""
    if place.startswith("/") or _is_ipv6(place):
        return place, ""
    return _split(place.replace("%", "%25"))


def _is_ipv6(name: str) -> bool:
    try:
        IPv6Address(name)
    except ValueError:
        return False
    return True


def _checked_host(name: str) -> str:
    if name == "" or (name.startswith("/") and "," not in name):
        return name
    if not re.fullmatch(r"[\w.-]+", name):
        refuse("has a host with a character that no host's name has; a socket is named by its folder, /…")
    try:
        name.encode("idna")
    except UnicodeError:
        refuse("has a host with an empty part, or with a part that is too long")
    return name
