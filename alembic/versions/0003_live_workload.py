"""The live workload: an interim revision touches no index, and a row holds no byte that it does not need.

Both tables of texts are made anew with their rows: an exclusive lock on `transcripts` and `translations` until
the indexes are built, and twice their disk meanwhile. Readers and writers wait, so choose a quiet hour.

- The columns that an interim revision changes are the last ones of a transcript. Its text is a draft, which no
  index has, until it is final or its session is over.
- The words of texts are in the indexes only, and a translation is known by its transcript and its language.
- Words depend on no locale, collation or setting. The extension unaccent and the server's parser make those of most
  texts, in half as much time again as a plain `to_tsvector`. It is made in the schema where it is missing, as pg_trgm is.
- A value that most rows have is NULL: empty metadata, the usual source and service, a change that never was.

Rights on the tables are kept, those on single columns are not. Columns, triggers, policies and publications of others
would be lost, so they are refused; views and foreign keys of others are refused by the server.
"""

import unicodedata
from collections.abc import Sequence
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import context, op
from alembic.util import CommandError

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Keys of translations in memory at a time on the way back.
IDS_AT_ONCE = 10_000

# ruff: noqa: RUF001 (letters of other alphabets are meant)

# The rules of `livetranslate_store.reading.search.text`, which reads queries in the same way.
READ_CHARACTERS = 50_000
IGNORED = (
    r"\u00ad\u034f\u061c\u0640\u064b-\u0652\u0591-\u05bd\u05bf\u05c1-\u05c2\u05c4-\u05c5\u05c7\u180b-\u180e"
    r"\u1715\u1734\u1bf2-\u1bf3\u1ce1\u1cf7\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ua9c0\uabec"
    r"\ufe00-\ufe0f\ufeff\U000111c0\U00011235\U0001134d\U000116b6\U0001193d\U000e0000-\U000e01ef"
)
NOT_OF_WORDS = (
    r"\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u00d7\u00f7\u02c2-\u02c5\u02d2-\u02eb\u02ed"
    r"\u02ef-\u02ff\u0375\u037e\u0387\u03f6\u0482\u055a-\u055f\u0589-\u05c6\u05f3-\u060f\u061b-\u061f"
    r"\u066a-\u066d\u06d4\u06dd-\u06de\u06e9\u06fd-\u06fe\u0700-\u070f\u07f6-\u07f9\u07fe-\u07ff"
    r"\u0830-\u083e\u085e\u0888\u0890-\u0891\u08e2\u0964-\u0965\u0970\u09f2-\u09fb\u09fd\u0a76\u0af0-\u0af1"
    r"\u0b70\u0b72-\u0b77\u0bf0-\u0bfa\u0c77-\u0c7f\u0c84\u0d4f\u0d58-\u0d5e\u0d70-\u0d79\u0df4\u0e2f\u0e3f"
    r"\u0e4f\u0e5a-\u0e5b\u0f01-\u0f17\u0f1a-\u0f1f\u0f2a-\u0f34\u0f36\u0f38\u0f3a-\u0f3d\u0f85"
    r"\u0fbe-\u0fc5\u0fc7-\u0fda\u104a-\u104f\u109e-\u109f\u10fb\u1360-\u137c\u1390-\u1399\u1400"
    r"\u166d-\u166e\u1680\u169b-\u169c\u16eb-\u16ed\u1715\u1734-\u1736\u17d4-\u17d6\u17d8-\u17db"
    r"\u17f0-\u180a\u1940-\u1945\u19da-\u19ff\u1a1e-\u1a1f\u1aa0-\u1aa6\u1aa8-\u1aad\u1b5a-\u1b6a"
    r"\u1b74-\u1b7e\u1bf2-\u1bff\u1c3b-\u1c3f\u1c7e-\u1c7f\u1cc0-\u1cc7\u1cd3\u1ce1\u1cf7\u2000-\u20c0"
    r"\u2100-\u214f\u218a-\u2bff\u2ce5-\u2cea\u2cf9-\u2cff\u2d70\u2e00-\u3004\u3008-\u3030\u3036-\u303f"
    r"\u30a0\u30fb\u3190-\u3191\u31c0-\u31e3\u3248-\u327f\u4dc0-\u4dff\ua490-\ua4c6\ua4fe-\ua4ff"
    r"\ua60d-\ua60f\ua673\ua67e\ua6f2-\ua716\ua720-\ua721\ua789-\ua78a\ua828-\ua82b\ua830-\ua839"
    r"\ua874-\ua877\ua8ce-\ua8cf\ua8f8-\ua8fa\ua8fc\ua92e-\ua92f\ua95f\ua9c0-\ua9cd\ua9de-\ua9df"
    r"\uaa5c-\uaa5f\uaa77-\uaa79\uaade-\uaadf\uaaf0-\uaaf1\uab5b\uab6a-\uab6b\uabeb-\uabec\ufbb2-\ufe6b"
    r"\uff01-\ufffd\U00010100-\U0001013f\U00010175-\U000101fc\U000102e1-\U000102fb\U00010320-\U00010323"
    r"\U0001039f\U000103d0\U0001056f\U00010857-\U0001085f\U00010877-\U0001087f\U000108a7-\U000108af"
    r"\U000108fb-\U000108ff\U00010916-\U0001091f\U0001093f\U000109bc-\U000109bd\U000109c0-\U000109ff"
    r"\U00010a40-\U00010a58\U00010a7d-\U00010a7f\U00010a9d-\U00010a9f\U00010ac8\U00010aeb-\U00010af6"
    r"\U00010b39-\U00010b3f\U00010b58-\U00010b5f\U00010b78-\U00010b7f\U00010b99-\U00010baf"
    r"\U00010cfa-\U00010cff\U00010e60-\U00010e7e\U00010ead\U00010f1d-\U00010f26\U00010f51-\U00010f59"
    r"\U00010f86-\U00010f89\U00010fc5-\U00010fcb\U00011047-\U00011065\U000110bb-\U000110c1\U000110cd"
    r"\U00011140-\U00011143\U00011174-\U00011175\U000111c0\U000111c5-\U000111c8\U000111cd\U000111db"
    r"\U000111dd-\U000111f4\U00011235\U00011238-\U0001123d\U000112a9\U0001134d\U0001144b-\U0001144f"
    r"\U0001145a-\U0001145d\U000114c6\U000115c1-\U000115d7\U00011641-\U00011643\U00011660-\U0001166c"
    r"\U000116b6\U000116b9\U0001173a-\U0001173f\U0001183b\U000118ea-\U000118f2\U0001193d"
    r"\U00011944-\U00011946\U000119e2\U00011a3f-\U00011a46\U00011a9a-\U00011a9c\U00011a9e-\U00011aa2"
    r"\U00011c41-\U00011c45\U00011c5a-\U00011c71\U00011ef7-\U00011ef8\U00011fc0-\U00011fff"
    r"\U00012470-\U00012474\U00012ff1-\U00012ff2\U00013430-\U00013438\U00016a6e-\U00016a6f\U00016af5"
    r"\U00016b37-\U00016b3f\U00016b44-\U00016b45\U00016b5b-\U00016b61\U00016e80-\U00016e9a\U00016fe2"
    r"\U0001bc9c\U0001bc9f-\U0001bca3\U0001cf50-\U0001d166\U0001d16a-\U0001d17a\U0001d183-\U0001d184"
    r"\U0001d18c-\U0001d1a9\U0001d1ae-\U0001d241\U0001d245-\U0001d9ff\U0001da37-\U0001da3a"
    r"\U0001da6d-\U0001da74\U0001da76-\U0001da83\U0001da85-\U0001da8b\U0001e14f\U0001e2ff"
    r"\U0001e8c7-\U0001e8cf\U0001e95e-\U0001fbca"
)
MARKS = (
    r"\u0300-\u0344\u0346-\u036f\u0483-\u0489\u0658\u06df-\u06e0\u06ea-\u06ec\u0740-\u074a\u07eb-\u07f3"
    r"\u07fd\u0818-\u0819\u082d\u0859-\u085b\u0898-\u089f\u08ca-\u08d3\u08e0-\u08e1\u08ea-\u08ef\u093c"
    r"\u094d\u0951-\u0954\u09bc\u09cd\u09fe\u0a3c\u0a4d\u0abc\u0acd\u0afd-\u0aff\u0b3c\u0b4d-\u0b55\u0bcd"
    r"\u0c04\u0c3c\u0c4d\u0cbc\u0ccd\u0d3b-\u0d3c\u0d4d\u0dca\u0e47-\u0e4c\u0e4e\u0eba\u0ec8-\u0ecc"
    r"\u0f18-\u0f19\u0f35-\u0f3f\u0f82-\u0f87\u0fc6\u1037\u1039-\u103a\u135d-\u135f\u1714\u17b4-\u17b5"
    r"\u17c9-\u17d3\u17dd\u180f\u1939-\u193b\u1a60\u1a75-\u1a7f\u1ab0-\u1abe\u1ac1-\u1acb\u1b34\u1b44"
    r"\u1b6b-\u1b73\u1baa-\u1bab\u1be6\u1c37\u1cd0-\u1ce8\u1ced\u1cf4\u1cf8-\u1cf9\u1dc0-\u1de6"
    r"\u1df5-\u1dff\u2cef-\u2cf1\u2d7f\u3099-\u309a\ua66f-\ua672\ua67c-\ua67d\ua6f0-\ua6f1\ua806\ua82c"
    r"\ua8c4\ua8e0-\ua8f1\ua92b-\ua92d\ua953\ua9b3\uaabf\uaac1\uaaf6\uabed\U000101fd\U000102e0"
    r"\U00010a38-\U00010a3f\U00010ae5-\U00010ae6\U00010f46-\U00010f50\U00010f82-\U00010f85\U00011046"
    r"\U00011070\U0001107f-\U00011081\U000110b9-\U000110ba\U00011133-\U00011134\U00011173"
    r"\U000111c9-\U000111cc\U00011236\U000112e9-\U000112ea\U0001133b-\U0001133c\U00011366-\U00011374"
    r"\U00011442\U00011446\U0001145e\U000114c2-\U000114c3\U000115bf-\U000115c0\U0001163f\U000116b7"
    r"\U0001172b\U00011839-\U0001183a\U0001193e\U00011943\U000119e0\U00011a33-\U00011a34\U00011a47"
    r"\U00011a98-\U00011a99\U00011c3f\U00011d42\U00011d44-\U00011d45\U00011d97\U00016af0-\U00016af4"
    r"\U00016b30-\U00016b36\U00016fe4\U0001bc9d\U0001cf00-\U0001daaf\U0001e130-\U0001e136\U0001e2ae"
    r"\U0001e2ec-\U0001e2ef\U0001e8d0-\U0001e8d6\U0001e944-\U0001e946\U0001e948-\U0001e94a"
)
UNSPACED = (
    r"[\u0e01-\u0e2e\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec6\u0edc-\u0edf"
    r"\u1000-\u102a\u103f\u1050-\u1055\u1780-\u17b3\u17d7\u17dc\u3005-\u3007\u3041-\u3096\u309d-\u309f"
    r"\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    r"\U00020000-\U0003ffff]"
    r"[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u17b4-\u17d3"
    r"\u17dd\u3099\u309a]*"
)
# In texts of these characters alone, unaccent and lower case make what all the rules make, in each version of
# PostgreSQL, and its parser sees no address, number with a sign, path or tag once `-` and `.` are spaces.
PLAIN = (
    r"\t\n\r -%\u0027-*,-.0-;=-?A-\u005e`-}\u00a1\u00bf\u2010-\u2015\u2018-\u201a\u201c-\u201f\u2026"
    r"\u00c0-\u00cf\u00d1-\u00d6\u00d8-\u00dd\u00df-\u00ef\u00f1-\u00f6\u00f8-\u00fd\u00ff-\u0137\u0139-\u013e"
    r"\u0141-\u0148\u014c-\u017f\u01a0-\u01a1\u01af-\u01b0\u01cd-\u01dc\u0218-\u021b\u1e00-\u1e99\u1e9e-\u1ef9"
    r"\u0400-\u0481\u048a-\u052f\u0531-\u0556\u0560-\u0586\u05d0-\u05ea\u0620-\u063f\u0641-\u064a\u0679-\u06d3"
    r"\u0901-\u093b\u093d-\u094d\u10d0-\u10fa"
)
# Chinese, Japanese and Korean characters that have no other form, and ASCII.
UNCHANGED = r"\u0001-\u007f\u3001-\u3098\u30a0-\u30fe\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff0f\uff1a-\uff20"
# The stemmer of a language by the first part of its tag; the most frequent are compared first.
STEMMERS = """
    en english es spanish fr french de german pt portuguese it italian ru russian nl dutch ar arabic hi hindi
    tr turkish id indonesian sv swedish da danish nb norwegian nn norwegian no norwegian fi finnish el greek
    hu hungarian ro romanian ca catalan eu basque ga irish hy armenian lt lithuanian ne nepali sr serbian
    ta tamil yi yiddish
"""


