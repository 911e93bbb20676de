"""A session's transcripts with their translations: read side by side in order, stored by the bulk path."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple

from livetranslate_store.errors import InvalidInputError
from livetranslate_store.ids import transcript_id_for
from livetranslate_store.legacy.checksum import Checksum
from livetranslate_store.legacy.context import Context
from livetranslate_store.legacy.mapping import in_use, transcript_of, translation_of
from livetranslate_store.legacy.recordings import Recordings
from livetranslate_store.legacy.row import LegacyRow
from livetranslate_store.values import SegmentInput, TranscriptInput, TranslationInput

# As many as the report of an import lists refusals of: each one is known by its key.
SEGMENTS_AT_ONCE = 1000


class _Segment(NamedTuple):
    """A segment on its way, with the old ids of its parts."""

    key: str
    transcript: TranscriptInput
    translations: Mapping[str, TranslationInput]


class SegmentMove:
    """The move of one session's segments, and what must be found of them afterwards."""

    def __init__(
        self,
        context: Context,
        names: Mapping[str, str],
        recordings: Recordings,
        moved: Callable[[int], None],
    ) -> None:
        self._context = context
        self._names = names
        self._recordings = recordings
        self._moved = moved
        self.checksum = Checksum()
        #: Rows of the source that are not to be found as rows here: refused, or superseded by a newer one.
        self.not_taken = {"transcripts": 0, "translations": 0}

    async def run(self) -> None:
        """Move the segments, a thousand in a transaction."""
        batch: list[_Segment] = []
        async for row, translations in self._pairs():
            segment = self._mapped(row, translations)
            if segment is not None:
                batch.append(segment)
            if len(batch) == SEGMENTS_AT_ONCE:
                await self._store(batch)
                batch = []
        if batch:
            await self._store(batch)

    async def _pairs(self) -> AsyncIterator[tuple[LegacyRow, list[LegacyRow]]]:
        """Yield transcripts with their translations; both come in the order of the transcript's id."""
        source, session = self._context.source, self._context.key
        async with (
            aclosing(source.rows("transcripts", session)) as transcripts,
            aclosing(_groups(source.rows("translations", session, by="source_transcript_id"))) as groups,
        ):
            group = await anext(groups, None)
            async for row in transcripts:
                while group is not None and (group[0] is None or group[0] < row.key):
                    self._refuse_strays(group[1])
                    group = await anext(groups, None)
                if group is not None and group[0] == row.key:
                    yield row, group[1]
                    group = await anext(groups, None)
                else:
                    yield row, []
            while group is not None:
                self._refuse_strays(group[1])
                group = await anext(groups, None)

    def _mapped(self, row: LegacyRow, rows: Sequence[LegacyRow]) -> _Segment | None:
        context, limits = self._context, self._context.store.limits
        try:
            transcript = transcript_of(
                row,
                names=self._names,
                audio=self._recordings.stored,
                lost_audio=self._recordings.lost,
                limits=limits,
            )
        except InvalidInputError as error:
            self._refuse(row.table, row.key, str(error))
            for each in rows:
                self._refuse(each.table, each.key, f"its transcript {row.key} is refused")
            return None
        context.report(row)
        translations: dict[str, TranslationInput] = {}
        for same_language in in_use(rows).values():
            translations |= self._newest(same_language, transcript, row)
        return _Segment(row.key, transcript, translations)

    def _newest(
        self, rows: Sequence[LegacyRow], transcript: TranscriptInput, of: LegacyRow
    ) -> dict[str, TranslationInput]:
        """Return the newest translation that can be stored, by its old id; the others are in its metadata."""
        for place, row in enumerate(rows):
            older = rows[place + 1 :]
            if older:
                row.keep("superseded", [each.whole() for each in older])
            try:
                translation = translation_of(row, transcript, of.cells, self._context.store.limits)
            except InvalidInputError as error:
                self._refuse(row.table, row.key, str(error))
                continue
            self._context.report(row)
            self.not_taken["translations"] += len(older)
            self._context.tally.superseded += len(older)
            for each in older:
                reason = f"superseded by {row.key}, kept in its metadata"
                self._context.tally.change(each.table, each.key, reason)
            return {row.key: translation}
        return {}

    async def _store(self, batch: Sequence[_Segment]) -> None:
        session_id = self._context.session_id
        report = await self._context.store.import_segments(
            SegmentInput(
                session_id=session_id,
                transcript=segment.transcript,
                translations=[*segment.translations.values()],
                line=line,
            )
            for line, segment in enumerate(batch)
        )
        self._context.tally.add(report)
        refused = {refusal.line: refusal.reason for refusal in report.refusals}
        for line, segment in enumerate(batch):
            if line in refused:
                self._refuse("transcripts", segment.key, refused[line])
                for key in segment.translations:
                    self._refuse("translations", key, f"its transcript {segment.key} is refused")
            else:
                self._expect(segment)
        self._moved(len(batch))

    def _expect(self, segment: _Segment) -> None:
        transcript = segment.transcript
        assert transcript.segment_key is not None  # noqa: S101 (every row has a key)
        transcript_id = transcript_id_for(self._context.session_id, transcript.source, transcript.segment_key)
        self.checksum.add(
            transcript_id, transcript.text, transcript.language, transcript.start_time, transcript.end_time
        )
        for each in segment.translations.values():
            self.checksum.add(transcript_id, each.text, each.target_language, each.start_time, each.end_time)

    def _refuse(self, table: str, key: str, reason: str) -> None:
        self.not_taken[table] += 1
        self._context.tally.refuse(table, key, reason)

    def _refuse_strays(self, rows: Sequence[LegacyRow]) -> None:
        for row in rows:
            self._refuse(row.table, row.key, "its transcript is not in this session")


async def _groups(
    rows: AsyncGenerator[LegacyRow, None],
) -> AsyncGenerator[tuple[str | None, list[LegacyRow]], None]:
    """Yield the translations of one transcript after another, the newest of each first."""
    key: str | None = None
    group: list[LegacyRow] = []
    async with aclosing(rows):
        async for row in rows:
            its_key = row.cells.get("source_transcript_id")
            if group and its_key != key:
                yield key, group
                group = []
            key = its_key
            group.append(row)
    if group:
        yield key, group
