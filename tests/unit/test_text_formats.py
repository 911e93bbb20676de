"""Subtitles and documents of other programs: each is read by one reader, and says who spoke when."""

from contextlib import suppress
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from livetranslate_store import InvalidInputError, Note
from livetranslate_store.formats import read_transcript
from livetranslate_store.formats.readers.registry import matching
from livetranslate_store.formats.readers.rolling import unrolled
from livetranslate_store.formats.readers.source import Source
from livetranslate_store.formats.readers.timed_blocks import Block
from livetranslate_store.values import ImportedCue

Value = tuple[str | None, float | None, float | None, str]


def cues(text: str | bytes) -> list[ImportedCue]:
    file = read_transcript(text if isinstance(text, bytes) else text.encode(), language="en")
    assert not file.refusals
    return [*file.cues]


def values(text: str | bytes) -> list[Value]:
    return [(cue.speaker_label, cue.start_time, cue.end_time, cue.text) for cue in cues(text)]


def docx(*paragraphs: str) -> bytes:
    runs = "".join(
        "<w:p><w:r><w:t>" + each.replace("\n", "</w:t><w:br/><w:t>") + "</w:t></w:r></w:p>"
        for each in paragraphs
    )
    return zipped(f'<w:document xmlns:w="http://w"><w:body>{runs}</w:body></w:document>'.encode())


def zipped(content: bytes, name: str = "word/document.xml", method: int = ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", method) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def damaged(archive: bytes) -> bytes:
    """Return an archive with its first packed bytes, which follow the name, all ones."""
    begin = archive.index(b"document.xml") + len("document.xml")
    return archive[:begin] + b"\xff" * 20 + archive[begin + 20 :]


ASS = """[Script Info]
Title: Budget: the talk

[Events]
Format: Start, End, Name, Text
Comment: 0:00:00.00,0:00:01.00,Ana,a note
Dialogue: 0:00:01.00,0:00:02.50,Ana,{\\an8}Hello, all\\Nof you
Dialogue: 0:00:01.00,0:00:02.50,Ana,Hello, all\\Nof you
Dialogue: 0:00:02.50,0:00:03.00,,{\\p1}m 0 0 l 9 9{\\p0}
"""
TTML = """<?xml version="1.0"?>
<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="de" ttp:frameRate="25"><head><metadata>
<ttm:agent xml:id="a"><ttm:name>Ana Lima</ttm:name></ttm:agent></metadata></head>
<body begin="10s"><div><p begin="00:00:01:05" dur="1500ms" ttm:agent="a">Guten
 Tag,<br/>alle</p><p begin="3.5s" end="4s" xml:lang="en"><span>Hi</span> there</p></div></body></tt>
"""
SBV = "0:00:01.000,0:00:02.000\nHello[br]all\n\n0:00:02.000,0:00:03.000\nBye\n"
SPOKEN_AT = "Dialogue: 0,0:00:01.00,0:00:02.00,Default,Ana,0,0,0,,"
TABLE = "start\tend\ttext\n0\t1500\tHello: all\n1500\t2000\tBye\n"
PRINTED = "Detected language: German\n[00:00.000 --> 00:01.500]  Hallo\n[00:01.500 --> 00:02.000]  Ja\n"
ZOOM = "[Ana Lima] 23:59:50\nHello: all\n\n[Bo] 00:00:10\nHi\nand more\n"
OTTER = "Ana Lima  0:05\nHello.\n\nSpeaker 2  1:00:05\nHi: you.\n\nSpeaker 2  1:00:09\nBye.\n"
MEET_GERMAN = (
    "Planung (2026-03-01) – Transkript\nTeilnehmer\nAna Lima, Bo\n\n00:00:00\n\nAna Lima: Guten Tag.\n"  # noqa: RUF001
    "Bo: Ja.\n\nDie Transkription wurde nach 00:10:00 beendet\n\nDies ist ein bearbeitbares Transkript.\n"
)
TEAMS = docx(
    "Ana Lima started transcription",
    "Ana Lima   0:05\nHello.\nAll.",
    "Bo Chen   0:09\nHi.",
    "Bo Chen stopped transcription",
)
STREAM = docx(
    *(
        f"0:0:{n}.0 --> 0:0:{n + 1}.490\n{name}\nHello {n}."
        for n, name in enumerate(["Ana Lima", "Bo Chen"] * 3)
    )
)
SAMPLES: dict[str, str | bytes] = {
    "ass": ASS,
    "ttml": TTML,
    "sbv": SBV,
    "whisper-table": TABLE,
    "whisper-printed": PRINTED,
    "turns": ZOOM,
    "dialogue": MEET_GERMAN,
    "srt": "00:00:01,000 --> 00:00:02,000\nAna: Hi.\n",
    "webvtt": "WEBVTT\n\n00:01.000 --> 00:02.000\nA: b\n",
    "text": "Weekly\n\n[0:00:01] Ana: Hi\n    Hola\n",
    "markdown": "# Weekly\n\n2026-01-02 03:04 UTC\n\n**Ana** 0:00:01\n\nHi\n",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_is_one_format(name: str) -> None:
    sample = SAMPLES[name]
    source = Source(sample if isinstance(sample, bytes) else sample.encode())
    assert [each.name for each in matching(source)] == [name]


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (ASS, [("Ana", 1.0, 2.5, "Hello, all\nof you")]),
        (TTML, [("Ana Lima", 11.2, 12.7, "Guten Tag,\nalle"), (None, 13.5, 14.0, "Hi there")]),
        (SBV, [(None, 1.0, 2.0, "Hello\nall"), (None, 2.0, 3.0, "Bye")]),
        (TABLE, [(None, 0.0, 1.5, "Hello: all"), (None, 1.5, 2.0, "Bye")]),
        (PRINTED, [(None, 0.0, 1.5, "Hallo"), (None, 1.5, 2.0, "Ja")]),
        (ZOOM, [("Ana Lima", 0.0, None, "Hello: all"), ("Bo", 20.0, None, "Hi\nand more")]),
        (
            OTTER,
            [
                ("Ana Lima", 5.0, None, "Hello."),
                ("Speaker 2", 3605.0, None, "Hi: you."),
                ("Speaker 2", 3609.0, None, "Bye."),
            ],
        ),
        (STREAM, [(("Ana Lima", "Bo Chen")[n % 2], float(n), n + 1.49, f"Hello {n}.") for n in range(6)]),
        (MEET_GERMAN, [("Ana Lima", 0.0, None, "Guten Tag."), ("Bo", 0.0, None, "Ja.")]),
        (TEAMS, [("Ana Lima", 5.0, None, "Hello.\nAll."), ("Bo Chen", 9.0, None, "Hi.")]),
    ],
)
def test_a_format_says_who_spoke_when(sample: str | bytes, expected: list[Value]) -> None:
    assert values(sample) == expected


