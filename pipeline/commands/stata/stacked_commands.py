"""Stata commands that repeat the stacked estimates: reghdfe on each entry year's own effects.

The average is `lincom` over the effects of entry years and event times, with the weights of the
estimator. reghdfe counts parameters as we do: effects nested in clusters cost nothing but the
constant, so both apply G/(G-1) x (N-1)/(N-K) with the same K (Correia 2017).
"""

import math
from collections.abc import Iterator

import numpy as np

from pipeline.commands.stata.checks import asserted, heading
from pipeline.commands.stata.matched_panel import CLUSTERS, MatchedPanel
from pipeline.effects.clusters import cluster_codes
from pipeline.effects.rows import Row
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study, outcome_sample
from pipeline.errors import IdentificationError
from pipeline.estimators.stacked import (
    Regressors,
    average_shares,
    fit_cells,
    stacked_regressors,
    year_cells,
)
from pipeline.params.estimate import StackedSpec


def stacked_commands(
    study: Study, panel: MatchedPanel, spec: StackedSpec, estimates: dict[str, Row]
) -> Iterator[str]:
    """Yield the lines for every outcome of a spec on the panel's design.

    `estimates` are the rows of ESTIMATES of this spec and design, term `att`, by outcome.
    """
    for name in panel.outcomes:
        if name not in estimates:
            continue
        row = estimates[name]
        yield from heading(panel.design, name, spec.name, row)
        reason = _why_not(study, name, row)
        if reason:
            yield f"* not repeated here: {reason}"
            continue
        yield from _commands(study, panel, spec, name)
        yield from asserted(row)
        yield f"assert e(N) == {row['n_obs']:.0f}"
        yield f"assert e(N_clust) == {row['n_clusters']:.0f}"


def _why_not(study: Study, name: str, row: Row) -> str:
    if math.isnan(row["estimate"]):
        return str(row["note"])
    if study.outcomes[name].transform == "proportional":
        return "a Poisson effect; see ppmlhdfe in docs/stata.md"
    return ""


def _commands(study: Study, panel: MatchedPanel, spec: StackedSpec, name: str) -> Iterator[str]:
    """Yield regression and average of one outcome."""
    sample = outcome_sample(study, panel.design, name)
    weight = panel.weights[name]
    regressors = stacked_regressors(sample, "event" if spec.average == "event" else "att")
    dummies = _dummies(sample, regressors)
    estimable = _estimable(study, spec, sample, regressors)
    used = [dummy for dummy, known in zip(dummies, estimable, strict=True) if known]
    yield f'use "{panel.design}.dta", clear'
    yield f"keep if !missing({weight})"
    yield from (f"generate byte {dummy} = {dummies[dummy]}" for dummy in used)
    absorbed = f"unit {panel.years_by[spec.year_effects_by]}"
    yield (
        f"reghdfe {panel.outcomes[name]} {' '.join(used)} [pw={weight}], absorb({absorbed}) "
        f"vce(cluster {' '.join(CLUSTERS[spec.cluster])})"
    )
    shares = average_shares(regressors, estimable)
    yield from _average(dict(zip(dummies, shares, strict=True)))


def _estimable(
    study: Study, spec: StackedSpec, sample: StackedSample, regressors: Regressors
) -> np.ndarray:
    """Say which effects are not collinear, by the estimator itself."""
    clusters = cluster_codes(sample.stacks, spec.cluster)[0][sample.unit]
    cells = year_cells(sample, study.panel, spec.year_effects_by)
    try:
        return fit_cells(sample, regressors, cells, clusters).estimable
    except IdentificationError:
        return np.zeros(regressors.columns.shape[1], dtype=np.bool_)


def _dummies(sample: StackedSample, regressors: Regressors) -> dict[str, str]:
    """Return, by Stata name, what each regressor is: one entry year at one event time."""
    reference = sample.stacks.reference
    if regressors.names[0] == "att":
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
