"""`check`: the health of a database."""

from typing import Annotated, NamedTuple

import typer
from rich.text import Text

from livetranslate_store.cli.command import RUN, Command, wait_for
from livetranslate_store.cli.opening import settings_for
from livetranslate_store.cli.options import AsJson, Database
from livetranslate_store.cli.terminal.output import Column, Output
from livetranslate_store.database.engine import Database as Connections
from livetranslate_store.embedded.provision import Provisioned
from livetranslate_store.errors import StoreError
from livetranslate_store.schema.privileges import Privileges, read_privileges
from livetranslate_store.settings import StoreSettings
from livetranslate_store.store import Store
from livetranslate_store.values import ClusterHealth, PartHealth


class Finding(NamedTuple):
    """A part, whether it is healthy, and details."""

    part: str
    healthy: bool
    detail: str

    @property
    def word(self) -> str:
        """Its state in a word."""
        return "ok" if self.healthy else "failed"


COLUMNS = (
    Column[Finding]("part", lambda each: each.part, style="bold"),
    Column[Finding](
        "state", lambda each: each.word, lambda each: Text(each.word, "green" if each.healthy else "bold red")
    ),
    Column[Finding]("", lambda each: each.detail, is_text=True),
)


def check(
    time_limit: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="Time limit for the answer of each part.")
    ] = 5.0,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """Check a database: its server, migrations, audio storage, and the privileges of this user.

    Ends with 1 if a part has failed. Fields of a line: part, ok or failed, detail.
    """
    found = wait_for(findings(settings_for(database), time_limit))
    Output(as_json=as_json).listed(found, COLUMNS, title="Check", whole=lambda each: each._asdict())
    if not all(each.healthy for each in found):
        raise typer.Exit(1)


async def findings(settings: StoreSettings, time_limit: float) -> list[Finding]:
    """Check every part, each within the time limit in seconds."""
    async with Provisioned(settings) as running:
        async with Store.open(running) as store:
            health = await store.health(time_limit=time_limit)
        found = [
            Finding(name, part.is_healthy, part.problem or _figures(part))
            for name, part in health.parts.items()
        ]
        # Without a schema there are no privileges to check.
        if health.database.is_healthy and health.migrations.is_healthy:
            found.append(await _privileges(running))
        return found


def _figures(part: PartHealth) -> str:
    duration = f"{part.seconds * 1000:.0f} ms"
    if not isinstance(part, ClusterHealth):
        return duration
    nodes = ", ".join(f"{each.name} {each.shards} shards" for each in part.nodes)
    leftovers = f", {part.leftovers} leftovers of moved shards" if part.leftovers else ""
    return f"{duration}, {nodes}{leftovers}"


async def _privileges(settings: StoreSettings) -> Finding:
    connections = Connections(settings)
    try:
        found = await read_privileges(connections.fetch)
    except StoreError as error:
        return Finding("privileges", False, str(error))
    finally:
        await connections.close()
    return Finding("privileges", not found.problem, found.problem or _described(found))


def _described(found: Privileges) -> str:
    may = (
        "may change the schema" if found.may_change_schema else "writes" if found.may_write else "only reads"
    )
    missing = (
        "" if found.roles_exist else "; the roles are missing (`livetranslate-store roles` prints their SQL)"
    )
    return f"{found.user} {may}{missing}"


CHECK = Command("check", check, RUN, ("check", "check --json | jq -r 'select(.healthy | not) | .detail'"))