def regex(pattern: str) -> str:
    """Return a regular expression as a literal that no setting of the server changes."""
    return "E'" + pattern.replace("\\", "\\\\") + "'"


# The patterns, and what takes the place of a match, as literals.
DROPPED, FIRST = regex(rf"([A-Za-z\u0370-\u03ff])[\u0300-\u036f]+|[{IGNORED}]"), regex(r"\1")
SEPARATORS = regex(f"^[{MARKS}]+|[{NOT_OF_WORDS}]+[{MARKS}]*")
NOT_ASCII_WORDS = regex("[^0-9A-Za-z]+")
RUN, APART = regex(f"((?:{UNSPACED})+)[{MARKS}]*"), regex(r" \1 ")
CHARACTER, TWICE = regex(f"({UNSPACED})"), regex(r"\1 \1")
CHANGED = regex(f"[^{UNCHANGED}]")
# A virama that follows no letter begins a word.
NOT_PLAIN = regex(rf"[^{PLAIN}]|(^|[^\u0901-\u094d])\u094d")


# The extension may be in any schema, and which one is written down here. Its dictionary reads a whole text too.
UNACCENTED = """
DO $do$
DECLARE
    place name;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'unaccent') THEN
        BEGIN
            CREATE EXTENSION unaccent SCHEMA livetranslate;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'Search needs the extension unaccent, which this user may not create.'
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'Let a superuser run CREATE EXTENSION unaccent in this database, or grant CREATE on it.';
        END;
    END IF;
    SELECT nspname INTO place
    FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'unaccent';
    EXECUTE format($f$
        CREATE OR REPLACE FUNCTION livetranslate.search_unaccented(value text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN coalesce((ts_lexize('%I.unaccent', value))[1], value)
    $f$, place);
END
$do$
"""

