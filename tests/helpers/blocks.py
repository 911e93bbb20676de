"""The code blocks of the documentation, and how they are run: as they stand, one after the other."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
_BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of a page: its language, the name behind that, if it has one, and where it begins."""

    language: str
    name: str | None
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(each[1], each[2], each[3], text.count("\n", 0, each.start()) + 1)
        for each in _BLOCK.finditer(text)
    ]


async def run(page: Path, block: Block, namespace: dict[str, Any]) -> None:
    """Run a block of Python, which may await, in a namespace that the next one goes on with."""
    # Padded, so that a traceback names the line of the page.
    text = "\n" * block.line + block.text
    code = compile(text, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)
    if inspect.isawaitable(result):
        await result


async def program(name: str, replacements: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what the program of this name in the recipes defines."""
    page = ROOT / "docs" / "recipes.md"
    (block,) = [each for each in blocks_of(page) if each.name == name]
    for old, new in (replacements or {}).items():
        block = block._replace(text=block.text.replace(old, new))
    namespace: dict[str, Any] = {"__name__": name}
    await run(page, block, namespace)
    return namespace


def pasted(page: Path, folder: Path) -> list[str]:
    """Run the Python blocks of a page as one file in `folder`, and return the lines that they print."""
    program = "\n\n".join(each.text for each in blocks_of(page) if each.language == "python")
    (folder / "pasted.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "pasted.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
