"""The store behind a real PgBouncer in transaction mode."""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import APPLICATION, PASSWORD
from helpers.support import audio, transcript, translation

from livetranslate_store import SegmentInput, Store, StoreUnavailableError
from livetranslate_store.writing.bulk import batch as bulk_batch

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed"),
]


@pytest.fixture
def pgbouncer_url(other_program: psycopg.Connection[Any]) -> Iterator[str]:
    info = other_program.info
    folder = Path(tempfile.mkdtemp(prefix="livetranslate-pgbouncer-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "users").write_text(f'"{APPLICATION}" "{PASSWORD}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"""
        [databases]
        meetings = host={info.host} port={info.port} dbname={info.dbname} user={APPLICATION}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        pool_mode = transaction
        default_pool_size = 3
        server_round_robin = 1
        auth_type = any
        auth_file = users
        """
    )
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    for path in (folder, *folder.iterdir()):
        os.chown(path, user, -1)
    assert PROGRAM is not None
    process = subprocess.Popen(
        [PROGRAM, "pgbouncer.ini"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=user if os.geteuid() == 0 else None,
    )
    yield f"postgresql+asyncpg://{APPLICATION}@127.0.0.1:{port}/meetings"
    process.terminate()
    process.wait(10)
    shutil.rmtree(folder)


async def connected(url: str, audio_folder: Path) -> None:
    settings: dict[str, Any] = {"audio_url": f"file:{audio_folder}", "min_connections": 2, "pgbouncer": True}
    async with Store.open(url, **settings) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")

        async def bot(number: int) -> None:
            for turn in range(5):
                receipt = await store.record_segment(
                    session.id,
                    transcript=transcript(f"{number} {turn}", start_time=float(turn)),
                    translations=[translation()],
                    audio=audio(start_time=float(turn), data=bytes([number])),
                )
                async with store.unit_of_work() as uow:
                    late = translation(target_language="ja")
                    await uow.translations.add(session.id, receipt.transcript_id, late)

        await asyncio.gather(*(bot(number) for number in range(10)))
        assert len(await store.timeline(session.id)) == 150
        async with store.read() as reader:
            assert len(await reader.audio_files.list_for_session(session.id)) == 50


async def answering(url: str) -> None:
    for attempt in range(100):
        try:
            psycopg.connect(url.replace("+asyncpg", "")).close()
            break
        except psycopg.OperationalError:
            assert attempt < 99, "PgBouncer did not start"
            await asyncio.sleep(0.05)


async def test_ten_bots_share_three_server_connections(pgbouncer_url: str, audio_folder: Path) -> None:
    await answering(pgbouncer_url)
    await connected(pgbouncer_url, audio_folder)


async def test_a_store_opens_where_each_statement_meets_another_server_connection(
    pgbouncer_url: str, audio_folder: Path
) -> None:
    await answering(pgbouncer_url)
    with ExitStack() as stack:
        # As many as there may be, so that they take turns.
        for _ in range(3):
            stack.enter_context(psycopg.connect(pgbouncer_url.replace("+asyncpg", ""))).execute("SELECT 1")
    for _ in range(3):
        async with Store.open(
            pgbouncer_url, audio_url=f"file:{audio_folder}", pgbouncer=True, min_connections=1
        ) as store:
            assert (await store.health()).is_healthy


async def test_a_pgbouncer_that_the_settings_do_not_name_is_named(pgbouncer_url: str) -> None:
    await answering(pgbouncer_url)
    with pytest.raises(
        StoreUnavailableError, match=r"startup parameter: \w+.*set pgbouncer to true"
    ) as raised:
        async with Store.open(pgbouncer_url, min_connections=1):
            pytest.fail("PgBouncer passes no settings on")
    assert not raised.value.is_transient


async def test_bots_write_on_beside_an_import(
    pgbouncer_url: str, audio_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_batch, "BATCH_SEGMENTS", 50)
    await answering(pgbouncer_url)
    settings: dict[str, Any] = {"audio_url": f"file:{audio_folder}", "min_connections": 2, "pgbouncer": True}
    async with Store.open(pgbouncer_url, **settings) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        source = [
            SegmentInput(
                session_id=session.id,
                transcript=transcript(f"{n}", segment_key=f"{n % 400}", start_time=float(n)),
                translations=[translation()],
                audio=audio(start_time=float(n)),
            )
            for n in range(500)
        ]
        imported = asyncio.create_task(store.import_segments(source))
        await connected(pgbouncer_url, audio_folder)
        report = await imported
        assert (report.transcripts.inserted, report.transcripts.updated) == (400, 100)
        assert len(await store.timeline(session.id)) == 800
