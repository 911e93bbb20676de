"""Settings: by name first, then from the environment, then from `.env`; secrets stay secret."""

import logging
from math import inf
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from livetranslate_store import InvalidInputError, Store, StoreSettings
from livetranslate_store.database.engine import Database
from livetranslate_store.settings import SettingValues

URL = "postgresql+asyncpg://app:hunter2@db/livetranslate"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_those_that_users_know() -> None:
    settings = StoreSettings(database_url=URL)
    assert settings.model_dump(exclude={"database_url", "audio_url"}) == {
        "replica_urls": (),
        "max_replica_lag": 10.0,
        "storage_timeout": 30.0,
        "cache_size": 1000,
        "max_concurrent_writes": 50,
        "write_timeout": 30.0,
        "max_waiting_writes": 1000,
        "max_waiting_bytes": 268_435_456,
        "retry_timeout": 15.0,
        "breaker_timeout": 15.0,
        "close_timeout": 30.0,
        "min_connections": 5,
        "max_connections": 20,
        "connection_timeout": 30.0,
        "command_timeout": 60.0,
        "max_queries": 50_000,
        "max_inactive_connection_lifetime": 300.0,
        "pgbouncer": False,
        "tls": False,
        "tls_ca_file": None,
        "tls_certificate_file": None,
        "tls_key_file": None,
        "max_text_characters": 1_000_000,
        "max_metadata_bytes": 1024 * 1024,
        "max_audio_bytes": 64 * 1024 * 1024,
        "max_streamed_audio_bytes": 4 * 1024**3,
        "keep_refused_texts": False,
        "tracing": False,
    }


def test_a_name_wins_over_the_environment_and_the_environment_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        f"LIVETRANSLATE_DATABASE_URL={URL}\nLIVETRANSLATE_CACHE_SIZE=1\nLIVETRANSLATE_MAX_QUERIES=1\nOTHER=x\n"
    )
    monkeypatch.setenv("LIVETRANSLATE_CACHE_SIZE", "2")
    monkeypatch.setenv("LIVETRANSLATE_WRITE_TIMEOUT", "2")
    settings = StoreSettings(write_timeout=3)
    assert (settings.max_queries, settings.cache_size, settings.write_timeout) == (1, 2, 3.0)
    assert settings.database_url.get_secret_value() == URL


def test_an_explicit_url_always_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", "embedded:somewhere")
    assert StoreSettings(database_url=URL).database_url.get_secret_value() == URL


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "No database is named: give its URL, or set LIVETRANSLATE_DATABASE_URL"),
        ({"database_url": URL, "cache_sise": 5}, "Unknown setting: cache_sise. Known ones are"),
        ({"database_url": URL, "cache_size": 0}, "cache_size: Input should be greater than or equal to 1"),
        ({"database_url": URL, "write_timeout": 0}, "write_timeout: Input should be greater than 0"),
        (
            {"database_url": URL, "max_connections": "many"},
            "max_connections: Input should be a valid integer",
        ),
        ({"database_url": URL, "min_connections": 9, "max_connections": 5}, "above max_connections"),
        ({"database_url": 7}, "database_url"),
        ({"database_url": URL, "command_timeout": inf}, "command_timeout: Input should be less than"),
        ({"database_url": URL, "max_replica_lag": inf}, "max_replica_lag: Input should be less than"),
    ],
)
def test_a_wrong_setting_says_what_would_be_right(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as raised:
        StoreSettings(**values)
    assert "hunter2" not in str(raised.value)


def test_replicas_in_the_environment_that_are_no_list_are_refused_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIVETRANSLATE_REPLICA_URLS", URL)
    with pytest.raises(InvalidInputError, match="REPLICA_URLS is a JSON list") as raised:
        StoreSettings(database_url=URL)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None or raised.value.__suppress_context__


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://app:hunter2@db/x", "postgresql+psycopg://app:hunter2@db/x", ""]
)
async def test_a_url_that_is_not_postgresql_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(InvalidInputError, match="database_url is") as raised:
        async with Store.open(url):
            pytest.fail("there is no such database")
    assert "hunter2" not in str(raised.value)


def test_no_repr_and_no_log_shows_the_password(caplog: pytest.LogCaptureFixture) -> None:
    settings = StoreSettings(database_url=URL)
    with caplog.at_level(logging.DEBUG):
        database = Database(settings)
    shown = f"{settings!r} {settings} {database.engine!r} {database.engine.url} {caplog.text}"
    assert "hunter2" not in shown


def test_settings_do_not_change_once_made() -> None:
    with pytest.raises(ValueError, match="frozen"):
        StoreSettings(database_url=URL).cache_size = 5


def test_every_setting_is_a_keyword_that_a_type_checker_knows() -> None:
    assert get_type_hints(SettingValues).keys() == StoreSettings.model_fields.keys()


def test_settings_are_taken_as_they_are_as_a_url_or_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = StoreSettings(database_url=URL, cache_size=7)
    assert StoreSettings.of(made, write_timeout=2.0) == StoreSettings(
        database_url=URL, cache_size=7, write_timeout=2.0
    )
    assert StoreSettings.of(URL, cache_size=7) == made
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", URL)
    assert StoreSettings.of(cache_size=7) == made
