"""Memory and rate over list length, as a picture for the documents.

    python -m bench.plot [RESULTS] [PICTURE]

Reads the scenario `memory` of `.bench/results.json`; writes SVG, by hand: a few lines and dots need
no library, and the text stays text.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

RESULTS = Path(".bench/results.json")
PICTURE = Path("docs/img/memory-rate.svg")
GOAL_MB = 200.0

WIDTH_PX, PANEL_PX, GAP_PX = 720, 190, 62
LEFT_PX, RIGHT_PX, TOP_PX, FOOT_PX = 64, 24, 40, 52
INK, PALE = "#333333", "#d9d9d9"

Point = tuple[float, float]


def points(results: Path) -> list[tuple[int, float, float]]:
    """Length of the list, peak in MB, images a second. Raises ValueError without the scenario."""
    tables = json.loads(results.read_text())["tables"]
    rows = next((table["rows"] for table in tables if table["name"] == "memory"), None)
    if not rows:
        raise ValueError(f"{results} has no scenario `memory`: python -m bench --only memory")
    found = ((r["extra"]["length"], r["pss_mb"], r["extra"]["images_per_s"]) for r in rows)
    return sorted((int(length), float(mb), float(rate)) for length, mb, rate in found)


def step(most: float) -> float:
    """Between two lines of the scale: 1, 2 or 5 times a power of ten, four to eight of them."""
    power = 10 ** math.floor(math.log10(most))
    return next(s for s in (power / 5, power / 2, power, 2 * power) if most / s <= 6)


def short(number: float) -> str:
    """12k, 1M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


class Axis:
    """List lengths, logarithmic; a little room on both sides."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.marks = lengths
        self._low, high = math.log10(lengths[0]) - 0.08, math.log10(lengths[-1]) + 0.08
        self._scale = (WIDTH_PX - LEFT_PX - RIGHT_PX) / (high - self._low)

    def x(self, length: float) -> float:
        return LEFT_PX + (math.log10(length) - self._low) * self._scale


def panel(
    axis: Axis, top_px: int, title: str, values: list[Point], colour: str, goal: float | None
) -> Iterator[str]:
    """One curve from zero up, each point with its value; `goal` is a line not to be crossed."""
    most = max([value for _, value in values] + [goal or 0.0])
    each = step(most)
    high = each * math.ceil(most * 1.08 / each)
    bottom_px = top_px + PANEL_PX

    def y(value: float) -> float:
        return bottom_px - value / high * PANEL_PX

    yield text(LEFT_PX, top_px - 16, title, "title")
    for number in range(round(high / each) + 1):
        level = y(number * each)
        colour_here = INK if number == 0 else PALE
        yield line(LEFT_PX, level, WIDTH_PX - RIGHT_PX, level, colour_here)
        yield text(LEFT_PX - 8, level + 4, f"{number * each:,g}", "scale end")
    for length in axis.marks:
        x = axis.x(length)
        yield line(x, bottom_px, x, bottom_px + 4, INK)
        yield text(x, bottom_px + 18, short(length), "scale middle")
    if goal is not None:
        yield line(LEFT_PX, y(goal), WIDTH_PX - RIGHT_PX, y(goal), INK, "4 4")
        yield text(WIDTH_PX - RIGHT_PX, y(goal) - 5, f"goal: under {goal:g} MB", "scale end")
    path = " ".join(f"{axis.x(length):.1f},{y(value):.1f}" for length, value in values)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    for length, value in values:
        x, level = axis.x(length), y(value)
        yield f'<circle cx="{x:.1f}" cy="{level:.1f}" r="3" fill="{colour}"/>'
        yield text(x, level - 9, f"{value:,.0f}", "value middle")


def line(x: float, y: float, to_x: float, to_y: float, colour: str, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}" '
            f'stroke-width="0.75"{dashed}/>')  # fmt: skip


def text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>'


def svg(rows: list[tuple[int, float, float]]) -> str:
    axis = Axis([length for length, _, _ in rows])
    second_px = TOP_PX + PANEL_PX + GAP_PX
    height_px = second_px + PANEL_PX + FOOT_PX
    memory = [(length, mb) for length, mb, _ in rows]
    rates = [(length, rate) for length, _, rate in rows]
    parts = [
        (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height_px}" '
        f'width="{WIDTH_PX}" height="{height_px}" font-family="Helvetica, Arial, sans-serif" '
        'role="img"><title>Peak memory and images a second over list length</title>'),
        (f"<style>text{{font-size:12px;fill:{INK}}} .title{{font-size:13px;font-weight:bold}} "
        ".end{text-anchor:end} .middle{text-anchor:middle}</style>"),
        f'<rect width="{WIDTH_PX}" height="{height_px}" fill="white"/>',
        *panel(axis, TOP_PX, "Peak memory of the process tree, MB", memory, "#33658a", GOAL_MB),
        *panel(axis, second_px, "Images a second", rates, "#b35c00", None),
        text((LEFT_PX + WIDTH_PX - RIGHT_PX) / 2, height_px - 12,
             "URLs in the list (logarithmic)", "middle"),
        "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def main() -> None:
    given = [Path(name) for name in sys.argv[1:3]]
    results, picture = [*given, *(RESULTS, PICTURE)[len(given) :]]
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(svg(points(results)))


if __name__ == "__main__":
    main()
