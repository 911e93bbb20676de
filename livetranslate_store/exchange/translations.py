"""A file's cues become translations of the transcripts that a session has."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from livetranslate_store.errors import InvalidInputError, MissingReferenceError
from livetranslate_store.exchange.attachment import Span, places_of
from livetranslate_store.store import Store
from livetranslate_store.tasks import for_each
from livetranslate_store.values import (
    ImportCounts,
    ImportedCue,
    ImportProgress,
    ImportReport,
    Outcome,
    Refusal,
    TimelineEntry,
    TranscriptFile,
    TranslationInput,
)

# As many as go together in one statement, and few enough that live writers get their turn at the gate.
_AT_ONCE = 25
_PER_PROGRESS = 500
# As a bulk import does.
_REFUSALS_LISTED = 1000


class _Attached(NamedTuple):
    """The cues that are, in one language, the translation of one transcript."""

    transcript: TimelineEntry
    cues: list[ImportedCue]


async def import_translations(
    store: Store,
    session_id: UUID,
    file: TranscriptFile,
    *,
    service: str,
    progress: Callable[[ImportProgress], None] | None,
) -> ImportReport:
    """Write a file's cues as translations, each at the transcript that it overlaps most.

    They remember the revision that they were matched with, so that a transcript that moves on meanwhile
    leaves them stale, and no transcript is written. Raises InvalidInputError where no transcript has a time.
    """
    refusals = [item for item in file if isinstance(item, Refusal)]
    timed: list[ImportedCue] = []
    for cue in file.cues:
        if _span(cue) is None:
            refusals.append(Refusal(cue.line, "It has no time, which would tell what it translates."))
        else:
            timed.append(cue)
    attached = await _attach(store, session_id, timed)
    writer = _Writer(store, session_id, service)
    done = len(refusals)
    for begin in range(0, len(attached), _PER_PROGRESS):
        part = attached[begin : begin + _PER_PROGRESS]
        await for_each(part, writer.write, at_once=_AT_ONCE)
        done += sum(len(each.cues) for each in part)
        if progress is not None:
            progress(ImportProgress(done, len(file)))
    refusals += writer.refusals
    refusals.sort(key=lambda refusal: refusal.line)
    nothing = ImportCounts()
    counts = ImportCounts(*(writer.outcomes[outcome] for outcome in Outcome))
    return ImportReport(nothing, counts, nothing, len(refusals), refusals[:_REFUSALS_LISTED])


async def _attach(store: Store, session_id: UUID, cues: Sequence[ImportedCue]) -> list[_Attached]:
    transcripts = [
        entry
        async for entry in store.stream_timeline(session_id, kinds=["transcript"])
        if _span(entry) is not None
    ]
    if cues and not transcripts:
        raise InvalidInputError("The session has no transcript with a time: there is nothing to translate.")
    places = places_of(_spans(cues), _spans(transcripts))
    attached: dict[tuple[int, str], _Attached] = {}
    for cue, place in zip(cues, places, strict=True):
        attached.setdefault((place, cue.language), _Attached(transcripts[place], [])).cues.append(cue)
    return list(attached.values())


def _spans(items: Sequence[ImportedCue] | Sequence[TimelineEntry]) -> list[Span]:
    return [span for item in items if (span := _span(item)) is not None]


def _span(item: ImportedCue | TimelineEntry) -> Span | None:
    """Return start and end; where only one is known, it stands for both."""
    start, end = item.start_time, item.end_time
    if start is None:
        return None if end is None else (end, end)
    # Another program may have stored an end before its start.
    return start, max(start, start if end is None else end)


class _Writer:
    def __init__(self, store: Store, session_id: UUID, service: str) -> None:
        self._store = store
        self._session_id = session_id
        self._service = service
        self.outcomes: Counter[Outcome] = Counter()
        self.refusals: list[Refusal] = []

    async def write(self, attached: _Attached) -> None:
        transcript, cues = attached
        try:
            receipt = await self._store.add_translation(
                self._session_id, transcript.transcript_id, self._translation(transcript, cues)
            )
        except (InvalidInputError, MissingReferenceError) as error:
            self.refusals += (Refusal(cue.line, str(error)) for cue in cues)
        else:
            self.outcomes[receipt.outcome] += 1

    def _translation(self, transcript: TimelineEntry, cues: Sequence[ImportedCue]) -> TranslationInput:
        spans = _spans(cues)
        sure = [cue.confidence for cue in cues if cue.confidence is not None]
        several = [
            {"start": cue.start_time, "end": cue.end_time, "text": cue.text} for cue in cues if len(cues) > 1
        ]
        # If a person edited one line, the whole text is an edit: by the last person, at the last moment.
        edit = max(
            ((cue.edited_at, cue.edited_by) for cue in cues if cue.edited_at is not None),
            default=(None, None),
        )
        return TranslationInput(
            text="\n".join(cue.text for cue in cues),
            target_language=cues[0].language,
            start_time=min(start for start, _ in spans),
            end_time=max(end for _, end in spans),
            confidence=min(sure, default=None),
            service=self._service,
            transcript_revision=transcript.revision,
            metadata={"cues": several} if several else {},
            edited_by=edit[1],
            edited_at=edit[0],
        )
