"""Raw cues become checked ones: a detail that cannot be right is left out and noted, the text is kept."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from math import isnan
from typing import NamedTuple, TypeAlias

from livetranslate_store.checks import MAX_SECONDS, checked_name
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.formats.readers.languages import tag_of
from livetranslate_store.values import ImportedCue, ImportedTranslation, Note, Refusal, Word
from livetranslate_store.values.inputs import is_edit


class RawWord(NamedTuple):
    """A word as its file has it; times are seconds."""

    text: str
    start: float | None = None
    end: float | None = None
    confidence: float | None = None


class RawEdit(NamedTuple):
    """Who edited a text, and when, as its file has it."""

    edited_by: str
    edited_at: str


class RawTranslation(NamedTuple):
    """A translation as its file has it, beside its cue."""

    text: str
    language: str
    confidence: float | None = None
    edit: RawEdit | None = None


class RawCue(NamedTuple):
    """A cue as its file has it, not checked; times are seconds.

    `language` is the cue's own, in the file's words. Times that `may_precede` the beginning may be negative.
    `left_out` says which details the reader could not read.
    """

    line: int
    text: str
    start: float | None = None
    end: float | None = None
    label: str | None = None
    name: str | None = None
    confidence: float | None = None
    words: Sequence[RawWord] = ()
    language: str | None = None
    identifier: str | None = None
    is_final: bool = True
    translations: Sequence[RawTranslation] = ()
    may_precede: bool = False
    edit: RawEdit | None = None
    left_out: Sequence[str] = ()


def made(line: int, make: Callable[[], RawCue]) -> RawCue | Refusal:
    """Return the cue, or its refusal."""
    try:
        return make()
    except InvalidInputError as error:
        return Refusal(line, str(error))


#: What a reader yields, in the file's order.
Read: TypeAlias = RawCue | Refusal | Note


def finished(read: Iterable[Read], language: str | None) -> Iterator[ImportedCue | Refusal | Note]:
    """Yield checked cues, each followed by notes about the details that it lost.

    `language` is that of the cues that name none. Raises InvalidInputError if a cue needs it and it is None.
    """
    for item in read:
        if isinstance(item, RawCue):
            details = _Details(item.left_out)
            yield _cue(item, _language(item, language, details), details)
            yield from (Note(item.line, text) for text in details.left_out)
        else:
            yield item


def _language(raw: RawCue, language: str | None, details: "_Details") -> str:
    said = tag_of(raw.language) if raw.language else None
    if said is not None:
        return said
    if language is None:
        raise InvalidInputError(
            "Nothing says in which language this transcript is; give it as a BCP-47 tag such as 'en'."
        )
    if raw.language:
        details.left_out.append(f"{raw.language[:40]!r} is no language; {language} is taken.")
    return language


def _cue(raw: RawCue, language: str, details: "_Details") -> ImportedCue | Refusal:
    start, end = details.times(raw)
    name = details.short(raw.name, "speaker's name")
    edited_by, edited_at = details.edit(raw.edit, is_final=raw.is_final)
    try:
        return ImportedCue(
            text=raw.text,
            language=language,
            line=raw.line,
            start_time=start,
            end_time=end,
            speaker_label=details.short(raw.label, "speaker's label") or name,
            speaker_name=name,
            confidence=_bounded(raw.confidence),
            words=details.words(raw.words) if raw.words else None,
            identifier=details.short(raw.identifier, "identifier"),
            is_final=raw.is_final,
            translations=details.translations(raw.translations),
            edited_by=edited_by,
            edited_at=edited_at,
        )
    except InvalidInputError as error:
        return Refusal(raw.line, str(error))


class _Details:
    """Checks the details of one cue; `left_out` says which of them were left out, and why."""

    def __init__(self, left_out: Iterable[str]) -> None:
        self.left_out = list(left_out)

    def times(self, raw: RawCue) -> tuple[float | None, float | None]:
        """Return start and end, None for one that cannot be right."""
        earliest = -MAX_SECONDS if raw.may_precede else 0.0
        start, end = _possible(raw.start, earliest), _possible(raw.end, earliest)
        for what, given, kept in (("start", raw.start, start), ("end", raw.end, end)):
            if given is not None and kept is None:
                self.left_out.append(f"Its {what} at {given:g} s cannot be right; it is left out.")
        if start is not None and end is not None and end < start:
            self.left_out.append(
                f"It ends at {end:g} s, before it starts at {start:g} s; the end is left out."
            )
            end = None
        return start, end

    def short(self, name: str | None, what: str) -> str | None:
        """Return a name that can be stored, None in place of an empty one."""
        if name is None or not name.strip():
            return None
        try:
            return checked_name(name, what)
        except InvalidInputError as error:
            self.left_out.append(f"The {error} It is left out.")
            return None

    def edit(self, raw: RawEdit | None, *, is_final: bool = True) -> tuple[str, datetime] | tuple[None, None]:
        """Return who edited a text, and when; neither if one of them cannot be right."""
        if raw is None:
            return None, None
        try:
            moment = datetime.fromisoformat(raw.edited_at)
            if is_final and is_edit(raw.edited_by, moment):
                return raw.edited_by, moment
        except ValueError:  # InvalidInputError is one
            pass
        self.left_out.append("Its edit has no name, no moment or no final text; it is left out.")
        return None, None

    def words(self, raw: Sequence[RawWord]) -> list[Word] | None:
        """Return the words, without the times that cannot be right."""
        words = []
        mistimed = unreadable = 0
        for text, given_start, given_end, confidence in raw:
            start, end = _possible(given_start), _possible(given_end)
            if start is not None and end is not None and end < start:
                end = None
            mistimed += (start, end) != (given_start, given_end)
            try:
                words.append(Word(text, start, end, _bounded(confidence)))
            except InvalidInputError:
                unreadable += 1
        if mistimed:
            self.left_out.append(f"Times of {mistimed} of its words cannot be right; they are left out.")
        if unreadable:
            self.left_out.append(f"{unreadable} of its words cannot be stored; they are left out.")
        return words or None

    def translations(self, raw: Sequence[RawTranslation]) -> list[ImportedTranslation]:
        """Return the translations that can be stored."""
        translations = []
        for text, language, confidence, edit in raw:
            edited_by, edited_at = self.edit(edit)
            try:
                translation = ImportedTranslation(
                    text=text,
                    language=language,
                    confidence=_bounded(confidence),
                    edited_by=edited_by,
                    edited_at=edited_at,
                )
                translations.append(translation)
            except InvalidInputError as error:
                self.left_out.append(f"Its translation: {error} It is left out.")
        return translations


def _possible(seconds: float | None, earliest: float = 0.0) -> float | None:
    # NaN is in no range.
    return seconds if seconds is not None and earliest <= seconds <= MAX_SECONDS else None


def _bounded(confidence: float | None) -> float | None:
    """Return a confidence from 0 to 1: programs round a little beyond."""
    return None if confidence is None or isnan(confidence) else min(max(confidence, 0.0), 1.0)