# A collation that knows the letters of all scripts, whatever the locale of the database is. Where none is at
# hand, a list of the letters takes its place.
LOWER = """
DO $do$
DECLARE
    known text[] := ARRAY['pg_c_utf8', 'C.utf8', 'C.UTF-8', 'und-x-icu'];
    candidate name;
    lowered text;
    found text := $f$CASE WHEN octet_length(value) = char_length(value) THEN lower(value COLLATE "C")
        ELSE lower(translate(value, 'CAPITALS', 'SMALL') COLLATE "C") END$f$;
BEGIN
    FOR candidate IN
        SELECT collname FROM pg_catalog.pg_collation
        WHERE collnamespace = 'pg_catalog'::regnamespace AND collname = ANY (known)
        ORDER BY array_position(known, collname::text)
    LOOP
        BEGIN
            EXECUTE format($f$SELECT lower('ŁЖԱႠ' COLLATE pg_catalog.%I)$f$, candidate) INTO lowered;
        EXCEPTION WHEN OTHERS THEN
            CONTINUE;
        END;
        IF lowered = 'łжաⴀ' THEN
            found := format('lower(value COLLATE pg_catalog.%I)', candidate);
            EXIT;
        END IF;
    END LOOP;
    EXECUTE format($f$
        CREATE OR REPLACE FUNCTION livetranslate.search_lower(value text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN (%s) COLLATE "C"
    $f$, found);
END
$do$
"""

