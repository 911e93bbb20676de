"""A segment on its way in: checked as a whole, turned into rows, answered with a receipt."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from livetranslate_store.audio.storage import StagedAudio
from livetranslate_store.checks import checked_uuid
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.ids import translation_id_for
from livetranslate_store.values import (
    AudioInput,
    Outcome,
    SegmentLookup,
    SegmentReceipt,
    TranscriptInput,
    TranslationInput,
)
from livetranslate_store.writing.results import WriteResults
from livetranslate_store.writing.rows import (
    audio_row,
    speaker_rows,
    transcript_id_of,
    transcript_row,
    translation_row,
)
from livetranslate_store.writing.segment_statement import segment_statement


class Segment(NamedTuple):
    """A transcript with its translations and its audio, whose bytes are stored already."""

    session_id: UUID
    transcript_id: UUID
    transcript: TranscriptInput
    translations: Sequence[TranslationInput]
    translation_ids: Sequence[UUID]
    audio: StagedAudio | None

    @property
    def keys(self) -> tuple[tuple[UUID, UUID], ...]:
        """The keys that one statement can write once: the transcript's, and the audio file's."""
        key = (self.session_id, self.transcript_id)
        return (key,) if self.audio is None else (key, (self.session_id, self.audio.audio_file_id))


def make_segment(
    session_id: UUID,
    transcript: TranscriptInput,
    translations: Sequence[TranslationInput],
    audio: StagedAudio | None,
) -> Segment:
    """Return the segment with the ids that its parts have, now and on every retry."""
    transcript_id = transcript_id_of(session_id, transcript)
    translation_ids = [translation_id_for(transcript_id, each.target_language) for each in translations]
    return Segment(session_id, transcript_id, transcript, translations, translation_ids, audio)


def check_segment(
    session_id: UUID,
    transcript: TranscriptInput,
    translations: Sequence[TranslationInput],
    audio: AudioInput | None,
) -> None:
    """Refuse what does not make one segment; raises InvalidInputError."""
    checked_uuid(session_id, "session_id")
    languages = {translation.target_language for translation in translations}
    if len(languages) < len(translations):
        raise InvalidInputError("A segment has one translation for each target_language.")
    if audio is not None and transcript.audio_file_id is not None:
        raise InvalidInputError("Give audio, or the audio_file_id of one stored before, not both.")


def arguments_of(segments: Sequence[Segment]) -> tuple[Sequence[Any], ...]:
    """Return what `segment_statement` binds for these segments, none of whose keys occurs twice."""
    return segment_statement().arguments(
        audio_files=[audio_row(each.session_id, each.audio) for each in segments if each.audio is not None],
        speakers=speaker_rows((each.session_id, each.transcript) for each in segments),
        transcripts=[
            transcript_row(
                each.session_id,
                each.transcript_id,
                None if each.audio is None else each.audio.audio_file_id,
                each.transcript,
            )
            for each in segments
        ],
        translations=[
            translation_row(each.session_id, translation_id, each.transcript_id, translation)
            for each in segments
            for translation_id, translation in zip(each.translation_ids, each.translations, strict=True)
        ],
    )


def receipt_of(segment: Segment, results: WriteResults) -> SegmentReceipt:
    """Return what became of a segment."""
    session_id, transcript_id, _, translations, translation_ids, audio = segment
    return SegmentReceipt(
        results.transcript((session_id, transcript_id)),
        tuple(
            results.translation((session_id, translation_id), each.target_language)
            for translation_id, each in zip(translation_ids, translations, strict=True)
        ),
        None if audio is None else results.audio_file((session_id, audio.audio_file_id)),
    )


def lookup_of(segment: Segment, receipt: SegmentReceipt) -> SegmentLookup | None:
    """Return what late translations need to know, None where what is stored is another version."""
    if receipt.outcome is Outcome.STALE:
        return None
    language = segment.transcript.language
    return SegmentLookup(segment.session_id, segment.transcript_id, language, receipt.revision)
