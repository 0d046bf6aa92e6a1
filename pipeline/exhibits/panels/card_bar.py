"""The bar of a card: estimate, interval with both ends in figures, and zero."""

from pipeline.exhibits.checks.verdicts import readers_value
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_unit
from pipeline.exhibits.render import rounding, svg
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.verdicts import signed_value

# A card is narrower than a panel by its padding.
_WIDTH, _HEIGHT, _MIDDLE, _FOOT = 296.0, 74.0, 30.0, 52.0


def card_bar(results: StudyResults, label: str, effect: Effect, shared: list[float]) -> str:
    """Draw the interval on the scale of `shared` values, grey and hollow where it holds zero."""
    low, value, high = (
        readers_value(effect, v) for v in (effect.conf_low, effect.estimate, effect.conf_high)
    )
    axis = svg.scale([0.0, *shared], 14, _WIDTH - 14)
    unsure = low <= 0 <= high
    color = svg.DIM if unsure else svg.BLUE
    left, right = axis.at(low), axis.at(high)
    ends = [signed_value(results, effect, e) for e in (effect.conf_low, effect.conf_high)]
    pale = "#b5b5b5" if unsure else "#add3e9"
    parts = [
        *svg.horizontal_axis(axis, _FOOT, sign=True),
        svg.line(axis.at(0), _MIDDLE - 12, axis.at(0), _FOOT, svg.INK, width=1.5),
        svg.filled(left, _MIDDLE - 7, right - left, 14, pale),
        svg.line(left, _MIDDLE - 8, left, _MIDDLE + 8, color, width=2),
        svg.line(right, _MIDDLE - 8, right, _MIDDLE + 8, color, width=2),
        svg.diamond(axis.at(value), _MIDDLE, color, hollow=unsure),
        *_ends(left, right, ends),
    ]
    described = say(
        "page.interval_described",
        label=label,
        value=signed_value(results, effect, effect.estimate),
        unit=translated_unit(effect),
        level=rounding.general(100 * effect.conf_level),
        low=ends[0],
        high=ends[1],
    )
    return svg.drawing(_HEIGHT, parts, described, _WIDTH)


def _ends(left: float, right: float, ends: list[str]) -> list[str]:
    """Return both ends in figures, apart where the bar is short."""
    places = [min(max(end, 20), _WIDTH - 20) for end in (left, right)]
    if places[1] - places[0] < 50:
        middle = min(max((left + right) / 2, 60), _WIDTH - 60)
        places = [middle - 25, middle + 25]
    return [svg.words(x, 16, end, "middle", "t") for x, end in zip(places, ends, strict=True)]
