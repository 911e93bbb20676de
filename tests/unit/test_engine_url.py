"""The address of a store for other tools: complete, or refused, and without a password in any repr."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine

from livetranslate_store import InvalidInputError, StoreSettings
from livetranslate_store.database.connecting import address_of
from livetranslate_store.database.engine_url import engine_url

PLAIN: dict[str, Any] = {"user": "app", "dbname": "live"}


def url_of(url: str, driver: Any, **settings: Any) -> URL:
    chosen = StoreSettings.of(url, **settings)
    return engine_url(address_of(chosen), chosen, driver)


def arguments(url: URL) -> dict[str, Any]:
    """Return what the driver gets of a URL, in psycopg's words."""
    _, options = url.get_dialect()().create_connect_args(url)
    given = dict(options)
    if "database" in given:
        given["dbname"] = given.pop("database")
    given.pop("prepared_statement_cache_size", None)
    return {
        name: value
        for name, value in given.items()
        if name in "host port user password dbname ssl options target_session_attrs" or name.startswith("ssl")
    }


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://app@db/live", {"host": "db"}),
        ("postgresql://app@db:6000/live", {"host": "db", "port": 6000}),
        ("postgresql://app@/live", {}),
        ("postgresql://app@:6000/live", {"port": 6000}),
        ("postgresql://app:p%40ss%2F@db/live", {"host": "db", "password": "p@ss/"}),
        ("postgresql://app@%2Frun%2Fpg:6000/live", {"host": "/run/pg", "port": 6000}),
        ("postgresql://app@[::1]:6000/live", {"host": "::1", "port": 6000}),
        ("postgresql://app@db/live?sslmode=disable", {"host": "db", "sslmode": "disable"}),
        (
            "postgresql://app@a,b:6000/live",
            {"host": ["a", "b"], "port": [5432, 6000], "target_session_attrs": "primary"},
        ),
        (
            "postgresql://app@db/live?target_session_attrs=read-write",
            {"host": "db", "target_session_attrs": "primary"},
        ),
    ],
)
def test_both_drivers_get_the_address_of_the_store(url: str, expected: dict[str, Any], driver: str) -> None:
    found = arguments(url_of(url, driver))
    if "ssl" in found:
        found["sslmode"] = found.pop("ssl")
    for name, kind in (("host", str), ("port", int)):
        # psycopg has several as one text, and the number of a port as text.
        if driver == "psycopg" and name in found:
            parts = [kind(each) for each in str(found[name]).split(",")]
            found[name] = parts if len(parts) > 1 else parts[0]
    assert found == PLAIN | expected


def test_verified_tls_is_complete_or_refused(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("ca", "cert", "key")}
    for each in files.values():
        each.touch()
    ca, cert, key = map(str, files.values())
    url = "postgresql://app@db/live"
    whole = {"tls": True, "tls_ca_file": ca, "tls_certificate_file": cert, "tls_key_file": key}
    full = {"sslmode": "verify-full", "sslrootcert": ca, "sslcert": cert, "sslkey": key}
    assert arguments(url_of(url, "psycopg", **whole)) == PLAIN | {"host": "db"} | full
    assert url_of(f"{url}?sslmode=require", "psycopg").query == {
        "sslmode": "verify-full",
        "sslrootcert": "system",
    }
    assert url_of(f"{url}?sslmode=verify-ca", "psycopg", tls_ca_file=ca).query == {
        "sslmode": "verify-ca",
        "sslrootcert": ca,
    }
    for settings in (whole, {"tls": True}):
        with pytest.raises(InvalidInputError, match="psycopg"):
            url_of(url, "asyncpg", **settings)


def test_options_of_the_url_are_kept_or_refused() -> None:
    url = "postgresql://app@db/live?options=-csearch_path%3Dmine"
    assert arguments(url_of(url, "psycopg"))["options"] == "-csearch_path=mine"
    with pytest.raises(InvalidInputError, match="psycopg"):
        url_of(url, "asyncpg")


def test_another_driver_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="driver must be one of asyncpg, psycopg"):
        url_of("postgresql://app@db/live", "psycopg2")


def test_neither_its_repr_nor_its_text_shows_the_password() -> None:
    url = url_of("postgresql://app:hidden@db/live", "psycopg")
    for shown in (repr(url), str(url), f"{url}", repr(create_engine(url))):
        assert "hidden" not in shown
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://app:hidden@db/live"
