"""The page of a session of a store."""

from uuid import UUID

from livetranslate_store.page.render import render
from livetranslate_store.store import Store


async def session_page(store: Store, session_id: UUID) -> str:
    """Return a session's transcript, translations and statistics as one HTML page, complete in itself.

    It has a column for each target language of the session, and for each other one that something is
    translated into. Raises NotFoundError, and InvalidInputError where the extra `cli` is not installed.
    """
    async with store.read() as reader:
        session = await reader.sessions.get(session_id)
    statistics = await store.session_statistics(session_id)
    languages = _columns([*session.target_languages, *(each.language for each in statistics.translations)])
    rows = await store.transcript_view(session_id, languages)
    return render(session=session, rows=rows, languages=languages, statistics=statistics)


def _columns(languages: list[str]) -> list[str]:
    """Return each language once, without those whose translations are in the column of a wider one."""
    return [
        language
        for language in dict.fromkeys(languages)
        if not any(language.startswith(f"{wider}-") for wider in languages)
    ]
