"""Objects that a unit of work puts into the audio storage."""

from livetranslate_store.audio.storage import AudioStorage
from livetranslate_store.database.transaction import Ending, Transaction


def remove_if_rolled_back(transaction: Transaction, storage: AudioStorage, storage_key: str) -> None:
    """Remove the object if the transaction rolls back; ask for it before the object is written."""

    async def remove(ending: Ending) -> None:
        # If the outcome is unknown the object stays: a row may refer to it.
        if ending is Ending.ROLLED_BACK:
            await storage.discard(storage_key)

    transaction.when_done(remove)
