"""The transcript of another program, before it belongs to a session."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge
from operator import attrgetter
from typing import Literal, TypeAlias, get_args

from msgspec.structs import force_setattr

from livetranslate_store.checks import (
    check_order,
    checked_language,
    checked_text,
    optional_name,
    optional_number,
)
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.values.imports import Note, Refusal
from livetranslate_store.values.inputs import Word, is_edit
from livetranslate_store.values.value import Value, freeze

#: How the speakers of a file are found: "auto" decides over the whole file, "none" leaves them out.
SpeakerChoice: TypeAlias = Literal["auto", "voice", "prefix", "identifier", "none"]
SPEAKER_CHOICES: tuple[SpeakerChoice, ...] = get_args(SpeakerChoice)


class ImportedTranslation(Value, frozen=True, kw_only=True):
    """A translation that the file holds beside a cue."""

    text: str
    language: str
    confidence: float | None = None
    edited_by: str | None = None
    edited_at: datetime | None = None

    def __post_init__(self) -> None:
        """Check the fields and make the language canonical; raises InvalidInputError."""
        checked_text(self.text, "text")
        force_setattr(self, "language", checked_language(self.language))
        force_setattr(
            self, "confidence", optional_number(self.confidence, "confidence", minimum=0.0, maximum=1.0)
        )
        is_edit(self.edited_by, self.edited_at)


class ImportedCue(Value, frozen=True, kw_only=True):
    """One speaker's words at one time; times are seconds since the beginning of the file's recording.

    `identifier` is the cue's own name in its file. `speaker_name` is known if the file names people; else
    `speaker_label` alone tells them apart. `line` is the line of the file, counted from 1, or in JSON the
    place among the segments. With `edited_by` and `edited_at` the text is a person's, and final.
    """

    text: str
    language: str
    line: int
    start_time: float | None = None
    end_time: float | None = None
    speaker_label: str | None = None
    speaker_name: str | None = None
    confidence: float | None = None
    words: Sequence[Word] | None = None
    identifier: str | None = None
    is_final: bool = True
    translations: Sequence[ImportedTranslation] = ()
    edited_by: str | None = None
    edited_at: datetime | None = None

    def __post_init__(self) -> None:
        """Check the fields and make the language canonical; raises InvalidInputError."""
        if not isinstance(self.text, str) or not self.text.strip():
            raise InvalidInputError("There is no text.")
        checked_text(self.text, "text")
        force_setattr(self, "language", checked_language(self.language))
        for field in ("start_time", "end_time"):
            force_setattr(self, field, optional_number(getattr(self, field), field))
        check_order(self.start_time, self.end_time)
        optional_name(self.speaker_label, "speaker_label")
        optional_name(self.speaker_name, "speaker_name")
        optional_number(self.confidence, "confidence", minimum=0.0, maximum=1.0)
        if self.identifier is not None:
            checked_text(self.identifier, "identifier")
        if is_edit(self.edited_by, self.edited_at) and not self.is_final:
            raise InvalidInputError("A text that a person edited is final: give is_final=True.")
        freeze(self, "translations")


class TranscriptFile(Value, frozen=True):
    """A file that was read: its cues, its refusals, and the notes about them, each in the file's order.

    `encoding_is_guessed` is true if nothing in the file names its encoding and the file is not UTF-8.
    """

    format: str
    encoding: str
    encoding_is_guessed: bool
    cues: Sequence[ImportedCue]
    refusals: Sequence[Refusal] = ()
    notes: Sequence[Note] = ()

    def __post_init__(self) -> None:
        """Freeze the sequences."""
        freeze(self, "cues", "refusals", "notes")

    def __iter__(self) -> Iterator[ImportedCue | Refusal]:
        """Iterate over cues and refusals, by their lines."""
        return merge(self.cues, self.refusals, key=attrgetter("line"))

    def __len__(self) -> int:
        """Return the number of cues and refusals."""
        return len(self.cues) + len(self.refusals)
