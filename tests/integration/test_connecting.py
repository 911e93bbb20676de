"""The error of a connection that cannot be opened says where and why, and never a password."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from livetranslate_store import Store, StoreUnavailableError

PASSWORD = "hunter2"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def server(answer: bytes | None) -> AsyncIterator[int]:
    """A server that answers every connection so and hangs up; None never answers."""
    writers = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if answer is not None:
            writer.write(answer)
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()
            await writer.wait_closed()


async def failure(url: str, *, transient: bool = True, **settings: Any) -> StoreUnavailableError:
    with pytest.raises(StoreUnavailableError) as raised:
        async with Store.open(url, min_connections=1, **settings):
            pytest.fail("there is no such database")
    assert PASSWORD not in str(raised.value)
    assert raised.value.is_transient is transient
    return raised.value


async def test_a_refused_connection() -> None:
    port = free_port()
    error = await failure(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/x")
    assert f"at 127.0.0.1:{port}: connection refused" in str(error)
    assert isinstance(error.__cause__, ConnectionRefusedError)


async def test_an_unknown_host() -> None:
    error = await failure(f"postgresql://u:{PASSWORD}@no-such-host.invalid:5433/x")
    assert "at no-such-host.invalid:5433: unknown host" in str(error)


async def test_a_socket_that_does_not_exist(tmp_path: Path) -> None:
    error = await failure(f"postgresql://u:{PASSWORD}@/x?host={tmp_path}&port=5433")
    assert f"at {tmp_path}:5433: connection refused" in str(error)


async def test_a_server_that_never_answers() -> None:
    async with server(None) as port:
        error = await failure(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/x", connection_timeout=0.3)
    assert f"at 127.0.0.1:{port}: no answer within the time limit" in str(error)


async def test_a_server_that_offers_no_tls() -> None:
    async with server(b"N") as port:
        error = await failure(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/x", transient=False, tls=True)
    assert f"at 127.0.0.1:{port}: " in str(error)
    assert "SSL" in str(error)


async def test_a_server_that_hangs_up() -> None:
    async with server(b"") as port:
        error = await failure(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/x")
    assert f"at 127.0.0.1:{port}: the server closed the connection" in str(error)


async def test_a_pooler_that_refuses_a_parameter_is_named_with_the_setting() -> None:
    said = b"SFATAL\0C08P01\0Munsupported startup parameter: jit\0\0"
    async with server(b"E" + (len(said) + 4).to_bytes(4, "big") + said) as port:
        url = f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/x?sslmode=disable"
        error = await failure(url, transient=False)
    assert "(unsupported startup parameter: jit). If PgBouncer is in front of the server" in str(error)
    assert "set pgbouncer to true" in str(error)


async def test_a_pooler_without_a_server_is_transient() -> None:
    said = b"SFATAL\0C08P01\0Mserver login has been failing\0\0"
    async with server(b"E" + (len(said) + 4).to_bytes(4, "big") + said) as port:
        await failure(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/x?sslmode=disable")


async def test_several_hosts_are_all_named() -> None:
    one, other = free_port(), free_port()
    error = await failure(f"postgresql://u:{PASSWORD}@/x?host=127.0.0.1,127.0.0.1&port={one},{other}")
    assert f"at 127.0.0.1:{one},127.0.0.1:{other}: connection refused" in str(error)


async def test_a_database_that_does_not_exist(database_url: str) -> None:
    wrong = make_url(database_url).set(database="no_such_database").render_as_string(hide_password=False)
    with pytest.raises(StoreUnavailableError, match=r"Cannot connect .* at .*does not exist") as raised:
        async with Store.open(wrong, min_connections=1):
            pytest.fail("there is no such database")
    assert not raised.value.is_transient
