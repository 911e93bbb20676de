"""A segment on its way in: checked as a whole, turned into rows, answered with a receipt."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, Self
from uuid import UUID

from livetranslate_store.audio.storage import StagedAudio
from livetranslate_store.checks import check_kind, checked_uuid
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.ids import number_key
from livetranslate_store.known_speakers import SpeakerRow
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
    Row,
    WriteKey,
    audio_row,
    speaker_rows,
    transcript_id_of,
    transcript_row,
    translation_row,
)
from livetranslate_store.writing.outcomes import WriteOutcomes


class Segment(NamedTuple):
    """A transcript with its translations and its staged audio, and the id that it keeps on every retry."""

    session_id: UUID
    transcript_id: UUID
    transcript: TranscriptInput
    translations: Sequence[TranslationInput]
    #: One statement writes each of these once: the transcript's key, and the audio file's.
    keys: Collection[WriteKey]
    audio: StagedAudio | None = None

    def with_audio(self, audio: StagedAudio) -> Self:
        """Return the segment with its audio."""
        return self._replace(audio=audio, keys=(*self.keys, number_key(self.session_id, audio.audio_file_id)))

    @property
    def is_transcript_alone(self) -> bool:
        """Whether it has neither translations nor audio."""
        return not self.translations and self.audio is None

    @property
    def has_edits(self) -> bool:
        """Whether one of its texts is a person's."""
        return self.transcript.edited_by is not None or any(
            each.edited_by is not None for each in self.translations
        )

    @property
    def audio_file_id(self) -> UUID | None:
        """The id of the audio that comes with the segment."""
        return None if self.audio is None else self.audio.audio_file_id


def checked_segment(
    session_id: UUID,
    transcript: TranscriptInput,
    translations: Sequence[TranslationInput],
    audio: AudioInput | None,
) -> Segment:
    """Return the segment without its audio, which is staged later.

    Raises InvalidInputError if the parts are not those of one segment.
    """
    checked_uuid(session_id, "session_id")
    check_kind(transcript, TranscriptInput, "transcript")
    # The caller's list may change while the write waits.
    translations = tuple(translations)
    for each in translations:
        check_kind(each, TranslationInput, "a translation")
    check_languages(translations)
    if audio is not None:
        check_kind(audio, AudioInput, "audio")
    if audio is not None and transcript.audio_file_id is not None:
        raise InvalidInputError("Give audio, or the audio_file_id of one stored before, not both.")
    transcript_id = transcript_id_of(session_id, transcript)
    keys = (number_key(session_id, transcript_id),)
    return Segment(session_id, transcript_id, transcript, translations, keys)


def check_languages(translations: Sequence[TranslationInput]) -> None:
    """Refuse two translations of one segment into one language; raises InvalidInputError."""
    if len({translation.target_language for translation in translations}) < len(translations):
        raise InvalidInputError("A segment has one translation for each target_language.")


def segment_rows(
    segments: Sequence[Segment], speakers: Sequence[Row], *, are_new: bool
) -> dict[str, Sequence[Row]]:
    """Return the rows by table of segments, none of whose keys occurs twice, with these speakers."""
    return {
        "audio_files": [
            audio_row(each.session_id, each.audio) for each in segments if each.audio is not None
        ],
        "speakers": speakers,
        "transcripts": [
            transcript_row(each.session_id, each.transcript_id, each.audio_file_id, each.transcript)
            for each in segments
        ],
        "translations": list(translation_rows(segments, are_new=are_new)),
    }


def speakers_of(segments: Iterable[Segment]) -> list[SpeakerRow]:
    """Return one row for each speaker of these segments, with the first name."""
    return speaker_rows((each.session_id, each.transcript) for each in segments)


def translation_rows(segments: Iterable[Segment], *, are_new: bool) -> Iterator[Row]:
    """Yield the rows of the translations of these segments.

    Those of a new segment take language and revision from the transcript that was sent with them.
    """
    for each in segments:
        transcript = each.transcript
        language, revision = (transcript.language, transcript.revision or 0) if are_new else (None, None)
        for translation in each.translations:
            yield translation_row(
                each.session_id, each.transcript_id, translation, language=language, revision=revision
            )


def receipt_of(segment: Segment, outcomes: WriteOutcomes) -> SegmentReceipt:
    """Return the receipt of a segment."""
    session_id, transcript_id = key = (segment.session_id, segment.transcript_id)
    return SegmentReceipt(
        outcomes.transcript(key),
        tuple(
            outcomes.translation((session_id, transcript_id, each.target_language))
            for each in segment.translations
        ),
        None if segment.audio is None else outcomes.audio_file((session_id, segment.audio.audio_file_id)),
    )


def receipt_of_inserted(segment: Segment, position: int) -> SegmentReceipt:
    """Return the receipt of a segment that was inserted as it was sent."""
    session_id, transcript_id, transcript, translations, _, audio = segment
    revision = transcript.revision or 0
    return SegmentReceipt(
        TranscriptReceipt(session_id, transcript_id, Outcome.INSERTED, revision, position),
        tuple(
            TranslationReceipt(
                session_id,
                transcript_id,
                each.target_language,
                Outcome.INSERTED,
                revision if each.transcript_revision is None else each.transcript_revision,
                position,
            )
            for each in translations
        ),
        None if audio is None else AudioReceipt(session_id, audio.audio_file_id, Outcome.INSERTED, position),
    )


def receipt_of_revised(segment: Segment, revision: int, position: int) -> SegmentReceipt:
    """Return the receipt of a transcript alone that was accepted as a revision."""
    key = (segment.session_id, segment.transcript_id)
    return SegmentReceipt(TranscriptReceipt(*key, Outcome.UPDATED, revision, position), (), None)


def lookup_of(segment: Segment, receipt: SegmentReceipt) -> SegmentLookup | None:
    """Return what late translations need to know; None if another version is stored."""
    if receipt.outcome is Outcome.STALE:
        return None
    language = segment.transcript.language
    return SegmentLookup(segment.session_id, segment.transcript_id, language, receipt.revision)
