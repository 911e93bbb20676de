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
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """Remove stored audio that no row refers to, such as a crash leaves.

    Everything at LIVETRANSLATE_AUDIO_URL must belong to this database: the sweep would remove the audio of
    another one. Recent objects may belong to running writes: do not choose a short age.
    """
    report = wait_for(_sweep(database, checked_duration(older_than, "--older-than")))
    facts = {"objects seen": report.objects, "orphans removed": report.orphans_removed}
    Output(as_json=as_json).facts(facts, title="Sweep of the audio", whole=report)


async def _sweep(database: str | None, older_than: timedelta) -> SweepReport:
    async with opened(database) as store:
        return await store.sweep_audio(older_than=older_than)


SWEEP = Command("sweep", sweep, RUN, ("sweep", "sweep --older-than 7d"))
