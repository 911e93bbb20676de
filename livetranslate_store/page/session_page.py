"""The page of a session of a store."""

from collections.abc import Sequence
from uuid import UUID

from livetranslate_store.page.render import render
from livetranslate_store.store import Store
from livetranslate_store.values import is_variant


async def session_page(store: Store, session_id: UUID) -> str:
    """Return a session's transcript, translations and statistics as one HTML page, complete in itself.

    It has a column for each target language of the session, and for each other one that something is
    translated into. Raises NotFoundError.
    """
    async with store.read() as reader:
        session = await reader.sessions.get(session_id)
    statistics = await store.session_statistics(session_id)
    languages = columns_of([*session.target_languages, *(each.language for each in statistics.translations)])
    rows = await store.transcript_view(session_id, languages, include=["edits"])
    return render(session=session, rows=rows, languages=languages, statistics=statistics)


def columns_of(languages: Sequence[str]) -> list[str]:
    """Return each language once, in any case, without the variants of another one."""
    columns: list[str] = []
    for language in languages:
        has_a_wider = any(
            is_variant(language, other) and not is_variant(other, language) for other in languages
        )
        if not has_a_wider and language.lower() not in map(str.lower, columns):
            columns.append(language)
    return columns
