"""Stata commands that repeat the stacked estimates: reghdfe on each entry year's own effects.

The average is `lincom` over the effects of entry years and event times, with the weights of the
estimator. reghdfe counts parameters as we do: effects nested in clusters cost nothing but the
constant, so both apply G/(G-1) x (N-1)/(N-K) with the same K (Correia 2017).
"""

import math
from collections.abc import Iterator

import numpy as np

from pipeline.commands.stata.checks import asserted, repeated, told
from pipeline.commands.stata.matched_panel import MatchedPanel
from pipeline.effects.event_averages import mean_from_entry
from pipeline.effects.rows import Row
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study, outcome_sample
from pipeline.effects.terms import ATT
from pipeline.errors import IdentificationError
from pipeline.estimators.stacked import event_effects, fit_cells
from pipeline.estimators.stacked_regressors import Regressors, event_regressors, pooled_regressors
from pipeline.estimators.year_cells import year_cells
from pipeline.params.analyses import DISTANCE
from pipeline.params.estimate import StackedSpec


def stacked_commands(
    study: Study, panel: MatchedPanel, spec: StackedSpec, estimates: dict[str, Row]
) -> Iterator[str]:
    """Yield the lines for every outcome of a spec on the panel's design.

    `estimates` are the rows of ESTIMATES of this spec and design, term `att`, by outcome.
    """
    yield from repeated(
        panel,
        spec.name,
        estimates,
        why_not=lambda name, row: _why_not(study, spec, name, row),
        commands=lambda name, row: _checked(study, panel, spec, name, row=row),
    )


def _checked(
    study: Study, panel: MatchedPanel, spec: StackedSpec, name: str, *, row: Row
) -> Iterator[str]:
    """Yield the commands of one outcome, and asserts of what they must give."""
    yield from _commands(study, panel, spec, name)
    yield from asserted(row)
    yield f"assert e(N) == {row['n_obs']:.0f}"
    yield f"assert e(N_clust) == {row['n_clusters']:.0f}"


def _why_not(study: Study, spec: StackedSpec, name: str, row: Row) -> str:
    if math.isnan(row["estimate"]):
        return told(row)
    adjusted = "adjusted for covariates, whose slopes differ by year and entry year"
    reasons = {
        "a Poisson effect; see ppmlhdfe in docs/stata.md": study.outcomes[name].in_ratios,
        f"firms weighted by {spec.weight_by}": spec.weight_by is not None,
        adjusted: bool(spec.covariates),
        "errors by distance, which reghdfe does not know": spec.cluster == DISTANCE,
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _commands(study: Study, panel: MatchedPanel, spec: StackedSpec, name: str) -> Iterator[str]:
    """Yield regression and average of one outcome."""
    sample = outcome_sample(study, panel.design, name)
    weight = panel.weights[name]
    by_event = spec.average == "event"
    regressors = event_regressors(sample) if by_event else pooled_regressors(sample)
    dummies = _dummies(sample, regressors)
    shares = _shares(study, spec, sample, regressors)
    used = [dummy for dummy, share in zip(dummies, shares, strict=True) if share is not None]
    yield f'use "{panel.design}.dta", clear'
    yield f"keep if !missing({weight})"
    yield from (f"generate byte {dummy} = {dummies[dummy]}" for dummy in used)
    absorbed = f"unit {panel.years_by[spec.year_effects_by]}"
    yield (
        f"reghdfe {panel.outcomes[name]} {' '.join(used)} [pw={weight}], absorb({absorbed}) "
        f"vce(cluster {' '.join(_clusters(panel, spec))})"
    )
    yield from _average({name: share or 0.0 for name, share in zip(dummies, shares, strict=True)})


def _clusters(panel: MatchedPanel, spec: StackedSpec) -> list[str]:
    """Return the variables that errors are clustered by."""
    levels = (spec.cluster,) if isinstance(spec.cluster, str) else spec.cluster
    return [variable for level in levels for variable in panel.clusters[level]]


def _shares(
    study: Study, spec: StackedSpec, sample: StackedSample, regressors: Regressors
) -> list[float | None]:
    """Return each effect's weight in the average, by the estimator itself; None if collinear."""
    rows = year_cells(sample, study.panel, spec.year_effects_by)
    try:
        cells = fit_cells(sample, regressors, rows)
    except IdentificationError:
        return [None] * len(regressors.terms)
    if ATT in regressors.terms:
        average = cells.where([ATT])
    else:
        average = mean_from_entry(event_effects(cells, regressors), ATT)
    weights = dict(zip(cells.terms, cells.loadings.T @ average.loadings[:, 0], strict=True))
    return [None if term is None else weights.get(term) for term in regressors.terms]


def _dummies(sample: StackedSample, regressors: Regressors) -> dict[str, str]:
    """Return, by Stata name, what each regressor is: one entry year at one event time."""
    reference = sample.stacks.reference
    if ATT in regressors.terms:
        anticipated = f"treated & event_time > {reference} & event_time < 0"
        whole = {"d_post": "treated_post", "d_anticipation": anticipated}
        return dict(list(whole.items())[: regressors.columns.shape[1]])
    found = {}
    for column in regressors.columns.T:
        first = int(np.flatnonzero(column)[0])
        g, e = int(sample.stack[first]), int(sample.event_time[first])
        name = f"d{g}_{'m' if e < 0 else 'p'}{abs(e)}".replace("-", "n")
        found[name] = f"treated & stack == {g} & event_time == {e}"
    return found


def _average(shares: dict[str, float]) -> Iterator[str]:
    """Yield the lines that build the average term by term and estimate it."""
    parts = [f"{share:.17g}*{name}" for name, share in shares.items() if share > 0]
    yield f'local average "{parts[0]}"'
    yield from (f'local average "`average\' + {part}"' for part in parts[1:])
    yield "lincom `average'"
