"""What tests of one subject share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3  # type: ignore[import-untyped]  # it has no types of its own
import pytest
from helpers.stored import BUCKET
from moto.server import ThreadedMotoServer

from livetranslate_store import (
    Store,
)
from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.transaction import Transaction
from livetranslate_store.ids import new_id
from livetranslate_store.writing.bulk import batch as bulk_batch


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(bulk_batch, "BATCH_SEGMENTS", 10)
    return 10


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[Transaction]:
    """The transactions that wrote something, in order."""
    begun: list[Transaction] = []
    write_with = Transaction.write_with

    async def seen(self: Transaction, work: Any) -> Any:
        begun.append(self)
        return await write_with(self, work)

    monkeypatch.setattr(Transaction, "write_with", seen)
    return begun


@pytest.fixture
async def other_session(store: Store) -> UUID:
    async with store.unit_of_work() as uow:
        return (await uow.sessions.create(bot_id="bot-8", meeting_id="other")).id


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """A bucket of a real S3 API on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_REGION", "us-east-1")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_ENDPOINT_URL", endpoint)
        environment.setenv("AWS_ALLOW_HTTP", "true")
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)
        yield f"s3://{BUCKET}/audio"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def audio_url(request: pytest.FixtureRequest, audio_folder: Path) -> str:
    if request.param == "folder":
        return f"file:{audio_folder}"
    return f"{request.getfixturevalue('s3_url')}/{new_id()}"


@pytest.fixture
def storage(audio_url: str) -> AudioStorage:
    return AudioStorage(audio_url)
