"""The address of a store's database as a URL of SQLAlchemy's, for tools that connect by themselves."""

from typing import Literal, TypeAlias, get_args

from sqlalchemy import URL

from livetranslate_store.checks import checked_choice
from livetranslate_store.database.address import Address
from livetranslate_store.database.tls import PLAIN, verified_mode
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.settings import StoreSettings

URLDriver: TypeAlias = Literal["asyncpg", "psycopg"]
_DRIVERS: tuple[URLDriver, ...] = get_args(URLDriver)
_DEFAULT_PORT = 5432
# The authorities of the operating system, as the store takes them without `tls_ca_file`.
_OF_THE_SYSTEM = "system"


def engine_url(address: Address, settings: StoreSettings, driver: URLDriver) -> URL:
    """Return the URL that connects `driver` to the primary, as the user and with the TLS of the store.

    Raises InvalidInputError if a URL of this driver cannot say that.
    """
    driver = checked_choice(driver, "driver", _DRIVERS)
    extra = _for_asyncpg(address, settings) if driver == "asyncpg" else _for_libpq(address, settings)
    one = address.hosts[0] if len(address.hosts) == 1 else None
    # A socket's folder, or an IPv6 address, is no host in the URLs of every driver.
    plain = one is not None and not set("/:") & set(one.name)
    if address.hosts and not plain:
        extra["host"] = ",".join(each.name for each in address.hosts)
        extra["port"] = ",".join(str(each.port or _DEFAULT_PORT) for each in address.hosts)
    if address.needs_primary or len(address.hosts) > 1:
        extra["target_session_attrs"] = "primary"
    return URL.create(
        f"postgresql+{driver}",
        username=address.user,
        password=address.password,
        host=one.name if one is not None and plain else None,
        port=one.port if one is not None and plain else address.port,
        database=address.database,
        query=extra,
    )


def _for_asyncpg(address: Address, settings: StoreSettings) -> dict[str, str]:
    mode = verified_mode(address, settings)
    if mode not in (None, PLAIN):
        raise InvalidInputError(
            "A URL for asyncpg cannot name the certificates of verified TLS: use driver='psycopg'."
        )
    if address.options is not None:
        raise InvalidInputError("A URL for asyncpg cannot hold the options of the URL: use driver='psycopg'.")
    return {} if mode is None else {"ssl": mode}


def _for_libpq(address: Address, settings: StoreSettings) -> dict[str, str]:
    found: dict[str, str] = {} if address.options is None else {"options": address.options}
    mode = verified_mode(address, settings)
    if mode in (None, PLAIN):
        return found if mode is None else found | {"sslmode": mode}
    if settings.tls_ca_file is None:
        # libpq takes these with the strictest mode only.
        found |= {"sslmode": "verify-full", "sslrootcert": _OF_THE_SYSTEM}
    else:
        found |= {"sslmode": mode, "sslrootcert": str(settings.tls_ca_file)}
    if settings.tls_certificate_file is not None:
        key = settings.tls_key_file or settings.tls_certificate_file
        found |= {"sslcert": str(settings.tls_certificate_file), "sslkey": str(key)}
    return found