def test_a_file_says_its_language() -> None:
    languages = [cue.language for text in (TTML, PRINTED) for cue in read_transcript(text.encode()).cues]
    assert languages == ["de", "en", "de", "de"]


@pytest.mark.parametrize(
    "text",
    [
        "Dear all,\nsee the agenda: it is long.\nRegards",
        "status: green\nowner: ana\nstatus: red\n",
        "To: Bo\nFrom: Ana\nSubject: Budget\n",
        "Gaps < 80ms: 0\nCPS > 15.0: 434\nGaps < 80ms: 1\n",
        "00:00 Introduction\n01:30 Tools: hammers\n05:00 Questions\n",
        "# A tool\n\n" + "Some words.\n\n" * 12 + "00:00:01,000 --> 00:00:02,000\nHi\n",
    ],
)
def test_a_colon_or_a_quoted_cue_makes_no_transcript(text: str) -> None:
    with pytest.raises(InvalidInputError, match="none of the formats"):
        read_transcript(text.encode(), language="en")


def captions(*texts: str) -> str:
    return "\n".join(f"00:00:{n:02},000 --> 00:00:{n:02},900\n{text}\n" for n, text in enumerate(texts))


@pytest.mark.parametrize(
    ("texts", "speakers"),
    [
        (
            ["Ana: Hi.", "Bo: Hello.", "Ana: Note: it is.", "Bo: So.", "Note: yes."],
            ["Ana", "Bo", "Ana", "Bo", None],
        ),
        (["Note: it is late.", "So it is.", "Yes."], [None, None, None]),
        (["(speaker 0) Hi.", "(speaker 1) Hello.", "(speaker ?) Hm."], ["speaker 0", "speaker 1", None]),
        (
            [
                "\uff08田中\uff09はい",
                "\uff08佐藤\uff09いいえ",
                "\uff08田中\uff09では",
                "\uff08佐藤\uff09ええ",
            ],
            ["田中", "佐藤", "田中", "佐藤"],
        ),
        (["(laughs) Hi.", "(laughs) Hello.", "Well."], [None, None, None]),
        (["Ana: Hi.\nBo: Hello.", "Ana: So.", "Bo: Yes.", "Bo: No."], ["Ana", "Bo", "Ana", "Bo", "Bo"]),
    ],
)
def test_the_whole_file_decides_who_speaks(texts: list[str], speakers: list[str | None]) -> None:
    assert [cue.speaker_label for cue in cues(captions(*texts))] == speakers