SIMILARITY = """
DO $do$
DECLARE
    place name;
BEGIN
    SELECT nspname INTO place
    FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'pg_trgm';
    EXECUTE format($f$
        CREATE OR REPLACE FUNCTION livetranslate.search_similarity(word text, value text) RETURNS real
        LANGUAGE sql STABLE PARALLEL SAFE
        RETURN %I.word_similarity(
            livetranslate.search_letters(word), livetranslate.search_letters(livetranslate.search_text(value)))
    $f$, place);
END
$do$
"""

CHECK_DEPENDENTS = """
DO $do$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_class AS c
        WHERE c.oid IN ('livetranslate.transcripts'::regclass, 'livetranslate.translations'::regclass) AND (
            EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
            OR EXISTS (SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid = c.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r WHERE r.prrelid = c.oid)
            OR EXISTS (
                SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT IN (
                    'session_id', 'id', 'transcript_id', 'text', 'language', 'source_language', 'target_language',
                    'start_time', 'end_time', 'timestamp', 'speaker_label', 'confidence', 'segment_index',
                    'segment_key', 'source', 'service', 'model', 'revision', 'transcript_revision', 'is_final',
                    'audio_file_id', 'words', 'metadata', 'created_at', 'updated_at', 'search'
                )
            )
        )
    ) THEN
        RAISE EXCEPTION 'A column, a trigger, a policy or a publication of others belongs to transcripts or translations.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Drop it, upgrade, and make it again: both tables are made anew.';
    END IF;
END
$do$
"""

# On a cluster they lie beside the other tables of a session before they get its rows.
DISTRIBUTE = """
DO $do$
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        IF EXISTS (SELECT 1 FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 'livetranslate.sessions'::regclass) THEN
            PERFORM pg_catalog.create_distributed_table(
                'livetranslate.TABLE_new', 'session_id', colocate_with => 'livetranslate.sessions');
        END IF;
    END IF;
END
$do$
"""

NEW_TRANSCRIPTS = """
CREATE TABLE livetranslate.transcripts_new (
    session_id uuid NOT NULL,
    id uuid NOT NULL,
    start_time double precision,
    "timestamp" double precision NOT NULL
        GENERATED ALWAYS AS (COALESCE(start_time, end_time, 0.0)) STORED,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    segment_index integer DEFAULT '0' NOT NULL,
    audio_file_id uuid,
    language text COLLATE "C" NOT NULL,
    source text,
    segment_key text,
    speaker_label text,
    metadata jsonb,
    words jsonb,
    confidence double precision,
    revision bigint DEFAULT '0' NOT NULL,
    end_time double precision,
    updated_at timestamp with time zone,
    is_final boolean DEFAULT 'false' NOT NULL,
    text text,
    draft text,
    CONSTRAINT ck_transcripts_text_or_draft CHECK ((text IS NULL) <> (draft IS NULL)),
    CONSTRAINT ck_transcripts_metadata_object CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT ck_transcripts_confidence_share CHECK (confidence BETWEEN 0 AND 1),
    CONSTRAINT ck_transcripts_times_ordered CHECK (end_time >= start_time),
    CONSTRAINT ck_transcripts_end_time_finite
        CHECK (end_time BETWEEN -10000000000000 AND 10000000000000),
    CONSTRAINT ck_transcripts_start_time_finite
        CHECK (start_time BETWEEN -10000000000000 AND 10000000000000),
    CONSTRAINT ck_transcripts_revision_not_negative CHECK (revision >= 0),
    CONSTRAINT ck_transcripts_segment_index_not_negative CHECK (segment_index >= 0)
) WITH (fillfactor = 80)
"""
COPY_TRANSCRIPTS = """
INSERT INTO livetranslate.transcripts_new (
    session_id, id, start_time, created_at, segment_index, audio_file_id, language, source, segment_key,
    speaker_label, metadata, words, confidence, revision, end_time, updated_at, is_final, text, draft
)
SELECT t.session_id, t.id, t.start_time, t.created_at, t.segment_index, t.audio_file_id, t.language,
       nullif(t.source, 'transcriber'), t.segment_key, t.speaker_label, nullif(t.metadata, '{}'), t.words,
       t.confidence, t.revision, t.end_time, nullif(t.updated_at, t.created_at), t.is_final,
       CASE WHEN t.is_final OR s.status IN ('ended', 'error') THEN t.text END,
       CASE WHEN NOT (t.is_final OR s.status IN ('ended', 'error')) THEN t.text END
FROM livetranslate.transcripts AS t JOIN livetranslate.sessions AS s ON s.id = t.session_id
"""

