"""What works after a plain `pip install`, without typer and rich: the schema and its roles."""

import argparse
import sys
from collections.abc import Sequence

from livetranslate_store.cli.schema import bring_up_to_date
from livetranslate_store.errors import InvalidInputError
from livetranslate_store.schema.roles import roles_script

_EXTRAS = "pip install 'livetranslate-store[cli,embedded,formats]'"


def run_plain(arguments: Sequence[str] | None) -> int:
    """Run `upgrade` or `roles`; raises InvalidInputError for a command that needs more than is installed."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="livetranslate-store", epilog=f"This is a plain installation; for the other commands: {_EXTRAS}"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="command")
    upgrade = commands.add_parser("upgrade", help="bring the schema of a database up to date")
    upgrade.add_argument("--database", metavar="URL", help="unless given, LIVETRANSLATE_DATABASE_URL counts")
    commands.add_parser("roles", help="print the SQL of the roles of least privilege")
    # Which other commands there are is known to what is not installed.
    if arguments and not arguments[0].startswith("-") and arguments[0] not in commands.choices:
        raise InvalidInputError(f"The command {arguments[0]} needs typer and rich: {_EXTRAS}.")
    options = parser.parse_args(arguments)
    if options.command == "upgrade":
        print(bring_up_to_date(options.database))
    else:
        print(roles_script(), end="")
    return 0
