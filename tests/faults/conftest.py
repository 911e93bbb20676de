"""What the faults share: how often each is tried, what chance decides, and the table of what was found."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import psycopg
import pytest
from faults import table
from faults.crowd import RECOVERY_SECONDS, new_session
from faults.ledger import Findings, Ledger
from faults.place import Place
from faults.table import Row

from livetranslate_store import Store

SEED = 4
_rows = pytest.StashKey[dict[str, Row]]()
_began = time.monotonic()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults", type=Path, metavar="PAGE", help="try every fault in full, and write the table into PAGE"
    )


class Run:
    """One fault that is tried: what chance decides, and what was found."""

    def __init__(self, fault: str, tries: int) -> None:
        self.tries = tries
        self.chance = Random(f"{SEED} {fault}")
        self.row = Row(0, 0, 0, 0, None)

    def found(self, findings: Findings) -> None:
        """Count what was found; a lost or partial write ends the test."""
        self.row = self.row.and_(Row(0, *findings, None))
        assert findings.lost == 0, findings
        assert findings.partial == 0, findings

    def tried(self, recovery: float | None = None) -> None:
        """Count a try, and how many seconds it took until a write was acknowledged again."""
        self.row = self.row.and_(Row(1, 0, 0, 0, recovery))
        assert recovery is None or recovery < RECOVERY_SECONDS, f"recovered after {recovery:.1f} s"


StartRun: TypeAlias = Callable[..., Run]


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Iterator[StartRun]:
    """Begin with a fault: its name, how often it is tried in full, and how often otherwise."""
    runs: dict[str, Run] = {}

    def start(name: str, *, full: int, short: int) -> Run:
        in_full = request.config.getoption("--faults", default=None) is not None
        run = runs[name] = Run(name, full if in_full else short)
        print(f"{name}: {run.tries} tries, seed {SEED}")
        return run

    yield start
    rows = request.config.stash.setdefault(_rows, {})
    for name, run in runs.items():
        rows[name] = rows[name].and_(run.row) if name in rows else run.row


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    rows = config.stash.get(_rows, {})
    page = config.getoption("--faults", default=None)
    if not rows or page is None:
        return
    terminalreporter.section(f"faults, seed {SEED}")
    for line in table.lines(rows):
        terminalreporter.line(line)
    if exitstatus == pytest.ExitCode.OK:
        table.write(page, rows, SEED, time.monotonic() - _began)


@pytest.fixture
def database_url(owner_url: str) -> str:
    """The URL of the database for its owner: faults change what is underneath, the schema too."""
    return owner_url


@pytest.fixture
def place(
    database_url: str, other_program: psycopg.Connection[Any], audio_folder: Path, tmp_path: Path
) -> Place:
    """Where the data of this test lie."""
    return Place(database_url, other_program, audio_folder, tmp_path)


@pytest.fixture
async def ledger(store: Store, place: Place) -> Ledger:
    """The ledger of a session in this test's own database."""
    return place.ledger(await new_session(store))


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """A folder with a short path, into which a server's user may pass."""
    folder = Path(tempfile.mkdtemp(prefix="livetranslate-fault-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
