# ruff: noqa: RUF001 (letters of other alphabets are meant)
"""Letters: found whatever their case is, and read in the same way by every server and in every locale."""

import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from alembic.script import ScriptDirectory
from helpers.stored import Program
from helpers.support import transcript, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetranslate_store import Store
from livetranslate_store.reading.search.text import folded
from livetranslate_store.schema.upgrade import configuration, upgrade


def pairs() -> list[tuple[str, str]]:
    """Return each letter beside its capital, small and title forms."""
    letters = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == "L"]
    return [
        (letter, other)
        for letter in letters
        for other in {letter.lower(), letter.upper(), letter.title()} - {letter}
        if len(other) == 1
    ]


# Inside of words: a letter alone may be a stop word, or end one.
DIFFERENT = """
    SELECT letter, other FROM unnest(%s::text[], %s::text[]) AS pair (letter, other)
    WHERE livetranslate.search_vector('und', 'x' || letter || 'x') = ''
       OR livetranslate.search_vector('und', 'x' || letter || 'x')
          <> livetranslate.search_vector('und', 'x' || other || 'x')
"""


def different(connection: Program) -> list[tuple[str, str]]:
    """Return the letters that are read in another way than one of their other forms."""
    return connection.execute(DIFFERENT, tuple(map(list, zip(*pairs(), strict=True)))).fetchall()


def test_a_letter_is_read_as_its_capital_and_its_small_form(other_program: Program) -> None:
    assert len(pairs()) > 2_700
    assert [pair for pair in pairs() if len({*map(folded, pair)}) > 1] == []
    assert different(other_program) == []


def test_it_is_also_where_no_collation_knows_all_letters(other_program: Program, owner_url: str) -> None:
    scripts = ScriptDirectory.from_config(configuration(owner_url))
    migration = scripts.get_revision("0003").module
    [lower] = [each for each in migration.functions() if "FUNCTION livetranslate.search_lower" in each]
    known = "ARRAY['pg_c_utf8', 'C.utf8', 'C.UTF-8', 'und-x-icu']"
    assert known in lower
    other_program.execute(lower.replace(known, "ARRAY['missing']"))
    body = other_program.execute(
        "SELECT pg_get_functiondef('livetranslate.search_lower(text)'::regprocedure)"
    ).fetchone()
    assert body is not None
    assert "translate" in body[0]
    assert different(other_program) == []


PLAIN = "aZ09 /<&@~_+éÅßÆøıİŁđŒ\u2019“¿…\u2014,.;:!?-'\"()[]{}|\\^`#%$*=>\tЖйёЁѢאעაԱकि्\u0929"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet=st.sampled_from(PLAIN), max_size=40)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"], max_codepoint=0x24F)),
    tag=st.sampled_from(["und", "es", "tr", "ru", "hi"]),
)
def test_the_short_way_reads_a_text_as_the_long_way_does(other_program: Program, text: str, tag: str) -> None:
    same = other_program.execute(
        "SELECT livetranslate.search_vector(%(tag)s, %(text)s) = to_tsvector("
        "livetranslate.search_configuration(%(tag)s), livetranslate.search_text(%(text)s))",
        {"tag": tag, "text": text},
    ).fetchone()
    assert same == (True,)


class Locale(NamedTuple):
    """How a database is made, and the version of PostgreSQL that it needs."""

    options: str
    version: int = 15


LOCALES = {
    "C": Locale("LOCALE_PROVIDER libc LOCALE 'C'"),
    "C.UTF-8": Locale("LOCALE_PROVIDER libc LOCALE 'C.UTF-8'"),
    "builtin": Locale("LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'", 17),
    "ICU": Locale("LOCALE_PROVIDER icu ICU_LOCALE 'und' LOCALE 'C'"),
    "Turkish": Locale("LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C.UTF-8'"),
}
SAID = [
    ("pl", "Jedziemy do Łodzi. ŁÓDŹ!", ["łódź", "lodz", "ŁODZI"]),
    ("da", "Ørsted boede i Ærø, og Åse i Œrsted.", ["orsted", "ØRSTED", "aerø", "ÆRØ", "œrsted", "ase"]),
    ("hr", "Đakovo i Split", ["đakovo", "dakovo", "ĐAKOVO"]),
    ("ru", "Мы обсудили НОВЫЙ бюджет ёлки", ["новый", "бюджеты", "ЕЛКИ"]),
    ("hy", "Նոր ԲՅՈՒՋԵ ունենք", ["նոր", "բյուջե", "ՆՈՐ"]),
    ("ka", "ახალი ᲑᲘᲣᲯᲔᲢᲘ გვაქვს", ["ბიუჯეტი", "ᲐᲮᲐᲚᲘ"]),
    ("el", "Συζητήσαμε τον ΝΕΟ προϋπολογισμός", ["νεο", "ΠΡΟΫΠΟΛΟΓΙΣΜΟΣ", "προυπολογισμος"]),
    (
        "tr",
        "İstanbul'da ISPARTA ılık, DİYARBAKIR ise sıcak",
        ["istanbul", "ısparta", "isparta", "diyarbakır"],
    ),
    ("en", "INTERESTING ideas, 1e5 of them \u2013 \u201creally\u201d", ["interesting", "idea", "really"]),
    ("en-GB", "Well-known PLANS, e.g. a budget.", ["plan", '"well known"', "budget"]),
    ("vi", "Chúng tôi đã bàn về NGÂN SÁCH.", ["ngan sach", "ĐÃ BÀN"]),
    ("ja", "予算ＡＢＣの件、ﾃｽﾄです。", ["予算", "abc", "テスト"]),
    ("hi", "हमने नए बजट पर चर्चा की", ["बजट", "नए चर्चा"]),
    ("ar", "نَاقَشْنَا الميزانية الجديدة", ["ناقشنا", "الميزانية"]),
]


