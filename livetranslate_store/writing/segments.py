"""A segment on its way in: checked as a whole, turned into rows, answered with a receipt."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from livetranslate_store.audio.storage import StagedAudio
from livetranslate_store.checks import checked_uuid
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.ids import translation_id_for
from livetranslate_store.values import (
    AudioInput,
    AudioReceipt,
    Outcome,
    SegmentLookup,
    SegmentReceipt,
    TranscriptInput,
    TranscriptReceipt,
    TranslationInput,
    TranslationReceipt,
)
from livetranslate_store.writing.encoding import (
    Key,
    Row,
    audio_row,
    key_of,
    speaker_rows,
    transcript_id_of,
    transcript_row,
    translation_row,
)
from livetranslate_store.writing.outcomes import WriteResults


class Segment(NamedTuple):
    """A transcript with its translations and its audio, whose bytes are stored already."""

    session_id: UUID
    transcript_id: UUID
    transcript: TranscriptInput
    translations: Sequence[TranslationInput]
    translation_ids: Sequence[UUID]
    audio: StagedAudio | None

    @property
    def keys(self) -> Collection[Key]:
        """The keys that one statement can write once: the transcript's, and the audio file's."""
        key = key_of(self.session_id, self.transcript_id)
        return (key,) if self.audio is None else (key, key_of(self.session_id, self.audio.audio_file_id))


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
    check_languages(translations)
    if audio is not None and transcript.audio_file_id is not None:
        raise InvalidInputError("Give audio, or the audio_file_id of one stored before, not both.")


def check_languages(translations: Sequence[TranslationInput]) -> None:
    """Refuse two translations of one segment into one language; raises InvalidInputError."""
    if len({translation.target_language for translation in translations}) < len(translations):
        raise InvalidInputError("A segment has one translation for each target_language.")


def translation_rows(segments: Iterable[Segment], *, are_new: bool) -> Iterator[Row]:
    """Yield the rows of the translations of these segments.

    Where the segments are new, what a translation takes from its transcript is what was sent with it.
    """
    for session_id, transcript_id, transcript, translations, translation_ids, _ in segments:
        language, revision = (transcript.language, transcript.revision or 0) if are_new else (None, None)
        for translation_id, each in zip(translation_ids, translations, strict=True):
            yield translation_row(
                session_id, translation_id, transcript_id, each, language=language, revision=revision
            )


def rows_of(segments: Sequence[Segment], *, are_new: bool) -> dict[str, list[Row]]:
    """Return the rows by table of these segments, none of whose keys occurs twice."""
    return {
        "audio_files": [
            audio_row(each.session_id, each.audio) for each in segments if each.audio is not None
        ],
        "speakers": speaker_rows((each.session_id, each.transcript) for each in segments),
        "transcripts": [
            transcript_row(
                each.session_id,
                each.transcript_id,
                None if each.audio is None else each.audio.audio_file_id,
                each.transcript,
            )
            for each in segments
        ],
        "translations": list(translation_rows(segments, are_new=are_new)),
    }


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


def receipt_of_new(segment: Segment, position: int) -> SegmentReceipt:
    """Return the receipt of a segment that was inserted as it was sent."""
    session_id, transcript_id, transcript, translations, translation_ids, audio = segment
    revision = transcript.revision or 0
    return SegmentReceipt(
        TranscriptReceipt(session_id, transcript_id, Outcome.INSERTED, revision, position),
        tuple(
            TranslationReceipt(
                session_id,
                translation_id,
                each.target_language,
                Outcome.INSERTED,
                revision if each.transcript_revision is None else each.transcript_revision,
                position,
            )
            for translation_id, each in zip(translation_ids, translations, strict=True)
        ),
        None if audio is None else AudioReceipt(session_id, audio.audio_file_id, Outcome.INSERTED, position),
    )


def lookup_of(segment: Segment, receipt: SegmentReceipt) -> SegmentLookup | None:
    """Return what late translations need to know, None where what is stored is another version."""
    if receipt.outcome is Outcome.STALE:
        return None
    language = segment.transcript.language
    return SegmentLookup(segment.session_id, segment.transcript_id, language, receipt.revision)
