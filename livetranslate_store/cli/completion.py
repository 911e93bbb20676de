"""Values that a shell completes."""

import asyncio
import logging

import typer

from livetranslate_store.cli.opening import opened
from livetranslate_store.errors import StoreError

# People wait for the key that they pressed.
TIME_LIMIT = 2.0
MOST_NAMES = 50


def session_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the newest sessions that begin so: external ids, else ids."""
    # A shell shows everything on stderr in the middle of the line.
    logging.disable()
    try:
        names = asyncio.run(asyncio.wait_for(_names(ctx.params.get("database")), TIME_LIMIT))
    except (StoreError, TimeoutError):
        # A database that does not answer completes nothing.
        return []
    return [each for each in names if each.startswith(incomplete)]


async def _names(database: str | None) -> list[str]:
    async with opened(database) as store:
        found = await store.find_sessions(limit=MOST_NAMES)
        return [each.external_id or str(each.id) for each in found]
