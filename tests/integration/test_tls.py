"""TLS: what is asked for is verified, and what cannot be verified is refused.

The embedded server is built without TLS: a proxy before it speaks TLS, as a server with a certificate does.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from conftest import APPLICATION, PASSWORD
from helpers.stored import Program
from helpers.support import until
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import OperationalError

from livetranslate_store import InvalidInputError, Store, StoreUnavailableError
from livetranslate_store.ids import new_id
from livetranslate_store.schema.upgrade import upgrade

SSL_REQUEST = bytes.fromhex("0000000804d2162f")

CA = trustme.CA()


class Front:
    """What stands before the server: where it listens, and how many came to it by TLS."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.encrypted = 0
        self.plain = 0
        self.open = 0

    def url(self, dbname: str, parameters: str = "") -> str:
        """Return the URL of a database behind it, for the application."""
        return f"postgresql+asyncpg://{APPLICATION}:{PASSWORD}@localhost:{self.port}/{dbname}{parameters}"


@asynccontextmanager
async def front(program: Program, context: ssl.SSLContext | None) -> AsyncIterator[Front]:
    """Listen on loopback for a server that has a certificate, or, without a context, none."""
    info = program.info

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if info.host.startswith("/"):
            return await asyncio.open_unix_connection(f"{info.host}/.s.PGSQL.{info.port}")
        return await asyncio.open_connection(info.host, info.port)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening.open += 1
        try:
            first = await reader.readexactly(len(SSL_REQUEST))
            asks = first == SSL_REQUEST
            if asks and context is not None:
                writer.write(b"S")
                await writer.start_tls(context)
                listening.encrypted += 1
            elif asks:
                writer.write(b"N")
            server_reader, server_writer = await connect()
            if not asks:
                listening.plain += 1
                server_writer.write(first)
            await asyncio.gather(pipe(reader, server_writer), pipe(server_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
        finally:
            listening.open -= 1

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    listening = Front(server.sockets[0].getsockname()[1])
    async with server:
        yield listening


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


def certificate(name: str, authority: trustme.CA = CA) -> ssl.SSLContext:
    """Return the context of a server that is called `name`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    return path


async def reads(url: str, **settings: Any) -> None:
    """Open a store and read something."""
    async with Store.open(url, min_connections=1, **settings) as store:
        assert len(await store.timeline(new_id())) == 0


async def test_what_is_asked_for_is_encrypted_and_verified(other_program: Program, ca_file: Path) -> None:
    dbname = other_program.info.dbname
    async with front(other_program, certificate("localhost")) as listening:
        await reads(listening.url(dbname), tls=True, tls_ca_file=ca_file)
        for mode in ("require", "verify-ca", "verify-full"):
            await reads(listening.url(dbname, f"?sslmode={mode}"), tls_ca_file=ca_file)
        assert (listening.encrypted, listening.plain) == (4, 0)


async def test_a_certificate_of_another_authority_is_refused(other_program: Program, ca_file: Path) -> None:
    stranger = certificate("localhost", trustme.CA())
    async with front(other_program, stranger) as listening:
        # `require` as well: encrypted for nobody knows whom is not what anybody means by it.
        for parameters in ("", "?sslmode=require", "?sslmode=verify-ca"):
            url = listening.url(other_program.info.dbname, parameters)
            with pytest.raises(StoreUnavailableError, match="certificate of the server is not accepted"):
                await reads(url, tls=True, tls_ca_file=ca_file)
        # Without a file those count that the system trusts, and they do not know this one.
        with pytest.raises(StoreUnavailableError, match="certificate of the server is not accepted"):
            await reads(listening.url(other_program.info.dbname), tls=True)
        assert listening.encrypted == 0


async def test_a_certificate_for_another_host_is_refused_unless_only_the_authority_counts(
    other_program: Program, ca_file: Path
) -> None:
    async with front(other_program, certificate("elsewhere.example")) as listening:
        url = listening.url(other_program.info.dbname)
        with pytest.raises(StoreUnavailableError, match="Hostname mismatch"):
            await reads(url, tls=True, tls_ca_file=ca_file)
        await reads(f"{url}?sslmode=verify-ca", tls_ca_file=ca_file)


async def test_a_server_without_tls_is_not_spoken_to_in_the_open(
    other_program: Program, ca_file: Path
) -> None:
    async with front(other_program, None) as listening:
        with pytest.raises(StoreUnavailableError):
            await reads(listening.url(other_program.info.dbname), tls=True, tls_ca_file=ca_file)
        assert listening.plain == 0


async def test_where_it_is_not_asked_for_the_connection_is_as_it_always_was(other_program: Program) -> None:
    async with front(other_program, None) as listening:
        url = listening.url(other_program.info.dbname)
        await reads(url)
        await reads(f"{url}?sslmode=disable")
        assert listening.plain == 1  # the first asked whether there is TLS, and went on without


async def test_a_client_shows_its_certificate_where_the_server_asks_for_one(
    other_program: Program, ca_file: Path, tmp_path: Path
) -> None:
    context = certificate("localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    CA.configure_trust(context)
    mine = CA.issue_cert("bots.example")
    key, chain = tmp_path / "key.pem", tmp_path / "certificate.pem"
    mine.private_key_pem.write_to_path(str(key))
    for blob in mine.cert_chain_pems:
        blob.write_to_path(str(chain), append=True)
    async with front(other_program, context) as listening:
        url = listening.url(other_program.info.dbname)
        await reads(url, tls=True, tls_ca_file=ca_file, tls_certificate_file=chain, tls_key_file=key)
        with pytest.raises(StoreUnavailableError):
            await reads(url, tls=True, tls_ca_file=ca_file)


async def test_migrations_go_by_the_same_settings(
    other_program: Program, owner_url: str, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = make_url(owner_url)
    async with front(other_program, certificate("localhost")) as listening:
        url = owner.set(host="localhost", port=listening.port, query={"sslmode": "verify-full"})
        shown = url.render_as_string(hide_password=False)
        with pytest.raises(StoreUnavailableError, match="certificate"):
            await asyncio.to_thread(upgrade, shown)
        monkeypatch.setenv("LIVETRANSLATE_TLS_CA_FILE", str(ca_file))
        await asyncio.to_thread(upgrade, shown)
        assert listening.encrypted == 1


async def test_another_tool_verifies_the_server_as_the_store_does(
    other_program: Program, ca_file: Path
) -> None:
    def connect(url: URL) -> None:
        engine = create_engine(url)
        with engine.connect():
            pass
        engine.dispose()

    for name, accepted in (("localhost", True), ("elsewhere", False)):
        async with front(other_program, certificate(name)) as listening:
            url = listening.url(other_program.info.dbname)
            async with Store.open(url, min_connections=0, tls=True, tls_ca_file=ca_file) as store:
                address = store.engine_url(driver="psycopg")
            if accepted:
                await asyncio.to_thread(connect, address)
            else:
                with pytest.raises(OperationalError, match="certificate"):
                    await asyncio.to_thread(connect, address)
            await until(lambda: listening.open == 0)
            assert listening.plain == 0


@pytest.mark.parametrize(
    ("parameters", "settings", "message"),
    [
        ("?sslmode=prefer", {}, "must be one of disable, require, verify-ca, verify-full"),
        ("?ssl=allow", {}, "must be one of disable, require"),
        ("?sslmode=disable", {"tls": True}, "drop one of them"),
        ("?sslmode=verify-full&sslrootcert=ca.pem", {}, "the parameter sslrootcert: set tls_ca_file instead"),
        ("", {"tls_ca_file": __file__}, "tls_ca_file has no effect without TLS"),
        ("", {"tls": True, "tls_ca_file": __file__}, "tls_ca_file cannot be read as PEM"),
        ("", {"tls": True, "tls_ca_file": "/nowhere/ca.pem"}, "tls_ca_file: Path does not point to a file"),
        (
            "",
            {"tls": True, "tls_certificate_file": __file__},
            "tls_certificate_file .* cannot be read",
        ),
        ("", {"tls": True, "tls_key_file": __file__}, "tls_key_file needs its tls_certificate_file"),
    ],
)
async def test_settings_that_would_protect_nothing_are_refused(
    parameters: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message) as raised:
        await reads(f"postgresql://app:hunter2@localhost:1/nowhere{parameters}", **settings)
    assert "hunter2" not in str(raised.value)