def test_the_decision_is_noted_and_can_be_overruled() -> None:
    text = captions("Ana: Hi.", "Bo: Hello.", "Ana: So.", "Bo: Yes.")
    file = read_transcript(text.encode(), language="en")
    assert [*file.notes] == [
        Note(
            None,
            "4 of 4 cues begin with one of 2 names, which are read as speakers; "
            "speakers=none keeps them in the text.",
        )
    ]
    kept = read_transcript(text.encode(), language="en", speakers="none").cues
    assert (kept[0].speaker_label, kept[0].text) == (None, "Ana: Hi.")
    [only] = read_transcript(captions("Note: Hi.").encode(), language="en", speakers="prefix").cues
    assert (only.speaker_label, only.text) == ("Note", "Hi.")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7\n", "PDF, which is not read: save it"),
        (b"{\\rtf1 a}", "RTF"),
        (b"\x00\x00\x01\xba\x44", "VobSub"),
        (b"# VobSub index file, v7\n", "VobSub"),
        (b"Scenarist_SCC V1.0\n\n00:00:01:00\t9420\n", "Scenarist"),
        (b"850STL25.01" + b"0" * 40, "EBU STL"),
        (b"{10}{20}Hello\n", "MicroDVD"),
        (b"<SAMI><BODY>", "SAMI"),
        (b"\x00\x00\x00\x20ftypisom", "a recording"),
        (zipped(b"x", "a.txt"), "no Word document"),
        (damaged(zipped(b"<a>" + bytes(range(200)))), "no Word document"),
        (zipped(b"<a/>", method=ZIP_LZMA), "no Word document"),
        (zipped(b"\0" * (65 * 1024 * 1024)), "unpacks to more than"),
        (b'<!DOCTYPE tt [<!ENTITY a "b">]><tt><body><p begin="1s">&a;</p></body></tt>', "declares entities"),
        (b"<tt><body>" + b"<div>" * 300 + b"</div>" * 300 + b"</body></tt>", "nested more than"),
        (b"<tt><body><p>", "not XML in line 1"),
        (zipped(b'<?xml version="1.0" encoding="none"?><a/>'), "an encoding that is not read"),
        (zipped(b'<?xml version="1.0" encoding="shift_jis"?><a/>'), "an encoding that is not read"),
    ],
)
def test_a_file_that_is_known_and_not_read_is_refused_with_what_to_do(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        read_transcript(data, language="en")


@pytest.mark.parametrize("rate", ["1 1e400", "1e-300 1e300", "1e400 1", "nan", "0", "many"])
@pytest.mark.parametrize("name", ["frameRate", "frameRateMultiplier", "tickRate"])
def test_a_rate_that_cannot_be_right_is_left_out_and_noted(name: str, rate: str) -> None:
    text = f'<tt ttp:{name}="{rate}"><body><p begin="45f" end="60t">Hello</p></body></tt>'
    file = read_transcript(text.encode(), language="en")
    assert [(cue.start_time, cue.end_time) for cue in file.cues] == [(1.5, 2.0)]
    assert [*file.notes] == [Note(1, f"Its {name} {rate!r} cannot be right; it is left out.")]


def test_the_segments_of_a_stream_have_one_clock() -> None:
    segment = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{},LOCAL:00:00:00.000\n\n{} --> {}\n{}\n\n"
    text = (
        segment.format(900_000, "00:01.000", "00:10.000", "First")
        + segment.format(1_800_000, "00:00.000", "00:02.000", "First")
        + segment.format(2_700_000, "00:01.000", "00:02.000", "Third")
    )
    assert values(text) == [(None, 1.0, 12.0, "First"), (None, 21.0, 22.0, "Third")]


@pytest.mark.parametrize(
    "text",
    [
        "<tt>" + "<p " * 50_000,
        "<!---->" * 40 + "x",
        "[Script Info]\n[Events]\nDialogue: " + "{" * 200_000,
        "Ana  0:05\n" + "Ana " * 50_000 + "\nAna  0:06\nb\n",
        "Ana Lima  0:05\nHello\n" + "http://" * 150_000 + " x",
        f"[Script Info]\n[Events]\n{SPOKEN_AT}" + "{" + "\\p1" * 300_000,
        f"[Script Info]\n[Events]\n{SPOKEN_AT}" + "{\\p1}{" + "\\p0" * 300_000,
        "a" + "\t" * 300_000 + "b",
        "0:05" + " " * 5000 + "x",
        "0:05" + " " * 5000 + "**",
        "[0:00:01] " + "a: " * 60_000 + "\n",
        "[00:00.000 --> 00:01.000] " + "[" * 100_000,
        "00:00\nAna: a\n" + "**" * 60_000 + "\n",
        captions(*["<u>a</u> b", "a <u>b</u>"] * 2000),
        captions(*["a\nb", "b\nc", "c\na"] * 2000),
        "00:00:00\n" + "\n".join(f"Name {n}: a" for n in range(5000)),
        pytest.param(
            "WEBVTT\n\n00:01.000 --> 00:02.000\n" + ("a" * 100 + "\n") * 400_000, marks=pytest.mark.slow
        ),
    ],
)
def test_hostile_texts_take_no_longer_than_their_length(text: str) -> None:
    # A reader that is quadratic would need minutes; the limit of the run catches it.
    with suppress(InvalidInputError):
        read_transcript(text.encode(), language="en")


@pytest.mark.slow
def test_cues_of_many_lines_that_roll_take_no_longer_than_their_length() -> None:
    again = ["a"] * 1_000_000
    shown = [Block(place, None, None, None, "\n".join([*again, last])) for place, last in enumerate("bc")]
    assert unrolled([*shown], str, timed=True) == shown