NEW_TRANSLATIONS = """
CREATE TABLE livetranslate.translations_new (
    session_id uuid NOT NULL,
    transcript_id uuid NOT NULL,
    start_time double precision,
    end_time double precision,
    "timestamp" double precision GENERATED ALWAYS AS (COALESCE(start_time, end_time)) STORED,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    transcript_revision bigint DEFAULT '0' NOT NULL,
    confidence double precision,
    updated_at timestamp with time zone,
    target_language text COLLATE "C" NOT NULL,
    source_language text COLLATE "C" NOT NULL,
    service text,
    model text,
    metadata jsonb,
    text text NOT NULL,
    CONSTRAINT ck_translations_metadata_object CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT ck_translations_confidence_share CHECK (confidence BETWEEN 0 AND 1),
    CONSTRAINT ck_translations_times_ordered CHECK (end_time >= start_time),
    CONSTRAINT ck_translations_end_time_finite
        CHECK (end_time BETWEEN -10000000000000 AND 10000000000000),
    CONSTRAINT ck_translations_start_time_finite
        CHECK (start_time BETWEEN -10000000000000 AND 10000000000000),
    CONSTRAINT ck_translations_transcript_revision_not_negative CHECK (transcript_revision >= 0)
)
"""
# Other programs may have written two translations of one transcript into one language. The newest stays, and
# the others go into its metadata, as an import from the older system does it.
COPY_TRANSLATIONS = """
WITH repeated AS (
    SELECT session_id, transcript_id, target_language FROM livetranslate.translations
    GROUP BY session_id, transcript_id, target_language HAVING count(*) > 1
), ranked AS (
    SELECT t.*, row_number() OVER (PARTITION BY t.session_id, t.transcript_id, t.target_language
                                   ORDER BY t.transcript_revision DESC, t.updated_at DESC, t.id) AS place
    FROM livetranslate.translations AS t JOIN repeated USING (session_id, transcript_id, target_language)
), older AS (
    SELECT session_id, id, transcript_id, target_language, to_jsonb(r) - '{search,place}'::text[] AS row
    FROM ranked AS r WHERE place > 1
), superseded AS (
    SELECT session_id, transcript_id, target_language, jsonb_agg(row) AS rows
    FROM older GROUP BY session_id, transcript_id, target_language
)
INSERT INTO livetranslate.translations_new (
    session_id, transcript_id, start_time, end_time, created_at, transcript_revision, confidence, updated_at,
    target_language, source_language, service, model, metadata, text
)
SELECT t.session_id, t.transcript_id, t.start_time, t.end_time, t.created_at, t.transcript_revision, t.confidence,
       nullif(t.updated_at, t.created_at), t.target_language, t.source_language, nullif(t.service, 'translator'),
       t.model, CASE WHEN s.rows IS NULL THEN nullif(t.metadata, '{}')
                ELSE t.metadata || jsonb_build_object('superseded', s.rows) END, t.text
FROM livetranslate.translations AS t
    LEFT JOIN superseded AS s ON s.session_id = t.session_id AND s.transcript_id = t.transcript_id
        AND s.target_language = t.target_language
    LEFT JOIN older AS o ON o.session_id = t.session_id AND o.id = t.id
WHERE o.id IS NULL
"""

# An owner and rights stay those of the table before.
KEEP_RIGHTS = """
DO $do$
DECLARE
    name text;
    old_table regclass;
    new_table text;
    given record;
BEGIN
    FOREACH name IN ARRAY ARRAY['transcripts', 'translations'] LOOP
        old_table := 'livetranslate.' || name;
        new_table := 'livetranslate.' || name || '_new';
        FOR given IN
            SELECT a.privilege_type, a.is_grantable,
                   CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
            FROM pg_catalog.pg_class AS c, pg_catalog.aclexplode(c.relacl) AS a
            WHERE c.oid = old_table AND a.grantee <> c.relowner
        LOOP
            EXECUTE format('GRANT %s ON %s TO %s %s', given.privilege_type, new_table, given.grantee,
                           CASE WHEN given.is_grantable THEN 'WITH GRANT OPTION' END);
        END LOOP;
        FOR given IN
            SELECT c.relowner::regrole::text AS owner FROM pg_catalog.pg_class AS c
            WHERE c.oid = old_table AND c.relowner <> current_user::regrole
        LOOP
            EXECUTE format('ALTER TABLE %s OWNER TO %s', new_table, given.owner);
        END LOOP;
    END LOOP;
END
$do$
"""

