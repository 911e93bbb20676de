"""The soak ends by itself, shows every measure, and fails if a limit is missed."""

import json
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.soak.speech import arrivals
from benchmarks.soak.table import Measure

ROOT = Path(__file__).resolve().parents[2]
SLOWEST_WRITE = "real time: p99 of a write"


def soaked(change: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the soak with some of its constants changed."""
    program = "from benchmarks.soak import __main__ as soak, hundred_bots, ten_bots"
    return subprocess.run(
        [sys.executable, "-c", f"{program}; {change}; exit(soak.main())", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def test_a_short_soak_shows_every_measure_and_fails_when_a_limit_is_missed(tmp_path: Path) -> None:
    done = soaked(
        "hundred_bots.SLOWEST_WRITE = 0.0", "--minutes", "0.05", "--json", str(tmp_path / "soak.json")
    )
    assert done.returncode == 1, done.stderr
    assert f"missed: {SLOWEST_WRITE} is " in done.stdout
    measures = {
        each["measure"]: each for each in json.loads((tmp_path / "soak.json").read_text())["measures"]
    }
    assert not measures[SLOWEST_WRITE]["ok"]
    for name, each in measures.items():
        assert name in done.stdout
        assert each["ok"] or f"missed: {name} is " in done.stdout
    limited = {name for name, each in measures.items() if each["limit"] is not None}
    assert limited == {
        SLOWEST_WRITE,
        "real time: writes rejected",
        "real time: pool in use",
        "real time: cache hit rate",
        "full load: writes rejected",
        "full load: cache hit rate",
        *(f"full load: {gauge}, growth" for gauge in ("live blocks", "bytes held", "resident memory")),
        "cache day: hit rate, 10 bots",
        "cache day: hit rate, 100 bots",
    }


def test_a_short_day_shows_how_memory_grows_and_fails_when_a_limit_is_missed(tmp_path: Path) -> None:
    done = soaked(
        "ten_bots.SAMPLES, ten_bots.BYTES_SHOWN = 64, 0.0",
        *("--day", "--writes", "800", "--json", str(tmp_path / "soak.json")),
    )
    assert done.returncode == 1, done.stderr
    assert "missed: bytes held, uncertainty (± 95 %) is " in done.stdout
    measures = {
        each["measure"]: each for each in json.loads((tmp_path / "soak.json").read_text())["measures"]
    }
    assert measures["writes"]["figure"] >= 800
    assert {name for name, each in measures.items() if each["limit"] is not None} == {
        *(f"{gauge}, growth that shows all the time" for gauge in ("live blocks", "bytes held")),
        *(f"{gauge}, uncertainty (± 95 %)" for gauge in ("live blocks", "bytes held")),
        "resident memory, growth since a tenth",
    }


@pytest.mark.parametrize(
    ("figure", "above", "ok"),
    [(0.5, False, True), (0.6, False, False), (0.5, True, True), (0.4, True, False)],
)
def test_a_figure_may_reach_its_limit_and_not_pass_it(figure: float, above: bool, ok: bool) -> None:
    assert Measure("a figure", figure, "{:.2f}", 0.5, above).ok is ok


def test_what_arrives_is_what_live_transcribers_send() -> None:
    revisions: dict[int, list[str]] = {}
    finals = late = newest = 0
    for arrival in arrivals(random.Random(7), ()):
        if arrival.place == 5000:
            break
        revisions.setdefault(arrival.place, []).append(arrival.text)
        finals += arrival.is_final
        late += arrival.place < newest
        newest = max(newest, arrival.place)
    sent = sum(map(len, revisions.values()))
    pairs = [pair for texts in revisions.values() for pair in pairwise(texts)]
    assert max(map(len, revisions.values())) == 44
    assert sent / len(revisions) == pytest.approx(11, abs=0.5)
    assert sum(one == other for one, other in pairs) / sent == pytest.approx(0.04, abs=0.01)
    assert sum(len(one) > len(other) for one, other in pairs) / sent == pytest.approx(0.07, abs=0.01)
    assert late / sent == pytest.approx(0.18, abs=0.02)
