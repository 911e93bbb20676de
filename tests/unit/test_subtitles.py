"""Subtitles: what is written is what a reader of the format finds, and readable cues can be read."""

import html
import io
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pysubs2
import pytest
import webvtt
from helpers.rows import MEETINGS, SESSION, TEXTS, row
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store.formats.writers.line_breaking import balanced, broken, clusters, width_of
from livetranslate_store.formats.writers.row_text import clean_lines, one_line, said
from livetranslate_store.formats.writers.subrip import SubRipWriter
from livetranslate_store.formats.writers.subtitles import (
    COLUMNS,
    LINES,
    MINIMUM_MS,
    CueLine,
    PlainCues,
    ReadableCues,
    SubtitleCue,
    Untimed,
    _shared,
)
from livetranslate_store.formats.writers.webvtt import WebVTTWriter
from livetranslate_store.values import TranscriptRow

pytestmark = pytest.mark.slow

LANGUAGES = st.sampled_from([(), ("es",), ("en", "es")])
# The first draw of a text loads the tables of Unicode.
MANY = settings(suppress_health_check=[HealthCheck.too_slow])
Cues = PlainCues | ReadableCues


def languages_of(languages: Sequence[str], rows: Sequence[TranscriptRow]) -> list[TranscriptRow]:
    """Return the rows with a place for each language; what was translated is Spanish."""
    own = ["es"].index
    return [
        TranscriptRow(**{
            **{name: getattr(each, name) for name in TranscriptRow.__struct_fields__},
            "translations": tuple(each.translations[own(tag)] if tag == "es" else None for tag in languages),
        })
        for each in rows
    ]  # fmt: skip


def made(cues: Cues, rows: Sequence[TranscriptRow]) -> list[SubtitleCue | Untimed]:
    return [cue for each in rows for cue in cues.add(each)] + list(cues.rest())


def timed(cues: Cues, rows: Sequence[TranscriptRow]) -> list[SubtitleCue]:
    return [cue for cue in made(cues, rows) if isinstance(cue, SubtitleCue)]


def written(writer: WebVTTWriter | SubRipWriter, rows: Sequence[TranscriptRow]) -> str:
    return writer.begin() + "".join(map(writer.add, rows)) + writer.end()


def characters(texts: Iterable[str]) -> list[str]:
    return sorted("".join("".join(texts).split()))


def milliseconds(time: str) -> int:
    hours, minutes, seconds = time.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)


def lines_of(cue: SubtitleCue) -> list[str]:
    return [line.text for line in cue.lines]


@pytest.mark.parametrize("kind", [PlainCues, ReadableCues])
@MANY
@given(rows=MEETINGS, languages=LANGUAGES)
def test_a_reader_of_webvtt_finds_the_same_cues(
    kind: type[Cues], rows: list[TranscriptRow], languages: Sequence[str]
) -> None:
    rows = languages_of(languages, rows)
    text = written(WebVTTWriter(SESSION, kind(languages)), rows)
    found = webvtt.from_buffer(io.StringIO(text)).captions
    expected = timed(kind(languages), rows)
    assert [(milliseconds(cue.start), milliseconds(cue.end)) for cue in found] == [
        (cue.start, cue.end) for cue in expected
    ]
    plain = [[html.unescape(re.sub("<[^>]*>", "", line)) for line in cue.lines] for cue in found]
    assert [[line.strip() for line in lines] for lines in plain] == [
        [line.strip() for line in lines_of(cue)] for cue in expected
    ]
    assert [html.unescape(cue.voice or "") for cue in found] == [cue.speaker for cue in expected]


@pytest.mark.parametrize("kind", [PlainCues, ReadableCues])
@MANY
@given(rows=MEETINGS, languages=LANGUAGES)
def test_a_reader_of_subrip_finds_the_same_cues(
    kind: type[Cues], rows: list[TranscriptRow], languages: Sequence[str]
) -> None:
    rows = languages_of(languages, rows)
    expected = timed(kind(languages, named=True), rows)
    text = written(SubRipWriter(SESSION, kind(languages, named=True)), rows)
    blocks = [block.split("\n") for block in text.split("\n\n") if block]
    assert [block[0] for block in blocks] == [str(number) for number in range(1, len(expected) + 1)]
    plain = [[line.replace("\u2060", "") for line in block[2:]] for block in blocks]
    assert plain == [[line.replace("\u2060", "") for line in lines_of(cue)] for cue in expected]
    found = pysubs2.SSAFile.from_string(text, format_="srt")
    assert [(cue.start, cue.end) for cue in found] == [(cue.start, cue.end) for cue in expected]
    # No text is taken for markup; this reader writes a line break as \N.
    assert not any(re.search(r"\{\\|<[\w/]", cue.text.replace(r"\N", "\n")) for cue in found)


