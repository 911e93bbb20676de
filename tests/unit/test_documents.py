"""Documents: JSON comes back the same, and no text becomes markup or a command of the terminal."""

import json
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from helpers.rows import MEETINGS, SESSION, TEXTS, row
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt

from livetranslate_store import InvalidInputError
from livetranslate_store.formats.writers.json import JSONWriter, document_schema, read_document
from livetranslate_store.formats.writers.markdown import MarkdownWriter, escaped
from livetranslate_store.formats.writers.row_text import one_line
from livetranslate_store.formats.writers.text import TextWriter
from livetranslate_store.values import TranscriptRow

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "session.schema.json"

# The first draw of a text loads the tables of Unicode.
MANY = settings(suppress_health_check=[HealthCheck.too_slow])


def written(writer: JSONWriter | MarkdownWriter | TextWriter, rows: list[TranscriptRow]) -> str:
    return writer.begin() + "".join(map(writer.add, rows)) + writer.end()


@MANY
@given(rows=MEETINGS)
def test_json_comes_back_the_same(rows: list[TranscriptRow]) -> None:
    text = written(JSONWriter(SESSION, ["es"]), rows)
    document = read_document(text.encode())
    assert (document.session, document.languages, document.segments) == (SESSION, ["es"], rows)
    assert len(text.splitlines()) >= len(rows)
    json.loads(text)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"format":"x"}', b"[1"])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="no session in JSON"):
        read_document(data)


def test_the_schema_in_the_documentation_is_the_schema_of_what_is_written() -> None:
    assert json.loads(SCHEMA.read_bytes()) == document_schema()


@MANY
@given(TEXTS)
def test_a_text_in_markdown_is_shown_as_it_is(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(escaped(text))
    if not one_line(text):
        assert tokens == []
        return
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    shown = "".join(child.content for child in children)
    assert shown.replace("\ufffd", "") == one_line(text).replace("\ufffd", "")


def test_markdown_has_speakers_times_translations_and_what_is_to_be_known() -> None:
    rows = [
        row("Hi *all*.", 3661.0, 3662.0, speaker="Ana", translations=["Hola."], is_stale=True),
        row("1. One", None, None, translations=[None], is_final=False),
    ]
    text = written(MarkdownWriter(SESSION, ["en", "es"]), both(rows))
    assert text == (
        "# Weekly\n\n2026-01-02 03:04 UTC\n\n"
        "**Ana** 1:01:01\n\nHi \\*all\\*.\n\n> Hola. *(of an earlier version)*\n\n"
        "1\\. One *(not final)*\n\n> *(not translated into es)*\n"
    )


def test_plain_text_has_a_line_per_segment_and_language() -> None:
    rows = [
        row("Hi\nall\x1b[31m.", 3661.0, 3662.0, speaker="Ana", translations=["Hola."]),
        row("So", None, None, translations=[None], is_final=False),
    ]
    assert written(TextWriter(SESSION, ["en", "es"]), both(rows)) == (
        "Weekly\n\n"
        "[1:01:01] Ana: Hi all\ufffd[31m.\n    Hola.\n"
        "[-:--:--] So (not final)\n    (not translated into es)\n"
    )


def test_an_edited_text_names_its_editor() -> None:
    rows = [
        row("Hi", 1.0, 2.0, edited_by="Ana (QA)", translations=["Hola."], is_stale=True),
        row("So", 3.0, 4.0, translations=["Pues."]),
    ]
    # The joiner behind the bracket is not seen.
    assert written(TextWriter(SESSION, ["en", "es"]), both(rows)) == (
        "Weekly\n\n"
        "[0:00:01] Hi (edited by Ana (\u2060QA))\n"
        "    Hola. (of an earlier version, edited by Ana (\u2060QA))\n"
        "[0:00:03] So\n    Pues.\n"
    )
    assert "Hi *(edited by Ana (QA))*\n" in written(MarkdownWriter(SESSION, ["en", "es"]), both(rows))


def both(rows: list[TranscriptRow]) -> list[TranscriptRow]:
    """Return the rows with a place for the original's language too."""
    return [msgspec.structs.replace(each, translations=(None, *each.translations)) for each in rows]


def test_a_meeting_without_a_title_is_headed_by_its_id() -> None:
    session = msgspec.structs.replace(
        SESSION, title=None, started_at=datetime.fromisoformat("2026-01-02T03:04Z")
    )
    assert MarkdownWriter(session, []).begin().startswith("# abc\n")
