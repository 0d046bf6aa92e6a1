"""How alike the groups are: standardised differences before and after matching."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

from pipeline.exhibits.design_balance import balance_of
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Picking, balance_rule, matching_designs, picking
from pipeline.exhibits.render import svg
from pipeline.exhibits.tables.balance import covariate_label
from pipeline.exhibits.words.language import say

_LEFT, _RIGHT, _TOP, _ROW = 138.0, 318.0, 42.0, 25.0

# Units that a character of a name takes.
_CHARACTER = 5.8

# More rows are a table's.
_MOST = 14


def love_panel(results: StudyResults) -> str:
    """Draw the traits that differed most before, the largest on top; nothing without any."""
    design = results.settings.estimate.headline.design
    wide = balance_of(results, design).dropna(subset="std_diff_before")
    if wide.empty:
        return ""
    wide = wide.reindex(wide["std_diff_before"].abs().sort_values(ascending=False).index)
    rows = wide.head(_MOST).to_dict("records")
    matched = design in matching_designs(results)
    bound = balance_rule(results).value("threshold")
    ends = [float(row[f"std_diff_{side}"]) for row in rows for side in ("before", "after")]
    known = [end for end in ends if not math.isnan(end)]
    across = svg.scale([-bound, bound, *known], _LEFT, _RIGHT, 3)
    foot = _TOP + _ROW * len(rows)
    parts = [
        svg.filled(
            across.at(-bound), _TOP, across.at(bound) - across.at(-bound), foot - _TOP, "#dcf0e8"
        ),
        svg.line(across.at(0), _TOP, across.at(0), foot, svg.INK, width=1.2),
        *_key(picking(results, [design])),
    ]
    for number, row in enumerate(rows):
        y = _TOP + _ROW * (number + 0.5)
        name = covariate_label(results, row["covariate"], row["category"])
        parts += _row(_two_lines(name), row, across, y, matched)
    parts += svg.horizontal_axis(across, foot)
    axis = say("love_plot.standardised_difference", outside="")
    parts.append(svg.words((_LEFT + _RIGHT) / 2, foot + 31, axis, "middle"))
    return svg.drawing(foot + 36, parts, say("page.love_described", n=len(rows)))


def _two_lines(name: str) -> list[str]:
    """Return a name in two lines at most; what is cut off stands in the table."""
    lines = svg.wrapped(name, _LEFT - 4, _CHARACTER)
    return lines if len(lines) < 3 else [lines[0], f"{lines[1]} \u2026"]


def _key(kind: Picking) -> list[str]:
    """Return what circles and squares are, a line each."""
    first = svg.words(16, 14, say(f"sample.before_{kind}"))
    parts = [svg.circle(6, 10, svg.VERMILLION, 4, hollow=True), first]
    if kind != "unmatched":
        after = svg.words(16, 30, say(f"sample.after_{kind}"))
        parts += [svg.square(6, 26, svg.BLUE), after]
    return parts


def _row(
    lines: list[str], row: Mapping[Hashable, Any], across: svg.Scale, y: float, matched: bool
) -> list[str]:
    first = y + 4 - 6 * (len(lines) - 1)
    parts = [svg.words(0, first + 11.5 * n, words) for n, words in enumerate(lines)]
    before, after = across.at(row["std_diff_before"]), row["std_diff_after"]
    if matched and not math.isnan(after):
        parts.append(svg.line(before, y, across.at(after), y, "#bbb", width=1.5))
        parts.append(svg.square(across.at(after), y, svg.BLUE))
    return [*parts, svg.circle(before, y, svg.VERMILLION, 4.2, hollow=True)]
