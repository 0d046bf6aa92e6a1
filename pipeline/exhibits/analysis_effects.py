"""Effects of the analyses beside the specs, and the rows that show them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.effects.terms import ATT, Term
from pipeline.exhibits.effect import Effect, as_effect, missing_reason
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.effect_cells import (
    estimate_and_error,
    interval_cell,
    interval_label,
    interval_of,
)
from pipeline.exhibits.tables.table import DASH, Cell, Row, WholeNumbers
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.language import say
from pipeline.inference.cautions import FEW_TREATED_CLUSTERS


@dataclass(frozen=True)
class Place:
    """Say which of an analysis' effects on an outcome is meant."""

    term: Term = ATT
    sample: str = "all"
    grouping: str = "all"
    subgroup: str = "all"


@dataclass(frozen=True)
class Ends:
    """Hold two ends as stored, their scale, and the decimals at which they are shown."""

    low: float = math.nan
    high: float = math.nan
    scale: str = ""
    decimals: int = 0


Effects = dict[Place, Effect]


def analysis_effects(results: StudyResults, analysis: str, design: str, outcome: str) -> Effects:
    """Return the effects of an analysis on one outcome under one design."""
    table = results.estimates
    chosen = (
        (table["estimator"] == analysis)
        & (table["design"] == design)
        & (table["outcome"] == outcome)
    )
    found: Effects = {}
    for row in table[chosen].to_dict("records"):
        named = {str(key): value for key, value in row.items()}
        effect = results.with_decimals(outcome, as_effect(named))
        parts = (str(named[name]) for name in ("sample", "grouping", "subgroup"))
        found[Place(effect.term, *parts)] = effect
    return found


def in_log_points(effect: Effect | None, decimals: int) -> Effect | None:
    """Return an effect that is shown as stored, in log points: such parts add up."""
    return None if effect is None else replace(effect, scale="", decimals=decimals)


def estimate_rows(label: str, effects: list[Effect | None]) -> tuple[Row, Row]:
    """Return a row of estimates and one of standard errors; a dash where there is none."""
    return estimate_and_error(label, ((e, 0 if e is None else e.decimals) for e in effects))


def confidence_row(results: StudyResults, effects: list[Effect | None]) -> Row:
    """Return a row of confidence intervals, at the decimals of their estimates."""
    cells = tuple(interval_cell(e, 0 if e is None else e.decimals) for e in effects)
    return Row(interval_label(results), cells, True)


def counts_row(effects: list[Effect | None]) -> Row:
    """Return a row of treated and comparison firms."""
    return Row(
        say("row.treated_and_comparison"), tuple(_counts(effect) for effect in effects), True
    )


def interval_row(label: str, ends: Iterable[Ends], *, indent: bool = False) -> Row:
    """Return a row of intervals; a dash where an end is missing."""
    cells = [
        DASH
        if math.isnan(one.low) or math.isnan(one.high)
        else interval_of(one.low, one.high, one.scale, one.decimals)
        for one in ends
    ]
    return Row(label, tuple(cells), indent)


def bounds(effects: Effects, place: Place) -> Ends:
    """Return the lower and upper bound of a term, missing without one."""
    ends = [Term(f"{place.term.family}_{side}") for side in ("lower", "upper")]
    low, high = (effects.get(replace(place, term=end)) for end in ends)
    if low is None or high is None:
        return Ends()
    return Ends(low.estimate, high.estimate, low.scale, low.decimals)


def bounds_interval(effects: Effects, place: Place) -> Ends:
    """Return the interval that covers the bounded effect, missing without one."""
    effect = effects.get(place)
    if effect is None:
        return Ends()
    return Ends(effect.conf_low, effect.conf_high, effect.scale, effect.decimals)


def reasons_note(effects: Iterable[Effects]) -> tuple[str, ...]:
    """Return one sentence with the reasons of what is not estimated, without repeating any."""
    return reasons_in_words(effect for found in effects for effect in found.values())


def reasons_in_words(effects: Iterable[Effect]) -> tuple[str, ...]:
    """Say why effects are not estimated, and why estimates have no standard error, each once."""
    listed = list(effects)
    missing = {
        missing_reason(effect)
        for effect in listed
        if math.isnan(effect.estimate) and math.isnan(effect.conf_low)
    }
    said = "; ".join(sorted(missing - {""}))
    return (
        *([say("note.not_estimated", reasons=said)] if said else []),
        *errors_missing(listed),
    )


def errors_missing(effects: Iterable[Effect]) -> list[str]:
    """Return a sentence for each reason why an estimate has no standard error."""
    bare = {missing_reason(e) for e in effects if not math.isnan(e.estimate)} - {""}
    return [f"{capitalised(reason)}." for reason in sorted(bare)]


def clusters_note(effects: Iterable[Effects]) -> tuple[str, ...]:
    """Return one sentence where some estimate rests on few treated clusters, with the fewest."""
    counts = [
        effect.n_treated_clusters
        for found in effects
        for effect in found.values()
        if effect.estimated and effect.n_treated_clusters < FEW_TREATED_CLUSTERS
    ]
    if not counts:
        return ()
    return (
        say(
            "note.few_treated_clusters",
            few_treated_clusters=FEW_TREATED_CLUSTERS,
            panels=rounding.whole(min(counts)),
        ),
    )


def _counts(effect: Effect | None) -> Cell:
    if effect is None or math.isnan(effect.n_treated) or math.isnan(effect.n_control):
        return None
    return WholeNumbers((int(effect.n_treated), int(effect.n_control)))
