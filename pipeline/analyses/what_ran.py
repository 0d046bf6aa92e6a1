"""Record every spec as it ran, in SPECS."""

from typing import Any

import numpy as np

from pipeline.datasets.specs import NONE, SPECS
from pipeline.effects.answers import Answer
from pipeline.effects.collected import Collected
from pipeline.effects.regression import Solver
from pipeline.effects.resolved import Asked
from pipeline.effects.rows import Row
from pipeline.effects.study import Study, asked
from pipeline.estimators.registry import ESTIMATORS
from pipeline.matching.redo import Redo
from pipeline.params.analyses import clustering_code
from pipeline.params.spec_options import EstimatesAsked

# A row in which one of these stands was inferred.
_INFERRED = ("std_error", "p_value", "conf_low")

Place = tuple[str, str, str]


def solver(answer: Answer) -> Solver | None:
    """Return who solved an answer's first regression, us where there is none; None for no term."""
    parts = [answer, *answer.by_sample.values()]
    found = [result for part in parts for result in part.results if result.terms]
    regressions = [result.regression for result in found if result.regression is not None]
    if regressions:
        return regressions[0].solved_by
    return "own" if found else None


def add_specs(collected: Collected, study: Study, redo: Redo | None) -> None:
    """Add a row for every spec, design and outcome, given all of their rows of ESTIMATES.

    Pools are not known without `redo`, which has the settings of the designs.
    """
    inferred = _inferred(collected)
    for design, outcome, specs in asked(study):
        pool = "not_known" if redo is None else redo.controls_from(design)
        for spec in specs:
            place = (design, outcome, spec.name)
            rows = inferred.get(place, [])
            collected.add(
                SPECS,
                **dict(zip(SPECS.key, place, strict=True)),
                **_resolved(Asked(study, spec, design, outcome)),
                **_inference(spec, rows),
                controls_from=pool,
                solved_by=collected.solved_by.get(place, "nobody"),
            )


def _inferred(collected: Collected) -> dict[Place, list[Row]]:
    """Return the rows with an error, a p-value or an interval, by spec, design and outcome."""
    found: dict[Place, list[Row]] = {}
    for row in collected.estimates:
        if any(np.isfinite(row.get(name, np.nan)) for name in _INFERRED):
            found.setdefault((row["design"], row["outcome"], row["estimator"]), []).append(row)
    return found


def _inference(spec: EstimatesAsked, rows: list[Row]) -> Row:
    """Return the methods that gave something, and how often and from which seeds they drew."""
    methods = {row["inference"] for row in rows}
    bootstrap = spec if "cluster_bootstrap" in methods else None
    wild = spec.option("wild_bootstrap") if "wild_bootstrap" in methods else None
    randomised = spec.option("randomisation") if "randomisation" in methods else None
    return {
        "inference": _listed(sorted(methods)),
        "bands": any(row["band"] == "simultaneous" for row in rows),
        "draws": bootstrap.option("draws") if bootstrap else 0,
        "seed": bootstrap.option("seed") if bootstrap else None,
        "wild_draws": wild.draws if wild else 0,
        "wild_seed": wild.seed if wild else None,
        "wild_ties": wild.ties if wild else NONE,
        "randomisation_draws": randomised.draws if randomised else 0,
        "randomisation_seed": randomised.seed if randomised else None,
    }


def _resolved(of: Asked) -> Row:
    """Return what the spec's options, the study's and the estimator's rules come to."""
    study, spec = of.study, of.spec
    own = ESTIMATORS[spec.estimator].resolved(of)
    return {
        **vars(own),
        "kind": spec.estimator,
        "terms": _listed(spec.terms),
        "comparison": study.treatment.comparison,
        "first_event_time": study.treatment.window.first_event_time,
        "last_event_time": study.treatment.window.last_event_time,
        "anticipation_years": study.treatment.anticipation_years,
        "base_event_time": study.treatment.reference_event_time,
        "matched_event_times": _listed(sorted(study.matched_on(of.design, of.outcome))),
        "cluster": clustering_code(spec.cluster),
        **_options(spec),
    }


def _options(spec: EstimatesAsked) -> Row:
    """Return the options that some estimators have: those that a spec lacks are `none`."""
    bins = [f"{b.first_event_time}:{b.last_event_time}" for b in spec.option("event_bins")]
    return {
        "event_bins": _listed(bins),
        "balanced_last_event_time": spec.option("balanced_last_event_time"),
        "year_effects_by": spec.option("year_effects_by") or NONE,
        "weight_by": spec.option("weight_by") or NONE,
        "weight_matched_again": spec.option("weight_matched_again"),
        "covariates": _listed(spec.option("covariates")),
        "bias_adjustment": _listed(spec.option("bias_adjustment")),
        "variance": spec.option("variance"),
        "variance_neighbours": spec.option("variance_neighbours"),
        "placebo_entry_years": spec.option("placebo_entry_years") or 0,
    }


def _listed(values: Any) -> str:
    return " ".join(map(str, values)) or NONE
