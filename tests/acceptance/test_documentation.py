"""The documentation tells the truth: every block of code in it is run, and every link leads somewhere."""

import asyncio
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import prometheus_client
import pytest
from helpers.blocks import PAGES, ROOT, Block, blocks_of, run
from helpers.older_system import insert_session, insert_transcript, make_schema
from helpers.stored import Program
from helpers.support import transcript

import livetranslate_store
from livetranslate_store import Store

# What the pages say for addresses that everybody has others of.
DATABASE = "postgresql+asyncpg://app@db/livetranslate"
OLDER = "postgresql://reader:secret@old-host/bots"
RECORDINGS = "/var/lib/bots/audio"
CAPTIONS = "WEBVTT\n\n00:01.000 --> 00:02.000\nGood morning.\n"
SUBTITLES = "1\n00:00:01,000 --> 00:00:02,000\nBuenos días.\n"
#: Whole programs: `test_recipes.py`, `test_readme.py` and `test_getting_started.py` run them.
WITH_TESTS_OF_THEIR_OWN = {"recipes.md", "README.md", "getting-started.md"}
SNIPPETS = [
    page
    for page in PAGES
    if page.name not in WITH_TESTS_OF_THEIR_OWN and any(each.language == "python" for each in blocks_of(page))
]
COMMANDS = [page for page in PAGES if any(each.language == "sh" for each in blocks_of(page))]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "talk.en.vtt").write_text(CAPTIONS, encoding="utf-8")
    (tmp_path / "talk.es.srt").write_text(SUBTITLES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def older_url(owner_url: str, other_program: Program) -> str:
    make_schema(other_program)
    insert_session(other_program)
    insert_transcript(other_program, "transcript_1")
    other_program.commit()
    return owner_url.replace("+asyncpg", "")


@pytest.mark.parametrize("page", SNIPPETS, ids=lambda page: page.name)
@pytest.mark.usefixtures("files")
async def test_every_snippet_works_as_it_stands(
    page: Path, store: Store, database_url: str, older_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_client, "REGISTRY", prometheus_client.CollectorRegistry())
    async with store.unit_of_work() as uow:
        session = await uow.sessions.create(bot_id="bot-7", meeting_id="abc-defg-hij")
    given = {name: getattr(livetranslate_store, name) for name in livetranslate_store.__all__}
    given |= {"store": store, "other_store": store, "session": session}
    given |= {"session_id": session.id, "transcript": transcript()}
    for block in blocks_of(page):
        if block.language == "python":
            text = (
                block.text.replace(DATABASE, database_url).replace(OLDER, older_url).replace(RECORDINGS, ".")
            )
            await run(page, block._replace(text=text), given)


@pytest.mark.parametrize("page", COMMANDS, ids=lambda page: page.name)
async def test_every_command_works_as_it_stands(
    page: Path, owner_url: str, other_program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store.open(owner_url) as store, store.unit_of_work() as uow:
        await uow.sessions.create(bot_id="bot-7", meeting_id="abc-defg-hij", external_id="meet-42")
    monkeypatch.setenv("LIVETRANSLATE_DATABASE_URL", owner_url)
    for block in blocks_of(page):
        if block.language == "sh":
            for line in block.text.splitlines():
                words = shlex.split(line, comments=True)
                await asyncio.to_thread(run_command, words, other_program, tmp_path)


def run_command(words: list[str], owner: Program, folder: Path) -> None:
    """Run one command of a page; what would start this very run, or fill a machine, is looked up instead."""
    match words:
        case [] | ["export", _]:
            pass
        case [".venv/bin/python", "-m", module, *_]:
            assert (ROOT / module / "__main__.py").is_file(), module
        case ["make", target, *_]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
        case ["pip", "install", package]:
            extras = set(re.findall(r"\w+", package.partition("[")[2]))
            project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
            assert extras <= project["optional-dependencies"].keys(), package
        case ["psql", _, "-c", statement]:
            owner.execute(statement.encode())
            owner.rollback()
        case ["livetranslate-store", "distribute", *_]:
            pass  # it needs a cluster: `test_cluster_page.py` runs it
        case ["livetranslate-store", *rest]:
            arguments, _, _ = " ".join(map(shlex.quote, rest)).partition(" '|' ")
            done = subprocess.run(
                [sys.executable, "-m", "livetranslate_store.cli.__main__", *shlex.split(arguments)],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        case _:
            pytest.fail(f"nobody knows how to try {shlex.join(words)}")


def test_every_block_is_tried() -> None:
    # A configuration of PgBouncer's is tried in test_recipes.py, SQL in test_cluster_page.py.
    tried = {"python", "sh", "ini", "sql"}
    left: list[tuple[str, Block]] = [
        (page.name, each) for page in PAGES for each in blocks_of(page) if each.language not in tried
    ]
    assert left == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_readme_links_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.name not in readme and page.name != "README.md"] == []
