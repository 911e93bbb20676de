"""The figures of a meeting against a reference in plain Python, over generated and hostile tables."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from helpers.stored import Program
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store import Store
from livetranslate_store.ids import new_id
from livetranslate_store.values import (
    LanguageStatistics,
    MinuteStatistics,
    ScriptCounts,
    SessionStatistics,
    SpeakerStatistics,
    TranslationCoverage,
)

pytestmark = pytest.mark.slow


WEEK = 10_080

# Few values, so that equal ones, overlaps and whole minutes are frequent.
TIMES = st.sampled_from([None, -90.0, 0.0, 10.0, 30.0, 59.5, 60.0, 61.0, 120.0, 300.0])
SOME_EPOCH = st.sampled_from([None, 0.0, 1.7e9, 1.7e9 + 70.0, -1e13, 1e13])
TAGS = ["en", "es", "es-MX", "zh", "ZH", "zh-Hans", "zh_CN"]
TEXTS = {
    "": (0, 0),
    " \n": (0, 0),
    "... --": (0, 0),
    "Don't, e-mail 3.14 me!": (4, 0),
    "Где\u00a0мы": (2, 0),
    "한국어 띄어쓰기": (2, 0),
    "東京です。": (0, 4),
    "ที่นี่": (0, 2),
    "我们用Python写2行": (2, 5),
}


class Translated(NamedTuple):
    language: str
    revision: int


@dataclass(frozen=True)
class Row:
    text: str
    language: str
    start: float | None
    end: float | None
    speaker: str | None
    index: int
    revision: int
    is_final: bool
    confidence: float | None
    translations: Sequence[Translated]
    id: UUID

    @property
    def place(self) -> tuple[float, int, UUID]:
        begin = self.start if self.start is not None else self.end
        return (0.0 if begin is None else begin, self.index, self.id)

    @property
    def begins(self) -> float | None:
        return None if self.start is None and self.end is None else self.place[0]

    @property
    def interval(self) -> tuple[float, float] | None:
        known = self.start is not None and self.end is not None and self.end > self.start
        return (self.start, self.end) if known else None  # type: ignore[return-value]  # known says it


def rows_of(times: st.SearchStrategy[float | None]) -> st.SearchStrategy[list[Row]]:
    row = st.builds(
        Row,
        text=st.sampled_from(sorted(TEXTS)),
        language=st.sampled_from(TAGS),
        start=times,
        end=times,
        speaker=st.sampled_from([None, "A", "B", "C"]),
        index=st.integers(0, 1),
        revision=st.integers(0, 1),
        is_final=st.booleans(),
        confidence=st.sampled_from([None, 0.0, 0.5, 1.0]),
        translations=st.lists(
            st.builds(Translated, st.sampled_from(TAGS), st.integers(0, 1)),
            max_size=4,
            unique_by=lambda each: each.language,
        ),
        id=st.builds(new_id),
    )
    return st.lists(row, max_size=9)


COLUMNS = (
    *("id", "text", "language", "start", "end"),
    *("speaker", "index", "revision", "is_final", "confidence"),
)
Intervals = list[tuple[float, float]]


def union(rows: Iterable[Row]) -> Intervals:
    merged: Intervals = []
    for start, end in sorted(row.interval for row in rows if row.interval is not None):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def length(intervals: Intervals) -> float:
    return sum(end - start for start, end in intervals)


def counts(rows: Iterable[Row]) -> ScriptCounts:
    found = [TEXTS[row.text] for row in rows]
    return ScriptCounts(sum(words for words, _ in found), sum(characters for _, characters in found))


def covers(language: str, tag: str) -> bool:
    return f"{tag}-".lower().startswith(f"{language}-".lower())


def covered(language: str, rows: Sequence[Row]) -> TranslationCoverage:
    needed = [row for row in rows if not covers(language, row.language)]
    winners = [
        min(found)
        for row in needed
        if (
            found := [
                (each.language, each.revision != row.revision)
                for each in row.translations
                if covers(language, each.language)
            ]
        )
    ]
    share = len(winners) / len(needed) if needed else 1.0
    stale = sum(is_stale for *_, is_stale in winners)
    return TranslationCoverage(language, len(needed), len(winners), stale, len(needed) - len(winners), share)


def minutes(rows: Sequence[Row]) -> list[MinuteStatistics]:
    known = [time for row in rows for time in (row.start, row.end) if time is not None]
    if not known:
        return []
    first = 0 if 0 <= min(known) < WEEK * 60 else floor(min(known) / 60)
    ends = [ceil(row.interval[1] / 60) - 1 for row in rows if row.interval is not None]
    last = max(ends + [floor(row.begins / 60) for row in rows if row.begins is not None])
    speech = union(rows)
    found = []
    for minute in range(first, min(last, first + WEEK - 1) + 1):
        inside = [(max(start, minute * 60.0), min(end, minute * 60.0 + 60.0)) for start, end in speech]
        begun = [row for row in rows if row.begins is not None and floor(row.begins / 60) == minute]
        seconds = length([(start, end) for start, end in inside if end > start])
        found.append(MinuteStatistics(minute, len(begun), seconds, counts(begun)))
    return found


def speaker(label: str | None, names: dict[str, str | None], ordered: Sequence[Row]) -> SpeakerStatistics:
    own = [row for row in ordered if row.speaker == label]
    talk, total = length(union(own)), 0.0
    for each in {row.speaker for row in ordered}:
        total += length(union(row for row in ordered if row.speaker == each))
    timed = counts(row for row in own if row.interval is not None)
    turns = interruptions = 0
    for place, row in enumerate(ordered):
        if row.speaker != label or (place and ordered[place - 1].speaker == label):
            continue
        turns += 1
        if row.start is not None:
            start = row.start
            speaking = {
                e.speaker for e in ordered[:place] if e.interval is not None and e.interval[1] > start
            }
            interruptions += bool(speaking) and label not in speaking
    return SpeakerStatistics(
        label=label,
        name=None if label is None else names.get(label),
        segments=len(own),
        talk_seconds=talk,
        share=talk / total if total else 0.0,
        counts=counts(own),
        words_per_minute=timed.words / (talk / 60.0) if talk else None,
        turns=turns,
        interruptions=interruptions,
        languages=tuple(sorted({row.language for row in own})),
    )


def reference(
    session_id: UUID, rows: Sequence[Row], targets: Sequence[str], names: dict[str, str | None]
) -> SessionStatistics:
    ordered = sorted(rows, key=lambda row: row.place)
    known = [time for row in rows for time in (row.start, row.end) if time is not None]
    sure = [row.confidence for row in rows if row.confidence is not None]
    tags = {each.language for row in rows for each in row.translations}
    wanted = {*targets, *(tag for tag in tags if not any(covers(each, tag) for each in targets))}
    labels = sorted({row.speaker for row in rows}, key=lambda label: (label is None, label))
    by_language = {tag: [row for row in rows if row.language == tag] for tag in {r.language for r in rows}}
    return SessionStatistics(
        session_id=session_id,
        segments=len(rows),
        final_segments=sum(row.is_final for row in rows),
        duration=max(known) - min(known) if known else 0.0,
        speech_seconds=length(union(rows)),
        counts=counts(rows),
        mean_confidence=sum(sure) / len(sure) if sure else None,
        audio_files=0,
        audio_seconds=0.0,
        audio_bytes=0,
        languages=tuple(
            LanguageStatistics(tag, len(of_tag), length(union(of_tag)), counts(of_tag))
            for tag, of_tag in sorted(by_language.items())
        ),
        translations=tuple(covered(language, rows) for language in sorted(wanted)),
        speakers=tuple(speaker(label, names, ordered) for label in labels),
        minutes=tuple(minutes(rows)),
    )


def write(
    program: Program, rows: Sequence[Row], targets: Sequence[str], names: dict[str, str | None]
) -> UUID:
    """Write rows as another program does that knows no rules."""
    session_id = new_id()
    with program.cursor() as cursor:
        cursor.execute(
            "INSERT INTO livetranslate.sessions (id, bot_id, meeting_id, target_languages)"
            " VALUES (%s, 'b', 'm', %s)",
            (session_id, [*targets, *targets]),
        )
        cursor.executemany(
            "INSERT INTO livetranslate.speakers (session_id, label, name) VALUES (%s, %s, %s)",
            [(session_id, label, name) for label, name in names.items()],
        )
        cursor.executemany(
            "INSERT INTO livetranslate.transcripts (session_id, id, text, language, start_time, end_time,"
            " speaker_label, segment_index, revision, is_final, confidence)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(session_id, *(getattr(row, name) for name in COLUMNS)) for row in rows],
        )
        cursor.executemany(
            "INSERT INTO livetranslate.translations (session_id, transcript_id, text, source_language,"
            " target_language, transcript_revision) VALUES (%s, %s, '', 'en', %s, %s)",
            [(session_id, row.id, each.language, each.revision) for row in rows for each in row.translations],
        )
    program.commit()
    return session_id


def plain(value: Any) -> Any:
    """Return the value with its numbers as they can be compared: sums of floats differ in the last digit."""
    if isinstance(value, float):
        return pytest.approx(value, rel=1e-9, abs=1e-6)
    if isinstance(value, tuple):
        return tuple(plain(each) for each in value)
    if hasattr(value, "__struct_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value


def unpacked(value: Any) -> Any:
    """Return the value with its parts as dictionaries, beside what `plain` makes."""
    if isinstance(value, tuple):
        return tuple(unpacked(each) for each in value)
    if hasattr(value, "__struct_fields__"):
        return {name: unpacked(getattr(value, name)) for name in value.__struct_fields__}
    return value


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(rows_of(TIMES), rows_of(SOME_EPOCH)),
    st.lists(st.sampled_from(["es", "zh", "zh-Hans"]), unique=True),
    st.dictionaries(st.sampled_from(["A", "B", "D"]), st.sampled_from([None, "Ada"])),
)
def test_the_figures_are_what_the_reference_says(
    database_url: str,
    other_program: Program,
    rows: list[Row],
    targets: list[str],
    names: dict[str, str | None],
) -> None:
    # What no check holds back any more: an end before its start.
    other_program.execute(
        "ALTER TABLE livetranslate.transcripts DROP CONSTRAINT IF EXISTS ck_transcripts_times_ordered"
    )
    session_id = write(other_program, rows, targets, names)

    async def example() -> None:
        async with Store.open(database_url, min_connections=1, max_connections=2) as store:
            found = await store.session_statistics(session_id)
            assert unpacked(found) == plain(reference(session_id, rows, targets, names))
            assert found.speech_seconds <= found.duration + 1e-6
            for each in found.translations:
                if "_" not in each.language:
                    to_do = await store.missing_translations(session_id, each.language)
                    assert len(to_do) == each.missing + each.stale

    asyncio.run(example())
