"""The older database is only read, and a wrong one is refused."""

import pytest
from helpers.older_system import (
    insert,
    insert_session,
    insert_transcript,
)
from helpers.stored import Program

from livetranslate_store import InvalidInputError, Store, StoreUnavailableError
from livetranslate_store.legacy import (
    LegacyProgress,
    import_legacy,
)

pytestmark = pytest.mark.slow


async def test_the_older_database_cannot_be_written_while_it_is_read(
    store: Store, older: Program, url: str
) -> None:
    # Whatever a deployment may have put in the place of a table.
    older.execute("""
        CREATE TABLE bot_sessions.log (entry text);
        CREATE FUNCTION bot_sessions.logged(entry text) RETURNS text LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO bot_sessions.log VALUES (entry); RETURN entry; END $$;
        ALTER TABLE bot_sessions.sessions RENAME TO real_sessions;
        CREATE VIEW bot_sessions.sessions AS
            SELECT bot_sessions.logged(session_id) AS session_id FROM bot_sessions.real_sessions
    """)
    insert(older, "real_sessions", session_id="session_1")
    older.commit()
    with pytest.raises(StoreUnavailableError, match=r"The older database: .* read-only"):
        await import_legacy(store, url)


async def test_an_error_of_the_caller_s_passes_through(store: Store, older: Program, url: str) -> None:
    insert_session(older)
    older.commit()

    def progress(_progress: LegacyProgress) -> None:
        raise OSError("the caller's own")

    with pytest.raises(OSError, match="the caller's own"):
        await import_legacy(store, url, progress=progress)


async def test_progress_counts_sessions_and_transcripts(store: Store, older: Program, url: str) -> None:
    for number in range(2):
        insert_session(older, f"session_{number}")
        insert_transcript(older, f"transcript_{number}", f"session_{number}")
    older.commit()
    seen: list[LegacyProgress] = []
    await import_legacy(store, url, progress=seen.append)
    assert seen == [
        LegacyProgress(0, 2, 1),
        LegacyProgress(1, 2, 1),
        LegacyProgress(1, 2, 2),
        LegacyProgress(2, 2, 2),
    ]


async def test_a_database_of_something_else_is_refused(store: Store, owner_url: str) -> None:
    with pytest.raises(InvalidInputError, match=r"not a database of .*: bot_sessions\.sessions"):
        await import_legacy(store, owner_url)


@pytest.mark.parametrize("url", ["not a url", "mysql://host/db", "postgresql://h/db?sslmode=nonsense"])
async def test_an_url_that_is_none_is_refused(store: Store, url: str) -> None:
    with pytest.raises(InvalidInputError, match="older database's URL"):
        await import_legacy(store, url)


async def test_a_server_that_is_not_there_is_told_without_its_password(store: Store) -> None:
    with pytest.raises(StoreUnavailableError, match="The older database: ") as raised:
        await import_legacy(store, "postgresql://user:battery-staple@127.0.0.1:1/db")
    assert "battery" not in str(raised.value)
