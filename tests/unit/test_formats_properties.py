"""Whatever becomes of a file: it is read, or refused with words; nothing else ever happens."""

import json
from typing import Any

import pytest
from helpers.transcript_samples import (
    ASSEMBLYAI,
    FIREFLIES,
    MEET,
    MEET_DOCUMENT,
    SRT,
    WEBVTT,
    WHISPER,
    WHISPERX,
    deepgram,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from livetranslate_store import InvalidInputError, Refusal
from livetranslate_store.exchange.attachment import places_of
from livetranslate_store.formats import FORMATS, read_transcript
from livetranslate_store.values import ImportedCue

pytestmark = pytest.mark.slow

DOCUMENTS: list[Any] = [WHISPER, WHISPERX, deepgram(), ASSEMBLYAI, FIREFLIES, MEET]
SAMPLES = [each.encode() for each in (WEBVTT, SRT, MEET_DOCUMENT, *map(json.dumps, DOCUMENTS))]

# What breaks readers: ends of lines, markup, times, numbers, marks of other encodings.
PIECES = [
    *(
        b"\n",
        b"\r",
        b"\n\n",
        b"\0",
        b"\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"-->",
        b"00:00:01.000 --> 00:00:02.000\n",
    ),
    *(b"<v ", b"<v Ada>", b"</v>", b"<00:01.000>", b"&lt;", b"<", b">", b"WEBVTT", b"NOTE", b"7", b"-", b":"),
    *(
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b"null",
        b"1e999",
        b"NaN",
        b"9" * 400,
        b"true",
        b'"\\ud800"',
        b'"\\u0000"',
    ),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a sample in which pieces were cut out, doubled, or put in."""
    data = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 6))):
        begin = draw(st.integers(0, len(data)))
        end = draw(st.integers(begin, min(len(data), begin + 40)))
        piece = draw(st.one_of(st.sampled_from(PIECES), st.just(data[begin:end] * 2), st.binary(max_size=8)))
        data = data[:begin] + piece + data[end:]
    return data


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({})
)


@st.composite
def mistyped(draw: st.DrawFn) -> bytes:
    """Return a JSON sample in which values have become others."""
    document = json.loads(json.dumps(draw(st.sampled_from(DOCUMENTS))))
    for _ in range(draw(st.integers(1, 4))):
        place: Any = document
        while True:
            keys = list(range(len(place))) if isinstance(place, list) else list(place)
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or draw(st.integers(0, 5)) == 0:
                place[key] = draw(values)
                break
            place = place[key]
    return json.dumps(document).encode()


OF_THE_FILE = (
    *("none of the formats", "The file is not", "is empty", "The file is no text", "which is not read"),
    *("The file is an archive", "The file declares entities", "The file is nested"),
)


@settings(max_examples=600)
@given(st.one_of(mutated(), mistyped(), st.binary(max_size=200)), st.sampled_from([None, *FORMATS]))
@example(b"WEBVTT\n\n1 --> 2\n\xff", None)
def test_a_mutated_file_is_read_or_refused(data: bytes, chosen: str | None) -> None:
    items, problem = [], ""
    try:
        items = list(read_transcript(data, format=chosen, language="en"))
    except InvalidInputError as error:
        problem = str(error)
    # A file is refused for what it is, never for what is in one of its cues.
    assert not problem or any(reason in problem for reason in OF_THE_FILE)
    for item in items:
        assert isinstance(item, ImportedCue | Refusal)
        assert item.line > 0


@pytest.mark.parametrize(
    "line",
    ["<v " * 100_000, "<v" + " " * 200_000, "-->" * 100_000, "1" * 200_000, "{\\" * 100_000, "Ada " * 50_000],
)
@pytest.mark.parametrize("name", ["webvtt", "srt", None])
def test_hostile_lines_take_no_longer_than_their_length(line: str, name: str | None) -> None:
    # A reader that is quadratic would need minutes; the limit of the run catches it.
    read_transcript(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{line}\n".encode(), format=name, language="en")
    read_transcript(f"00:01:00\nAda: Good.\n{line}\n".encode(), format="dialogue", language="en")


blocks = st.lists(
    st.tuples(
        st.floats(0, 86_400).map(lambda at: round(at, 3)),
        st.floats(0, 60).map(lambda length: round(length, 3)),
        st.text(
            st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="<>&{}:"),
            min_size=1,
            max_size=40,
        )
        .map(lambda text: " ".join(text.split()))
        .filter(bool),
    ),
    min_size=1,
    max_size=20,
)


def clock(seconds: float, point: str) -> str:
    whole = round(seconds * 1000)
    return (
        f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}{point}{whole % 1000:03}"
    )


@settings(max_examples=200)
@given(blocks, st.sampled_from(["webvtt", "srt"]))
def test_what_was_written_as_captions_is_read_back(
    written: list[tuple[float, float, str]], name: str
) -> None:
    point = "." if name == "webvtt" else ","
    text = "WEBVTT\n\n" if name == "webvtt" else ""
    for number, (start, length, spoken) in enumerate(written, start=1):
        times = f"{clock(start, point)} --> {clock(start + length, point)}"
        text += f"{number}\n{times}\n{spoken}\n\n"
    file = read_transcript(text.encode(), format=name, language="en")
    assert not file.refusals
    read: list[object] = [(cue.start_time, cue.end_time, cue.text) for cue in file.cues]
    expected: list[object] = [
        (pytest.approx(start), pytest.approx(start + length, abs=1e-3), spoken)
        for start, length, spoken in written
    ]
    assert read == expected


spans = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(
    lambda span: (float(min(span)), float(max(span)))
)


@settings(max_examples=500)
@given(st.lists(spans, max_size=6), st.lists(spans, min_size=1, max_size=8))
def test_a_cue_goes_to_the_segment_that_it_overlaps_most(
    cues: list[tuple[float, float]], segments: list[tuple[float, float]]
) -> None:
    def shared(cue: tuple[float, float], segment: tuple[float, float]) -> float:
        return min(cue[1], segment[1]) - max(cue[0], segment[0])

    for cue, place in zip(cues, places_of(cues, segments), strict=True):
        most = max(shared(cue, segment) for segment in segments)
        assert shared(cue, segments[place]) == most
        # Of those that are alike, it is the nearest one before it.
        earlier = [segment for segment in segments if segment[0] <= cue[0] and shared(cue, segment) == most]
        if earlier:
            assert segments[place][0] == max(start for start, _ in earlier)
