"""The store's settings: keyword arguments first, then `LIVETRANSLATE_*` variables, then a `.env` file."""

from typing import Any, Self

from pydantic import Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from livetranslate_store.checks import MAX_AUDIO_BYTES, MAX_TEXT_CHARACTERS
from livetranslate_store.errors import InvalidInputError


class StoreSettings(BaseSettings):
    """Everything that can be set, with its default; times are in seconds.

    Raises InvalidInputError for an unknown name or a value out of range. The URLs of
    databases are kept as secrets: they are in no repr and no message.
    """

    model_config = SettingsConfigDict(
        env_prefix="LIVETRANSLATE_",
        env_file=".env",
        # A .env file is shared with other programs; keyword arguments are checked by name below.
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    #: `postgresql+asyncpg://user:password@host/database`, or `embedded:PATH` for a private server.
    database_url: SecretStr = Field()
    #: Standbys that answer reads while they are fresh enough.
    replica_urls: tuple[SecretStr, ...] = ()
    #: How old may be what a replica shows; it is looked at twice a second.
    max_replica_lag: float = Field(10.0, ge=1)
    #: Where audio is kept: `file:FOLDER`, or `s3://BUCKET/PREFIX` and its like.
    audio_url: str = Field("file:livetranslate-audio", repr=False)
    #: Segments that are remembered for translations that arrive later.
    cache_size: int = Field(1000, ge=1)
    #: Writes that may be under way at once.
    max_concurrent_writes: int = Field(50, ge=1)
    #: How long a write may wait at the gate.
    write_timeout: float = Field(30.0, gt=0)
    #: Writes that may wait at the gate; more are rejected at once.
    max_waiting_writes: int = Field(1000, ge=0)
    #: Bytes of audio that writes may hold while they wait at the gate; more are rejected at once.
    max_waiting_bytes: int = Field(256 * 1024 * 1024, ge=0)
    #: How long a call is repeated whose failure may pass; 0 repeats nothing.
    retry_timeout: float = Field(15.0, ge=0)
    #: How long the database must have been away before calls fail at once; no less than `retry_timeout`.
    breaker_timeout: float = Field(15.0, ge=0)
    #: How long closing waits for what is under way.
    close_timeout: float = Field(30.0, gt=0)
    #: Connections that are opened at the start.
    min_connections: int = Field(5, ge=0)
    #: Connections that are never exceeded.
    max_connections: int = Field(20, ge=1)
    #: How long a caller may wait for a connection, and a connection for the server.
    connection_timeout: float = Field(30.0, gt=0)
    #: How long a statement may run.
    command_timeout: float = Field(60.0, gt=0)
    #: Statements after which a connection is replaced.
    max_queries: int = Field(50_000, ge=1)
    #: How long a connection may lie idle before it is closed.
    max_inactive_connection_lifetime: float = Field(300.0, gt=0)
    #: True behind PgBouncer in transaction mode: no named prepared statements, no start-up parameters.
    pgbouncer: bool = False
    #: True: the connection is encrypted, and the server's certificate and host name are checked.
    tls: bool = False
    #: Certificates (PEM) of those who may sign the server's; without it, those that the system trusts.
    tls_ca_file: FilePath | None = None
    #: This client's own certificate (PEM), where the server asks for one.
    tls_certificate_file: FilePath | None = None
    #: The key (PEM, without a password) of that certificate, unless it is in the same file.
    tls_key_file: FilePath | None = None
    #: Characters of a transcript, of its words together, and of a translation.
    max_text_characters: int = Field(MAX_TEXT_CHARACTERS, ge=1, le=MAX_TEXT_CHARACTERS)
    #: Bytes of one metadata object, as JSON.
    max_metadata_bytes: int = Field(1024 * 1024, ge=2)
    #: Bytes of one recorded chunk: as many are held in memory for each write under way.
    max_audio_bytes: int = Field(64 * 1024 * 1024, ge=1, le=MAX_AUDIO_BYTES)
    #: True: spans of OpenTelemetry around writes, units of work, reads and imports (the extra `otel`).
    tracing: bool = False

    def __init__(self, **values: Any) -> None:
        unknown = values.keys() - type(self).model_fields.keys()
        if unknown:
            raise InvalidInputError(
                f"Unknown setting: {', '.join(sorted(unknown))}. "
                f"Known ones are {', '.join(type(self).model_fields)}."
            )
        try:
            super().__init__(**values)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {problem['msg']}"
                for problem in error.errors(include_input=False, include_url=False)
            )
            raise InvalidInputError(
                f"{problems}. Settings are given by name or as LIVETRANSLATE_… variables."
            ) from None  # pydantic's own error may carry the values

    @model_validator(mode="after")
    def _pool_bounds_in_order(self) -> Self:
        if self.min_connections > self.max_connections:
            raise ValueError("min_connections is above max_connections")
        return self
