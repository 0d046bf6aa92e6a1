"""Effects by time since entry, and the drift that the test before entry would miss."""

import math
from itertools import pairwise

from pipeline.exhibits.checks.outcome_checks import drift_missed
from pipeline.exhibits.checks.verdicts import readers_value
from pipeline.exhibits.effect import Effect, signs_of_open_ends, with_open_ends
from pipeline.exhibits.inputs import StudyResults, find_effects
from pipeline.exhibits.ran import ran_on
from pipeline.exhibits.render import svg
from pipeline.exhibits.words.fixed_points import fixed_points
from pipeline.exhibits.words.language import say

_HEIGHT, _TOP, _FOOT, _RIGHT = 168.0, 8.0, 130.0, 246.0


def event_panel(results: StudyResults, outcome: str) -> str:
    """Draw the headline's effects by event time; nothing where none has an interval."""
    effects = _drawn(results, outcome)
    if not any(effect.estimated for effect in effects.values()):
        return ""
    bands = _drawn(results, outcome, "simultaneous")
    drift = drift_line(results, outcome, max(effects))
    up = svg.scale(_values([*effects.values(), *bands.values()], drift), _FOOT - 4, _TOP + 4)
    left = svg.room_for_labels(up, sign=True)
    across = svg.year_scale(list(effects), left + 8, _RIGHT, signs_of_open_ends(effects))
    entry = across.at(_reference(results, outcome) + 0.5)
    fixed = fixed_points(results, outcome)
    parts = [
        svg.filled(left, _TOP, entry - left, _FOOT - _TOP, svg.SHADE),
        *svg.grid_lines(up, left, _RIGHT + 8, sign=True),
        svg.line(left, up.at(0), _RIGHT + 8, up.at(0), svg.INK, width=1.3),
        svg.dashed(entry, _TOP, entry, _FOOT),
        *_bars(bands, across, up, 1.2),
        *_bars(effects, across, up, 4.5),
        *_drift(drift, across, up),
        *[
            svg.circle(
                across.at(time),
                up.at(readers_value(effect, effect.estimate)),
                _color(effect),
                3.4,
                hollow=time in fixed,
            )
            for time, effect in effects.items()
        ],
        *svg.horizontal_axis(across, _FOOT),
        svg.words((left + _RIGHT) / 2, _HEIGHT - 4, say("event_time.years_since_entry"), "middle"),
    ]
    label = results.plain_name(outcome)
    return svg.drawing(_HEIGHT, parts, say("page.events_described", label=label))


def shown_effects(results: StudyResults, outcome: str) -> dict[int, Effect]:
    """Return the headline's effects of single event times that are known, in order."""
    return {t: e for t, e in _drawn(results, outcome).items() if e.term.family == "event"}


def _drawn(results: StudyResults, outcome: str, band: str = "pointwise") -> dict[int, Effect]:
    """Return the same with those of open-ended event times."""
    headline = results.settings.estimate.headline
    found = with_open_ends(find_effects(results, outcome, headline.design, headline.spec, band))
    return {t: e for t, e in sorted(found.items()) if not math.isnan(e.estimate)}


def drift_line(results: StudyResults, outcome: str, last: int) -> list[tuple[int, float]]:
    """Return from where to where the drift goes that the test would miss, in the reader's unit."""
    slope, effects = drift_missed(results, outcome), shown_effects(results, outcome)
    if math.isnan(slope):
        return []
    effect = next(iter(effects.values()))
    reference = _reference(results, outcome)
    times = (min(effects), reference, last)
    return [(t, readers_value(effect, slope * (t - reference))) for t in times]


def _reference(results: StudyResults, outcome: str) -> int:
    headline = results.settings.estimate.headline
    return ran_on(results, headline.spec, [headline.design], [outcome])[0].number("base_event_time")


def _values(effects: list[Effect], drift: list[tuple[int, float]]) -> list[float]:
    ends = [
        readers_value(effect, value)
        for effect in effects
        for value in (effect.estimate, effect.conf_low, effect.conf_high)
        if not math.isnan(value)
    ]
    # a drift much longer than the intervals leaves the panel, so that these can be read
    longest = max(map(abs, ends), default=1.0)
    return [0.0, *ends, *(value for _, value in drift if abs(value) <= longest)]


def _bars(effects: dict[int, Effect], across: svg.Scale, up: svg.Scale, width: float) -> list[str]:
    return [
        svg.line(
            across.at(time),
            up.at(readers_value(effect, effect.conf_low)),
            across.at(time),
            up.at(readers_value(effect, effect.conf_high)),
            _color(effect),
            width=width,
        )
        for time, effect in effects.items()
        if not math.isnan(effect.conf_low)
    ]


def _drift(drift: list[tuple[int, float]], across: svg.Scale, up: svg.Scale) -> list[str]:
    inside = [(t, v) for t, v in drift if up.low <= v <= up.high]
    ends = pairwise(inside)
    return [
        svg.dashed(
            across.at(a), up.at(v), across.at(b), up.at(w), svg.VERMILLION, marks="7 3 1.5 3"
        )
        for (a, v), (b, w) in ends
    ]


def _color(effect: Effect) -> str:
    """Return blue after entry, grey before it."""
    return svg.BLUE if (effect.term.event_time or 0) >= 0 else svg.DIM