# Every index and reference, once the rows are there.
FINISH = """
DROP TABLE livetranslate.translations;
DROP TABLE livetranslate.transcripts;
ALTER TABLE livetranslate.transcripts_new RENAME TO transcripts;
ALTER TABLE livetranslate.translations_new RENAME TO translations;
-- Before the primary key: while the table is empty, both cost the same for a look-up by the key, and of such
-- indexes the planner takes the newest. The plans are kept, and would read more and more of each session.
CREATE INDEX ix_transcripts_timeline
    ON livetranslate.transcripts (session_id, "timestamp", segment_index, id);
ALTER TABLE livetranslate.transcripts ADD CONSTRAINT pk_transcripts PRIMARY KEY (session_id, id);
ALTER TABLE livetranslate.translations
    ADD CONSTRAINT pk_translations PRIMARY KEY (session_id, transcript_id, target_language);
ALTER TABLE livetranslate.transcripts ADD CONSTRAINT fk_transcripts_sessions
    FOREIGN KEY (session_id) REFERENCES livetranslate.sessions (id) ON DELETE CASCADE;
ALTER TABLE livetranslate.transcripts ADD CONSTRAINT fk_transcripts_audio_files
    FOREIGN KEY (session_id, audio_file_id) REFERENCES livetranslate.audio_files (session_id, id);
ALTER TABLE livetranslate.translations ADD CONSTRAINT fk_translations_transcripts
    FOREIGN KEY (session_id, transcript_id) REFERENCES livetranslate.transcripts (session_id, id)
    ON DELETE CASCADE;
CREATE INDEX ix_transcripts_audio_file_id
    ON livetranslate.transcripts (session_id, audio_file_id) WHERE audio_file_id IS NOT NULL;
CREATE INDEX ix_transcripts_drafts ON livetranslate.transcripts (session_id) WHERE text IS NULL;
CREATE INDEX ix_transcripts_search
    ON livetranslate.transcripts USING gin (livetranslate.search_vector(language, text))
    WITH (gin_pending_list_limit = 1024) WHERE text IS NOT NULL;
CREATE STATISTICS livetranslate.transcripts_words
    ON (livetranslate.search_vector(language, text)) FROM livetranslate.transcripts;
CREATE INDEX ix_translations_timeline
    ON livetranslate.translations (session_id, "timestamp") WHERE "timestamp" IS NOT NULL;
CREATE INDEX ix_translations_search
    ON livetranslate.translations USING gin (livetranslate.search_vector(target_language, text))
    WITH (gin_pending_list_limit = 1024)
"""

# Not of empty tables: the planner would take them to stay empty.
ANALYZE = """
DO $do$
BEGIN
    IF EXISTS (SELECT 1 FROM livetranslate.transcripts) THEN
        ANALYZE livetranslate.transcripts, livetranslate.translations;
    END IF;
END
$do$
"""

INDEXES_BEFORE = """
ALTER TABLE livetranslate.transcripts DROP COLUMN draft;
ALTER TABLE livetranslate.translations DROP CONSTRAINT pk_translations;
ALTER TABLE livetranslate.translations ADD CONSTRAINT pk_translations PRIMARY KEY (session_id, id);
CREATE INDEX ix_translations_transcript_id
    ON livetranslate.translations (session_id, transcript_id, target_language, id);
CREATE INDEX ix_transcripts_search ON livetranslate.transcripts USING gin (search);
CREATE INDEX ix_translations_search ON livetranslate.translations USING gin (search)
"""

# Elsewhere it was there before, and stays.
DROP_EXTENSION = """
DO $do$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace
        WHERE extname = 'unaccent' AND nspname = 'livetranslate'
    ) THEN
        DROP EXTENSION unaccent;
    END IF;
END
$do$
"""

UPDATED_LATER = ("sessions", "audio_files", "speakers")


def words() -> list[str]:
    """Return the functions that make the words of a text.

    No setting changes them: bodies in the form of the SQL standard are read here, once and for all, and those in
    plpgsql name the schema of whatever they use.
    """
    stemmers = STEMMERS.split()
    whens = "\n".join(
        f"        WHEN '{tag}' THEN 'livetranslate.search_{language}'::regconfig"
        for tag, language in zip(stemmers[::2], stemmers[1::2], strict=True)
    )
    capitals = [chr(code) for code in range(0x80, 0x20000) if _is_capital(chr(code))]
    return [
        f"""
CREATE OR REPLACE FUNCTION livetranslate.search_configuration(language text) RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN
    CASE lower(split_part(language, '-', 1) COLLATE "C")
{whens}
        ELSE 'pg_catalog.simple'::regconfig
    END""",
        UNACCENTED,
        LOWER.replace("CAPITALS", "".join(capitals)).replace("SMALL", "".join(map(str.lower, capitals))),
        # Words in lower case without accents, one space between; a script without spaces becomes pairs of
        # neighbours, so that any piece of it is found: ABC is read as A AB BC C.
        f"""
CREATE OR REPLACE FUNCTION livetranslate.search_text(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    folded pg_catalog.text;
BEGIN
    IF pg_catalog.octet_length(value) OPERATOR(pg_catalog.=) pg_catalog.char_length(value) THEN
        RETURN pg_catalog.lower(pg_catalog.regexp_replace(
            pg_catalog.left(value, {READ_CHARACTERS}), {NOT_ASCII_WORDS}, ' ', 'g') COLLATE pg_catalog."C");
    END IF;
    IF pg_catalog.char_length(value) OPERATOR(pg_catalog.<=) {READ_CHARACTERS}
        AND value COLLATE pg_catalog."C" OPERATOR(pg_catalog.!~) {CHANGED}
    THEN
        folded := pg_catalog.lower(value COLLATE pg_catalog."C");
    ELSE
        folded := normalize(pg_catalog.regexp_replace(
            pg_catalog.left(normalize(pg_catalog.left(value, {READ_CHARACTERS}), NFKD), {3 * READ_CHARACTERS}),
            {DROPPED}, {FIRST}, 'g'), NFC);
        folded := pg_catalog.translate(
            livetranslate.search_lower(pg_catalog.replace(folded, 'İ', 'i')),
            'øłđıħŧςёᲀᲁᲂᲃᲄᲅᲆᲇᲈ', 'oldihtσевдосттъѣꙋ');
        folded := pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
            folded, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe');
    END IF;
    RETURN pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.regexp_replace(
        folded COLLATE pg_catalog."C",
        {SEPARATORS}, ' ', 'g'), {RUN}, {APART}, 'g'), {CHARACTER}, {TWICE}, 'g');
END
$$""",
        # In plpgsql: the planner would write the body of another function into each statement anew, in a
        # millisecond.
        f"""
CREATE OR REPLACE FUNCTION livetranslate.search_vector(language text, value text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF pg_catalog.octet_length(value) OPERATOR(pg_catalog.>) {READ_CHARACTERS}
        OR value COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) {NOT_PLAIN}
    THEN
        RETURN pg_catalog.to_tsvector(
            livetranslate.search_configuration(language), livetranslate.search_text(value));
    END IF;
    IF pg_catalog.octet_length(value) OPERATOR(pg_catalog.=) pg_catalog.char_length(value) THEN
        RETURN pg_catalog.to_tsvector(
            livetranslate.search_configuration(language),
            pg_catalog.lower(
                pg_catalog.replace(pg_catalog.replace(value, '-', ' '), '.', ' ') COLLATE pg_catalog."C"));
    END IF;
    RETURN pg_catalog.to_tsvector(
        livetranslate.search_configuration(language),
        livetranslate.search_lower(pg_catalog.replace(
            pg_catalog.replace(livetranslate.search_unaccented(value), '-', ' '), '.', ' ')));
END
$$""",
    ]


