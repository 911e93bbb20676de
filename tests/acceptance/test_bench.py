"""The bench runs from beginning to end; what it finds in sizes cut down so far says nothing."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.beside_plain import every_measure as plain_measures
from benchmarks.report.results import measures
from benchmarks.scale import QUICK

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_bench_prints_every_measure_on_both_loops_and_leaves_the_documentation_alone(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--docs", str(tmp_path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONUTF8": "1"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for measure in (*measures(QUICK).values(), *plain_measures.measures(QUICK).values()):
        assert measure.title in done.stdout
    for text in ("asyncio", "uvloop", "must", "aim", "PostgreSQL 18"):
        assert text in done.stdout
    assert list(tmp_path.iterdir()) == []
