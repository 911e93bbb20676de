"""`sweep`: stored audio without a row."""

from datetime import timedelta
from typing import Annotated

import typer

from livetranslate_store.cli.command import RUN, Command, wait_for
from livetranslate_store.cli.opening import opened
from livetranslate_store.cli.options import AsJson, Database, checked_duration
from livetranslate_store.cli.terminal.output import Output
from livetranslate_store.values import SweepReport


def sweep(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Keep younger objects: 90m, 36h or 7d.")
    ] = "1d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be removed; --json lists the keys.")
    ] = False,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """Remove stored audio that no row refers to, such as a crash leaves.

    The storage at LIVETRANSLATE_AUDIO_URL must be this database's own. Recent objects may belong to running
    writes: do not choose a short age.
    """
    report = wait_for(_sweep(database, checked_duration(older_than, "--older-than"), dry_run))
    facts = {
        "objects seen": report.objects,
        "orphans": report.orphans,
        "bytes of orphans": report.orphan_bytes,
        "orphans removed": report.orphans_removed,
    }
    Output(as_json=as_json).facts(facts, title="Sweep of the audio", whole=report)


async def _sweep(database: str | None, older_than: timedelta, dry_run: bool) -> SweepReport:
    async with opened(database) as store:
        return await store.sweep_audio(older_than=older_than, dry_run=dry_run)


SWEEP = Command("sweep", sweep, RUN, ("sweep --dry-run", "sweep --older-than 7d"))
