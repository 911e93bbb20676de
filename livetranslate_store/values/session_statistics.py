"""A meeting in figures, computed from the tables at each call; none of it is stored."""

from uuid import UUID

from livetranslate_store.values.value import Value


class ScriptCounts(Value, frozen=True):
    """The amount of speech: words in scripts with spaces between words, characters in the others.

    The script decides, not the language tag: a text that mixes scripts has both. A word stands between
    spaces and has a letter or a digit; characters are letters and digits, without marks.
    """

    words: int
    characters: int


class LanguageStatistics(Value, frozen=True):
    """The speech in one language."""

    language: str
    segments: int
    speech_seconds: float
    counts: ScriptCounts


class TranslationCoverage(Value, frozen=True):
    """The translations of a meeting into one language; `coverage` is 0 to 1 and includes stale ones.

    `coverage` is 1 if no translation is needed. A variant counts as the language, as in the side-by-side
    view. Only transcripts in another language need a translation: `needed` is `translated` plus `missing`,
    and `stale` is part of `translated`.
    """

    language: str
    needed: int
    translated: int
    stale: int
    missing: int
    coverage: float


class SpeakerStatistics(Value, frozen=True):
    """One speaker of a meeting who said something; the label None collects speech without a label.

    `talk_seconds` is the length of the union of the speaker's segments; `share` is its part, 0 to 1, of the
    sum over all speakers. `words_per_minute` counts segments of known length, and is None without any. A
    turn begins if another speaker had the segment before, in the order of the timeline. An interruption is a
    turn that begins while another speaker speaks and this one does not yet.
    """

    label: str | None
    name: str | None
    segments: int
    talk_seconds: float
    share: float
    counts: ScriptCounts
    words_per_minute: float | None
    turns: int
    interruptions: int
    languages: tuple[str, ...]


class MinuteStatistics(Value, frozen=True):
    """One minute of a meeting: the segments that begin in it, and its seconds of speech."""

    minute: int
    segments: int
    speech_seconds: float
    counts: ScriptCounts


class SessionStatistics(Value, frozen=True):
    """A meeting in figures.

    `duration` reaches from the earliest to the latest known time of speech. `speech_seconds` is the length
    of the union of all segments: overlapping speech counts once. `mean_confidence` is None if no confidence
    is known. `translations` has the session's target languages, and each other language with translations
    that is not a variant of one of them. `minutes` has every minute up to the last one with speech, empty
    ones included, and at most a week: from minute 0, or from the earliest time if that is before 0 or more
    than a week later. Segments without any time are in no minute.
    """

    session_id: UUID
    segments: int
    final_segments: int
    duration: float
    speech_seconds: float
    counts: ScriptCounts
    mean_confidence: float | None
    audio_files: int
    audio_seconds: float
    audio_bytes: int
    languages: tuple[LanguageStatistics, ...]
    translations: tuple[TranslationCoverage, ...]
    speakers: tuple[SpeakerStatistics, ...]
    minutes: tuple[MinuteStatistics, ...]
