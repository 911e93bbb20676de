"""Migrations go up and down while writers write through the models of before."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from faults.conftest import StartRun
from faults.crowd import Crowd
from faults.ledger import Ledger
from faults.place import Place
from faults.table import MIGRATION

from livetranslate_store import ConflictError, Store
from livetranslate_store.schema.upgrade import configuration

# What alembic/env.py allows a migration to wait for a lock, and writers to wait behind it.
LOCK_SECONDS = 5.0
# Building an index on a table of this size, and the calls of twenty writers on two cores.
WORK_SECONDS = 5.0
NEXT = "9999"

# Expands only: what is there goes on working for those who do not know it. Locks the tables in the order in
# which a write does, or the two would meet in a deadlock again and again.
_MIGRATION = '''
"""The next version."""
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{head}"
branch_labels = depends_on = None

def upgrade():
    op.add_column("audio_files", sa.Column("codec", sa.Text()), schema="livetranslate")
    op.add_column("transcripts", sa.Column("mood", sa.Text(), server_default="calm", nullable=False),
                  schema="livetranslate")
    op.create_check_constraint("mood_known", "transcripts", "mood <> ''", schema="livetranslate",
                               postgresql_not_valid=True)
    op.create_index("ix_translations_service", "translations", ["session_id", "service"],
                    schema="livetranslate")
    op.create_table("moods", sa.Column("session_id", sa.Uuid(),
                    sa.ForeignKey("livetranslate.sessions.id", ondelete="CASCADE"), primary_key=True),
                    schema="livetranslate")

def downgrade():
    op.drop_column("audio_files", "codec", schema="livetranslate")
    op.drop_column("transcripts", "mood", schema="livetranslate")
    op.drop_index("ix_translations_service", "translations", schema="livetranslate")
    op.drop_table("moods", schema="livetranslate")
'''


@pytest.fixture
def with_the_next(database_url: str, tmp_path: Path) -> Config:
    """Alembic's configuration with one more migration than there is."""
    config = configuration(database_url)
    versions = Path(ScriptDirectory.from_config(config).versions)
    head = ScriptDirectory.from_config(config).get_current_head()
    following = tmp_path / "versions"
    following.mkdir()
    (following / f"{NEXT}_next.py").write_text(_MIGRATION.format(revision=NEXT, head=head))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{versions}\n{following}".replace("%", "%%"))
    return config


async def test_writers_of_the_version_before_go_on_while_migrations_go_up_and_down(
    fault: StartRun, store: Store, ledger: Ledger, place: Place, with_the_next: Config
) -> None:
    run = fault(MIGRATION, full=20, short=1)
    async with Crowd(store, ledger, run.chance) as crowd:
        for _ in range(run.tries):
            for migrate, target in ((command.upgrade, "head"), (command.downgrade, "-1")):
                await asyncio.sleep(run.chance.uniform(0.05, 0.3))
                await asyncio.to_thread(until_done, migrate, with_the_next, target)
                recovery = await crowd.recovery()
            run.tried(recovery)
        await asyncio.to_thread(until_done, command.upgrade, with_the_next, "head")
        await crowd.recovery()
    assert crowd.longest_call < LOCK_SECONDS + WORK_SECONDS
    assert set(crowd.errors) <= {"ConflictError", "QueryTimeoutError"}, crowd.errors
    run.found(place.check(ledger))


async def test_a_migration_that_gets_no_lock_gives_up_and_writers_wait_no_longer_than_it(
    fault: StartRun, store: Store, ledger: Ledger, place: Place, with_the_next: Config
) -> None:
    run = fault(MIGRATION, full=3, short=1)
    async with Crowd(store, ledger, run.chance) as crowd:
        for _ in range(run.tries):
            # A dump reads for long; behind the migration, which waits for it, everybody waits.
            with place.program.transaction():
                place.program.execute("LOCK TABLE livetranslate.transcripts IN ACCESS SHARE MODE")
                began = monotonic()
                with pytest.raises(ConflictError) as raised:
                    await asyncio.to_thread(command.upgrade, with_the_next, "head")
                # A deadlock with the writers, or no lock in time.
                assert getattr(raised.value.__cause__, "sqlstate", None) in {"40P01", "55P03"}
                assert monotonic() - began < LOCK_SECONDS + WORK_SECONDS
                run.tried(await crowd.recovery())
        # Nothing of it was done; now it is.
        await asyncio.to_thread(until_done, command.upgrade, with_the_next, "head")
        await crowd.recovery()
    assert crowd.longest_call < LOCK_SECONDS + WORK_SECONDS
    run.found(place.check(ledger))


def until_done(migrate: Callable[[Config, str], None], config: Config, target: str) -> None:
    """Migrate; after a deadlock with writers, or without a lock in time, once more, as an operator does."""
    attempts = 10
    while True:
        attempts -= 1
        try:
            migrate(config, target)
        except ConflictError:
            if not attempts:
                raise
        else:
            return
