"""Means of both groups by time since entry, in the outcome's own unit."""

import math

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import ran
from pipeline.exhibits.render import svg
from pipeline.exhibits.units import percentage_points
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.magnitudes import MILLION
from pipeline.exhibits.words.scales import scale_words

# Right of the lines stand their names.
_HEIGHT, _TOP, _FOOT, _RIGHT = 172.0, 26.0, 134.0, 246.0

Path = dict[int, float]


def group_path(results: StudyResults, outcome: str, treated: bool) -> Path:
    """Return one group's means under the headline design, those of logs as geometric means."""
    design = results.settings.estimate.headline.design
    rows = results.paths
    chosen = rows[
        (rows["outcome"] == outcome) & (rows["design"] == design) & (rows["treated"] == treated)
    ].dropna(subset="mean")
    transform = results.settings.outcome(outcome).transform
    back = {"log": math.exp, "any": percentage_points}.get(transform or "", float)
    means = zip(chosen["event_time"], chosen["mean"], strict=True)
    return {int(time): back(float(mean)) for time, mean in means}


def path_unit(results: StudyResults, outcome: str) -> str:
    """Return the unit of the means, in millions where they are so large."""
    chosen = results.settings.outcome(outcome)
    if chosen.transform == "any":
        return say("unit.percent")
    if chosen.transform == "asinh":
        return scale_words(chosen.scale)
    large = _divisor(results, outcome) > 1
    unit = say("page.in_millions", unit=chosen.unit) if large else chosen.unit
    return say("page.geometric_mean", unit=unit) if chosen.transform == "log" else unit


def paths_panel(results: StudyResults, outcome: str) -> str:
    """Draw both groups' means; nothing where no mean is known."""
    divisor = _divisor(results, outcome)
    joined, others = (
        {time: mean / divisor for time, mean in group_path(results, outcome, group).items()}
        for group in (True, False)
    )
    if not joined or not others:
        return ""
    up = svg.scale([*joined.values(), *others.values()], _FOOT - 4, _TOP + 4)
    left = svg.room_for_labels(up)
    across = svg.year_scale([*joined, *others], left + 8, _RIGHT)
    entry = across.at(_reference(results, outcome) + 0.5)
    parts = [
        svg.filled(left, _TOP, entry - left, _FOOT - _TOP, svg.SHADE),
        *svg.grid_lines(up, left, _RIGHT + 8),
        svg.dashed(entry, _TOP, entry, _FOOT),
        svg.words(max(entry - 4, 84), _TOP - 8, say("page.before_entry"), "end"),
        svg.words(max(entry + 4, 92), _TOP - 8, say("page.after_entry")),
        *_line(joined, across, up, svg.BLUE, filled=True),
        *_line(others, across, up, svg.INK, filled=False),
        *_names(joined, others, across, up),
        *svg.horizontal_axis(across, _FOOT),
        svg.words((left + _RIGHT) / 2, _HEIGHT - 4, say("event_time.years_since_entry"), "middle"),
    ]
    label = results.plain_name(outcome)
    return svg.drawing(_HEIGHT, parts, say("page.paths_described", label=label))


def _divisor(results: StudyResults, outcome: str) -> float:
    means = [m for group in (True, False) for m in group_path(results, outcome, group).values()]
    return MILLION if max(map(abs, means), default=0) >= MILLION else 1


def _reference(results: StudyResults, outcome: str) -> int:
    headline = results.settings.estimate.headline
    row = ran(results, headline.design, outcome, headline.spec)
    return -1 if row is None else row.number("base_event_time")


def _line(of: Path, across: svg.Scale, up: svg.Scale, color: str, *, filled: bool) -> list[str]:
    points = [(across.at(time), up.at(value)) for time, value in sorted(of.items())]
    marks = [
        svg.circle(x, y, color, 2.8) if filled else svg.square(x, y, color, 5.5, hollow=True)
        for x, y in points
    ]
    return [svg.path(points, color, "" if filled else "5 3"), *marks]


def _names(joined: Path, others: Path, across: svg.Scale, up: svg.Scale) -> list[str]:
    """Name the lines beside their last points, apart where these are close."""
    ends = [up.at(of[max(of)]) for of in (joined, others)]
    gap = max(0.0, (svg.LINE_HEIGHT - abs(ends[0] - ends[1])) / 2)
    shifts = (-gap, gap) if ends[0] < ends[1] else (gap, -gap)
    x = across.end + 8
    named = zip(ends, shifts, ("column.treated", "column.comparison"), ("t blue", "t"), strict=True)
    return [svg.words(x, y + shift + 4, say(code), kind=kind) for y, shift, code, kind in named]
