"""Queries and extracts are read here as the server reads texts."""

from helpers.stored import Program
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from livetranslate_store.reading.search.languages import SIMPLE, readings
from livetranslate_store.reading.search.text import MAX_POSITION, runs

SCRIPTS = [
    *(
        "a",
        "Z",
        "é",
        "e\u0301",
        "Å",
        "ß",
        "Æ",
        "ø",
        "İ",
        "ς",
        "Σ",
        "ά",
        "й",
        "и\u0306",
        "Ё",
        "ﬁ",
        "²",
        "½",
        "1",
        "_",
        "'",
        "\u2019",
    ),
    *(
        "予",
        "算",
        "が",
        "か\u3099",
        "ｶﾞ",
        "ー",
        "々",
        "々",
        "한",
        "\u1112\u1161\u11ab",
        "ที่",
        "น้ำ",
        "ຄຳ",
        "ថ្មី",
        "မြန်",
        "က",
        "𠮷",
        "\u0939\u093f",
    ),
    *(
        "ש",
        "שָׁ",
        "ع",
        "عَ",
        "ـ",
        "،",
        "\u200d",
        "\u00ad",
        "\u200b",
        "。",
        "・",
        "🎉",
        "🇩🇪",
        "\ufdfa",
        " ",
        "\n",
        "-",
        "/",
        ".",
        "\u2028",
    ),
]
texts = st.lists(
    st.sampled_from(SCRIPTS)
    | st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cn", "Co"], max_codepoint=0x2FFF),
    max_size=30,
).map("".join)

READ = "SELECT livetranslate.search_vector('und', %(text)s), livetranslate.search_text(%(text)s)"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts)
@example(text="1e5a 1E5é1e5 a1e5")
def test_each_run_stands_where_the_server_puts_it(other_program: Program, text: str) -> None:
    row = other_program.execute(READ, {"text": text}).fetchone()
    assert row is not None
    expected: dict[str, set[int]] = {}
    for run in runs(text):
        lexemes = list(run.units)
        if run.unspaced:
            pairs = [a + b for a, b in zip(run.units, run.units[1:], strict=False)]
            lexemes = [run.units[0], *pairs, run.units[-1]]
        for offset, lexeme in enumerate(lexemes):
            expected.setdefault(lexeme, set()).add(min(run.position + offset, MAX_POSITION))
    found = other_program.execute(
        "SELECT lexeme, positions FROM unnest(livetranslate.search_vector('und', %s))", (text,)
    ).fetchall()
    assert {lexeme: set(positions) for lexeme, positions in found} == expected, row[1]


def test_the_server_reads_each_language_in_the_configuration_that_queries_use(other_program: Program) -> None:
    tags = [
        "en",
        "en-GB",
        "EN",
        "nb",
        "nn",
        "no",
        "zh-Hans",
        "ja",
        "und",
        "pt-BR",
        "eng",
        "ar",
        "yi",
        "sr-Latn",
        "xx",
    ]
    for tag in tags:
        row = other_program.execute(
            "SELECT livetranslate.search_configuration(%s)::oid, %s::regconfig::oid",
            (tag, readings([tag])[0].configuration),
        ).fetchone()
        assert row is not None
        assert row[0] == row[1], tag
    known = other_program.execute(
        "SELECT count(*) FROM pg_ts_config WHERE cfgnamespace = 'livetranslate'::regnamespace"
    ).fetchone()
    assert known == (len(readings(None)) - 1,)
    assert readings(None)[0] == SIMPLE
