"""Meetings for the tests of the page, made without a database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from livetranslate_store.cli.demo.meeting import sample_meeting
from livetranslate_store.models import Session
from livetranslate_store.page.render import render
from livetranslate_store.values import (
    LanguageStatistics,
    MinuteStatistics,
    ScriptCounts,
    SessionStatistics,
    SpeakerStatistics,
    TranscriptRow,
    TranslationCoverage,
    ViewedTranslation,
)

NAMES = {"A": "Ada", "B": "Bo", None: None}


def session(title: str | None = "A meeting", **values: str) -> Session:
    return Session(
        id=UUID(int=7),
        bot_id="bot-7",
        title=title,
        status="ended",
        started_at=datetime(2026, 3, 17, 9, 30, tzinfo=UTC),
        target_languages=[],
        **{"meeting_id": "abc-defg-hij", **values},
    )


def translation(text: str, language: str = "es", *, is_stale: bool = False) -> ViewedTranslation:
    return ViewedTranslation(text, language, None, "", 0, is_stale)


def row(
    text: str,
    start: float | None = 0.0,
    end: float | None = None,
    *,
    label: str | None = "A",
    name: str | None = None,
    language: str = "en",
    is_final: bool = True,
    translations: Sequence[ViewedTranslation | None] = (),
) -> TranscriptRow:
    timestamp = next((time for time in (start, end) if time is not None), 0.0)
    return TranscriptRow(
        transcript_id=uuid4(),
        timestamp=timestamp,
        duration=0.0 if start is None or end is None else max(end - start, 0.0),
        start_time=start,
        end_time=end,
        text=text,
        language=language,
        speaker_label=label,
        speaker_name=name or NAMES.get(label),
        confidence=None,
        segment_index=0,
        source="test",
        revision=0,
        is_final=is_final,
        translations=tuple(translations),
    )


def statistics(rows: Sequence[TranscriptRow], languages: Sequence[str] = ()) -> SessionStatistics:
    """Return roughly what the database would say: right for meetings in which nobody interrupts."""
    talk: dict[str | None, float] = {}
    for each in rows:
        talk[each.speaker_label] = talk.get(each.speaker_label, 0.0) + each.duration
    whole = sum(talk.values())
    ends = [each.timestamp + each.duration for each in rows]
    return SessionStatistics(
        session_id=UUID(int=7),
        segments=len(rows),
        final_segments=sum(each.is_final for each in rows),
        duration=max(ends, default=0.0) - min((each.timestamp for each in rows), default=0.0),
        speech_seconds=whole,
        counts=_counts(rows),
        mean_confidence=None,
        audio_files=0,
        audio_seconds=0.0,
        audio_bytes=0,
        languages=tuple(
            LanguageStatistics(tag, len(said), sum(each.duration for each in said), _counts(said))
            for tag in dict.fromkeys(each.language for each in rows)
            for said in [[each for each in rows if each.language == tag]]
        ),
        translations=tuple(_coverage(rows, place, tag) for place, tag in enumerate(languages)),
        speakers=tuple(_speaker(rows, label, seconds, whole) for label, seconds in talk.items()),
        minutes=tuple(_minute(rows, minute) for minute in range(int(max(ends, default=-1)) // 60 + 1)),
    )


def page(
    rows: Sequence[TranscriptRow], languages: Sequence[str] = (), title: str | None = "A meeting"
) -> str:
    return render(
        session=session(title), rows=rows, languages=languages, statistics=statistics(rows, languages)
    )


def sample_rows() -> tuple[list[TranscriptRow], list[str]]:
    """Return the sample meeting as it ends up, with the signs of one that is not quite done."""
    meeting = sample_meeting()
    languages = list(meeting.languages)
    rows = []
    for place, each in enumerate(meeting.segments):
        texts: list[ViewedTranslation | None] = [
            translation(given.text, given.target_language, is_stale=(place + number) % 31 == 9)
            for number, given in enumerate(each.translations)
        ]
        if place % 23 == 7:
            texts[-1] = None
        rows.append(
            row(
                each.text,
                each.start,
                each.end,
                label=each.speaker_label,
                name=each.speaker_name,
                language=each.language,
                translations=texts,
            )
        )
    return rows, languages


def sample_page() -> str:
    rows, languages = sample_rows()
    return page(rows, languages, sample_meeting().title)


def long_page(segments: int = 4000, languages: Sequence[str] = ("es", "ja", "ar", "sv", "ru")) -> str:
    """Return a meeting of five hours, its texts those of the sample meeting over and over."""
    rows, spoken = sample_rows()
    longest = 5 * 3600
    many = []
    for place in range(segments):
        each = rows[place % len(rows)]
        texts = [each.translations[number % len(spoken)] for number in range(len(languages))]
        start = longest * place / segments
        many.append(
            row(
                f"{each.text} ({place})",
                start,
                start + 4.0,
                label=each.speaker_label,
                name=each.speaker_name,
                translations=texts,
            )
        )
    return page(many, languages, "A long day")


CROWD = (
    "Margaret Okafor", "Étienne Beaulieu-Lachance", "中村 さくら", "יעל כהן", "Ada", "Bo", "Chidi Anagonye",
    "Wolfeschlegelsteinhausenbergerdorff", "Ólöf", "Priya", "Quinn", "Zoë",
)  # fmt: skip
LONG_WORD = "Datenschutzfolgenabschätzungsbeauftragter"


def crowded_page(
    speakers: int = 12, hours: float = 3, languages: Sequence[str] = ("es", "he", "ja", "de")
) -> str:
    """Return a long meeting of many speakers, whose last speech ends ten seconds after the hour."""
    rows, spoken = sample_rows()
    count = int(500 * hours)
    many = []
    for place in range(count):
        each = rows[place % len(rows)]
        texts = [
            translation("שלום וברוכים הבאים לישיבה של היום. " * (1 + place % 3), "he"),
            translation(f"Die {LONG_WORD} antwortet.", "de"),
        ]
        number = (place + place // 97) % speakers
        start = (3600 * hours + 6) * place / (count - 1)
        many.append(
            row(
                each.text,
                start,
                start + 4.0,
                label=f"SPEAKER_{number:02}",
                name=CROWD[number % len(CROWD)],
                translations=[
                    texts[0]
                    if tag == "he"
                    else texts[1]
                    if tag == "de"
                    else each.translations[spoken.index(tag)]
                    for tag in languages
                ],
            )
        )
    return page(many, languages, "A crowded meeting")


def _counts(rows: Sequence[TranscriptRow]) -> ScriptCounts:
    return ScriptCounts(words=sum(len(each.text.split()) for each in rows), characters=0)


def _speaker(
    rows: Sequence[TranscriptRow], label: str | None, seconds: float, whole: float
) -> SpeakerStatistics:
    said = [each for each in rows if each.speaker_label == label]
    counts = _counts(said)
    pairs = zip([None, *rows], rows, strict=False)
    turns = sum(
        one.speaker_label == label and (before is None or before.speaker_label != label)
        for before, one in pairs
    )
    return SpeakerStatistics(
        label=label,
        name=said[0].speaker_name,
        segments=len(said),
        talk_seconds=seconds,
        share=seconds / whole if whole else 0.0,
        counts=counts,
        words_per_minute=60 * counts.words / seconds if seconds else None,
        turns=turns,
        interruptions=0,
        languages=tuple(dict.fromkeys(each.language for each in said)),
    )


def _coverage(rows: Sequence[TranscriptRow], place: int, language: str) -> TranslationCoverage:
    needed = [each.translations[place] for each in rows if each.language != language]
    there = [each for each in needed if each is not None]
    return TranslationCoverage(
        language=language,
        needed=len(needed),
        translated=len(there),
        stale=sum(each.is_stale for each in there),
        missing=len(needed) - len(there),
        coverage=len(there) / len(needed) if needed else 1.0,
    )


def _minute(rows: Sequence[TranscriptRow], minute: int) -> MinuteStatistics:
    begins = [each for each in rows if 60 * minute <= each.timestamp < 60 * minute + 60]
    seconds = sum(
        max(0.0, min(each.timestamp + each.duration, 60 * minute + 60) - max(each.timestamp, 60 * minute))
        for each in rows
    )
    return MinuteStatistics(minute, len(begins), seconds, _counts(begins))
