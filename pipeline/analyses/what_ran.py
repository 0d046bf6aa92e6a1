"""Record specs, analyses and outcomes as they ran, in SPECS, ANALYSES and OUTCOMES."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pipeline.analyses.rests_on import rests_on
from pipeline.analyses.ways import asked_of_analyses
from pipeline.datasets.reasons import packed_list
from pipeline.datasets.specs import ANALYSES, NONE, OUTCOMES, SPECS
from pipeline.effects.answers import Answer
from pipeline.effects.collected import Collected
from pipeline.effects.kept import Kept
from pipeline.effects.regression import Solver
from pipeline.effects.resolved import Asked, Resolved
from pipeline.effects.rows import Row
from pipeline.effects.study import Study, asked
from pipeline.estimators.registry import ESTIMATORS
from pipeline.matching.redo import Redo
from pipeline.params.analyses import Analysis, GroupsSection, SizeWeighted, clustering_levels
from pipeline.params.inference import SpatialErrors
from pipeline.params.inference_methods import METHODS, Method
from pipeline.params.outcomes import Outcome
from pipeline.params.spec_options import OPTIONS, EstimatesAsked

# What stands for each setting of draws where nothing is drawn.
_NOT_DRAWN = {"draws": 0, "seed": None, "ties": NONE}
# A row in which one of these stands was inferred.
_INFERRED = ("std_error", "p_value", "conf_low")

Place = tuple[str, str, str]


@dataclass(frozen=True)
class Given:
    """Hold the rows of ESTIMATES and TESTS, who solved what, and whose influences are kept."""

    estimates: list[Row]
    tests: list[Row]
    solved_by: Mapping[Place, Solver]
    influence_kept: Mapping[Place, str]


def solver(answer: Answer) -> Solver | None:
    """Return who solved an answer's first regression, us where there is none; None for no term."""
    parts = [answer, *answer.by_sample.values()]
    found = [result for part in parts for result in part.results if result.terms]
    regressions = [result.regression for result in found if result.regression is not None]
    if regressions:
        return regressions[0].solved_by
    return "own" if found else None


def add_specs(collected: Collected, study: Study, redo: Redo | None) -> None:
    """Add a row for every spec, analysis, design and outcome, given all estimates and tests.

    Pools are not known without `redo`, which has the settings of the designs.
    """
    pool = (lambda design: "not_known") if redo is None else redo.controls_from
    kept = _influences_kept(collected.kept)
    given = Given(collected.estimates, collected.tests, collected.solved_by, kept)
    for row in specs_ran(study, given, pool):
        collected.add(SPECS, **row)
    analyses, reference = study.estimate.analyses, study.treatment.reference_event_time
    for row in rests_on(analyses, reference):
        collected.add(ANALYSES, **row)
    for row in outcomes_made(study.outcomes):
        collected.add(OUTCOMES, **row)


def outcomes_made(outcomes: Mapping[str, Outcome]) -> Iterator[Row]:
    """Yield the rows of OUTCOMES; an outcome that is not observed is made of nothing."""
    for position, (name, outcome) in enumerate(outcomes.items(), start=1):
        yield {
            "outcome": name,
            "position": position,
            "column": (outcome.column if outcome.observed else None) or NONE,
            "transform": (outcome.transform if outcome.observed else None) or NONE,
            "family": outcome.family,
        }


def _influences_kept(kept: Sequence[Kept]) -> dict[Place, str]:
    """Say of each spec, design and outcome with influences which of its terms have them."""
    found: dict[Place, str] = {}
    for own in kept:
        place = (own.label.design, own.label.outcome, own.label.estimator)
        is_whole = len(own.by_cluster.terms) == len(own.terms)
        found[place] = found.get(place, "all") if is_whole else "averages"
    return found


def specs_ran(study: Study, given: Given, pool: Callable[[str], str]) -> Iterator[Row]:
    """Yield the rows of SPECS, given what was found and designs' pools."""
    estimated = _rows(given.estimates, ("estimate",))
    inferred = _rows(given.estimates, _INFERRED)
    joint = _rows([row for row in given.tests if row["test"] == "romano_wolf"], ("p_value",))
    for design, outcome, specs in asked(study):
        for spec in specs:
            place = (design, outcome, spec.name)
            of = Asked(study, spec, design, outcome)
            by = given.solved_by.get(place, "nobody")
            own = ESTIMATORS[spec.estimator].runs(of)
            row = _row(of, own, spec.estimator, spec.terms, inferred.get(place, []))
            row |= _joint(study, place in joint)
            row["influence_kept"] = given.influence_kept.get(place, NONE)
            yield _placed(place, row, pool(design), by)
    for name, of, own, terms in asked_of_analyses(study):
        place = (of.design, of.outcome, name)
        by = "own" if place in estimated else "nobody"
        row = _row(of, own, name, terms, inferred.get(place, []))
        row |= _joint(study, drawn=False)
        row["influence_kept"] = given.influence_kept.get(place, NONE)
        yield _placed(place, row, pool(of.design), by)


def _joint(study: Study, drawn: bool) -> Row:
    """Return the draws over a family of outcomes, where an effect was among them."""
    draws = study.estimate.romano_wolf if drawn else None
    return {
        "romano_wolf_draws": draws.draws if draws else 0,
        "romano_wolf_seed": draws.seed if draws else None,
    }


