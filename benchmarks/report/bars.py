"""Draw stacked bars as SVG: what a whole is made of, for each side."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.report.plot import CARD, GRID, QUIET, text_at

WIDTH, LEFT, RIGHT = 460, 104, 76
TOP, BAR, GAP, LEGEND = 52, 30, 14, 24
# Dark enough for white text, and told apart in grey too.
COLORS = ("#0b3d91", "#0b7285", "#c2410c", "#8a5a00")


class Bars(NamedTuple):
    """One diagram: for each side the parts of its whole, in bytes; all sides have the same parts."""

    title: str
    sides: Mapping[str, Mapping[str, float]]


def draw_bars(diagrams: Sequence[Bars]) -> str:
    """Return the diagrams side by side as an SVG document, each with a legend of its own."""
    lines = max(TOP + len(each.sides) * (BAR + GAP) + _parts(each) * LEGEND for each in diagrams)
    width, height = WIDTH * len(diagrams), lines + GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"',
            f' viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif">',
            f'<rect width="{width}" height="{height}" rx="8" fill="{CARD}" stroke="{GRID}"/>',
            *(
                f'<g transform="translate({WIDTH * number} 0)">\n{_diagram(each)}\n</g>'
                for number, each in enumerate(diagrams)
            ),
            "</svg>\n",
        ]
    )


def _parts(diagram: Bars) -> int:
    return len(next(iter(diagram.sides.values())))


def _diagram(diagram: Bars) -> str:
    wholes = {side: sum(parts.values()) for side, parts in diagram.sides.items()}
    scale = (WIDTH - LEFT - RIGHT) / max(wholes.values())
    drawn = [text_at(LEFT, 28, diagram.title, size=15, weight=600)]
    y = float(TOP)
    for side, parts in diagram.sides.items():
        x = float(LEFT)
        drawn.append(text_at(LEFT - 8, y + BAR / 2 + 4, side, anchor="end"))
        for color, value in zip(COLORS, parts.values(), strict=False):
            drawn.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{value * scale:.1f}" height="{BAR}" fill="{color}"/>'
            )
            x += value * scale
        drawn.append(text_at(x + 6, y + BAR / 2 + 4, f"{wholes[side]:,.0f} B", fill=QUIET))
        y += BAR + GAP
    for color, part in zip(COLORS, next(iter(diagram.sides.values())), strict=False):
        drawn.append(f'<rect x="{LEFT}" y="{y:.1f}" width="14" height="14" fill="{color}"/>')
        drawn.append(text_at(LEFT + 22, y + 12, part))
        y += LEGEND
    return "\n".join(drawn)
