"""The bench judges its figures, draws them, and writes them into the documentation."""

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from benchmarks.beside_plain import every_measure as plain_measures
from benchmarks.report.bars import BAR, LEFT, RIGHT, WIDTH, Bars, draw_bars
from benchmarks.report.files import BEGIN, BEGIN_PLAIN, END, Comparison, between_markers, write_report
from benchmarks.report.machine import Machine
from benchmarks.report.plot import Line, Panel, draw
from benchmarks.report.results import SHARE, Figure, LoopResults, Measure, Point, measures, missed
from benchmarks.scale import FULL

ROWS = measures(FULL)
PLAIN_ROWS = plain_measures.measures(FULL)
CURVE = [Point(1, 0.001, 0.002), Point(10, 0.002, 0.003)]
PERFECT = {name: Figure(1.0) if row.must is None else Figure(row.must, 1.0) for name, row in ROWS.items()}


def results(**figures: Figure) -> dict[str, LoopResults]:
    return {
        "asyncio": LoopResults(PERFECT, CURVE, CURVE, CURVE),
        "uvloop": LoopResults(PERFECT | figures, CURVE, CURVE, CURVE),
    }


def figures(**changed: Figure) -> dict[str, Mapping[str, Figure]]:
    return {loop: result.figures for loop, result in results(**changed).items()}


def test_what_reaches_its_bound_exactly_is_not_missed() -> None:
    assert missed(ROWS, figures()) == []


def test_a_time_above_and_a_rate_below_its_bound_are_missed_and_so_is_what_was_not_measured() -> None:
    found = missed(ROWS, figures(one_writer=Figure(0.9, 1.0), crowd_rate=Figure(2.5, 1.0), bulk=Figure(None)))
    assert found == [
        "record_segment, one writer (uvloop): 0.90, must be ≤ 0.8",
        "100 writers at once, segments (uvloop): 2.50, must be ≥ 3",
        "import of 100,000 segments, rows (uvloop): not measured",
    ]


def test_figures_replace_what_stood_between_the_markers_and_nothing_else() -> None:
    once = between_markers(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new")
    assert once == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert between_markers(once, "new") == once


def test_a_page_without_its_markers_is_left_alone() -> None:
    with pytest.raises(ValueError, match="markers"):
        between_markers(f"{BEGIN} and no end", "new")


def test_stacked_bars_are_xml_and_each_side_is_as_long_as_its_parts() -> None:
    bars = Bars("Bytes", {"plain": {"a": 30.0, "b": 10.0}, "now & <then>": {"a": 10.0, "b": 10.0}})
    root = ET.fromstring(draw_bars([bars, bars]))
    widths = [float(each.get("width", 0)) for each in root.iter() if each.get("height") == str(BAR)]
    assert widths[0] == pytest.approx(3 * widths[1], rel=0.01)
    assert sum(widths[2:4]) == pytest.approx(sum(widths[:2]) / 2, rel=0.01)
    assert widths[0] + widths[1] <= WIDTH - LEFT - RIGHT


def test_a_plot_is_xml_with_every_curve_inside_its_panel() -> None:
    line = Line("ours & <more>", "#000000", [(1, 2.0), (1_000, 40.0)], broken=True)
    root = ET.fromstring(draw([Panel("One", "x", [line]), Panel("Two", "x", [line])]))
    svg = "{http://www.w3.org/2000/svg}"
    assert {"ours & <more>", "1,000", "One", "Two"} <= {each.text for each in root.iter(f"{svg}text")}
    points = [each.get("points", "").split() for each in root.iter(f"{svg}polyline")]
    assert [len(each) for each in points] == [2, 2]
    assert all(0 < float(y) < float(root.get("height", 0)) for p in points[0] for y in p.split(",")[1:])


def test_an_absolute_bound_is_for_our_figure_whatever_the_floor_s_is() -> None:
    row = Measure("a share", "the same", SHARE, 0.85, 0.95, absolute=True)
    assert missed({"share": row}, {"asyncio": {"share": Figure(0.85, 0.0)}}) == []
    assert missed({"share": row}, {"asyncio": {"share": Figure(0.8, 0.1)}}) == [
        "a share (asyncio): 0.80, must be ≥ 85 %"
    ]


def test_a_report_fills_the_page_and_keeps_every_figure(tmp_path: Path) -> None:
    (tmp_path / "performance.md").write_text(f"{BEGIN}\n{END}\n{BEGIN_PLAIN}\n{END}\n", encoding="utf-8")
    found = results(bulk=Figure(None))
    write_report(
        tmp_path,
        Comparison(ROWS, {loop: result.figures for loop, result in found.items()}),
        Comparison(PLAIN_ROWS, {"asyncio": dict.fromkeys(PLAIN_ROWS, Figure(1.0, 0.0))}),
        found,
        Machine.this("18.1"),
    )
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    floor, plain = page.split(BEGIN_PLAIN)
    assert all(row.title in floor for row in ROWS.values())
    assert all(row.title in plain for row in PLAIN_ROWS.values())
    kept = msgspec.json.decode((tmp_path / "performance" / "results.json").read_bytes())
    assert [each["name"] for each in kept["measures"]] == list(ROWS)
    assert [each["name"] for each in kept["beside_a_plain_schema"]] == list(PLAIN_ROWS)
    assert kept["writers"]["uvloop"]["p99"][1] == {"x": 10, "ours": 0.002, "floor": 0.003}
    assert {each.name for each in (tmp_path / "performance").iterdir()} == {
        "life.svg",
        "results.json",
        "stored.svg",
        "writers.svg",
    }
