"""Whatever was said comes back from every dialect of JSON, and a spoilt detail costs that detail alone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.dialect_samples import DIALECT_SAMPLES, Meeting, Sample, Spoken, SpokenWord
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from livetranslate_store import InvalidInputError
from livetranslate_store.formats import read_transcript
from livetranslate_store.formats.readers.dialects.table import DIALECTS
from livetranslate_store.values import ImportedCue, Refusal, TranscriptFile

pytestmark = pytest.mark.slow

NAMES = list(DIALECT_SAMPLES)
LETTERS = st.text(st.sampled_from("abcdefgéñßшλ"), min_size=2, max_size=6)


@st.composite
def meetings(draw: st.DrawFn, smallest: int = 1) -> Meeting:
    """Return sentences, one after the other; nobody is silent for long within one."""
    meeting: list[Spoken] = []
    at = draw(st.integers(0, 100_000))
    for number in range(draw(st.integers(smallest, 5))):
        words: list[SpokenWord] = []
        # A number in each word: none is a part of another.
        for place in range(draw(st.integers(2, 4))):
            start = at + draw(st.integers(0, 200))
            at = start + draw(st.integers(20, 400))
            words.append(SpokenWord(f"{draw(LETTERS)}{number}x{place}y", start, at))
        meeting.append(Spoken(words, draw(st.integers(0, 2)), draw(st.sampled_from(["en", "es", "de"]))))
        at += draw(st.integers(1, 3000))
    return meeting


def read(document: Any) -> TranscriptFile:
    return read_transcript(json.dumps(document).encode(), language="en")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(meeting=meetings())
def test_what_was_said_comes_back(name: str, meeting: Meeting) -> None:
    sample = DIALECT_SAMPLES[name]
    file = read(sample.write(meeting))
    assert file.format == sample.format
    assert not file.refusals
    first = meeting[0].start if sample.from_first else 0
    assert [told(cue, sample) for cue in file.cues] == [expected(each, sample, first) for each in meeting]


def told(cue: ImportedCue, sample: Sample) -> tuple[Any, ...]:
    words = [(word.text, word.start_time, word.end_time if sample.ends else None) for word in cue.words or ()]
    language = cue.language if sample.languages else None
    return cue.text, cue.start_time, cue.end_time, cue.speaker_label, language, words if sample.words else []


def expected(spoken: Spoken, sample: Sample, first: int) -> tuple[Any, ...]:
    def seconds(milliseconds: int) -> Any:
        return pytest.approx((milliseconds - first) / 1000, abs=1e-6)

    stop = "." if sample.stops else ""
    words = [
        (
            word.text + (stop if word is spoken.words[-1] else ""),
            seconds(word.start),
            seconds(word.end) if sample.ends else None,
        )
        for word in spoken.words
    ]
    language = spoken.language if sample.languages else None
    label = sample.label(spoken.speaker)
    times = seconds(spoken.start), seconds(spoken.end)
    return spoken.text, *times, label, language, words if sample.words else []


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the object or list, and the key in it, of each value that is neither."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        if isinstance(value[key], dict | list):
            yield from leaves(value[key])
        else:
            yield value, key


GARBAGE: list[Any] = [None, "", "soon", -1.0, float("nan"), float("inf"), 1e300, 10**400, True, [], {}]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.filter_too_much])
@given(meeting=meetings(smallest=4), data=st.data())
def test_a_spoilt_detail_costs_no_text_and_makes_no_wrong_time(
    name: str, meeting: Meeting, data: st.DataObject
) -> None:
    sample = DIALECT_SAMPLES[name]
    document = sample.write(meeting)
    spoken = [word.text for each in meeting for word in each.words]
    places = [
        (holder, key)
        for holder, key in leaves(document)
        if not (isinstance(holder[key], str) and any(word in holder[key] for word in spoken))
    ]
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places))
        if key not in holder and isinstance(holder, dict):
            continue
        if isinstance(holder, dict) and data.draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = data.draw(st.sampled_from(GARBAGE))
    try:
        file = read(document)
    except InvalidInputError:
        # Its format is no longer known: an error says so, and nothing is stored.
        reject()
    assert [item for item in file if isinstance(item, Refusal)] == []
    text = "".join("".join(cue.text.split()) for cue in file.cues)
    for word in spoken:
        assert word in text
    check_times(file, meeting, sample)


def check_times(file: TranscriptFile, meeting: Meeting, sample: Sample) -> None:
    """Assert that every time is one of the meeting's, counted from its start or from one that was left."""
    moments = {at for each in meeting for word in each.words for at in (word.start, word.end)}
    firsts = {each.start for each in meeting} if sample.from_first else {0}
    possible = sorted((at - first) / 1000 for at in moments for first in firsts)
    for cue in file.cues:
        for time in (cue.start_time, cue.end_time, *times_of(cue)):
            # A result of Google's without words ends a little later than its last word.
            assert time is None or min(abs(time - each) for each in possible) < 0.05


def times_of(cue: ImportedCue) -> Iterator[float | None]:
    for word in cue.words or ():
        yield word.start_time
        yield word.end_time


def test_every_dialect_has_a_sample() -> None:
    assert {each.name for each in DIALECTS} == {sample.format for sample in DIALECT_SAMPLES.values()}
