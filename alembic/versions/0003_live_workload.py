"""The live workload: an interim revision touches no index, and a row holds no byte that it does not need.

Both tables of texts are made anew with their rows: an exclusive lock on `transcripts` and `translations` until
the indexes are built, and twice their disk meanwhile. Readers and writers wait, so choose a quiet hour.

- The columns that an interim revision changes are the last ones of a transcript, and its words are stored once
  no revision is expected: the row is final, or settled because its meeting is over.
- A translation is known by its transcript and its language, and its words are in the index only.
- A value that most rows have is NULL: empty metadata, the usual source and service, a change that never was.

Rights on the tables are kept. Triggers, policies and publications of others would be lost, so they are refused;
views and foreign keys of others are refused by the server.
"""

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

CHECK_DEPENDENTS = """
DO $do$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_class AS c
        WHERE c.oid IN ('livetranslate.transcripts'::regclass, 'livetranslate.translations'::regclass) AND (
            EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
            OR EXISTS (SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid = c.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r WHERE r.prrelid = c.oid)
        )
    ) THEN
        RAISE EXCEPTION 'A trigger, a policy or a publication belongs to transcripts or translations.'
            USING ERRCODE = 'dependent_objects_still_exist',
                  HINT = 'Drop it, upgrade, and make it again: both tables are made anew.';
    END IF;
END
$do$
"""

# Other programs may have written two translations of one transcript into one language. The newest stays, and
# the others go into its metadata, as an import from the older system does it.
MERGE_REPEATED = """
WITH ranked AS (
    SELECT session_id, id, transcript_id, target_language,
           row_number() OVER (PARTITION BY session_id, transcript_id, target_language
                              ORDER BY transcript_revision DESC, updated_at DESC, id) AS place
    FROM livetranslate.translations
    WHERE (session_id, transcript_id, target_language) IN (
        SELECT session_id, transcript_id, target_language FROM livetranslate.translations
        GROUP BY session_id, transcript_id, target_language HAVING count(*) > 1
    )
), removed AS (
    DELETE FROM livetranslate.translations AS t USING ranked AS r
    WHERE r.place > 1 AND t.session_id = r.session_id AND t.id = r.id
    RETURNING t.session_id, t.transcript_id, t.target_language, to_jsonb(t) - 'search' AS row
), superseded AS (
    SELECT session_id, transcript_id, target_language, jsonb_agg(row) AS rows
    FROM removed GROUP BY session_id, transcript_id, target_language
)
UPDATE livetranslate.translations AS t
SET metadata = t.metadata || jsonb_build_object('superseded', s.rows)
FROM superseded AS s JOIN ranked AS r USING (session_id, transcript_id, target_language)
WHERE r.place = 1 AND t.session_id = r.session_id AND t.id = r.id
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
    is_settled boolean DEFAULT 'false' NOT NULL,
    text text NOT NULL,
    search tsvector GENERATED ALWAYS AS (
        CASE WHEN is_final OR is_settled THEN livetranslate.search_vector(language, text) ELSE NULL::tsvector END
    ) STORED,
    CONSTRAINT ck_transcripts_metadata_object CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT ck_transcripts_confidence_share CHECK (confidence BETWEEN 0 AND 1),
    CONSTRAINT ck_transcripts_times_ordered CHECK (end_time >= start_time),
    CONSTRAINT ck_transcripts_end_time_finite
        CHECK (end_time BETWEEN -10000000000000 AND 10000000000000),
    CONSTRAINT ck_transcripts_start_time_finite
        CHECK (start_time BETWEEN -10000000000000 AND 10000000000000),
    CONSTRAINT ck_transcripts_revision_not_negative CHECK (revision >= 0),
    CONSTRAINT ck_transcripts_segment_index_not_negative CHECK (segment_index >= 0)
) WITH (fillfactor = 85)
"""
COPY_TRANSCRIPTS = """
INSERT INTO livetranslate.transcripts_new (
    session_id, id, start_time, created_at, segment_index, audio_file_id, language, source, segment_key,
    speaker_label, metadata, words, confidence, revision, end_time, updated_at, is_final, is_settled, text
)
SELECT t.session_id, t.id, t.start_time, t.created_at, t.segment_index, t.audio_file_id, t.language,
       nullif(t.source, 'transcriber'), t.segment_key, t.speaker_label, nullif(t.metadata, '{}'), t.words,
       t.confidence, t.revision, t.end_time, nullif(t.updated_at, t.created_at), t.is_final,
       NOT t.is_final AND s.ended_at IS NOT NULL, t.text
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
COPY_TRANSLATIONS = """
INSERT INTO livetranslate.translations_new (
    session_id, transcript_id, start_time, end_time, created_at, transcript_revision, confidence, updated_at,
    target_language, source_language, service, model, metadata, text
)
SELECT session_id, transcript_id, start_time, end_time, created_at, transcript_revision, confidence,
       nullif(updated_at, created_at), target_language, source_language, nullif(service, 'translator'), model,
       nullif(metadata, '{}'), text
