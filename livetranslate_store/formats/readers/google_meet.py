"""The transcript entries of Google Meet's REST API; their times count from the first one's start."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.readers.cues import RawCue, Read, made
from livetranslate_store.formats.readers.fields import Fields, fields_of, items_of, text_of
from livetranslate_store.formats.readers.source import JSON


def is_google_meet(document: JSON) -> bool:
    """Tell whether it has entries with a participant and times."""
    return any(
        {"participant", "text", "startTime"} <= fields_of(each).keys() for each in _entries(document)[:1]
    )


def read_google_meet(document: JSON) -> Iterator[Read]:
    """Yield the entries of one answer, of several pages joined in a list, or of a bare list of entries.

    Each names its own language; it is used where `language` is "".
    """
    entries = [fields_of(each) for each in _entries(document)]
    starts = [start for each in entries if (start := _instant(each, "startTime")) is not None]
    begin = min(starts, default=None)
    for line, fields in enumerate(entries, start=1):
        yield made(line, partial(_cue, line, fields, begin))


def _entries(document: JSON) -> list[JSON]:
    if not isinstance(document, list):
        return list(items_of(fields_of(document).get("transcriptEntries")))
    pages = [items_of(fields_of(each).get("transcriptEntries")) for each in document]
    return [entry for page in pages for entry in page] if any(pages) else document


def _cue(line: int, fields: Fields, begin: datetime | None) -> RawCue:
    return RawCue(
        text=text_of(fields, "text"),
        language=text_of(fields, "languageCode") or None,
        line=line,
        start=_seconds(fields, "startTime", begin),
        end=_seconds(fields, "endTime", begin),
        # "conferenceRecords/…/participants/…": who that is, only another request would tell.
        label=text_of(fields, "participant").rpartition("/")[2] or None,
        identifier=text_of(fields, "name").rpartition("/")[2] or None,
    )


def _seconds(fields: Fields, name: str, begin: datetime | None) -> float | None:
    if not fields.get(name) or begin is None:
        return None
    at = _instant(fields, name)
    if at is None:
        raise InvalidInputError(f"{name} must be a time such as 2026-01-31T09:30:00Z.")
    return (at - begin).total_seconds()


def _instant(fields: Fields, name: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text_of(fields, name))
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except ValueError:
        return None
