"""A session side by side, row by row: the one place where an export reads it."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from livetranslate_store.formats.said import is_variant
from livetranslate_store.store import Store
from livetranslate_store.values import TimelineEntry, TranscriptRow, ViewedTranslation


async def transcript_rows(
    store: Store, session_id: UUID, languages: Sequence[str], *, finals_only: bool
) -> AsyncIterator[TranscriptRow]:
    """Yield the transcripts in the timeline's order, each with its translations into `languages`."""
    translated: dict[UUID, list[TimelineEntry]] = {}
    if languages:
        async for entry in store.stream_timeline(
            session_id, languages=languages, kinds=["translation"], finals_only=finals_only
        ):
            translated.setdefault(entry.transcript_id, []).append(entry)
    async for entry in store.stream_timeline(session_id, kinds=["transcript"], finals_only=finals_only):
        found = translated.pop(entry.id, [])
        yield TranscriptRow(
            transcript_id=entry.id,
            timestamp=entry.timestamp,
            duration=entry.duration,
            start_time=entry.start_time,
            end_time=entry.end_time,
            text=entry.text,
            language=entry.language,
            speaker_label=entry.speaker_label,
            speaker_name=entry.speaker_name,
            confidence=entry.confidence,
            segment_index=entry.segment_index,
            source=entry.source,
            revision=entry.revision,
            is_final=entry.is_final,
            translations=tuple(_in(found, language) for language in languages),
        )


def _in(entries: Sequence[TimelineEntry], language: str) -> ViewedTranslation | None:
    """Return the translation with exactly this tag, or the first variant of it by tag."""
    candidates = [entry for entry in entries if is_variant(entry.language, language)]
    if not candidates:
        return None
    best = min(candidates, key=lambda entry: (entry.language != language, entry.language))
    return ViewedTranslation(
        id=best.id,
        text=best.text,
        language=best.language,
        confidence=best.confidence,
        service=best.source,
        transcript_revision=best.revision,
        is_stale=best.is_stale,
    )