@MANY
@given(rows=MEETINGS, languages=LANGUAGES, named=st.booleans())
def test_readable_cues_fit_the_screen_stay_a_second_come_one_at_a_time_and_lose_nothing(
    rows: list[TranscriptRow], languages: Sequence[str], *, named: bool
) -> None:
    rows = languages_of(languages, rows)
    cues = made(ReadableCues(languages, named=named), rows)
    shown = [cue for cue in cues if isinstance(cue, SubtitleCue)]
    for cue in shown:
        assert 1 <= len(cue.lines) <= LINES
        assert all(width_of(line.text) <= COLUMNS and line.text.strip() for line in cue.lines)
        assert cue.end - cue.start >= MINIMUM_MS
    assert all(cue.end <= after.start for cue, after in pairwise(shown))
    if not named:
        for language in ("en", "es"):
            texts = [each for one in rows for each in said(one, languages) if each is not None]
            given = [one_line(each.text) for each in texts if each.language == language]
            seen = [line.text for cue in cues for line in cue.lines if line.language == language]
            assert characters(given) == characters(seen)


@MANY
@given(rows=MEETINGS)
def test_plain_cues_have_every_line_of_every_text(rows: list[TranscriptRow]) -> None:
    cues = made(PlainCues(()), rows)
    lines = [line.text for cue in cues for line in cue.lines]
    assert lines == [line for each in rows for line in clean_lines(each.text)]


@MANY
@given(TEXTS, st.integers(2, 60))
def test_broken_lines_are_the_text_within_the_width(text: str, columns: int) -> None:
    lines = broken(text, columns)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width_of(line) <= columns or len(list(clusters(line))) == 1 for line in lines)
    again = balanced(text, columns, len(lines))
    assert len(again) <= len(lines)
    assert "".join("".join(again).split()) == "".join(text.split())


@MANY
@given(TEXTS)
def test_clusters_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


@pytest.mark.parametrize("whole", ["👩‍🚀", "🇩🇪", "👍🏽", "e\u0301\u0302", "क्ष"[:2], "\u1112\u1161\u11ab"])
def test_what_people_see_as_one_character_is_not_cut(whole: str) -> None:
    assert list(clusters(whole * 3)) == [whole] * 3


def test_a_korean_syllable_of_several_letters_takes_the_columns_of_one() -> None:
    assert width_of("\u1112\u1161\u11ab") == width_of("\ud55c") == 2


def test_lines_are_balanced_and_respect_what_closes_and_opens() -> None:
    assert balanced("one two three four five six", 24, 2) == ["one two three", "four five six"]
    assert broken("東京へ行く。「はい」", 8) == ["東京へ行", "く。「は", "い」"]
    assert broken("第12回", 3) == ["第", "12", "回"]


def test_a_long_text_shares_its_time_among_its_cues() -> None:
    cues = timed(ReadableCues(()), [row("word " * 60, 10.0, 30.0)])
    assert (cues[0].start, cues[-1].end) == (10_000, 30_000)
    assert len(cues) == 4
    assert all(3900 < cue.end - cue.start < 6000 for cue in cues)


def test_sharing_a_time_takes_no_longer_than_its_cues() -> None:
    whole = SubtitleCue(0, 1_000_000, "", ())
    *_, last = _shared(whole, [[CueLine("a", "en")]] * 500_000)
    assert (last.start, last.end) == (999_998, 1_000_000)


def test_two_languages_stand_below_each_other_over_as_many_cues_as_the_longer_needs() -> None:
    cues = timed(
        ReadableCues(("en", "es")), [row("word " * 20, 0.0, 9.0, translations=[None, "corto y fin"])]
    )
    assert [[line.language for line in cue.lines] for cue in cues] == [
        ["en", "es"],
        ["en", "es"],
        ["en", "es"],
    ]


def test_an_end_that_is_not_known_is_guessed_from_the_text() -> None:
    (cue,) = timed(PlainCues(()), [row("x" * 60, 5.0, None)])
    assert (cue.start, cue.end) == (5000, 9000)


def test_subrip_names_a_speaker_who_differs_from_the_one_before() -> None:
    rows = [
        row("a", 0, 1, speaker="Ana"),
        row("b", 1, 2, speaker="Ana"),
        row("c", 2, 3),
        row("d", 3, 4, speaker="B"),
    ]
    text = written(SubRipWriter(SESSION, PlainCues((), named=True)), rows)
    lines = [block.split("\n")[2] for block in text.split("\n\n") if block]
    # A word joiner, which is not seen, marks a name and nobody.
    assert lines == ["Ana:\u2060 a", "b", "\u2060c", "B:\u2060 d"]


def test_what_has_no_time_is_a_note_in_webvtt_and_told_in_the_log_for_subrip(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = [row("when --> who <knows>", None, None, speaker="Ana")]
    text = written(WebVTTWriter(SESSION, PlainCues(())), rows)
    assert text == (
        "WEBVTT - Weekly\nLanguage: en\nSpeakers: voice\n"
        "\nNOTE said at an unknown time\n<v Ana>when --&gt; who &lt;knows&gt;\n"
    )
    assert written(SubRipWriter(SESSION, PlainCues((), named=True)), rows) == ""
    assert [record.__dict__["segments"] for record in caplog.records] == [1]


def test_a_gap_has_no_cue_and_what_was_said_in_the_language_is_its_own_translation() -> None:
    rows = [row("a", 0, 1, translations=[None]), row("hola", 1, 2, language="es-MX", translations=[None])]
    assert [lines_of(cue) for cue in timed(PlainCues(("es",)), rows)] == [["hola"]]