@pytest.fixture(params=LOCALES)
def url_elsewhere(request: pytest.FixtureRequest, other_program: Program, owner_url: str) -> Iterator[str]:
    """The URL of a database in another locale with the schema, if the server has that locale."""
    locale = LOCALES[request.param]
    if other_program.info.server_version // 10_000 < locale.version:
        pytest.skip(f"PostgreSQL {locale.version} or newer is needed")
    here = other_program.info.dbname
    there = f"{here}_elsewhere"
    other_program.autocommit = True
    try:
        other_program.execute(f"CREATE DATABASE {there} TEMPLATE template0 ENCODING 'UTF8' {locale.options}")
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.WrongObjectType) as missing:
        pytest.skip(f"this server has no such locale: {missing}")
    try:
        url = owner_url.replace(f"/{here}", f"/{there}")
        upgrade(url)
        yield url
    finally:
        other_program.execute(f"DROP DATABASE {there} WITH (FORCE)")


async def test_what_is_said_is_found_in_every_locale(url_elsewhere: str, audio_folder: Path) -> None:
    async with Store.open(url_elsewhere, audio_url=f"file:{audio_folder}", min_connections=1) as store:
        async with store.unit_of_work() as uow:
            session = await uow.sessions.create(bot_id="b", meeting_id="m")
        for language, said, _ in SAID:
            await store.record_segment(
                session.id,
                transcript=transcript(said, language=language, is_final=True),
                translations=[translation(said, language)],
            )
        missing = [
            (language, query)
            for language, said, queries in SAID
            for query in queries
            if [hit.snippet for hit in await store.search(query)] != [said, said]
        ]
        assert missing == []


SHADOWS = """
    CREATE SCHEMA hostile;
    CREATE FUNCTION hostile.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'wrong'::text $$;
    CREATE FUNCTION hostile.replace(text, text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'wrong'::text $$;
    CREATE FUNCTION hostile.left(text, int) RETURNS text LANGUAGE sql AS $$ SELECT 'wrong'::text $$;
    CREATE FUNCTION hostile.regexp_replace(text, text, text, text) RETURNS text
        LANGUAGE sql AS $$ SELECT 'wrong'::text $$;
    CREATE FUNCTION hostile.to_tsvector(regconfig, text) RETURNS tsvector
        LANGUAGE sql AS $$ SELECT 'wrong'::tsvector $$;
    CREATE FUNCTION hostile.word_similarity(text, text) RETURNS real LANGUAGE sql AS $$ SELECT 7::real $$;
    CREATE FUNCTION hostile.never(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
    CREATE FUNCTION hostile.never(int, int) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
    CREATE OPERATOR hostile.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.never);
    CREATE OPERATOR hostile.!~ (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.never);
    CREATE OPERATOR hostile.= (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.never);
    CREATE OPERATOR hostile.> (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.never);
    CREATE OPERATOR hostile.<= (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.never)
"""
READ = """
    SELECT livetranslate.search_vector(language, text), livetranslate.search_text(text),
           livetranslate.search_similarity('budget', text), livetranslate.search_configuration(language)::oid
    FROM (SELECT pg_catalog.unnest(%s::text[]) AS language, pg_catalog.unnest(%s::text[]) AS text) AS said
"""


def test_no_setting_changes_how_a_text_is_read(other_program: Program) -> None:
    said = [[language for language, _, _ in SAID], [text for _, text, _ in SAID]]
    other_program.execute(SHADOWS)
    expected = other_program.execute(READ, said).fetchall()
    other_program.commit()
    info = other_program.info
    with psycopg.connect(
        host=info.host, port=info.port, user=info.user, password=info.password, dbname=info.dbname
    ) as other:
        # In a connection that has not read a text before.
        for setting in (
            "search_path = hostile, pg_catalog",
            "standard_conforming_strings = off",
            "backslash_quote = off",
            "escape_string_warning = on",
            "transform_null_equals = on",
            "default_text_search_config = 'pg_catalog.turkish'",
            "plan_cache_mode = force_generic_plan",
        ):
            other.execute(f"SET {setting}")
        assert other.execute(READ, said).fetchall() == expected
