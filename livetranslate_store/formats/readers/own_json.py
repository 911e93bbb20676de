"""Our own JSON export, in again: its segments with their translations."""

from collections.abc import Iterator

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.readers.cues import RawCue, RawEdit, RawTranslation, Read
from livetranslate_store.formats.readers.dialects.dialect import Dialect, Words
from livetranslate_store.formats.readers.dialects.paths import found, items_of
from livetranslate_store.formats.readers.dialects.reading import read_dialect
from livetranslate_store.formats.readers.format import Format
from livetranslate_store.formats.readers.source import JSON, Source

_NAME = "livetranslate-store session"
_ROWS = Dialect(
    "livetranslate",
    at=("segments",),
    start=("start_time",),
    end=("end_time",),
    label=("speaker_label",),
    speaker_name=("speaker_name",),
    identifier=("transcript_id",),
    is_final=("is_final",),
    words=Words(at=()),
)


def _read(document: JSON) -> Iterator[Read]:
    segments = found(document, "segments")
    if not isinstance(segments, list):
        raise InvalidInputError("The session's segments are no list.")
    for item in read_dialect(_ROWS, document):
        if isinstance(item, RawCue):
            segment = segments[item.line - 1]
            text = found(segment, "text")
            yield item._replace(
                # Exactly as it was stored, with the space around it.
                text=text if isinstance(text, str) else "",
                may_precede=True,
                translations=_translations(found(segment, "translations")),
                edit=_edit(segment),
            )
        else:
            yield item


def _translations(values: JSON) -> list[RawTranslation]:
    read = [each for value in items_of(values) if (each := _translation(value)) is not None]
    # A variant stands in the places of `es-MX` and of `es` if it is all there is.
    return list({each.language: each for each in read}.values())


def _translation(value: JSON) -> RawTranslation | None:
    text, language, sure = (found(value, name) for name in ("text", "language", "confidence"))
    if not isinstance(text, str) or not isinstance(language, str):
        return None
    return RawTranslation(text, language, sure if isinstance(sure, float) else None, _edit(value))


def _edit(value: JSON) -> RawEdit | None:
    by, at = found(value, "edited_by"), found(value, "edited_at")
    if by is None and at is None:
        return None
    return RawEdit(by if isinstance(by, str) else "", at if isinstance(at, str) else "")


def _is_own(source: Source) -> bool:
    return found(source.json, "format") == _NAME


OWN_JSON = Format(_ROWS.name, _is_own, lambda source, _: _read(source.json))