# The scripts with spaces whose letters pg_trgm may not know: it asks the locale of the database.
SCRIPTS = (
    ("\u0370", "\u03ff"),  # Greek
    ("\u0400", "\u052f"),  # Cyrillic
    ("\u0531", "\u0587"),  # Armenian
    ("\u05d0", "\u05f2"),  # Hebrew
    ("\u0620", "\u06d3"),  # Arabic
    ("\u0900", "\u097f"),  # Devanagari
    ("\u0980", "\u09ff"),  # Bengali
    ("\u0a00", "\u0a7f"),  # Gurmukhi
    ("\u0a80", "\u0aff"),  # Gujarati
    ("\u0b80", "\u0bff"),  # Tamil
    ("\u0c00", "\u0c7f"),  # Telugu
    ("\u0c80", "\u0cff"),  # Kannada
    ("\u0d00", "\u0d7f"),  # Malayalam
    ("\u10d0", "\u10ff"),  # Georgian
)
STAND_INS = "abcdefghijklmnopqrstuvwxyz0123456789"


def _letters() -> str:
    """Return the function that writes letters of other scripts as ASCII, so that every locale has trigrams."""
    steps = []
    for first, last in SCRIPTS:
        signs = [chr(code) for code in range(ord(first), ord(last) + 1)]
        letters = [each for each in signs if unicodedata.category(each) in {"Ll", "Lo", "Mc", "Mn"}]
        stand_ins = (STAND_INS * 3)[: len(letters)]
        steps.append(f"""
    IF letters COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) '[{first}-{last}]' THEN
        letters := pg_catalog.translate(letters, '{"".join(letters)}', '{stand_ins}');
    END IF;""")
    return f"""
CREATE OR REPLACE FUNCTION livetranslate.search_letters(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    letters pg_catalog.text := value;
BEGIN
    IF pg_catalog.octet_length(value) OPERATOR(pg_catalog.=) pg_catalog.char_length(value) THEN
        RETURN value;
    END IF;{"".join(steps)}
    RETURN letters;
END
$$"""


def _is_capital(letter: str) -> bool:
    """Return whether a letter has a small form, and has none of the marks that are taken off before."""
    small = letter.lower()
    return len(small) == 1 and small != letter and unicodedata.normalize("NFKC", letter) == letter


def functions() -> list[str]:
    """Return the functions that differ from those of 0002."""
    return [
        *words(),
        _letters(),
        SIMILARITY,
        # The planner has statistics of these expressions; for a partial index it takes a statistics object.
        """
CREATE OR REPLACE FUNCTION livetranslate.search_estimate(
    relation regclass, query tsquery, OUT matching float, OUT stored float
)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    language text := CASE relation WHEN 'livetranslate.translations'::regclass
        THEN 'target_language' ELSE 'language' END;
    plan json;
BEGIN
    EXECUTE pg_catalog.format(
        'EXPLAIN (FORMAT JSON) SELECT FROM %s WHERE text IS NOT NULL'
        ' AND livetranslate.search_vector(%I, text) OPERATOR(pg_catalog.@@) %L::pg_catalog.tsquery',
        relation, language, query
    ) INTO plan;
    matching := pg_catalog.json_extract_path_text(plan, '0', 'Plan', 'Plan Rows');
    SELECT reltuples INTO stored FROM pg_catalog.pg_class WHERE oid = relation;
END
$$""",
    ]


