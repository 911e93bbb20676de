"""The third migration makes two tables anew: rows and rights stay, nothing is lost in silence."""

from typing import Any

import pytest
from alembic import command
from conftest import url_of
from helpers.stored import Program
from pytest_postgresql import factories

from livetranslate_store.schema.upgrade import configuration, upgrade

before_third = factories.postgresql("postgresql_empty")

ROWS = """
    INSERT INTO livetranslate.sessions (id, bot_id, meeting_id, status, ended_at) VALUES
        (md5('live')::uuid, 'b', 'm', 'active', NULL), (md5('over')::uuid, 'b', 'm', 'ended', now());
    INSERT INTO livetranslate.transcripts
        (session_id, id, text, language, source, metadata, is_final, start_time)
    SELECT s.id, md5(s.status || n)::uuid, 'said ' || n, 'en',
           CASE n WHEN 1 THEN 'transcriber' ELSE 'other' END,
           CASE n WHEN 1 THEN '{}' ELSE '{"a": 1}' END::jsonb, n = 3, n
    FROM livetranslate.sessions AS s, generate_series(1, 3) AS n;
    INSERT INTO livetranslate.translations
        (session_id, id, transcript_id, text, source_language, target_language, transcript_revision)
    SELECT session_id, gen_random_uuid(), id, 'dicho', 'en', 'es', n
    FROM livetranslate.transcripts, generate_series(0, 1) AS n WHERE n = 0 OR is_final
"""
SPOKEN = """
    SELECT session_id, id, coalesce(text, draft), language, coalesce(source, 'transcriber'),
           coalesce(metadata, '{}'), is_final, start_time, created_at, coalesce(updated_at, created_at)
    FROM livetranslate.transcripts ORDER BY 1, 2
"""


@pytest.fixture
def url(before_third: Program) -> str:
    """Fill a database at the second migration."""
    info = before_third.info
    found = url_of(info.user, info.password or None, info.host, info.port, info.dbname)
    command.upgrade(configuration(found), "0002")
    before_third.execute(ROWS)
    before_third.commit()
    return found


def rows(program: Program, query: str) -> list[tuple[Any, ...]]:
    found = program.execute(query).fetchall()
    program.rollback()
    return found


def test_rows_stay_the_same_up_and_down_and_up(before_third: Program, url: str) -> None:
    before = rows(before_third, SPOKEN.replace("coalesce(text, draft)", "text"))
    upgrade(url)
    assert rows(before_third, SPOKEN) == before
    command.downgrade(configuration(url), "0002")
    assert rows(before_third, SPOKEN.replace("coalesce(text, draft)", "text")) == before
    upgrade(url)
    assert rows(before_third, SPOKEN) == before
    # The id that the second version derives, so that a write there finds the row.
    command.downgrade(configuration(url), "0002")
    assert rows(before_third, "SELECT count(*) FROM livetranslate.translations WHERE id IS NULL") == [(0,)]


def test_only_what_may_still_be_revised_is_a_draft(before_third: Program, url: str) -> None:
    upgrade(url)
    drafts = "SELECT s.status, t.draft FROM livetranslate.transcripts AS t JOIN livetranslate.sessions AS s"
    found = rows(before_third, f"{drafts} ON s.id = t.session_id WHERE t.text IS NULL ORDER BY 2")
    assert found == [("active", "said 1"), ("active", "said 2")]


def test_of_repeated_translations_the_newest_stays_and_keeps_the_others(
    before_third: Program, url: str
) -> None:
    upgrade(url)
    found = rows(
        before_third,
        "SELECT transcript_revision, metadata -> 'superseded' -> 0 ->> 'transcript_revision'"
        " FROM livetranslate.translations ORDER BY 1, 2",
    )
    assert found == [(0, None)] * 4 + [(1, "0")] * 2


def test_rights_are_kept(before_third: Program, url: str) -> None:
    before_third.execute("GRANT SELECT ON livetranslate.transcripts, livetranslate.translations TO PUBLIC")
    before_third.commit()
    given = (
        "SELECT relname::text, a.grantee, a.privilege_type FROM pg_class, aclexplode(relacl) AS a"
        " WHERE oid IN ('livetranslate.transcripts'::regclass, 'livetranslate.translations'::regclass)"
        " AND a.grantee = 0 ORDER BY 1"
    )
    before = rows(before_third, given)
    upgrade(url)
    assert rows(before_third, given) == before
    assert len(before) == 2


@pytest.mark.parametrize(
    "theirs",
    [
        (
            "CREATE TRIGGER theirs BEFORE UPDATE ON livetranslate.transcripts"
            " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        ),
        "ALTER TABLE livetranslate.translations ADD COLUMN theirs int",
    ],
)
def test_what_others_have_added_is_refused_and_not_lost(before_third: Program, url: str, theirs: str) -> None:
    before_third.execute(theirs)
    before_third.commit()
    with pytest.raises(Exception, match="of others belongs to transcripts or translations"):
        upgrade(url)
    assert rows(before_third, "SELECT version_num FROM livetranslate.alembic_version") == [("0002",)]
