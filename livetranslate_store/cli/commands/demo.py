"""`demo`: a live meeting, watched."""

from typing import Annotated

import typer

from livetranslate_store.cli.command import READ, Command, wait_for
from livetranslate_store.cli.demo.command import demo as show_demo
from livetranslate_store.cli.options import Database
from livetranslate_store.embedded.provision import EMBEDDED
from livetranslate_store.schema.upgrade import upgrade


def demo(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[LANGUAGE=FILE]...", help="More files, as with --captions.")
    ] = None,
    captions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LANGUAGE=FILE",
            show_default=False,
            help="WebVTT files instead of the sample meeting: what was said first, then its translations.",
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Watch a live meeting being written and read back.

    A meeting is replayed as a live transcriber would send it, then its timeline is shown. Without a
    database a private one is started, and nothing is left behind.
    """
    if database and not database.startswith(EMBEDDED):
        upgrade(database)
    wait_for(show_demo(database or EMBEDDED, [*(captions or ()), *(files or ())]))


DEMO = Command("demo", demo, READ, ("demo", "demo --captions en=talk.en.vtt ja=talk.ja.vtt"))
