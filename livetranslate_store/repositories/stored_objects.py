"""Objects that a unit of work puts into the audio storage, or whose rows it deletes."""

from collections.abc import Collection

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.transaction import Ending, Transaction


def remove_if_rolled_back(transaction: Transaction, storage: AudioStorage, storage_key: str) -> None:
    """Remove the object if the transaction rolls back; ask for it before the object is written."""

    async def remove(ending: Ending) -> None:
        # If the outcome is unknown the object stays: a row may refer to it.
        if ending is Ending.ROLLED_BACK:
            await storage.discard(storage_key)

    transaction.when_done(remove)


def remove_if_committed(
    transaction: Transaction, storage: AudioStorage, storage_keys: Collection[str]
) -> None:
    """Remove the objects of deleted rows if the transaction commits: these, and none that comes later."""

    async def remove(ending: Ending) -> None:
        if ending is Ending.COMMITTED:
            await storage.remove(*storage_keys)

    transaction.when_done(remove)
