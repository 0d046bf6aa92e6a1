"""Intervals one below the other, with names at the left: choices and groups are drawn so."""

from dataclasses import dataclass

from pipeline.exhibits.checks.verdicts import readers_value
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.render import svg

_LEFT, _RIGHT, _TOP, _GAP = 156.0, 322.0, 6.0, 7.0

# Units that a character of a name takes.
_PLAIN, _BOLD = 6.3, 7.1


@dataclass(frozen=True)
class DrawnRow:
    """Hold one line: its name, its effect, or none where it is a heading of those below.

    `aside` stands at the end of the name. `main` is the effect that the others are held against.
    """

    name: str
    effect: Effect | None = None
    aside: str = ""
    main: bool = False
    hollow: bool = False


def rows_panel(rows: list[DrawnRow], axis_words: str, described: str) -> str:
    """Draw the rows, the interval of the main one as a zone behind all."""
    drawn = [row.effect for row in rows if row.effect is not None]
    values = [readers_value(e, v) for e in drawn for v in (e.conf_low, e.conf_high)]
    across = svg.scale([0.0, *values], _LEFT, _RIGHT)
    parts, y = [], _TOP
    for row in rows:
        room = _LEFT - (8 if row.main else 16) - (9 + 7 * len(row.aside) if row.aside else 0)
        lines = svg.wrapped(row.name, room, _BOLD if row.main else _PLAIN)
        height = max(svg.LINE_HEIGHT * len(lines) + 3, 17)
        y += _GAP if row.effect is None else 0
        parts += _named(row, lines, y + 12)
        if row.effect is not None:
            parts += _interval(row, row.effect, across, y + height / 2)
        y += height
    zone = _zone(rows, across, y)
    zero = svg.line(across.at(0), _TOP, across.at(0), y, svg.INK, width=1.3)
    foot = [
        *svg.horizontal_axis(across, y + 2, sign=True),
        svg.words(_RIGHT, y + 33, axis_words, "end"),
    ]
    return svg.drawing(y + 38, [*zone, zero, *parts, *foot], described)


def _named(row: DrawnRow, lines: list[str], y: float) -> list[str]:
    kind = "k bold" if row.effect is None else "t blue bold" if row.main else "t"
    indent = 0 if row.effect is None or row.main else 8
    named = [
        svg.words(indent, y + svg.LINE_HEIGHT * number, words, kind=kind)
        for number, words in enumerate(lines)
    ]
    return [*named, *([svg.words(_LEFT - 8, y, row.aside, "end")] if row.aside else [])]


def _interval(row: DrawnRow, effect: Effect, across: svg.Scale, y: float) -> list[str]:
    color = svg.BLUE if row.main else svg.DIM if row.hollow else svg.INK
    low, value, high = (
        across.at(readers_value(effect, v))
        for v in (effect.conf_low, effect.estimate, effect.conf_high)
    )
    mark = (
        svg.diamond(value, y, color, 6.5)
        if row.main
        else svg.square(value, y, color, 7, hollow=row.hollow)
    )
    return [svg.interval(low, high, y, color, 2.6 if row.main else 1.7), mark]


def _zone(rows: list[DrawnRow], across: svg.Scale, foot: float) -> list[str]:
    main = next((row.effect for row in rows if row.main and row.effect is not None), None)
    if main is None:
        return []
    low, high = (across.at(readers_value(main, v)) for v in (main.conf_low, main.conf_high))
    return [svg.filled(low, _TOP, high - low, foot - _TOP, "#e3f0f8")]