def _placed(place: Place, row: Row, pool: str, by: str) -> Row:
    key = dict(zip(SPECS.key, place, strict=True))
    return {**key, **row, "controls_from": pool, "solved_by": by}


def _rows(estimates: list[Row], columns: tuple[str, ...]) -> dict[Place, list[Row]]:
    """Return the rows in which one of the columns stands, by spec, design and outcome."""
    found: dict[Place, list[Row]] = {}
    for row in estimates:
        if any(np.isfinite(_or_nan(row.get(name))) for name in columns):
            found.setdefault((row["design"], row["outcome"], row["estimator"]), []).append(row)
    return found


def _or_nan(value: Any) -> float:
    return np.nan if value is None else float(value)


def _row(of: Asked, own: Resolved, kind: str, terms: Sequence[str], inferred: list[Row]) -> Row:
    """Return what the spec's options, the study's and the estimator's rules come to."""
    treatment, matched, adjusted = of.study.treatment, frozenset[int](), list[int]()
    if of.outcome in of.study.outcomes:
        matched = of.study.matched_on(of.design, of.outcome)
        adjusted = _adjusted(of, own.event_base)
    level, other_level = clustering_levels(of.spec.cluster)
    return {
        **vars(own),
        "kind": kind,
        "method": packed_list(own.method),
        "gaps": packed_list(own.gaps),
        "terms": packed_list(terms),
        "comparison": treatment.comparison,
        "first_event_time": treatment.window.first_event_time,
        "last_event_time": treatment.window.last_event_time,
        "anticipation_years": treatment.anticipation_years,
        "conf_level": of.study.estimate.conf_level,
        "power": of.study.estimate.power,
        "base_event_time": treatment.reference_event_time,
        "matched_event_times": packed_list(sorted(matched)),
        "adjusted_event_times": packed_list(adjusted),
        "cluster": level,
        "other_cluster": other_level or NONE,
        **_options(of.spec),
        **_inference(of.spec, inferred),
    }


def _adjusted(of: Asked, event_base: str) -> list[int]:
    """Return the event times before entry whose change since their base covariates add up to."""
    if event_base == NONE:
        return []
    reference = of.study.treatment.reference_event_time
    adjusted = of.study.adjusted_for(_option(of.spec, "covariates"), of.outcome)
    first = of.study.treatment.window.first_event_time
    if event_base == "varying":
        return [t for t in range(first, reference + 1) if adjusted.spans((t, t - 1))]
    return [t for t in range(first, reference) if adjusted.spans((t, reference))]


def _inference(spec: EstimatesAsked | Analysis, rows: list[Row]) -> Row:
    """Return the methods that gave something, and how often and from which seeds they drew."""
    methods = {row["inference"] for row in rows}
    drawn: Row = {}
    for name, method in METHODS.items():
        drawn |= _drawn(spec, method) if name in methods else _not_drawn(method)
    return {
        "inference": packed_list(sorted(methods)),
        "bands": any(row["band"] == "simultaneous" for row in rows),
        **drawn,
    }


def _drawn(spec: EstimatesAsked | Analysis, method: Method) -> Row:
    """Return the settings of a method's draws: the spec's own, or those of the option for it."""
    asked = None if method.option in (None, "inference") else _option(spec, str(method.option))
    return {
        column: _option(spec, name) if asked is None else getattr(asked, name)
        for name, column in method.drawn.items()
    }


def _not_drawn(method: Method) -> Row:
    return {column: _NOT_DRAWN[name] for name, column in method.drawn.items()}


def _options(spec: EstimatesAsked | Analysis) -> Row:
    """Return the options that some have: those that a spec or analysis lacks are `none`."""
    option = partial(_option, spec)
    near: SpatialErrors | None = option("conley")
    bins = [(b.first_event_time, b.last_event_time) for b in option("event_bins")]
    return {
        "event_bins": packed_list(bins),
        "balanced_last_event_time": option("balanced_last_event_time"),
        "year_effects_by": option("year_effects_by") or NONE,
        "weight_by": packed_list(_weight_by(spec)),
        "weight_matched_again": option("weight_matched_again"),
        "covariates": packed_list(option("covariates")),
        "bias_adjustment": packed_list(option("bias_adjustment")),
        "cutoff_km": None if near is None else near.cutoff_km,
        "kernel": NONE if near is None else near.kernel,
        "variance": "hc3" if option("inference") == "hc3" else option("variance"),
        "variance_neighbours": option("variance_neighbours"),
        "placebo_entry_years": option("placebo_entry_years") or 0,
        "least_firms": spec.least_firms if isinstance(spec, GroupsSection) else 0,
    }


def _option(spec: EstimatesAsked | Analysis, name: str) -> Any:
    """Return an option of a spec; an analysis has none of them."""
    return spec.option(name) if isinstance(spec, EstimatesAsked) else OPTIONS[name]


def _weight_by(spec: EstimatesAsked | Analysis) -> list[str]:
    """Return the covariate of a spec, or the columns of sizes, that weight firms."""
    if isinstance(spec, SizeWeighted):
        return list(dict.fromkeys(size.column for size in spec.by.values()))
    covariate = _option(spec, "weight_by")
    return [] if covariate is None else [covariate]
