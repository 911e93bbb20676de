"""The size limits of inputs, checked before anything is written."""

from collections.abc import Sequence

from livetranslate_store.checks import MAX_NAME_CHARACTERS, JSONObject, encode_json
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.settings import StoreSettings
from livetranslate_store.values import AudioInput, TranscriptInput, TranslationInput, Word
from livetranslate_store.values.value import Value


class SizeLimits(Value, frozen=True):
    """The limits that a store's settings name; each check raises InvalidInputError."""

    max_text_characters: int
    max_metadata_bytes: int
    max_audio_bytes: int
    max_streamed_audio_bytes: int

    @classmethod
    def of(cls, settings: StoreSettings) -> "SizeLimits":
        """Return the limits that `settings` name."""
        return cls(*(getattr(settings, name) for name in cls.__struct_fields__))

    def check_segment(
        self,
        transcript: TranscriptInput,
        translations: Sequence[TranslationInput],
        audio: AudioInput | None,
    ) -> None:
        """Refuse a segment if any part is too large."""
        self.check_transcript(transcript)
        for translation in translations:
            self.check_translation(translation)
        if audio is not None:
            self.check_audio(audio)

    def check_transcript(self, transcript: TranscriptInput) -> None:
        """Refuse a transcript with too large text, words or metadata."""
        self.check_text(transcript.text)
        # Counted only if they could be too many: most transcripts have a handful, or none.
        if transcript.words and len(transcript.words) * MAX_NAME_CHARACTERS > self.max_text_characters:
            characters = _characters(transcript.words)
            if characters > self.max_text_characters:
                raise self._too_large("words", characters, "max_text_characters")
        if transcript.metadata:
            self.check_metadata(transcript.metadata)

    def check_translation(self, translation: TranslationInput) -> None:
        """Refuse a translation with too large text or metadata."""
        self.check_text(translation.text)
        if translation.metadata:
            self.check_metadata(translation.metadata)

    def check_text(self, text: str) -> None:
        """Refuse a text that is too long."""
        if len(text) > self.max_text_characters:
            raise self._too_large("text", len(text), "max_text_characters")

    def check_audio(self, audio: AudioInput) -> None:
        """Refuse a recording that is too large, or whose metadata is."""
        if len(audio.data) > self.max_audio_bytes:
            raise self._too_large("data", len(audio.data), "max_audio_bytes")
        if audio.metadata:
            self.check_metadata(audio.metadata)

    def check_streamed_audio(self, size: int) -> None:
        """Refuse a recording that comes as a stream and has `size` bytes so far."""
        if size > self.max_streamed_audio_bytes:
            raise InvalidInputError(
                f"The recording has more than {self.max_streamed_audio_bytes:,} bytes, which are the most "
                "that are stored (max_streamed_audio_bytes)."
            )

    def check_metadata(self, metadata: JSONObject) -> None:
        """Refuse metadata whose JSON is too large."""
        size = len(encode_json(metadata))
        if size > self.max_metadata_bytes:
            raise self._too_large("metadata", size, "max_metadata_bytes")

    def _too_large(self, field: str, size: int, limit: str) -> InvalidInputError:
        unit = limit.rpartition("_")[2]
        return InvalidInputError(
            f"{field} has {size:,} {unit}; at most {getattr(self, limit):,} are stored ({limit})."
        )


def _characters(words: Sequence[Word]) -> int:
    # An empty word counts as one character.
    return sum(len(word.text) or 1 for word in words)
