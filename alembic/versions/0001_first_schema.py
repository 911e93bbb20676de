"""The first schema: sessions, audio files, speakers, transcripts and translations."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("meeting_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("target_languages", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "metadata",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("jsonb_typeof(metadata) = 'object'", name=op.f("ck_sessions_metadata_object")),
        sa.CheckConstraint(
            "status IN ('spawning', 'active', 'paused', 'ended', 'error')",
            name=op.f("ck_sessions_status_known"),
        ),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_sessions_stay_ordered")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        schema="livetranslate",
    )
    op.create_index(
        "ix_sessions_bot_id", "sessions", ["bot_id", "started_at"], unique=False, schema="livetranslate"
    )
    op.create_index(
        "ix_sessions_meeting_id",
        "sessions",
        ["meeting_id", "started_at"],
        unique=False,
        schema="livetranslate",
    )
    op.create_index(
        "ix_sessions_started_at", "sessions", ["started_at", "id"], unique=False, schema="livetranslate"
    )
    op.create_table(
        "audio_files",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("duration", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("sample_rate", sa.Integer(), nullable=True),
        sa.Column("channels", sa.Integer(), nullable=True),
        sa.Column("start_time", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("end_time", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("quality_score", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("status", sa.Text(), server_default="completed", nullable=False),
        sa.Column(
            "metadata",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "duration >= 0 AND duration < 'Infinity'::double precision",
            name=op.f("ck_audio_files_duration_not_negative"),
        ),
        sa.CheckConstraint("jsonb_typeof(metadata) = 'object'", name=op.f("ck_audio_files_metadata_object")),
        sa.CheckConstraint(
            "quality_score >= 0 AND quality_score < 'Infinity'::double precision",
            name=op.f("ck_audio_files_quality_score_not_negative"),
        ),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_audio_files_sha256_hex")),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed')",
            name=op.f("ck_audio_files_status_known"),
        ),
        sa.CheckConstraint("channels > 0", name=op.f("ck_audio_files_channels_positive")),
        sa.CheckConstraint("end_time >= start_time", name=op.f("ck_audio_files_times_ordered")),
        sa.CheckConstraint(
            "end_time BETWEEN -10000000000000 AND 10000000000000", name=op.f("ck_audio_files_end_time_finite")
        ),
        sa.CheckConstraint("sample_rate > 0", name=op.f("ck_audio_files_sample_rate_positive")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_audio_files_size_bytes_not_negative")),
        sa.CheckConstraint(
            "start_time BETWEEN -10000000000000 AND 10000000000000",
            name=op.f("ck_audio_files_start_time_finite"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["livetranslate.sessions.id"],
            name=op.f("fk_audio_files_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "id", name=op.f("pk_audio_files")),
        schema="livetranslate",
    )
    op.create_table(
        "speakers",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("identification_method", sa.Text(), server_default="diarization", nullable=False),
        sa.Column("confidence", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "identification_method IN ('diarization', 'transcriber', 'manual', 'voice_print', 'correlation', 'google_meet', 'whisper_diarization')",
            name=op.f("ck_speakers_identification_method_known"),
        ),
        sa.CheckConstraint("jsonb_typeof(metadata) = 'object'", name=op.f("ck_speakers_metadata_object")),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_speakers_confidence_share")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["livetranslate.sessions.id"],
            name=op.f("fk_speakers_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "label", name=op.f("pk_speakers")),
        schema="livetranslate",
    )
    op.create_table(
        "transcripts",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(collation="C"), nullable=False),
        sa.Column("start_time", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("end_time", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column(
            "timestamp",
            sa.DOUBLE_PRECISION(),
            sa.Computed("COALESCE(start_time, end_time, 0.0)", persisted=True),
            nullable=False,
        ),
        sa.Column("speaker_label", sa.Text(), nullable=True),
        sa.Column("confidence", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("segment_index", sa.Integer(), server_default="0", nullable=False),
        sa.Column("segment_key", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), server_default="transcriber", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("is_final", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("audio_file_id", sa.Uuid(), nullable=True),
        sa.Column("words", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("jsonb_typeof(metadata) = 'object'", name=op.f("ck_transcripts_metadata_object")),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_transcripts_confidence_share")),
        sa.CheckConstraint("end_time >= start_time", name=op.f("ck_transcripts_times_ordered")),
        sa.CheckConstraint(
            "end_time BETWEEN -10000000000000 AND 10000000000000", name=op.f("ck_transcripts_end_time_finite")
        ),
        sa.CheckConstraint("revision >= 0", name=op.f("ck_transcripts_revision_not_negative")),
        sa.CheckConstraint("segment_index >= 0", name=op.f("ck_transcripts_segment_index_not_negative")),
        sa.CheckConstraint(
            "start_time BETWEEN -10000000000000 AND 10000000000000",
            name=op.f("ck_transcripts_start_time_finite"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id", "audio_file_id"],
            ["livetranslate.audio_files.session_id", "livetranslate.audio_files.id"],
            name=op.f("fk_transcripts_audio_files"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["livetranslate.sessions.id"],
            name=op.f("fk_transcripts_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "id", name=op.f("pk_transcripts")),
        schema="livetranslate",
    )
    op.create_index(
        "ix_transcripts_audio_file_id",
        "transcripts",
        ["session_id", "audio_file_id"],
        unique=False,
        schema="livetranslate",
        postgresql_where=sa.text("audio_file_id IS NOT NULL"),
    )
    op.create_index(
        "ix_transcripts_timeline",
        "transcripts",
        ["session_id", "timestamp", "segment_index", "id"],
        unique=False,
        schema="livetranslate",
    )
    op.create_table(
        "translations",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transcript_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source_language", sa.Text(collation="C"), nullable=False),
        sa.Column("target_language", sa.Text(collation="C"), nullable=False),
        sa.Column("start_time", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("end_time", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column(
            "timestamp",
            sa.DOUBLE_PRECISION(),
            sa.Computed("COALESCE(start_time, end_time)", persisted=True),
            nullable=True,
        ),
        sa.Column("confidence", sa.DOUBLE_PRECISION(), nullable=True),
        sa.Column("service", sa.Text(), server_default="translator", nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("transcript_revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "metadata",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("jsonb_typeof(metadata) = 'object'", name=op.f("ck_translations_metadata_object")),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_translations_confidence_share")),
        sa.CheckConstraint("end_time >= start_time", name=op.f("ck_translations_times_ordered")),
        sa.CheckConstraint(
            "end_time BETWEEN -10000000000000 AND 10000000000000",
            name=op.f("ck_translations_end_time_finite"),
        ),
        sa.CheckConstraint(
            "start_time BETWEEN -10000000000000 AND 10000000000000",
            name=op.f("ck_translations_start_time_finite"),
        ),
        sa.CheckConstraint(
            "transcript_revision >= 0", name=op.f("ck_translations_transcript_revision_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["session_id", "transcript_id"],
            ["livetranslate.transcripts.session_id", "livetranslate.transcripts.id"],
            name=op.f("fk_translations_transcripts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "id", name=op.f("pk_translations")),
        schema="livetranslate",
    )
    op.create_index(
        "ix_translations_timeline",
        "translations",
        ["session_id", "timestamp"],
        unique=False,
        schema="livetranslate",
        postgresql_where=sa.text("timestamp IS NOT NULL"),
    )
    op.create_index(
        "ix_translations_transcript_id",
        "translations",
        ["session_id", "transcript_id", "target_language", "id"],
        unique=False,
        schema="livetranslate",
    )


def downgrade() -> None:
    op.drop_index("ix_translations_transcript_id", table_name="translations", schema="livetranslate")
    op.drop_index(
        "ix_translations_timeline",
        table_name="translations",
        schema="livetranslate",
        postgresql_where=sa.text("timestamp IS NOT NULL"),
    )
    op.drop_table("translations", schema="livetranslate")
    op.drop_index("ix_transcripts_timeline", table_name="transcripts", schema="livetranslate")
    op.drop_index(
        "ix_transcripts_audio_file_id",
        table_name="transcripts",
        schema="livetranslate",
        postgresql_where=sa.text("audio_file_id IS NOT NULL"),
    )
    op.drop_table("transcripts", schema="livetranslate")
    op.drop_table("speakers", schema="livetranslate")
    op.drop_table("audio_files", schema="livetranslate")
    op.drop_index("ix_sessions_started_at", table_name="sessions", schema="livetranslate")
    op.drop_index("ix_sessions_meeting_id", table_name="sessions", schema="livetranslate")
    op.drop_index("ix_sessions_bot_id", table_name="sessions", schema="livetranslate")
    op.drop_table("sessions", schema="livetranslate")
