"""Tenants, people's corrections with what they replaced, and the indexes of the lists of sessions.

No table is rewritten; the server looks once at every text, under an exclusive lock. The indexes are of sessions
alone: texts and recordings are written too often. On a cluster the new table lies beside the transcripts.

The way back removes the history of corrections and by whom they were made; the corrected texts stay. It is
refused while a session has a tenant: without the column every application would see it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | Sequence[str] | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

EDITED_TABLES = ("transcripts", "translations")

# A tag and all that it is a variant of: zh-Hans-CN is also zh-Hans and zh.
LANGUAGES_LISTED = """
CREATE FUNCTION livetranslate.languages_listed(tags text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT lower(array_to_string(parts[1:length], '-') COLLATE "C"))
    FROM unnest(tags) AS tag
    CROSS JOIN LATERAL string_to_array(tag, '-') AS parts
    CROSS JOIN LATERAL generate_series(1, cardinality(parts)) AS length
$$
"""

# For the lists of sessions: most filters have an index.
INDEXES_OF_LISTS = {
    "ix_sessions_status": "sessions (status, started_at, id)",
    "ix_sessions_ended_at": "sessions (ended_at)",
    "ix_sessions_external_id": "sessions (external_id) WHERE external_id IS NOT NULL",
    "ix_sessions_metadata": "sessions USING gin (metadata jsonb_path_ops)",
    "ix_sessions_target_languages": "sessions USING gin (livetranslate.languages_listed(target_languages))",
    "ix_sessions_search": "sessions USING gin (livetranslate.search_vector('und', title)) "
    "WITH (gin_pending_list_limit = 1024) WHERE title IS NOT NULL",
}


# The price of reading the words of a text anew, in which the planner thinks: as that of two pages.
PRICE_OF_WORDS = "ALTER FUNCTION livetranslate.search_vector(text, text) COST {}"


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column(
        "sessions",
        sa.Column("tenant_id", sa.Text(), server_default="", nullable=False),
        schema="livetranslate",
    )
    op.create_index(
        "ix_sessions_tenant_id",
        "sessions",
        ["tenant_id", "started_at", "id"],
        schema="livetranslate",
    )
    op.execute(PRICE_OF_WORDS.format(1000))
    for table in EDITED_TABLES:
        for column in (sa.Column("edited_by", sa.Text()), sa.Column("edited_at", sa.DateTime(timezone=True))):
            op.add_column(table, column, schema="livetranslate")
        op.create_check_constraint(
            op.f(f"ck_{table}_edit_whole"),
            table,
            "(edited_by IS NULL) = (edited_at IS NULL)",
            schema="livetranslate",
        )
    op.create_table(
        "text_versions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("transcript_id", sa.Uuid(), nullable=False),
        sa.Column("target_language", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("edited_by", sa.Text()),
        sa.Column("edited_at", sa.DateTime(timezone=True)),
        sa.Column("replaced_by", sa.Text()),
        sa.Column("metadata", postgresql.JSONB(none_as_null=True), server_default="{}", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.statement_timestamp(),
            nullable=False,
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint(
            "session_id", "transcript_id", "target_language", "id", name=op.f("pk_text_versions")
        ),
        sa.CheckConstraint(
            "jsonb_typeof(metadata) = 'object'", name=op.f("ck_text_versions_metadata_object")
        ),
        sa.CheckConstraint("revision >= 0", name=op.f("ck_text_versions_revision_not_negative")),
        sa.CheckConstraint(
            "(edited_by IS NULL) = (edited_at IS NULL)", name=op.f("ck_text_versions_edit_whole")
        ),
        schema="livetranslate",
    )
    # Before the foreign key, which has to stay within a shard.
    op.execute(
        """
        DO $$
        BEGIN
            IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus') THEN
                IF EXISTS (
                    SELECT FROM pg_catalog.pg_dist_partition
                    WHERE logicalrelid = 'livetranslate.transcripts'::regclass AND partmethod = 'h'
                ) THEN
                    PERFORM create_distributed_table(
                        'livetranslate.text_versions', 'session_id', colocate_with => 'livetranslate.transcripts'
                    );
                END IF;
            END IF;
        END
        $$
        """
    )
    op.create_foreign_key(
        "fk_text_versions_transcripts",
        "text_versions",
        "transcripts",
        ["session_id", "transcript_id"],
        ["session_id", "id"],
        source_schema="livetranslate",
        referent_schema="livetranslate",
        ondelete="CASCADE",
    )
    op.execute(LANGUAGES_LISTED)
    for name, definition in INDEXES_OF_LISTS.items():
        op.execute(f"CREATE INDEX {name} ON livetranslate.{definition}")


def downgrade() -> None:
    """Remove them; raises if a session has a tenant."""
    op.execute(
        """
        DO $$
        BEGIN
            -- Not without a column: a cluster could not name the result.
            IF EXISTS (SELECT 1 FROM livetranslate.sessions WHERE tenant_id <> '') THEN
                RAISE EXCEPTION 'sessions have tenants: without tenant_id everybody would see them'
                    USING HINT = 'Move or delete the sessions of tenants first.';
            END IF;
        END
        $$
        """
    )
    for name in INDEXES_OF_LISTS:
        op.execute(f"DROP INDEX livetranslate.{name}")
    op.execute("DROP FUNCTION livetranslate.languages_listed(text[])")
    op.drop_table("text_versions", schema="livetranslate")
    for table in EDITED_TABLES:
        op.drop_constraint(op.f(f"ck_{table}_edit_whole"), table, schema="livetranslate")
        for column in ("edited_at", "edited_by"):
            op.drop_column(table, column, schema="livetranslate")
    op.execute(PRICE_OF_WORDS.format(100))
    op.drop_index("ix_sessions_tenant_id", table_name="sessions", schema="livetranslate")
    op.drop_column("sessions", "tenant_id", schema="livetranslate")
