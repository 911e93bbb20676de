"""A process to be killed: a crowd that writes until the parent has gone."""

from multiprocessing.connection import Connection
from random import Random

from faults.crowd import Crowd
from faults.ledger import Ledger
from faults.processes import ready, until_end

from livetranslate_store import Store


async def write(parent: Connection, url: str, audio_url: str, ledger: Ledger, seed: float) -> None:
    """Open the store, say so, and write."""
    async with Store.open(url, audio_url=audio_url, min_connections=5, max_connections=10) as store:
        await ready(parent)
        async with Crowd(store, ledger, Random(seed)):
            await until_end(parent)
