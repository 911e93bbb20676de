"""The soak ends by itself, shows every measure, and fails where a limit is missed."""

import json
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.soak.__main__ import Measure, report
from benchmarks.soak.speech import arrivals

ROOT = Path(__file__).resolve().parents[2]
# Seconds of it, with one limit that nothing can meet.
PROGRAM = "from benchmarks.soak import __main__ as soak; soak.SLOWEST_WRITE = 0.0; exit(soak.main())"
SLOWEST_WRITE = "real time: p99 of a write"


def test_a_short_soak_shows_every_measure_and_fails_when_a_limit_is_missed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "--minutes", "0.05", "--json", str(tmp_path / "soak.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
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
        "full load: memory growth",
        "cache day: hit rate, 10 bots",
        "cache day: hit rate, 100 bots",
    }


@pytest.mark.parametrize(
    ("figure", "above", "ok"), [(0.5, False, False), (0.4, False, True), (0.6, True, True)]
)
def test_the_exit_code_says_whether_the_limits_held(figure: float, above: bool, ok: bool) -> None:
    assert report([Measure("a figure", figure, "{:.2f}", 0.5, above)], None) == (0 if ok else 1)


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
