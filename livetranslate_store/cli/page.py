"""The page of a meeting as a file."""

from pathlib import Path
from uuid import UUID

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.page.session_page import session_page
from livetranslate_store.store import Store


async def write_page(store: Store, session_id: UUID, path: Path) -> None:
    """Write the page of a session into a file, over what was there.

    Raises NotFoundError for an unknown session, and InvalidInputError where `path` cannot be written.
    """
    html = await session_page(store, session_id)
    try:
        path.write_text(html, encoding="utf-8", newline="\n")  # noqa: ASYNC240 (this process does nothing else)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}.") from error
