"""Draws docs/terminal.svg: commands over the sample meeting, as a terminal shows them."""

import asyncio
import re
from html import unescape
from io import StringIO
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console

from livetranslate_store import Store
from livetranslate_store.cli.commands import check, search, sessions, timeline
from livetranslate_store.cli.demo.meeting import sample_meeting
from livetranslate_store.cli.demo.replay import replay
from livetranslate_store.cli.opening import settings_for
from livetranslate_store.cli.terminal.output import Output

COLUMNS = 112
# The first seconds of the meeting.
SECONDS = 15.0

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "terminal.svg"


async def record() -> str:
    """Return the picture."""
    console = Console(
        file=StringIO(), record=True, width=COLUMNS, force_terminal=True, color_system="truecolor"
    )
    output = Output(console=console)
    async with Store.open("embedded:") as store:
        session_id = (await replay(store, sample_meeting())).session_id
        (session,) = listed = await store.find_sessions()
        _typed(console, "sessions")
        output.listed(listed, sessions.COLUMNS, title="Sessions", whole=str)
        _typed(console, f"timeline {session.external_id} --end 0:{SECONDS:.0f} -l en -l ja -l ar")
        entries = await store.timeline(session_id, end=SECONDS, languages=["en", "ja", "ar"])
        output.listed(entries, timeline.COLUMNS, title=session.title or "", whole=str)
        _typed(console, f"search --session {session.external_id} --limit 3 bibliotecas")
        found = await store.search("bibliotecas", session_ids=[session_id], limit=3)
        output.listed(found, search.COLUMNS, title="Found", whole=str)
    _typed(console, "check")
    output.listed(
        await check.findings(settings_for("embedded:"), 5.0), check.COLUMNS, title="Check", whole=str
    )
    return _repaired(console.export_svg(title="livetranslate-store"))


def _repaired(picture: str) -> str:
    """Return the picture without fonts of other sites, and with the real width of wide characters."""
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)

    def stretched(found: "re.Match[str]") -> str:
        text = unescape(found[3])
        length = float(found[1]) * cell_len(text) / len(text)
        return f'textLength="{length:g}"{found[2]}>{found[3]}</text>'

    return re.sub(r'textLength="([0-9.]+)"([^>]*)>([^<]+)</text>', stretched, picture)


def _typed(console: Console, command: str) -> None:
    console.print(f"\n[green]$[/green] livetranslate-store [bold]{command}[/bold]", highlight=False)


if __name__ == "__main__":
    PICTURE.write_text(asyncio.run(record()), encoding="utf-8")
