"""`audio`: the recordings of a meeting as one file."""

import sys
from typing import Annotated

import typer

from livetranslate_store.cli.command import MOVE, Command, wait_for
from livetranslate_store.cli.files import STANDARD, replacing
from livetranslate_store.cli.opening import opened, session_named
from livetranslate_store.cli.options import Database, OutputFile, SessionName
from livetranslate_store.cli.terminal.progress import shown_progress


def audio(
    *,
    session: SessionName,
    output: OutputFile = STANDARD,
    fill_gaps: Annotated[
        bool, typer.Option("--fill-gaps", help="Fill the time between two recordings with silence.")
    ] = False,
    database: Database = None,
) -> None:
    """Write the recordings of a meeting as one file: WAV files of one format, or a single file of any format.

    An existing file is replaced once the new one is complete.
    """
    if output == STANDARD and sys.stdout.isatty():
        raise typer.BadParameter("A terminal cannot show audio: name a file with -o, or use a pipe.")

    async def run() -> None:
        async with opened(database) as store:
            found = await session_named(store, session)
            recording = await store.open_session_audio(found.id, fill_gaps=fill_gaps)
            with replacing(output) as file, shown_progress("reading audio", "bytes") as advance:
                done = 0
                async for piece in recording.stream():
                    file.write(piece)
                    done += len(piece)
                    advance(done, recording.size_bytes)

    wait_for(run())


AUDIO = Command(
    "audio",
    audio,
    MOVE,
    ("audio meet-42 -o meeting.wav --fill-gaps", "audio meet-42 | ffmpeg -i - meeting.mp3"),
)
