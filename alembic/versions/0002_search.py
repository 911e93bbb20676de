"""Search: each text indexed by the words of its own language.

The columns are generated and stored: adding them rewrites `transcripts` and `translations`, with an exclusive
lock on both until the indexes are built as well. That takes a minute or two for a million texts; readers and
writers wait meanwhile, so choose a quiet hour. No row changes otherwise, and going back drops what was added.

The extension pg_trgm is used where it is; where it is missing it is made in the schema, which needs the privilege
CREATE on the database, or a superuser who has made it before.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What PostgreSQL 15 and all later versions can stem, by the first part of the tag.
STEMMERS = {
    "arabic": ("ar",),
    "armenian": ("hy",),
    "basque": ("eu",),
    "catalan": ("ca",),
    "danish": ("da",),
    "dutch": ("nl",),
    "english": ("en",),
    "finnish": ("fi",),
    "french": ("fr",),
    "german": ("de",),
    "greek": ("el",),
    "hindi": ("hi",),
    "hungarian": ("hu",),
    "indonesian": ("id",),
    "irish": ("ga",),
    "italian": ("it",),
    "lithuanian": ("lt",),
    "nepali": ("ne",),
    "norwegian": ("nb", "nn", "no"),
    "portuguese": ("pt",),
    "romanian": ("ro",),
    "russian": ("ru",),
    "serbian": ("sr",),
    "spanish": ("es",),
    "swedish": ("sv",),
    "tamil": ("ta",),
    "turkish": ("tr",),
    "yiddish": ("yi",),
}

# ruff: noqa: RUF001 (letters of other alphabets are meant)
# The rules of `livetranslate_store.reading.search.text`, which reads queries in the same way.
READ_CHARACTERS = 50_000
IGNORED = (
    r"\u00ad\u034f\u061c\u0640\u064b-\u0652\u0591-\u05bd\u05bf\u05c1-\u05c2\u05c4-\u05c5\u05c7\u180b-\u180e"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef"
)
NOT_OF_WORDS = (
    r"\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"
    r"\u02c2-\u02c5\u02d2-\u02df\u037e\u0387\u055a-\u055f\u0589-\u058f\u05be\u05c0\u05c3\u05c6\u05f3\u05f4"
    r"\u0600-\u060f\u061b-\u061f\u066a-\u066d\u06d4\u0700-\u070d\u0964\u0965\u0970\u0e2f\u0e3f\u0e4f\u0e5a\u0e5b"
    r"\u0f01-\u0f14\u104a-\u104f\u10fb\u1360-\u1368\u1680\u17d4-\u17d6\u17d8-\u17db\u1800-\u180a\u2000-\u206f"
    r"\u20a0-\u20cf\u2100-\u214f\u2190-\u2bff\u2e00-\u2e7f\u2ff0-\u3004\u3008-\u3030\u3036-\u303f\u30a0\u30fb"
    r"\ud7fc-\ud7ff\ue000-\uf8ff\ufd3e\ufd3f\ufe10-\ufe6f\uff00-\uff0f\uff5f-\uff65\ufff0-\uffff"
    r"\U0001f000-\U0001faff"
)
UNSPACED = (
    r"[\u0e01-\u0e2e\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec6\u0edc-\u0edf"
    r"\u1000-\u102a\u103f\u1050-\u1055\u1780-\u17b3\u17d7\u17dc\u3005-\u3007\u3041-\u3096\u309d-\u309f"
    r"\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    r"\U00020000-\U0003ffff]"
    r"[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u17b4-\u17d3"
    r"\u17dd\u3099\u309a]*"
)
ASCII_PUNCTUATION = "!\"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~"


def configurations() -> list[str]:
    """Return what makes a configuration for each language: no word is left out, so that phrases are exact."""
    statements = []
    for language in STEMMERS:
        name = f"livetranslate.search_{language}"
        statements += [
            f"CREATE TEXT SEARCH DICTIONARY {name} (TEMPLATE = pg_catalog.snowball, LANGUAGE = '{language}')",
            f"CREATE TEXT SEARCH CONFIGURATION {name} (COPY = pg_catalog.simple)",
            f"ALTER TEXT SEARCH CONFIGURATION {name} ALTER MAPPING FOR asciiword, word WITH {name}",
        ]
    return statements


def functions() -> list[str]:
    """Return the functions of which the generated columns are made, and those that searching needs."""
    whens = "\n".join(
        f"        WHEN '{tag}' THEN 'livetranslate.search_{language}'::regconfig"
        for language, tags in STEMMERS.items()
        for tag in tags
    )
    spaces = " " * (len(ASCII_PUNCTUATION) - 1)
    return [
        f"""
