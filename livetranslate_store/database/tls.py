"""TLS to the server: if it is on, the certificate and the host name are verified."""

import ssl
from typing import Any

from livetranslate_store.database.address import Address
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.settings import StoreSettings

# PostgreSQL's names. Elsewhere `require` only encrypts; here it verifies too.
_MODES = {"require": "verify-full", "verify-ca": "verify-ca", "verify-full": "verify-full"}
PLAIN = "disable"
_FILES = ("tls_ca_file", "tls_certificate_file", "tls_key_file")


def tls_arguments(address: Address, settings: StoreSettings) -> dict[str, Any]:
    """Return the driver's arguments for TLS.

    The setting `tls`, or `sslmode` (or `ssl`) in the URL, turns TLS on. Without them the driver decides: it
    encrypts if the server offers it, and checks nothing. Raises InvalidInputError for a contradiction, an
    unknown mode, or a file that is no certificate.
    """
    mode = verified_mode(address, settings)
    if mode is None or mode == PLAIN:
        _check_no_files(settings)
        return {} if mode is None else {"ssl": False}
    context = _context(settings)
    context.check_hostname = mode == "verify-full"
    return {"ssl": context}


def verified_mode(address: Address, settings: StoreSettings) -> str | None:
    """Return how the server is verified: `verify-full`, `verify-ca`, `disable`, or None if nothing says so.

    Raises InvalidInputError for a contradiction or an unknown mode.
    """
    mode = address.tls_mode
    if mode is None:
        return "verify-full" if settings.tls else None
    if mode != PLAIN and mode not in _MODES:
        raise InvalidInputError(
            f"sslmode in the database's URL must be one of {', '.join([PLAIN, *_MODES])}: "
            "a mode that falls back to a plain connection protects nothing."
        )
    if settings.tls and mode == PLAIN:
        raise InvalidInputError("tls is on, and the database's URL says sslmode=disable: drop one of them.")
    return _MODES.get(mode, mode)


def _check_no_files(settings: StoreSettings) -> None:
    for name in _FILES:
        if getattr(settings, name) is not None:
            raise InvalidInputError(f"{name} has no effect without TLS: set tls to true.")


def _context(settings: StoreSettings) -> ssl.SSLContext:
    context: ssl.SSLContext = _loaded("tls_ca_file", ssl.create_default_context, cafile=settings.tls_ca_file)
    if settings.tls_certificate_file is not None:
        _loaded(
            "tls_certificate_file (with tls_key_file)",
            context.load_cert_chain,
            settings.tls_certificate_file,
            settings.tls_key_file,
            # Refuse a key with a password; the default would ask for it at a terminal.
            password="",
        )
    elif settings.tls_key_file is not None:
        raise InvalidInputError("tls_key_file needs its tls_certificate_file.")
    return context


def _loaded(name: str, load: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return load(*arguments, **named)
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{name} cannot be read as PEM: {error}.") from error
