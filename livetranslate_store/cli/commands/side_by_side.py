"""`timeline` side by side, and as a page."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from livetranslate_store.cli.files import replacing
from livetranslate_store.cli.terminal.output import Column, Output, note_next
from livetranslate_store.cli.terminal.terminal_text import clock, visible
from livetranslate_store.models import Session
from livetranslate_store.page.session_page import session_page
from livetranslate_store.store import Store
from livetranslate_store.values import SegmentFilters, TranscriptRow, TranscriptViewPage, ViewedTranslation


def columns_beside(languages: Sequence[str]) -> list[Column[TranscriptRow]]:
    """Return the columns of the originals and of each language; gaps are empty."""
    return [
        Column(
            "time",
            lambda row: row.timestamp,
            lambda row: clock(row.timestamp),
            style="cyan",
            right=True,
            is_whole=True,
        ),
        Column("speaker", lambda row: row.speaker_name or row.speaker_label, style="bold"),
        Column("language", lambda row: row.language, style="magenta"),
        Column("original", lambda row: row.text, _original, is_text=True),
        *(_column_of(place, language) for place, language in enumerate(languages)),
    ]


def _column_of(place: int, language: str) -> Column[TranscriptRow]:
    def value(row: TranscriptRow) -> str | None:
        translation = row.translations[place]
        return None if translation is None else translation.text

    return Column(language, value, lambda row: _translated(row.translations[place]), is_text=True)


def _original(row: TranscriptRow) -> Text:
    return marked(
        Text(visible(row.text)), (("interim", not row.is_final), ("edited", row.edited_by is not None))
    )


def _translated(translation: ViewedTranslation | None) -> Text:
    if translation is None:
        return Text("-", style="dim")
    return marked(
        Text(visible(translation.text)),
        (("stale", translation.is_stale), ("edited", translation.edited_by is not None)),
    )


def marked(text: Text, marks: Iterable[tuple[str, bool]]) -> Text:
    """Return the text with those of the marks that are true behind it."""
    for mark, is_true in marks:
        if is_true:
            text.append(f" [{mark}]", style="yellow")
    return text


async def show_missing(
    output: Output,
    store: Store,
    session: Session,
    language: str,
    filters: SegmentFilters,
    *,
    limit: int | None,
    cursor: str | None,
) -> None:
    """Print the segments without an up-to-date translation; a stale one is shown."""
    page = await store.missing_translations(
        session.id, language, **filters, limit=limit, cursor=cursor, include=["edits"]
    )
    show_page(output, page, [language], title=f"To be translated into {language}")


def show_page(output: Output, page: TranscriptViewPage, languages: Sequence[str], *, title: str) -> None:
    """Print a page of rows, and the cursor of the next one."""
    output.listed(page, columns_beside(languages), title=title, whole=lambda row: row)
    note_next(page.next_cursor)


async def write_page(store: Store, session: Session, name: str) -> None:
    """Write the meeting as one HTML page, complete in itself."""
    page = await session_page(store, session.id)
    with replacing(name) as file:
        file.write(page.encode())
