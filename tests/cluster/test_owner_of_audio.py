"""Distributing a database leaves its audio storage its own, with every recording; so does the way back."""

from datetime import timedelta
from pathlib import Path

from helpers.distributed import url_for
from helpers.stored import Program, objects
from helpers.support import audio

from livetranslate_store import Store
from livetranslate_store.schema.distribution import bring_back, distribute

NOW = timedelta()


async def record(url: str, folder: Path, number: int) -> None:
    """Record the meeting of that number, as a process of its own: no recording is lost, or swept."""
    async with Store.open(url, audio_url=f"file:{folder}", min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
            await uow.audio_files.add(session.id, audio())
        assert (await store.health()).storage.is_healthy
        report = await store.sweep_audio(older_than=NOW)
    assert (report.orphans, len(objects(folder))) == (0, number)


async def test_the_audio_storage_of_a_database_stays_its_own_when_it_is_distributed_and_back(
    undistributed: Program, audio_folder: Path
) -> None:
    url = url_for(undistributed)
    await record(url, audio_folder, 1)
    await distribute(url, shards=4)
    await record(url, audio_folder, 2)
    await bring_back(url)
    await record(url, audio_folder, 3)
