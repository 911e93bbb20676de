"""The side-by-side view of a session: rows of the driver become values."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from livetranslate_store.reading.paging import PageReader
from livetranslate_store.values import TranscriptRow, TranscriptViewPage, ViewedTranslation

# The columns that are those of a transcript, in the order of TranscriptRow; behind them there is an array for
# each field of ViewedTranslation, with a place for each language.
_OWN = 14

_row: Callable[..., TranscriptRow] = TranscriptRow


def transcript_row(*columns: Any) -> TranscriptRow:
    """Return the value of a row."""
    ids: Sequence[UUID | None] | None = columns[_OWN]
    if ids is None:  # no language was asked for
        return _row(*columns[:_OWN], ())
    places = zip(*columns[_OWN:], strict=True)
    translations = tuple(None if place[0] is None else ViewedTranslation(*place) for place in places)
    return _row(*columns[:_OWN], translations)


TRANSCRIPT_VIEW = PageReader("transcript_view", "rows", transcript_row, TranscriptViewPage)
MISSING_TRANSLATIONS = PageReader("missing_translations", "rows", transcript_row, TranscriptViewPage)
