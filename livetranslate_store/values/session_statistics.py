"""What can be counted of a meeting. Computed from the tables when asked for; nothing here is stored."""

from uuid import UUID

from livetranslate_store.values.value import Value


class ScriptCounts(Value, frozen=True):
    """How much was said: words of scripts that write spaces between them, characters of those that do not.

    The script decides, not the language tag: both are counted in a text that mixes them. A word is what
    stands between spaces and has a letter or a digit; characters are letters and digits, without marks.
    """

    words: int
    characters: int


class LanguageStatistics(Value, frozen=True):
    """What was said in one language."""

    language: str
    segments: int
    speech_seconds: float
    counts: ScriptCounts


class TranslationCoverage(Value, frozen=True):
    """How far a meeting is translated into one language; `coverage` is from 0 to 1, stale ones included.

    It is 1 where none is needed. A variant counts as the language, as it stands in its place in the view.
    Only transcripts in another language need a translation: `needed` is `translated` plus `missing`, and the
    `stale` ones are among the translated.
    """

    language: str
    needed: int
    translated: int
    stale: int
    missing: int
    coverage: float


class SpeakerStatistics(Value, frozen=True):
    """One speaker of a meeting; the label None stands for speech without one.

    Who said nothing is not there.
    `talk_seconds` counts the union of the speaker's segments, and `share` is its part, 0 to 1, of the sum
    over all speakers. `words_per_minute` is that of the talk, None where no time of it is known. A turn
    begins whenever another spoke last, in the order of the timeline; an interruption is a turn that begins
    while another speaks and the speaker does not yet.
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
    """One minute of a meeting: what begins in it, and the speech time, in seconds, that falls into it."""

    minute: int
    segments: int
    speech_seconds: float
    counts: ScriptCounts


class SessionStatistics(Value, frozen=True):
    """A meeting in figures.

    `duration` reaches from the earliest to the latest known time of speech; `speech_seconds` is the union of
    all segments, so that overlapping speech counts once. `mean_confidence` is None where none is known.
    `translations` are those into the session's target languages, and into others that are variants of none
    of them. `minutes` has every minute up to the last that anything begins or ends in, empty ones included,
    and a week of them at most: from 0, or from the earliest time where that is below 0 or a week away.
    Segments without any time are in none.
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
