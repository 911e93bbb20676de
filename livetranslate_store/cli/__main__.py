"""`livetranslate-store`: bring a schema up to date, and watch a meeting being written and read."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence

from livetranslate_store.database.migrations import upgrade
from livetranslate_store.database.provision import EMBEDDED, provisioned
from livetranslate_store.database.roles import roles_script
from livetranslate_store.errors import InvalidInputError, StoreError
from livetranslate_store.settings import StoreSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0, or 1 after an error that it has explained, or 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        return int(options.run(options))
    except StoreError as error:
        print(f"livetranslate-store: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livetranslate-store", description="The command line of livetranslate_store."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    database = argparse.ArgumentParser(add_help=False)
    database.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get("LIVETRANSLATE_DATABASE_URL"),
        help="postgresql+asyncpg://user@host/database, or embedded:FOLDER for a private server; "
        "without it LIVETRANSLATE_DATABASE_URL counts",
    )

    commands.add_parser(
        "upgrade", parents=[database], help="bring the schema of a database up to date"
    ).set_defaults(run=_upgrade)
    commands.add_parser(
        "roles",
        help="print the SQL of two roles: one that writes but cannot change the schema, one that only reads",
        epilog='example: livetranslate-store roles | psql "$OWNERS_URL"',
    ).set_defaults(run=_roles)
    demo = commands.add_parser(
        "demo",
        parents=[database],
        help="watch a live meeting being written and read back",
        description="Replays a meeting as a live transcriber would send it, then shows its timeline. "
        "Without a database it starts a private one and leaves nothing behind.",
        epilog="example: livetranslate-store demo --captions en=talk.en.vtt ja=talk.ja.vtt",
    )
    demo.add_argument(
        "--captions",
        nargs="+",
        metavar="LANGUAGE=FILE",
        help="WebVTT files instead of the sample meeting: what was said first, then its translations",
    )
    demo.set_defaults(run=_demo)
    return parser


def _upgrade(options: argparse.Namespace) -> int:
    url = options.database
    if not url:
        raise InvalidInputError(
            "No database is named: give --database URL, or set LIVETRANSLATE_DATABASE_URL."
        )
    if url.startswith(EMBEDDED):
        asyncio.run(_provision(url))
    else:
        upgrade(url)
    print("The schema is up to date.")
    return 0


def _roles(_options: argparse.Namespace) -> int:
    print(roles_script(), end="")
    return 0


async def _provision(url: str) -> None:
    async with provisioned(StoreSettings(database_url=url)):
        pass


def _demo(options: argparse.Namespace) -> int:
    try:
        from livetranslate_store.cli.demo import demo  # noqa: PLC0415 (the extra `cli`)
    except ImportError as error:
        raise InvalidInputError(
            f"The demo needs {error.name}: pip install 'livetranslate-store[cli,embedded,formats]'."
        ) from error
    if options.database and not options.database.startswith(EMBEDDED):
        upgrade(options.database)
    asyncio.run(demo(options.database or EMBEDDED, options.captions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
