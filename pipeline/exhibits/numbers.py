"""Numbers for prose: every statistic under one key, formatted once, and the headline metrics.

Keys are `study.outcome.design.estimator.term.statistic`. The translation of a log effect b into
100(exp(b) - 1) percent happens here and nowhere else.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.effects.terms import ATT, Term
from pipeline.exhibits.inputs import Effect, StudyResults, as_effect, find_effect
from pipeline.exhibits.render import rounding
from pipeline.exhibits.render.latex_cells import siunitx_marks
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.scales import scale_words
from pipeline.params.inference_methods import primary_methods
from pipeline.params.outcomes import LOG_SCALE, SHARE_SCALE

_COUNTS = ("n_treated", "n_control", "n_obs", "n_clusters", "n_treated_clusters")


@dataclass(frozen=True)
class Quoted:
    """Hold one number for prose: its value and its printed form."""

    value: float
    formatted: str


def percent(log_effect: float) -> float:
    """Translate an effect in log points into percent: 100(exp(b) - 1)."""
    return 100 * math.expm1(log_effect)


def percentage_points(share_effect: float) -> float:
    """Translate an effect on a share into percentage points."""
    return 100 * share_effect


def study_numbers(
    results: StudyResults, chosen: Callable[[dict[str, Any]], bool] = lambda _: True
) -> dict[str, Quoted]:
    """Return the statistics of a study's chosen estimates, all by default, sorted by key."""
    found: dict[str, Quoted] = {}
    for row in filter(chosen, _rows(results)):
        effect = as_effect(row)
        if not effect.estimated:
            continue
        outcome, design, spec = (str(row[name]) for name in ("outcome", "design", "estimator"))
        figures = statistics(effect, results.settings.exhibit.decimals)
        if effect.term == ATT:
            figures |= _detectable(results, outcome, design, spec, effect)
        of = [] if row["grouping"] == "all" else [str(row["grouping"])]
        key = f"{results.study}.{outcome}.{design}.{spec}.{term_key(effect.term, *of)}"
        found |= {f"{key}.{name}": figure for name, figure in figures.items()}
    return dict(sorted(found.items()))


def _rows(results: StudyResults) -> list[dict[str, Any]]:
    """Return the rows of effects on all firms with their own errors, by whatever size weights."""
    table = results.estimates
    everyone = (table["sample"] == "all") & (table["subgroup"] == "all")
    pointwise = everyone & (table["band"] == "pointwise")
    chosen = table[pointwise & table["inference"].isin(primary_methods())]
    return [{str(k): v for k, v in row.items()} for row in chosen.to_dict("records")]


def term_key(term: Term, *of: str) -> str:
    """Return a term as keys name it: att, event[-2], att_gt[2004,2007], event_bin[0,2]."""
    years = (term.cohort, term.year)
    times = (term.event_time, term.last_event_time)
    places = [*of, *(str(place) for place in (years if any(years) else times) if place is not None)]
    return f"{term.family}[{','.join(places)}]" if places else term.family


def _detectable(
    results: StudyResults, outcome: str, design: str, spec: str, effect: Effect
) -> dict[str, Quoted]:
    """Return the smallest effects that would be found, on the scale and in the unit."""
    place = {"outcome": outcome, "design": design, "estimator": spec}
    smallest = results.details.detectable("effect", place)
    if math.isnan(smallest):
        return {}
    figures = {"mde": Quoted(smallest, _own_decimals(smallest, effect, results))}
    in_unit = results.details.detectable("effect_in_unit", place)
    if not math.isnan(in_unit):
        figures["mde_level"] = Quoted(in_unit, rounding.in_significant_digits(in_unit))
    return figures


def numbers_json(figures: dict[str, Quoted]) -> bytes:
    """Return `{key: {value, formatted}}` as JSON, values in 8 significant digits."""
    content = {
        key: {"value": _shortened(figure.value), "formatted": figure.formatted}
        for key, figure in figures.items()
    }
    return _json(content)


def numbers_tex(figures: dict[str, Quoted], file: str) -> bytes:
    r"""Return a file to \input that defines \result{key}; an unknown key stops with `file`."""
    options = f"[{marks}]" if (marks := siunitx_marks()) else ""
    lines = [
        f"% {say('numbers.file_comment')}",
        r"\providecommand{\resultfiles}{}",
        rf"\edef\resultfiles{{\resultfiles\space {file}}}",
        r"\providecommand{\result}[1]{\ifcsname result@#1\endcsname\csname result@#1\endcsname",
        rf"  \else\errmessage{{{say('numbers.key_missing')}\resultfiles}}\fi}}",
    ]
    lines.append(
        rf"\def\setresult#1#2{{\expandafter\def\csname result@#1\endcsname{{\num{options}{{#2}}}}}}"
    )
    lines += [rf"\setresult{{{key}}}{{{_for_siunitx(figure)}}}" for key, figure in figures.items()]
    return ("\n".join(lines) + "\n").encode("utf-8")


