"""Numbers for prose: every statistic under one key, formatted once, and the headline metrics.

Keys are `study.outcome.design.estimator.term.statistic`. Of logs and shares `pct` and `pp` are what
readers are told (`exhibits.units`); `estimate`, `std_error` and the interval are as stored.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.datasets.samples import BASELINES
from pipeline.effects.terms import ATT, Term
from pipeline.exhibits.effect import Effect, as_effect, shown_effect
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.render import rounding
from pipeline.exhibits.render.latex_cells import siunitx_marks
from pipeline.exhibits.units import shown_value, unit_words
from pipeline.exhibits.words.language import say
from pipeline.params.inference_methods import primary_methods
from pipeline.params.outcomes import LOG_SCALE, PERCENT_OF_MEAN, SHARE_SCALE

_COUNTS = ("n_treated", "n_control", "n_obs", "n_clusters", "n_treated_clusters")


@dataclass(frozen=True)
class Quoted:
    """Hold one number for prose: its value and its printed form."""

    value: float
    formatted: str


def study_numbers(
    results: StudyResults,
    chosen: Callable[[dict[str, Any]], bool] = lambda _: True,
    *,
    stored: bool = True,
) -> dict[str, Quoted]:
    """Return the statistics of a study's chosen estimates, all by default, sorted by key.

    Effects on logs and shares also as stored, unless only what readers are told is asked for.
    """
    found: dict[str, Quoted] = {}
    for row in filter(chosen, _rows(results)):
        effect = as_effect(row)
        if not effect.estimated:
            continue
        outcome, design, spec = (str(row[name]) for name in ("outcome", "design", "estimator"))
        effect = results.with_decimals(outcome, effect)
        figures = statistics(effect, stored=stored)
        if effect.term == ATT:
            place = {"outcome": outcome, "design": design, "estimator": spec}
            figures |= _beside(results, place, effect, stored=stored)
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


def _beside(
    results: StudyResults, place: dict[str, str], effect: Effect, *, stored: bool
) -> dict[str, Quoted]:
    """Return what is told of an average effect: sizes that would be found, and of a level its size.

    The size is in percent of the comparison firms' mean before entry.
    """
    smallest = results.details.detectable("effect", place)
    figures = size("mde", smallest, effect.scale, effect.decimals, stored=stored)
    in_unit = results.details.detectable("effect_in_unit", place)
    if not math.isnan(in_unit):
        figures["mde_level"] = Quoted(in_unit, rounding.in_significant_digits(in_unit))
    relative = relative_size(results, place["design"], place["outcome"], effect)
    if not math.isnan(relative):
        figures["relative_pct"] = Quoted(relative, rounding.in_significant_digits(relative, 2))
    return figures


def relative_size(results: StudyResults, design: str, outcome: str, effect: Effect) -> float:
    """Return an effect on a level in percent of the comparison firms' mean before entry.

    Missing for other outcomes, and where that mean is not known.
    """
    of = results.settings.outcomes.root.get(outcome)
    if of is None or of.transform != "level":
        return math.nan
    mean = results.details.figure(BASELINES, "mean", design=design, outcome=outcome, treated=False)
    return 100 * effect.estimate / mean.value if mean.value else math.nan


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


def translated(effect: Effect) -> tuple[str, str, str]:
    """Return estimate and interval ends in the unit of `translated_unit`, rounded."""
    ends = (effect.estimate, effect.conf_low, effect.conf_high)
    value, low, high = (translated_value(effect, end) for end in ends)
    return value, low, high


def translated_value(effect: Effect, value: float) -> str:
    """Return a value on the effect's scale in the unit of `translated_unit`, rounded."""
    return rounding.fixed(shown_value(value, effect.scale), effect.decimals)


def translated_unit(effect: Effect) -> str:
    """Return the unit in which readers are told an effect: percent, percentage points, its own."""
    return unit_words(effect.scale)


def statistics(effect: Effect, *, stored: bool) -> dict[str, Quoted]:
    """Return the figures of one effect by name, those that are known, in the reader's unit.

    Those of logs and shares as stored too, where `stored` asks for them.
    """
    figures = _told(effect)
    if stored and effect.scale in STEMS:
        decimals = rounding.decimals_for([effect.std_error], 2, 0)
        figures |= _interval(effect, _PLAIN, decimals)
    figures["p_value"] = Quoted(effect.p_value, rounding.positive(effect.p_value, 2))
    counts = {name: getattr(effect, name) for name in _COUNTS}
    figures |= {
        name: Quoted(value, rounding.whole(value))
        for name, value in counts.items()
        if not pd.isna(value)
    }
    return {name: figure for name, figure in figures.items() if not math.isnan(figure.value)}


# By scale, what keys call effects in the reader's unit.
STEMS = {LOG_SCALE: "pct", SHARE_SCALE: "pp", PERCENT_OF_MEAN: "pct_of_mean"}

# Names of estimate, standard error and ends of the interval, as stored.
_PLAIN = ("estimate", "std_error", "conf_low", "conf_high")


def _told(effect: Effect) -> dict[str, Quoted]:
    """Return percent of log effects, percentage points of shares, other effects as they are."""
    stem = STEMS.get(effect.scale)
    names = (stem, f"{stem}_se", f"{stem}_low", f"{stem}_high") if stem else _PLAIN
    return _interval(shown_effect(effect), names, effect.decimals)


def _interval(effect: Effect, names: tuple[str, ...], decimals: int) -> dict[str, Quoted]:
    value, error, low, high = names
    return {
        value: Quoted(effect.estimate, rounding.fixed(effect.estimate, decimals)),
        error: Quoted(effect.std_error, rounding.positive(effect.std_error, decimals)),
        low: Quoted(effect.conf_low, rounding.fixed(effect.conf_low, decimals)),
        high: Quoted(effect.conf_high, rounding.fixed(effect.conf_high, decimals)),
    }


def size(name: str, value: float, scale: str, decimals: int, *, stored: bool) -> dict[str, Quoted]:
    """Return a size that is no estimate under `name`, of logs and shares as `name_pct`, `name_pp`.

    Under `name` as stored too, where `stored` asks for it.
    """
    if math.isnan(value):
        return {}
    shown = shown_value(value, scale)
    told = Quoted(shown, rounding.positive(shown, decimals))
    if scale not in STEMS:
        return {name: told}
    plain = Quoted(value, rounding.in_significant_digits(value, 2))
    return {f"{name}_{STEMS[scale]}": told, **({name: plain} if stored else {})}


def _shortened(value: float) -> float:
    return float(f"{value:.8g}")


def _for_siunitx(figure: Quoted) -> str:
    return rounding.canonical(figure.formatted)


def _json(content: object) -> bytes:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")
