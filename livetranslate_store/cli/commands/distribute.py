"""`distribute`: the tables over a cluster, and back to one server."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.prompt import Confirm
from rich.text import Text

from livetranslate_store.cli.command import RUN, Command, wait_for
from livetranslate_store.cli.opening import settings_for
from livetranslate_store.cli.options import AsJson, Database
from livetranslate_store.cli.terminal.output import Column, Output, note
from livetranslate_store.cli.terminal.progress import shown_progress
from livetranslate_store.embedded.provision import is_embedded
from livetranslate_store.errors import UsageError
from livetranslate_store.schema.cluster_requirements import Line
from livetranslate_store.schema.distribution import bring_back, plan_distribution, plan_return
from livetranslate_store.schema.distribution import distribute as distribute_tables
from livetranslate_store.schema.distribution_plan import DEFAULT_SHARDS, Plan
from livetranslate_store.settings import StoreSettings

_STYLES = {"ok": "green", "missing": "bold red", "advised": "yellow", "moves": "bold", "done": "dim"}

COLUMNS = (
    Column[Line]("part", lambda each: each.part, style="bold"),
    Column[Line]("state", lambda each: each.state, lambda each: Text(each.state, _STYLES[each.state])),
    Column[Line]("", lambda each: each.detail, is_text=True),
)


def distribute(
    *,
    shards: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=1024,
            help="Number of shards: at least the workers that there may ever be, because a shard is on one "
            "node. More of them make the groups of writes smaller, and searches over all sessions slower.",
        ),
    ] = DEFAULT_SHARDS,
    undo: Annotated[bool, typer.Option("--undo", help="Bring all rows back to this server.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it, without asking.")] = False,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """Distribute the tables over a Citus cluster, by session. Shows its plan, and asks first.

    Connect to the coordinator, as the owner of the tables, while no store is open. All of it is one
    transaction: an interruption changes nothing, and the command can be run again. Tables of yours that refer
    to the store's are taken along.

    Fields of a line of the plan: part, state (ok, missing, advised, moves, done), detail. A missing part ends
    the command with 1.
    """
    settings = settings_for(database)
    if is_embedded(settings):
        raise UsageError("A private server is no node of a cluster: pass the URL of a coordinator.")
    output = Output(as_json=as_json)
    plan = wait_for(plan_return(settings) if undo else plan_distribution(settings, shards=shards))
    if not yes or not plan.is_needed:
        output.listed(plan.lines, COLUMNS, title="Plan", whole=lambda each: each._asdict())
    plan.check()
    if not plan.is_needed:
        note("Nothing is left to do.")
    elif yes or _agreed(plan, undo=undo):
        moved = wait_for(_move(settings, shards, undo=undo))
        output.facts(moved, title="Rows that came back" if undo else "Distributed rows", whole=moved)


def _agreed(plan: Plan, *, undo: bool) -> bool:
    if not sys.stdin.isatty():
        note("Nothing was changed: --yes does it.")
        return False
    question = f"{'Bring back' if undo else 'Distribute'} {len(plan.tables)} tables?"
    try:
        agreed = Confirm.ask(Text(question), console=Console(stderr=True), default=False)
    except EOFError:
        agreed = False
    if not agreed:
        raise typer.Abort
    return True


async def _move(settings: StoreSettings, shards: int, *, undo: bool) -> dict[str, int]:
    with shown_progress("bringing back" if undo else "distributing", "rows") as advance:
        if undo:
            return await bring_back(settings, advance=advance)
        return await distribute_tables(settings, shards=shards, advance=advance)


DISTRIBUTE = Command(
    "distribute",
    distribute,
    RUN,
    (
        "distribute --database postgresql://owner@coordinator/livetranslate",
        "distribute --shards 64 --yes",
        "distribute --undo",
    ),
)
