"""The application: every command, in the order in which `--help` lists them."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from livetranslate_store.cli.command import Command
from livetranslate_store.cli.commands import (
    backup,
    check,
    delete,
    demo,
    exchange,
    legacy,
    schema,
    search,
    sessions,
    stats,
    sweep,
    timeline,
)

COMMANDS: tuple[Command, ...] = (
    demo.DEMO,
    sessions.SESSIONS,
    timeline.TIMELINE,
    search.SEARCH,
    stats.STATS,
    exchange.IMPORT,
    exchange.EXPORT,
    backup.BACKUP,
    backup.RESTORE,
    legacy.IMPORT_LEGACY,
    schema.UPGRADE,
    schema.ROLES,
    check.CHECK,
    delete.DELETE,
    sweep.SWEEP,
)


def application() -> typer.Typer:
    """Return the command line of the package."""
    app = typer.Typer(
        help="Look into meetings that were translated live, move them, and run the database that holds them.",
        epilog="A terminal gets tables, a pipe gets tab-separated lines, and --json gives JSON Lines. "
        "Exit codes: 0 done, 1 failed and explained, 2 wrong usage, 130 interrupted.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        # Tracebacks are for developers, and the locals in them could show a password.
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for each in COMMANDS:
        app.command(each.name, help=each.help, rich_help_panel=each.panel, epilog=each.epilog)(each.run)
    return app


def run_app(arguments: Sequence[str] | None) -> int:
    """Run a command and return its exit code; raises StoreError for the caller to explain."""
    try:
        application()(args=None if arguments is None else list(arguments), prog_name="livetranslate-store")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"livetranslate-store {version('livetranslate-store')}\n")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Take the options that stand before a command."""