FROM livetranslate.translations
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
CREATE INDEX ix_transcripts_timeline
    ON livetranslate.transcripts (session_id, "timestamp", segment_index, id);
CREATE INDEX ix_transcripts_audio_file_id
    ON livetranslate.transcripts (session_id, audio_file_id) WHERE audio_file_id IS NOT NULL;
CREATE INDEX ix_transcripts_unfinished ON livetranslate.transcripts (session_id) WHERE search IS NULL;
CREATE INDEX ix_transcripts_search ON livetranslate.transcripts USING gin (search) WHERE search IS NOT NULL;
CREATE INDEX ix_translations_timeline
    ON livetranslate.translations (session_id, "timestamp") WHERE "timestamp" IS NOT NULL;
CREATE INDEX ix_translations_search
    ON livetranslate.translations USING gin (livetranslate.search_vector(target_language, text));
ANALYZE livetranslate.transcripts;
ANALYZE livetranslate.translations
"""

INDEXES_BEFORE = """
ALTER TABLE livetranslate.translations DROP CONSTRAINT pk_translations;
ALTER TABLE livetranslate.translations ADD CONSTRAINT pk_translations PRIMARY KEY (session_id, id);
CREATE INDEX ix_translations_transcript_id
    ON livetranslate.translations (session_id, transcript_id, target_language, id);
CREATE INDEX ix_transcripts_search ON livetranslate.transcripts USING gin (search);
CREATE INDEX ix_translations_search ON livetranslate.translations USING gin (search)
"""

UPDATED_LATER = ("sessions", "audio_files", "speakers")


def functions() -> list[str]:
    """Return the functions that differ from those of 0002."""
    return [
        # The words of a translation are those of an expression, of which the planner has statistics too.
        """
CREATE OR REPLACE FUNCTION livetranslate.search_estimate(
    relation regclass, query tsquery, OUT matching float, OUT stored float
)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    words text := CASE relation WHEN 'livetranslate.translations'::regclass
        THEN 'livetranslate.search_vector(target_language, text)' ELSE 'search' END;
    plan json;
BEGIN
    EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM %s WHERE %s @@ %L::tsquery', relation, words, query)
        INTO plan;
    matching := plan -> 0 -> 'Plan' ->> 'Plan Rows';
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
        MERGE_REPEATED,
        NEW_TRANSCRIPTS,
        COPY_TRANSCRIPTS,
        NEW_TRANSLATIONS,
        COPY_TRANSLATIONS,
        KEEP_RIGHTS,
    ):
        op.execute(statement)
    for statement in FINISH.split(";"):
        op.execute(statement)
    for table in UPDATED_LATER:
        op.alter_column(table, "updated_at", server_default=None, nullable=True, schema="livetranslate")


def downgrade() -> None:
    if context.is_offline_mode():
        raise CommandError(
            "The ids of translations are made here: go back with a connection, not by a script."
        )
    op.execute("LOCK TABLE livetranslate.transcripts, livetranslate.translations IN ACCESS EXCLUSIVE MODE")
    op.execute("DROP INDEX livetranslate.ix_translations_search")
    op.execute("ALTER TABLE livetranslate.transcripts DROP COLUMN search, DROP COLUMN is_settled")
    script = context.script.get_revision("0002")
    assert script is not None  # noqa: S101 (this one follows it)
    for statement in script.module.functions():
        op.execute(statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute("ALTER TABLE livetranslate.translations ADD COLUMN id uuid")
    _write_ids()
    for table, name, language, usual in (
        ("transcripts", "source", "language", "transcriber"),
        ("translations", "service", "target_language", "translator"),
    ):
        # One rewrite fills what was NULL.
        op.execute(f"""
ALTER TABLE livetranslate.{table}
    ALTER COLUMN {name} TYPE text USING coalesce({name}, '{usual}'),
    ALTER COLUMN {name} SET DEFAULT '{usual}',
    ALTER COLUMN {name} SET NOT NULL,
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
