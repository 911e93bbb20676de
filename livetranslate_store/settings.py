"""The store's settings: keyword arguments first, then `LIVETRANSLATE_*` variables, then a `.env` file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

from pydantic import Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from livetranslate_store.checks import MAX_AUDIO_BYTES, MAX_STREAMED_AUDIO_BYTES, MAX_TEXT_CHARACTERS
from livetranslate_store.errors import InvalidInputError

STORAGE_SECONDS = 30.0
MAX_WAITING_BYTES = 256 * 1024 * 1024
# The server counts milliseconds in 31 bits.
MAX_COMMAND_SECONDS = 2_000_000.0


class SettingValues(TypedDict, total=False):
    """Settings as keyword arguments; StoreSettings describes each."""

    database_url: str | SecretStr
    replica_urls: Sequence[str | SecretStr]
    max_replica_lag: float
    audio_url: str | None
    storage_timeout: float
    cache_size: int
    max_concurrent_writes: int
    write_timeout: float
    max_waiting_writes: int
    max_waiting_bytes: int
    retry_timeout: float
    breaker_timeout: float
    close_timeout: float
    min_connections: int
    max_connections: int
    connection_timeout: float
    command_timeout: float
    max_queries: int
    max_inactive_connection_lifetime: float
    pgbouncer: bool
    tls: bool
    tls_ca_file: Path | str | None
    tls_certificate_file: Path | str | None
    tls_key_file: Path | str | None
    max_text_characters: int
    max_metadata_bytes: int
    max_audio_bytes: int
    max_streamed_audio_bytes: int
    keep_refused_texts: bool
    tracing: bool


class StoreSettings(BaseSettings):
    """All settings with their defaults; times are in seconds.

    Raises InvalidInputError for an unknown name or a value out of range. Database URLs are
    secrets: no repr and no message shows them.
    """

    model_config = SettingsConfigDict(
        env_prefix="LIVETRANSLATE_",
        env_file=".env",
        # A .env file is shared with other programs; keyword arguments are checked by name below.
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    #: `postgresql://user:password@host/database`, or `embedded:PATH` for a private server.
    database_url: SecretStr = Field()
    #: Standbys that answer reads while they are fresh enough.
    replica_urls: tuple[SecretStr, ...] = ()
    #: Maximum staleness of a replica; checked twice a second.
    max_replica_lag: float = Field(10.0, ge=1, le=86_400)
    #: Where audio is kept: `file:/FOLDER`, or `s3://BUCKET/PREFIX` and the like; None refuses audio.
    audio_url: str | None = Field(None, repr=False)
    #: How long one call to the audio storage may take, its retries included.
    storage_timeout: float = Field(STORAGE_SECONDS, gt=0)
    #: Number of segments that the cache keeps for late translations.
    cache_size: int = Field(1000, ge=1)
    #: Maximum number of writes at a time.
    max_concurrent_writes: int = Field(50, ge=1)
    #: How long a write may wait at the gate.
    write_timeout: float = Field(30.0, gt=0)
    #: Maximum number of writes that wait at the gate; further ones are rejected at once.
    max_waiting_writes: int = Field(1000, ge=0)
    #: Maximum bytes of audio in the writes that wait at the gate, and of audio that waits for its storage;
    #: further ones are rejected at once.
    max_waiting_bytes: int = Field(MAX_WAITING_BYTES, ge=0)
    #: How long a transient failure is retried; 0 disables retries.
    retry_timeout: float = Field(15.0, ge=0)
    #: How long the database may be unreachable before calls fail at once. If it is less than `retry_timeout`,
    #: a restart that retries would bridge opens the breaker.
    breaker_timeout: float = Field(15.0, ge=0)
    #: How long closing waits for running calls.
    close_timeout: float = Field(30.0, gt=0)
    #: Number of connections opened at the start.
    min_connections: int = Field(5, ge=0)
    #: Maximum number of open connections.
    max_connections: int = Field(20, ge=1)
    #: How long a caller may wait for a connection, and a new connection for the server.
    connection_timeout: float = Field(30.0, gt=0)
    #: How long a statement may run.
    command_timeout: float = Field(60.0, gt=0, le=MAX_COMMAND_SECONDS)
    #: Number of statements after which a connection is replaced.
    max_queries: int = Field(50_000, ge=1)
    #: How long a connection may be idle before it is closed.
    max_inactive_connection_lifetime: float = Field(300.0, gt=0)
    #: True behind PgBouncer in transaction mode: no named prepared statements, no start-up parameters.
    pgbouncer: bool = False
    #: True encrypts every connection, and verifies the server's certificate and host name.
    tls: bool = False
    #: Certificates (PEM) of the authorities that sign the server's; the system's own if not set.
    tls_ca_file: FilePath | None = None
    #: This client's certificate (PEM), if the server asks for one.
    tls_certificate_file: FilePath | None = None
    #: The key (PEM, without a password) of the client's certificate, unless both are in one file.
    tls_key_file: FilePath | None = None
    #: Maximum characters of a transcript, of all its words, and of a translation.
    max_text_characters: int = Field(MAX_TEXT_CHARACTERS, ge=1, le=MAX_TEXT_CHARACTERS)
    #: Maximum bytes of one metadata object, as JSON.
    max_metadata_bytes: int = Field(1024 * 1024, ge=2)
    #: Maximum bytes of one recorded chunk; each running write holds as many in memory.
    max_audio_bytes: int = Field(64 * 1024 * 1024, ge=1, le=MAX_AUDIO_BYTES)
    #: Maximum bytes of a recording that comes as a stream; some 50 MiB of it are in memory.
    max_streamed_audio_bytes: int = Field(4 * 1024**3, ge=1, le=MAX_STREAMED_AUDIO_BYTES)
    #: True keeps a machine's text that comes after a person's edit as a version of the text.
    keep_refused_texts: bool = False
    #: True makes OpenTelemetry spans of writes, units of work, reads and imports (the extra `otel`).
    tracing: bool = False

    def __init__(self, **values: Unpack[SettingValues]) -> None:
        unknown = values.keys() - type(self).model_fields.keys()
        if unknown:
            raise InvalidInputError(
                f"Unknown setting: {', '.join(sorted(unknown))}. "
                f"Known ones are {', '.join(type(self).model_fields)}."
            )
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InvalidInputError(_described(error)) from None  # pydantic's own error may carry the values
        except SettingsError:
            # The same: it holds the text of the variable.
            raise InvalidInputError(
                'replica_urls: LIVETRANSLATE_REPLICA_URLS is a JSON list, e.g. ["postgresql://replica/database"].'
            ) from None

    @classmethod
    def of(cls, settings: "Self | str | None" = None, /, **overrides: Unpack[SettingValues]) -> Self:
        """Return the settings with `overrides`: StoreSettings, a database's URL, or None for the environment.

        Raises InvalidInputError for wrong settings, and if nothing names a database.
        """
        if isinstance(settings, StoreSettings):
            values: dict[str, Any] = {**settings.model_dump(exclude_unset=True), **overrides}
            return cls(**values)
        if settings is not None:
            overrides = {"database_url": settings, **overrides}
        return cls(**overrides)

    @model_validator(mode="after")
    def _pool_bounds_in_order(self) -> Self:
        if self.min_connections > self.max_connections:
            raise ValueError("min_connections is above max_connections")
        return self


def _described(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_url=False)
    if any(each["type"] == "missing" for each in problems):
        return (
            "No database is named: give its URL, or set LIVETRANSLATE_DATABASE_URL "
            "in the environment or a .env file, e.g. postgresql://app@host/livetranslate."
        )
    said = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'settings'}: {each['msg']}" for each in problems)
    return f"{said}. Settings are given by name or as LIVETRANSLATE_… variables."
