"""Cues become segments, under keys that are the same whenever their file is imported."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from livetranslate_store.checks import MAX_NAME_CHARACTERS
from livetranslate_store.values import (
    ImportedCue,
    Refusal,
    SegmentInput,
    TranscriptFile,
    TranscriptInput,
    TranslationInput,
)


def segments_of(session_id: UUID, file: TranscriptFile, *, source: str) -> Iterator[SegmentInput | Refusal]:
    """Yield a file's cues as segments of a session, and its refusals."""
    keys = _Keys()
    at_once: Counter[float] = Counter()
    for item in file:
        if isinstance(item, Refusal):
            yield item
            continue
        begin = next((time for time in (item.start_time, item.end_time) if time is not None), 0.0)
        transcript = TranscriptInput(
            text=item.text,
            language=item.language,
            start_time=item.start_time,
            end_time=item.end_time,
            speaker_label=item.speaker_label,
            speaker_name=item.speaker_name,
            confidence=item.confidence,
            # Orders those of one time; a place in the file would change with what is put in before it.
            segment_index=at_once[begin],
            segment_key=keys.key_of(item),
            source=source,
            is_final=item.is_final,
            words=item.words,
            metadata={} if item.identifier is None else {"identifier": item.identifier},
            edited_by=item.edited_by,
            edited_at=item.edited_at,
        )
        at_once[begin] += 1
        translations = [
            TranslationInput(
                text=each.text,
                target_language=each.language,
                confidence=each.confidence,
                service=source,
                edited_by=each.edited_by,
                edited_at=each.edited_at,
            )
            for each in item.translations
        ]
        yield SegmentInput(
            session_id=session_id, transcript=transcript, translations=translations, line=item.line
        )


class _Keys:
    """Names each cue of a file once.

    By its identifier, else by its times: a cue whose text was corrected keeps its name, and so do all
    others where one was put in. Numbers are no identifiers, because they move with what comes before.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def key_of(self, cue: ImportedCue) -> str:
        """Return the cue's key; those that would be alike are numbered in their order."""
        name = cue.identifier
        # The number that makes a key unique needs room, too.
        if name is None or name.isdecimal() or not name.strip() or len(name) > MAX_NAME_CHARACTERS - 20:
            name = f"{_time(cue.start_time)}-{_time(cue.end_time)}"
        number = self._seen.get(name, 0) + 1
        self._seen[name] = number
        # No identifier can be taken for a numbered one of another name.
        return f"{name}/{number}"


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}"
