"""The application: all commands, in the order of `--help`."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from livetranslate_store.cli.command import Command
from livetranslate_store.cli.commands import (
    audio,
    backup,
    check,
    delete,
    demo,
    distribute,
    exporting,
    importing,
    legacy,
    schema,
    search,
    sessions,
    stats,
    sweep,
    timeline,
)
from livetranslate_store.cli.usage import PlainCommand, PlainGroup

COMMANDS: tuple[Command, ...] = (
    demo.DEMO,
    sessions.SESSIONS,
    timeline.TIMELINE,
    search.SEARCH,
    stats.STATS,
    importing.IMPORT,
    exporting.EXPORT,
    audio.AUDIO,
    backup.BACKUP,
    backup.RESTORE,
    legacy.IMPORT_LEGACY,
    schema.UPGRADE,
    schema.ROLES,
    distribute.DISTRIBUTE,
    check.CHECK,
    delete.DELETE,
    sweep.SWEEP,
)


def application() -> typer.Typer:
    """Return the command line of the package."""
    app = typer.Typer(
        cls=PlainGroup,
        help="Read meetings that were translated live, move them, and run their database.",
        epilog="A terminal gets tables, a pipe gets tab-separated lines, and --json gives JSON Lines. "
        "Exit codes: 0 done, 1 failed with an explanation, 2 wrong usage or input, 130 interrupted.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        # Tracebacks are for developers, and the locals in them could show a password.
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for each in COMMANDS:
        listed = app.command(
            each.name, cls=PlainCommand, help=each.help, rich_help_panel=each.panel, epilog=each.epilog
        )
        listed(each.run)
    return app


def run_app(arguments: Sequence[str] | None) -> int:
    """Run a command and return its exit code; raises StoreError for the caller to explain."""
    try:
        application()(args=None if arguments is None else list(arguments), prog_name="livetranslate-store")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            # The reader has enough, as `head` has: that is no failure.
            return 0
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
    """Take the options before a command."""
