"""Draw plots as SVG: panels side by side, with one legend below them.

They have a background of their own, so that they can be read on a light page and on a dark one.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 72, 24, 52, 56
# The height of a line of the legend, and how many curves it names under each panel.
LEGEND, PER_PANEL = 26, 2
TICKS = 5
TEXT, QUIET, GRID, CARD = "#1f2328", "#57606a", "#d8dee4", "#ffffff"


class Line(NamedTuple):
    """One curve; its points are equally far apart, whatever their x."""

    name: str
    color: str
    points: Sequence[tuple[int, float]]
    broken: bool


class Panel(NamedTuple):
    """One diagram, from zero up; its title has the quantity and its unit."""

    title: str
    x_axis: str
    lines: Sequence[Line]


def draw(panels: Sequence[Panel]) -> str:
    """Return the panels as an SVG document; the legend is the first one's."""
    legend = _legend(panels[0].lines, columns=PER_PANEL * len(panels))
    width, height = WIDTH * len(panels), HEIGHT + LEGEND * len(legend) + RIGHT // 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"',
            f' viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif">',
            f'<rect width="{width}" height="{height}" rx="8" fill="{CARD}" stroke="{GRID}"/>',
            *(_panel(panel, WIDTH * number) for number, panel in enumerate(panels)),
            *legend,
            "</svg>\n",
        ]
    )


class _Frame(NamedTuple):
    """The places of a panel's values on the page."""

    places: int
    top: float

    def x(self, number: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (number + 0.5) / self.places

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top)


def _panel(panel: Panel, offset: int) -> str:
    names = [f"{x:,}" for x, _ in panel.lines[0].points]
    top, step = _ticks(max(y for line in panel.lines for _, y in line.points))
    frame = _Frame(len(names), top)
    parts = [text_at(LEFT, 28, panel.title, size=15, weight=600)]
    for tick in range(round(top / step) + 1):
        y = frame.y(tick * step)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        parts.append(text_at(LEFT - 8, y + 4, f"{tick * step:,.6g}", anchor="end", fill=QUIET))
    for number, name in enumerate(names):
        parts.append(text_at(frame.x(number), HEIGHT - BOTTOM + 20, name, anchor="middle", fill=QUIET))
    parts.append(text_at((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, panel.x_axis, anchor="middle"))
    parts += [_curve(line, frame) for line in panel.lines]
    return f'<g transform="translate({offset} 0)">\n' + "\n".join(parts) + "\n</g>"


def _curve(line: Line, frame: _Frame) -> str:
    places = [(frame.x(number), frame.y(y)) for number, (_, y) in enumerate(line.points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{line.color}"/>' for x, y in places)
    return "\n".join([f'<polyline points="{path}" fill="none" {_stroke(line)}/>', *dots])


def _legend(lines: Sequence[Line], columns: int) -> list[str]:
    """Return the lines of the legend."""
    rows = []
    for row, first in enumerate(range(0, len(lines), columns)):
        y = HEIGHT + LEGEND * (row + 0.5)
        parts = []
        for column, line in enumerate(lines[first : first + columns]):
            x = LEFT + column * (WIDTH - LEFT / 2) / PER_PANEL
            parts.append(f'<path d="M{x:.1f} {y:.1f}h26" {_stroke(line)}/>')
            parts.append(text_at(x + 34, y + 4, line.name))
        rows.append("\n".join(parts))
    return rows


def _ticks(highest: float) -> tuple[float, float]:
    """Return the upper end of an axis from zero, and the step between its ticks."""
    rough = highest / TICKS
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(magnitude * factor for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= rough)
    return math.ceil(highest / step) * step, step


def _stroke(line: Line) -> str:
    return f'stroke="{line.color}" stroke-width="2"' + (' stroke-dasharray="6 4"' if line.broken else "")


def text_at(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    fill: str = TEXT,
    size: int = 13,
    weight: int = 400,
) -> str:
    """Return a text at a place of the page, in pixels."""
    style = f'text-anchor="{anchor}" fill="{fill}" font-size="{size}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
