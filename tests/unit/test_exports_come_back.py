"""Exports come back: what a text format can hold is read again as it was written."""

from collections.abc import Sequence

import pytest
from helpers.rows import MEETINGS, SESSION
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from livetranslate_store.exchange.bilingual import paired
from livetranslate_store.formats import read_transcript
from livetranslate_store.formats.writers.markdown import MarkdownWriter
from livetranslate_store.formats.writers.row_text import clean_lines, one_line, speaker_of
from livetranslate_store.formats.writers.subrip import SubRipWriter
from livetranslate_store.formats.writers.subtitles import PlainCues
from livetranslate_store.formats.writers.text import TextWriter
from livetranslate_store.formats.writers.webvtt import WebVTTWriter
from livetranslate_store.values import ImportedCue, TranscriptRow

pytestmark = pytest.mark.slow

# The first draw of a text loads the tables of Unicode.
MANY = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
Writer = WebVTTWriter | SubRipWriter | TextWriter | MarkdownWriter
Held = tuple[str, str, str | None, str | None, object]


def written(writer: Writer, rows: Sequence[TranscriptRow]) -> bytes:
    return (writer.begin() + "".join(map(writer.add, rows)) + writer.end()).encode("utf-8", "surrogatepass")


def read(
    data: bytes, *, name: str, language: str | None = None, second: str | None = None
) -> list[ImportedCue]:
    if b"-->" not in data and not data.startswith(b"WEBVTT"):
        return []
    file = read_transcript(data, format=name, language=language)
    assert not file.refusals
    return [*(file if second is None else paired(file, second)).cues]


def held(row: TranscriptRow, text: str, language: str, translation: str | None) -> Held:
    start = None if not row.is_timed else pytest.approx(max(row.timestamp, 0.0), abs=6e-4)
    return text, language, translation, speaker_of(row) or None, start


def found(cue: ImportedCue) -> Held:
    translation = cue.translations[0].text if cue.translations else None
    return cue.text, cue.language, translation, cue.speaker_label, cue.start_time


def shown(text: str) -> str:
    return "\n".join(clean_lines(text)).strip()


@MANY
@given(rows=MEETINGS)
def test_webvtt_in_one_language_comes_back(rows: list[TranscriptRow]) -> None:
    rows = [replace(each, translations=()) for each in rows]
    data = written(WebVTTWriter(SESSION, PlainCues(())), rows)
    expected = [held(each, shown(each.text), "en", None) for each in rows if shown(each.text)]
    assert [found(cue) for cue in read(data, name="webvtt")] == expected


@MANY
@given(rows=MEETINGS)
def test_subrip_in_one_language_comes_back(rows: list[TranscriptRow]) -> None:
    rows = [replace(each, translations=()) for each in rows]
    data = written(SubRipWriter(SESSION, PlainCues((), named=True)), rows)
    expected = [
        held(each, shown(each.text), "en", None) for each in rows if shown(each.text) and each.is_timed
    ]
    assert [found(cue) for cue in read(data, name="srt", language="en")] == expected


@pytest.mark.parametrize("name", ["webvtt", "srt"])
@MANY
@given(rows=MEETINGS)
def test_two_languages_come_back_and_one_alone_is_itself(name: str, rows: list[TranscriptRow]) -> None:
    rows = [replace(each, translations=(None, *each.translations)) for each in rows]
    # Of every third row the original is in a language that is not exported.
    rows = [replace(each, language="de") if number % 3 == 2 else each for number, each in enumerate(rows)]
    languages = ["en", "es"]
    if name == "webvtt":
        data = written(WebVTTWriter(SESSION, PlainCues(languages), languages), rows)
    else:
        data = written(SubRipWriter(SESSION, PlainCues(languages, named=True)), rows)
        rows = [each for each in rows if each.is_timed]
    expected = []
    for each in rows:
        first = one_line(each.text) if each.language == "en" else ""
        second = one_line(each.translations[1].text) if each.translations[1] is not None else ""
        if first:
            expected.append(held(each, first, "en", second or None))
        elif second:
            expected.append(held(each, second, "es", None))
    assert [found(cue) for cue in read(data, second="es", name=name, language="en")] == expected


@pytest.mark.parametrize("kind", [TextWriter, MarkdownWriter])
@pytest.mark.parametrize("languages", [[], ["en", "es"]])
@MANY
@given(rows=MEETINGS)
def test_text_and_markdown_come_back(
    kind: type[TextWriter | MarkdownWriter], languages: list[str], rows: list[TranscriptRow]
) -> None:
    rows = [
        replace(
            each,
            translations=(None, *each.translations) if languages else (),
            is_final=number % 2 == 0,
            start_time=abs(each.timestamp) if each.is_timed else None,
            timestamp=abs(each.timestamp),
        )
        for number, each in enumerate(rows)
        # A stored original has a text.
        if one_line(each.text)
    ]
    # The end of a text could be taken for the note about an edit.
    rows = [
        replace(each, text=f"{each.text} (edited by {each.speaker_name})") if number % 3 == 1 else each
        for number, each in enumerate(rows)
    ]
    data = written(kind(SESSION, languages), rows)
    expected = []
    for each in rows:
        translation = each.translations[1] if languages else None
        second = one_line(translation.text) if translation is not None else ""
        at = float(int(each.timestamp)) if each.is_timed else None
        expected.append((one_line(each.text), "en", second or None, speaker_of(each) or None, at))
    name = "text" if kind is TextWriter else "markdown"
    file = read_transcript(data, format=name, language="en") if expected else None
    cues = [] if file is None else (paired(file, "es") if languages else file).cues
    assert [found(cue) for cue in cues] == expected
