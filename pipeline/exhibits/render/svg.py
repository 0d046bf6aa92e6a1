"""Drawings for the page: SVG of plain shapes and text, the same bytes on every machine.

Widths are those of a panel, 330 units, which are pixels on a screen: text is never under 11.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from pipeline.exhibits.render import rounding

WIDTH = 330.0

INK, GREY, PALE, SHADE = "#1b1b1b", "#555", "#e2e2e2", "#efefef"
# Okabe-Ito (doi:10.1038/nmeth.1618): blue, vermillion and green; orange only beside a word.
BLUE, VERMILLION, GREEN, DIM = "#0072B2", "#D55E00", "#009E73", "#6b6b6b"

# Units that a character of 12 px text takes, on average, and that a line of it is high.
_CHARACTER, LINE_HEIGHT = 6.3, 14.0

# Steps between ticks, times powers of ten.
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """Map values onto a stretch of the drawing; `step` is that between ticks.

    `signs` stand before the values of an axis that are open-ended, which it always marks.
    """

    low: float
    high: float
    start: float
    end: float
    step: float
    signs: Mapping[float, str] = field(default_factory=dict)

    def at(self, value: float) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return the values of ticks, both ends among them where they are round."""
        first, last = (
            math.ceil(self.low / self.step - 1e-9),
            math.floor(self.high / self.step + 1e-9),
        )
        return [self.step * number for number in range(first, last + 1)]

    def label(self, value: float, sign: bool = False) -> str:
        """Return what stands at a tick: as many decimals as the step needs, a plus on request."""
        decimals = max(0, -math.floor(math.log10(self.step) + 1e-9))
        more = round(self.step * 10**decimals, 6) % 1 > 0
        text = rounding.fixed(value, decimals + more)
        text = f"+{text}" if sign and value > self.step / 2 else text
        return self.signs.get(value, "") + text


def scale(values: list[float], start: float, end: float, n_steps: int = 5) -> Scale:
    """Return a scale from the least to the largest value, with about `n_steps` round steps."""
    low, high = min(values), max(values)
    if not high > low:
        low, high = low - 1, high + 1
    rough = (high - low) / n_steps
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(s * size for s in _STEPS if s * size >= rough - 1e-12 * size)
    margin = 0.04 * (high - low)
    return Scale(low - margin, high + margin, start, end, step)


def year_scale(
    times: list[int], start: float, end: float, signs: Mapping[int, str] | None = None
) -> Scale:
    """Return a scale of whole event times, every one of them marked where there is room."""
    low, high = min(times), max(times)
    step = max(1.0, math.ceil((high - low) * 24 / (end - start)))
    before = {float(time): sign for time, sign in (signs or {}).items()}
    return Scale(low - 0.2, max(high, low + 1) + 0.2, start, end, step, before)


def room_for_labels(of: Scale, sign: bool = False) -> float:
    """Return the width that the values of a vertical scale take, with their distance."""
    return 10 + 6.6 * max((len(of.label(tick, sign)) for tick in of.ticks()), default=1)


def drawing(height: float, parts: list[str], label: str, width: float = WIDTH) -> str:
    """Return a drawing with its alternative text."""
    box = f"0 0 {width:g} {height:g}"
    content = "".join(parts)
    return f'<svg viewBox="{box}" role="img" aria-label="{escape(label)}">{content}</svg>'


def line(
    x1: float, y1: float, x2: float, y2: float, color: str = GREY, *, width: float = 1.0
) -> str:
    """Return a line."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{color}" stroke-width="{width:g}"/>'


def dashed(
    x1: float, y1: float, x2: float, y2: float, color: str = GREY, *, marks: str = "4 3"
) -> str:
    """Return a dashed line."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{color}" stroke-width="1.3" stroke-dasharray="{marks}"/>'


def path(points: list[tuple[float, float]], color: str, marks: str = "") -> str:
    """Return a line through points."""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    style = f' stroke-dasharray="{marks}"' if marks else ""
    return f'<polyline points="{through}" fill="none" stroke="{color}" stroke-width="2"{style}/>'


def filled(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Return a filled rectangle."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} fill="{fill}"/>'


def circle(x: float, y: float, color: str, radius: float = 4.0, hollow: bool = False) -> str:
    """Return a round marker."""
    fill = "#fff" if hollow else color
    ring = f'stroke="{color}" stroke-width="1.6"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" {ring}/>'


def square(x: float, y: float, color: str, side: float = 8.0, hollow: bool = False) -> str:
    """Return a square marker."""
    fill = "#fff" if hollow else color
    place = f'x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side:g}" height="{side:g}"'
    return f'<rect {place} fill="{fill}" stroke="{color}" stroke-width="1.4"/>'


def diamond(x: float, y: float, color: str, size: float = 7.5, hollow: bool = False) -> str:
    """Return the marker of a headline estimate."""
    corners = [(x, y - size), (x + size, y), (x, y + size), (x - size, y)]
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
    look = f'fill="#fff" stroke="{color}" stroke-width="1.8"'
    filled = f'fill="{color}" stroke="#fff" stroke-width="1"'
    return f'<polygon points="{points}" {look if hollow else filled}/>'


def words(x: float, y: float, said: str, anchor: str = "start", kind: str = "k") -> str:
    """Return text; `kind` is a class of the page: t is 12.5 px, k 11.5, with halo, bold."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"'
    return f"<text {place}>{escape(said)}</text>"


def wrapped(said: str, width: float, character: float = _CHARACTER) -> list[str]:
    """Break words into lines that a column of the drawing holds; a long word stays whole."""
    lines: list[str] = []
    room = max(4, int(width / character))
    for word in said.split():
        if lines and len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def horizontal_axis(of: Scale, y: float, sign: bool = False) -> list[str]:
    """Return an axis below a panel, with ticks and as many values as do not touch."""
    parts = [line(of.start, y, of.end, y)]
    ticks = sorted({*of.ticks(), *of.signs})
    widest = max((len(of.label(tick, sign)) for tick in ticks), default=1) * _CHARACTER + 6
    every = max(1, math.ceil(widest / (of.at(of.low + of.step) - of.start)))
    for tick in ticks:
        x = of.at(tick)
        parts.append(line(x, y, x, y + 4))
        # counted from zero, so that it is always among them
        clear = all(abs(tick - end) >= every * of.step for end in of.signs)
        if tick in of.signs or (round(tick / of.step) % every == 0 and clear):
            parts.append(words(x, y + 16, of.label(tick, sign), "middle"))
    return parts


def grid_lines(of: Scale, left: float, right: float, sign: bool = False) -> list[str]:
    """Return the lines of a vertical scale, with their values at the left."""
    parts: list[str] = []
    for tick in of.ticks():
        y = of.at(tick)
        parts += [
            line(left, y, right, y, PALE),
            words(left - 6, y + 4, of.label(tick, sign), "end"),
        ]
    return parts


def interval(low: float, high: float, y: float, color: str, thick: float = 2.0) -> str:
    """Return a level bar between two places."""
    return line(low, y, high, y, color, width=thick)
