"""The write of late translations, each a transaction of its own, in groups."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy.pool import PoolProxiedConnection

from livetranslate_store.database.engine import Database
from livetranslate_store.database.statement import BoundStatement
from livetranslate_store.errors import StoreError
from livetranslate_store.values import TranslationReceipt
from livetranslate_store.writing.encoding import Key
from livetranslate_store.writing.group_commit import GroupCommit
from livetranslate_store.writing.translations import LateTranslation, write_translations


class TranslationWriter:
    """Writes translations in groups as large as the load makes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._groups: GroupCommit[LateTranslation, TranslationReceipt] = GroupCommit(database, self)

    async def write(self, late: LateTranslation) -> TranslationReceipt:
        """Write a translation; raises MissingReferenceError where its transcript is not there."""
        return await self._groups.write(late)

    async def close(self) -> None:
        """Give up what was not written in time; connections in use are broken before."""
        await self._groups.close()

    def keys(self, item: LateTranslation) -> Collection[Key]:
        """Return the keys that one statement can write once."""
        return (item.key,)

    async def write_group(
        self, items: Sequence[LateTranslation], lease: PoolProxiedConnection
    ) -> Sequence[TranslationReceipt | StoreError]:
        """Write the translations, each by itself, and give the lease back."""
        first: PoolProxiedConnection | None = lease

        async def run(bound: BoundStatement) -> Sequence[Any]:
            nonlocal first
            mine, first = first or await self._database.lease(writes=True), None
            return await self._database.fetch_once(bound, writes=True, lease=mine)

        return await write_translations(run, items)

    async def give_up(self, item: LateTranslation, *, may_be_stored: bool) -> None:
        """Do nothing: a translation leaves nothing behind."""