CREATE FUNCTION livetranslate.search_configuration(language text) RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE lower(split_part(language, '-', 1) COLLATE "C")
{whens}
        ELSE 'pg_catalog.simple'::regconfig
    END
$$""",
        # Words in lower case without accents, one space between; a script without spaces becomes pairs of
        # neighbours, so that any piece of it is found: ABC is read as A AB BC C.
        f"""
CREATE FUNCTION livetranslate.search_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(value) = char_length(value) THEN
        lower(translate(left(value, {READ_CHARACTERS}), '{ASCII_PUNCTUATION}', '{spaces}'))
    ELSE
        regexp_replace(regexp_replace(regexp_replace(
            replace(replace(replace(translate(lower(normalize(
                regexp_replace(
                    left(normalize(left(value, {READ_CHARACTERS}), NFKD), 3 * {READ_CHARACTERS}),
                    '([A-Za-z\\u0370-\\u03ff])[\\u0300-\\u036f]+|[{IGNORED}]', '\\1', 'g'),
                NFC)), 'øłđıħŧςё', 'oldihtσе'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
            '[{NOT_OF_WORDS}]+', ' ', 'g'),
            '((?:{UNSPACED})+)', ' \\1 ', 'g'),
            '({UNSPACED})', '\\1 \\1', 'g')
    END
$$""",
        """
CREATE FUNCTION livetranslate.search_vector(language text, value text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector(livetranslate.search_configuration(language), livetranslate.search_text(value))
$$""",
        # How many rows of a table the planner expects a query to find, and of how many. EXPLAIN wants it volatile.
        """
CREATE FUNCTION livetranslate.search_estimate(relation regclass, query tsquery, OUT matching float, OUT stored float)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM %s WHERE search @@ %L::tsquery', relation, query) INTO plan;
    matching := plan -> 0 -> 'Plan' ->> 'Plan Rows';
    SELECT reltuples INTO stored FROM pg_catalog.pg_class WHERE oid = relation;
END
$$""",
    ]


# The extension may be in any schema, and which one is written down here: no search_path is relied on.
SIMILARITY = """
DO $do$
DECLARE
    place name;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_trgm') THEN
        BEGIN
            CREATE EXTENSION pg_trgm SCHEMA livetranslate;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'Search needs the extension pg_trgm, which this user may not create.'
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'Let a superuser run CREATE EXTENSION pg_trgm and CREATE EXTENSION unaccent'
                             ' in this database, or grant CREATE on it.';
        END;
    END IF;
    SELECT nspname INTO place
    FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'pg_trgm';
    EXECUTE format($f$
        CREATE FUNCTION livetranslate.search_similarity(word text, value text) RETURNS real
        LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT %1$I.word_similarity(word, value)'
    $f$, place);
END
$do$
"""


def before_tables() -> list[str]:
    """Return the statements that the generated columns rest on."""
    return [*configurations(), *functions(), SIMILARITY]


def upgrade() -> None:
    for statement in before_tables():
        op.execute(statement)
    for table, language in (("transcripts", "language"), ("translations", "target_language")):
        op.add_column(
            table,
            sa.Column(
                "search",
                postgresql.TSVECTOR(),
                sa.Computed(f"livetranslate.search_vector({language}, text)", persisted=True),
                nullable=True,
            ),
            schema="livetranslate",
        )
        op.create_index(
            f"ix_{table}_search", table, ["search"], schema="livetranslate", postgresql_using="gin"
        )


def downgrade() -> None:
    for table in ("translations", "transcripts"):
        op.drop_index(f"ix_{table}_search", table_name=table, schema="livetranslate", postgresql_using="gin")
        op.drop_column(table, "search", schema="livetranslate")
    for function in (
        "search_similarity(text, text)",
        "search_estimate(regclass, tsquery)",
        "search_vector(text, text)",
        "search_text(text)",
        "search_configuration(text)",
    ):
        op.execute(f"DROP FUNCTION livetranslate.{function}")
    for language in STEMMERS:
        op.execute(f"DROP TEXT SEARCH CONFIGURATION livetranslate.search_{language}")
        op.execute(f"DROP TEXT SEARCH DICTIONARY livetranslate.search_{language}")
    # Where it was there before, it stays.
    op.execute("""
DO $do$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace
        WHERE extname = 'pg_trgm' AND nspname = 'livetranslate'
    ) THEN
        DROP EXTENSION pg_trgm;
    END IF;
END
$do$
""")
