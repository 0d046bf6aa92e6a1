"""What the flat two-way figure averages: its comparisons by kind, their weights and estimates."""

import math
import re
from dataclasses import dataclass

from pipeline.estimators.decomposition_names import GOODMAN_BACON, Kind
from pipeline.exhibits.analysis_effects import reasons_in_words
from pipeline.exhibits.inputs import Effect, StudyResults, find_effect
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.effect_cells import estimate_cell
from pipeline.exhibits.tables.main_effects import shown_decimals
from pipeline.exhibits.tables.table import HIDDEN, Cell, Column, Counts, Number, Panel, Row, Table
from pipeline.exhibits.words.language import join_words, retell, say

_KINDS: tuple[Kind, ...] = ("never", "not_yet", "already")

# bacon_weight[twoway,2006,never]: spec, entry year, entry year of the comparison.
_FACT = re.compile(r"bacon_(?P<what>\w+)\[(?P<spec>\w+),(?P<cohort>\w+)(?:,(?P<control>\w+))?\]")


@dataclass(frozen=True)
class _Decomposition:
    """Hold one outcome's comparisons under one spec and design: kind, weight, estimate.

    `n_firms` counts the firms behind them, missing where it may not be told.
    """

    outcome: str
    design: str
    spec: str
    comparisons: tuple[tuple[Kind, float, float], ...]
    n_firms: float

    def fact(self, results: StudyResults, name: str) -> float:
        """Return a fact of the decomposition as a whole."""
        return results.fact(self.design, self.outcome, f"bacon_{name}[{self.spec}]")


def twoway_weights_tables(results: StudyResults) -> list[Table]:
    """Return one panel an outcome; none where no two-way figure is decomposed."""
    found = [d for d in _decompositions(results) if d.comparisons]
    if not found:
        return []
    panels = tuple(Panel(_title(results, d, found), _rows(results, d)) for d in found)
    return [
        Table(
            columns=(
                Column(say("twoway_weights.comparisons")),
                Column(say("twoway_weights.weight")),
                Column(say("twoway_weights.mean_estimate")),
            ),
            panels=panels,
            notes=_notes(results, found),
            source=results.settings.exhibit.source,
        )
    ]


def _decompositions(results: StudyResults) -> list[_Decomposition]:
    specs = [spec for spec in results.settings.estimate.specs if spec.estimator == "twoway"]
    return [
        _decomposition(results, name, design, spec.name)
        for name in results.settings.outcomes.intended
        for spec in specs
        for design in spec.designs
    ]


def _decomposition(results: StudyResults, outcome: str, design: str, spec: str) -> _Decomposition:
    facts = results.facts
    here = facts[(facts["design"] == design) & (facts["outcome"] == outcome)]
    figures: dict[str, dict[tuple[str, str], float]] = {"weight": {}, "estimate": {}, "firms": {}}
    for name, value in zip(here["name"], here["value"].astype(float), strict=True):
        match = _FACT.fullmatch(str(name))
        if match is not None and match["spec"] == spec and match["what"] in figures:
            figures[match["what"]][match["cohort"], match["control"]] = value
    comparisons = tuple(
        (_kind(*groups), weight, figures["estimate"].get(groups, math.nan))
        for groups, weight in figures["weight"].items()
    )
    return _Decomposition(outcome, design, spec, comparisons, sum(figures["firms"].values()))


def _kind(cohort: str, control: str) -> Kind:
    if control == "never":
        return "never"
    return "not_yet" if int(control) > int(cohort) else "already"


def _title(results: StudyResults, one: _Decomposition, every: list[_Decomposition]) -> str:
    outcome = results.settings.outcome(one.outcome)
    title = f"{outcome.label} ({retell(outcome.scale)})"
    if len({(d.design, d.spec) for d in every}) > 1:
        title += f", {results.settings.design_label(one.design)}, {one.spec}"
    return title


def _rows(results: StudyResults, one: _Decomposition) -> tuple[Row, ...]:
    places = shown_decimals(results, one.outcome)
    rows = []
    for kind in _KINDS:
        parts = [part for part in one.comparisons if part[0] == kind]
        if parts:
            rows.append(Row(say(f"comparison_of.{kind}"), _cells(parts, places)))
    rows.append(Row(say("twoway_weights.balanced_part"), _cells(list(one.comparisons), places)))
    figure = estimate_cell(_figure(results, one), places)
    return (*rows, Row(say("twoway_weights.figure"), (None, None, figure)))


def _figure(results: StudyResults, one: _Decomposition) -> Effect | None:
    return find_effect(results, one.outcome, one.design, one.spec)


def _cells(parts: list[tuple[Kind, float, float]], places: int) -> tuple[Cell, Cell, Cell]:
    """Return how many comparisons, their weight, and their weighted mean, which may be hidden."""
    weight = sum(share for _, share, _ in parts)
    mean = sum(share * estimate for _, share, estimate in parts) / weight if weight else math.nan
    return (
        Counts((len(parts),)),
        HIDDEN if math.isnan(weight) else Number(weight, 3),
        HIDDEN if math.isnan(mean) else Number(mean, places),
    )


def _notes(results: StudyResults, found: list[_Decomposition]) -> tuple[str, ...]:
    firms = results.settings.exhibit.firms
    return (
        say("twoway_weights.what_is_shown", firms=firms),
        say(
            "twoway_weights.balanced_panel",
            firms=firms,
            parts="; ".join(_part(results, one) for one in found),
        ),
        *_without(results),
        *reasons_in_words(effect for one in found if (effect := _figure(results, one)) is not None),
    )


def _part(results: StudyResults, one: _Decomposition) -> str:
    first, last = (one.fact(results, f"{end}_year") for end in ("first", "last"))
    return say(
        "twoway_weights.part",
        label=results.settings.outcome(one.outcome).label,
        first=f"{first:.0f}",
        last=f"{last:.0f}",
        n=HIDDEN.text if math.isnan(one.n_firms) else rounding.count(one.n_firms),
    )


def _without(results: StudyResults) -> list[str]:
    """Name the outcomes whose figure is not decomposed."""
    tests = results.tests
    missing = tests[(tests["test"] == GOODMAN_BACON) & tests["statistic"].isna()]["outcome"]
    labels = [
        outcome.label
        for name, outcome in results.settings.outcomes.intended.items()
        if name in set(missing)
    ]
    if not labels:
        return []
    return [say("twoway_weights.no_balanced_part", labels=join_words(labels))]