def headline_metrics(results: StudyResults) -> bytes:
    """Return the headline effect of each observed outcome as JSON, same keys for each."""
    headline = results.settings.estimate.headline
    metrics = {}
    for name, outcome in results.settings.outcomes.intended.items():
        effect = find_effect(results, name, headline.design, headline.spec)
        if outcome.observed and effect is not None and effect.estimated:
            metrics[name] = _known(
                {
                    "estimate": effect.estimate,
                    "std_error": effect.std_error,
                    # As stored: with a standard error of exactly 0 there is none.
                    "t": effect.statistic,
                    "p_value": effect.p_value,
                    "n_treated": effect.n_treated,
                }
            )
    return _json(metrics)


def _known(figures: dict[str, float]) -> dict[str, float]:
    """Return the figures that are numbers, in 8 digits; counts are whole."""
    return {
        name: int(value) if name in _COUNTS else _shortened(value)
        for name, value in figures.items()
        if math.isfinite(value)
    }


def effect_in_words(effect: Effect, least: int) -> str:
    """Return `0.082 is 8.5 percent [2.1 to 15.4]`, percentage points for shares.

    In brackets what the interval cannot exclude, from unrounded figures like the translation.
    """
    shown = rounding.fixed(effect.estimate, effect_decimals([effect], least))
    value, low, high = translated(effect, least)
    unit = translated_unit(effect)
    if effect.scale in (LOG_SCALE, SHARE_SCALE):
        return say("numbers.in_words", shown=shown, value=value, unit=unit, low=low, high=high)
    return say("numbers.effect", shown=shown, unit=unit, low=low, high=high)


def translated(effect: Effect, least: int) -> tuple[str, str, str]:
    """Return estimate and interval ends in the unit of `translated_unit`, rounded."""
    ends = (effect.estimate, effect.conf_low, effect.conf_high)
    value, low, high = (translated_value(effect, end, least) for end in ends)
    return value, low, high


def translated_value(effect: Effect, value: float, least: int) -> str:
    """Return a value on the effect's scale in the unit of `translated_unit`, rounded."""
    if effect.scale == LOG_SCALE:
        return rounding.fixed(percent(value), 1)
    if effect.scale == SHARE_SCALE:
        return rounding.fixed(percentage_points(value), 1)
    return rounding.fixed(value, effect_decimals([effect], least))


def translated_unit(effect: Effect) -> str:
    """Return the unit in which readers are told an effect: percent, percentage points, its own."""
    named = {LOG_SCALE: say("unit.percent"), SHARE_SCALE: say("unit.percentage_points")}
    return named.get(effect.scale, scale_words(effect.scale))


def statistics(effect: Effect, least: int) -> dict[str, Quoted]:
    """Return the figures of one effect by name, those that are known."""
    decimals = effect_decimals([effect], least)
    figures = {
        name: Quoted(getattr(effect, name), rounding.fixed(getattr(effect, name), decimals))
        for name in ("estimate", "conf_low", "conf_high")
    }
    figures["std_error"] = Quoted(effect.std_error, rounding.positive(effect.std_error, decimals))
    figures["p_value"] = Quoted(effect.p_value, rounding.positive(effect.p_value, 3))
    figures |= _translated(effect)
    counts = {name: getattr(effect, name) for name in _COUNTS}
    figures |= {
        name: Quoted(value, rounding.whole(value))
        for name, value in counts.items()
        if not pd.isna(value)
    }
    return {name: figure for name, figure in figures.items() if not math.isnan(figure.value)}


def _translated(effect: Effect) -> dict[str, Quoted]:
    """Return percent for log effects and percentage points for shares, one decimal."""
    translations = {LOG_SCALE: ("pct", percent), SHARE_SCALE: ("pp", percentage_points)}
    if effect.scale not in translations:
        return {}
    stem, translate = translations[effect.scale]
    ends = {stem: effect.estimate, f"{stem}_low": effect.conf_low, f"{stem}_high": effect.conf_high}
    values = {name: translate(value) for name, value in ends.items()}
    return {name: Quoted(value, rounding.fixed(value, 1)) for name, value in values.items()}


def effect_decimals(effects: list[Effect], least: int) -> int:
    """Return the decimals at which effects of one outcome are shown.

    Log points and shares have `least` decimals, more only where the smallest standard error
    would read 0.000; an outcome in its own unit shows two digits of its smallest standard error.
    Where none has a standard error, estimates that are not rounding take their place.
    """
    errors = [effect.std_error for effect in effects if effect.estimated]
    if any(effect.scale in (LOG_SCALE, SHARE_SCALE) for effect in effects):
        return rounding.decimals_for(errors, 1, least)
    sizes = [abs(effect.estimate) for effect in effects]
    seen = [size for size in sizes if size >= 10**-rounding.MOST_DECIMALS]
    return rounding.decimals_for(errors or seen, 2, 0)


def _own_decimals(value: float, effect: Effect, results: StudyResults) -> str:
    return rounding.positive(value, effect_decimals([effect], results.settings.exhibit.decimals))


def _shortened(value: float) -> float:
    return float(f"{value:.8g}")


def _for_siunitx(figure: Quoted) -> str:
    return rounding.canonical(figure.formatted)


def _json(content: object) -> bytes:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")