def upgrade() -> None:
    op.execute(CHECK_DEPENDENTS)
    op.execute("LOCK TABLE livetranslate.transcripts, livetranslate.translations IN ACCESS EXCLUSIVE MODE")
    for statement in functions():
        op.execute(statement)
    for statement in (
        NEW_TRANSCRIPTS,
        DISTRIBUTE.replace("TABLE", "transcripts"),
        COPY_TRANSCRIPTS,
        NEW_TRANSLATIONS,
        DISTRIBUTE.replace("TABLE", "translations"),
        COPY_TRANSLATIONS,
        KEEP_RIGHTS,
    ):
        op.execute(statement)
    for statement in FINISH.split(";"):
        op.execute(statement)
    op.execute(ANALYZE)
    for table in UPDATED_LATER:
        op.alter_column(table, "updated_at", server_default=None, nullable=True, schema="livetranslate")


def downgrade() -> None:
    if context.is_offline_mode():
        raise CommandError(
            "The ids of translations are made here: go back with a connection, not by a script."
        )
    op.execute("LOCK TABLE livetranslate.transcripts, livetranslate.translations IN ACCESS EXCLUSIVE MODE")
    op.execute("DROP INDEX livetranslate.ix_translations_search")
    op.execute("DROP INDEX livetranslate.ix_transcripts_search")
    op.execute("DROP INDEX livetranslate.ix_transcripts_drafts")
    op.execute("DROP STATISTICS livetranslate.transcripts_words")
    op.execute("ALTER TABLE livetranslate.transcripts DROP CONSTRAINT ck_transcripts_text_or_draft")
    script = context.script.get_revision("0002")
    assert script is not None  # noqa: S101 (this one follows it)
    for statement in (*script.module.functions(), script.module.SIMILARITY):
        op.execute(statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    for name in ("search_letters", "search_lower", "search_unaccented"):
        op.execute(f"DROP FUNCTION livetranslate.{name}(text)")
    op.execute(DROP_EXTENSION)
    op.execute("ALTER TABLE livetranslate.translations ADD COLUMN id uuid")
    _write_ids()
    for table, name, language, text, usual in (
        ("transcripts", "source", "language", "coalesce(text, draft)", "transcriber"),
        ("translations", "service", "target_language", "text", "translator"),
    ):
        # One rewrite fills what was NULL.
        op.execute(f"""
ALTER TABLE livetranslate.{table}
    ALTER COLUMN {name} TYPE text USING coalesce({name}, '{usual}'),
    ALTER COLUMN {name} SET DEFAULT '{usual}',
    ALTER COLUMN {name} SET NOT NULL,
    ALTER COLUMN text TYPE text USING {text},
    ALTER COLUMN text SET NOT NULL,
    ALTER COLUMN metadata TYPE jsonb USING coalesce(metadata, '{{}}'),
    ALTER COLUMN metadata SET DEFAULT '{{}}',
    ALTER COLUMN metadata SET NOT NULL,
    ALTER COLUMN updated_at TYPE timestamp with time zone USING coalesce(updated_at, created_at),
    ALTER COLUMN updated_at SET DEFAULT statement_timestamp(),
    ALTER COLUMN updated_at SET NOT NULL,
    RESET (fillfactor),
    ADD COLUMN search tsvector
        GENERATED ALWAYS AS (livetranslate.search_vector({language}, text)) STORED
""")
    for statement in INDEXES_BEFORE.split(";"):
        op.execute(statement)
    for table in UPDATED_LATER:
        op.execute(f"UPDATE livetranslate.{table} SET updated_at = created_at WHERE updated_at IS NULL")  # noqa: S608 (constants)
        op.alter_column(
            table,
            "updated_at",
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
            schema="livetranslate",
        )


def _write_ids() -> None:
    """Write the ids that the version before derives from transcript and language."""
    connection = op.get_bind()
    after: tuple[UUID, UUID, str] = (UUID(int=0), UUID(int=0), "")
    read = sa.text("""
SELECT session_id, transcript_id, target_language FROM livetranslate.translations
WHERE (session_id, transcript_id, target_language) > (:session_id, :transcript_id, :language)
ORDER BY session_id, transcript_id, target_language LIMIT :most
""").bindparams(sa.bindparam("session_id", type_=sa.Uuid), sa.bindparam("transcript_id", type_=sa.Uuid))
    write = sa.text("""
UPDATE livetranslate.translations AS t SET id = new.id
FROM unnest(:sessions, :transcripts, :languages, :ids) AS new (session_id, transcript_id, language, id)
WHERE t.session_id = new.session_id AND t.transcript_id = new.transcript_id AND t.target_language = new.language
""").bindparams(
        *(sa.bindparam(name, type_=sa.ARRAY(sa.Uuid)) for name in ("sessions", "transcripts", "ids")),
        sa.bindparam("languages", type_=sa.ARRAY(sa.Text)),
    )
    while True:
        session_id, transcript_id, language = after
        values = {"session_id": session_id, "transcript_id": transcript_id, "language": language}
        keys = [tuple(row) for row in connection.execute(read, {**values, "most": IDS_AT_ONCE})]
        if not keys:
            return
        sessions, transcripts, languages = (list(each) for each in zip(*keys, strict=True))
        ids = [uuid5(transcript_id, language) for _, transcript_id, language in keys]
        connection.execute(
            write, {"sessions": sessions, "transcripts": transcripts, "languages": languages, "ids": ids}
        )
        after = keys[-1]
