"""A process to be killed: a crowd that writes from the first line of its input until the input ends.

Arguments: the database's URL, the audio folder, the session's id, the ledger's file, a seed.
"""

import asyncio
import sys
from pathlib import Path
from random import Random
from uuid import UUID

from faults.crowd import Crowd
from faults.ledger import Ledger

from livetranslate_store import Store


async def main(url: str, audio_folder: str, session_id: str, file: str, seed: str) -> None:
    """Open the store, say so, and write."""
    ledger = Ledger(Path(file), UUID(session_id))
    async with Store.open(
        url, audio_url=f"file:{audio_folder}", min_connections=5, max_connections=10
    ) as store:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        async with Crowd(store, ledger, Random(seed)):
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
