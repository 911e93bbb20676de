"""An application's own tables move into the store, and nothing that people did is lost."""

from datetime import UTC, datetime, timedelta

import pytest
from helpers.stored import Program
from programs.moving import move

from livetranslate_store import ImportCounts, ImportProgress, Store

BEGAN = datetime(2026, 5, 1, 9, tzinfo=UTC)
LINES = 60
OWN_TABLES = """
CREATE SCHEMA old;
CREATE TABLE old.meetings (
    id int PRIMARY KEY, room text, title text, began timestamptz, ended timestamptz, tags jsonb
);
CREATE TABLE old.lines (
    id int PRIMARY KEY, meeting_id int, second float8, speaker text, language text, machine_text text
);
CREATE TABLE old.edits (line_id int, author text, written_at timestamptz, text text);
CREATE TABLE old.translations (line_id int, language text, text text);

INSERT INTO old.meetings
SELECT n, 'room-' || n % 2, 'Meeting ' || n, '2026-05-01 09:00Z'::timestamptz + n * interval '1 day',
    '2026-05-01 10:00Z'::timestamptz + n * interval '1 day',
    jsonb_build_array(CASE n % 2 WHEN 0 THEN 'sales' ELSE 'board' END)
FROM generate_series(0, 4) AS n;
INSERT INTO old.lines
SELECT n, n % 5, n, 'SPEAKER_0' || n % 2, CASE n WHEN 17 THEN 'no language' ELSE 'en' END, 'machine ' || n
FROM generate_series(0, 59) AS n;
INSERT INTO old.edits VALUES
    (5, 'Ana', '2026-05-02 12:00Z', 'Ana''s five'),
    (5, 'Bo', '2026-05-02 13:00Z', 'Bo''s five'),
    (6, 'Ana', '2026-05-02 12:00Z', 'Ana''s six');
INSERT INTO old.translations SELECT id, 'es', 'máquina ' || id FROM old.lines WHERE id % 3 = 0;
"""


@pytest.fixture
def own_tables(other_program: Program, owner_url: str) -> str:
    other_program.execute(OWN_TABLES.encode())
    other_program.commit()
    return owner_url.replace("+asyncpg", "")


async def test_meetings_move_with_their_ends_tags_authors_and_edits(store: Store, own_tables: str) -> None:
    heard: list[ImportProgress] = []
    report = await move(store, own_tables, heard.append)
    assert report.transcripts == ImportCounts(inserted=LINES - 1, updated=3)
    assert [(each.line, "language" in each.reason) for each in report.refusals] == [(17, True)]
    assert heard[-1] == ImportProgress(LINES + 3, LINES + 3)

    sales = await store.find_sessions(metadata={"tags": ["sales"]}, order="oldest", count=True)
    assert [each.title for each in sales] == ["Meeting 0", "Meeting 2", "Meeting 4"]
    first = sales[0]
    assert (first.status, first.started_at, first.duration) == ("ended", BEGAN, timedelta(hours=1).seconds)
    assert first.external_id == "meeting-0"

    five = (await store.timeline(first.id, kinds=["transcript"], start=5.0, end=6.0, include=["edits"]))[0]
    assert (five.text, five.edited_by) == ("Bo's five", "Bo")
    history = await store.text_history(first.id, five.transcript_id)
    assert [(each.text, each.edited_by, each.replaced_by) for each in history] == [
        ("machine 5", None, "Ana"),
        ("Ana's five", "Ana", "Bo"),
        ("Bo's five", "Bo", None),
    ]
    # The translation of an edited text is the machine's of the first version.
    [six] = await store.missing_translations(
        (await store.find_sessions(text="meeting-1"))[0].id, "es", start=6.0, end=7.0
    )
    assert (six.text, [each and each.is_stale for each in six.translations]) == ("Ana's six", [True])


async def test_a_second_move_changes_nothing(store: Store, own_tables: str) -> None:
    await move(store, own_tables, lambda _: None)
    [first] = await store.find_sessions(text="meeting-0")
    [five] = await store.timeline(first.id, kinds=["transcript"], start=5.0, end=6.0)
    history = await store.text_history(first.id, five.transcript_id)
    # What a person corrects here since then stays.
    [ten] = await store.timeline(first.id, kinds=["transcript"], start=10.0, end=11.0)
    async with store.unit_of_work() as uow:
        await uow.transcripts.edit(first.id, ten.transcript_id, text="Ten.", edited_by="Cy")
    again = await move(store, own_tables, lambda _: None)
    assert (again.transcripts.inserted, again.transcripts.updated) == (0, 0)
    assert await store.text_history(first.id, five.transcript_id) == history
    [ten] = await store.timeline(first.id, kinds=["transcript"], start=10.0, end=11.0)
    assert ten.text == "Ten."
