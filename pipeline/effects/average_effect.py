"""An average effect with each cluster's influence on it, so that several can be compared.

With psi_g a cluster's influence on the coefficients, as `least_squares` and `poisson` give it, and
a the weights that make up the average, the variance is the sum of (a'psi_g)^2 over clusters, and
the covariance with another average on the same clusters the sum of products.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.effects.counts import Counts, count_sample
from pipeline.effects.least_squares import Fit, fit_absorbed
from pipeline.effects.poisson import fit_poisson
from pipeline.effects.rows import Label, Row, fitted_rows
from pipeline.effects.sample import StackedSample
from pipeline.effects.separation import Usable, usable_rows
from pipeline.effects.stacks import Flags, Floats
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError
from pipeline.estimators.stacked import (
    Regressors,
    average_shares,
    stacked_regressors,
    year_cells,
)
from pipeline.panel.panel_index import Codes

Combination = Callable[[Regressors, Flags], Floats]


@dataclass(frozen=True)
class AverageEffect:
    """Hold an estimate, by cluster code (G,) influences and who has rows behind it, and counts."""

    estimate: float
    influence: Floats
    present: Flags
    counts: Counts

    @property
    def std_error(self) -> float:
        """Return the clustered standard error."""
        return float(np.sqrt(self.influence @ self.influence))

    def row(self, label: Label, term: str, note: str | None = None) -> Row:
        """Return the row of ESTIMATES with t(G-1) tests and intervals."""
        estimate, error = np.array([self.estimate]), np.array([self.std_error])
        return fitted_rows(label, self.counts, [(term, None, note)], estimate, error)[0]


def average_effect(
    study: Study, sample: StackedSample, clusters: Codes, combination: Combination = average_shares
) -> AverageEffect:
    """Estimate the mean over event times from entry on by stacked least squares.

    `clusters` has a code per unit; `combination` weights the coefficients of stacks and event times
    otherwise. Raises IdentificationError where nothing can be estimated.
    """
    regressors = stacked_regressors(sample, "event")
    fit = fit_absorbed(
        sample.y,
        regressors.columns,
        (),
        first=sample.unit,
        second=year_cells(sample, study.panel, None),
        weight=sample.weight,
        clusters=clusters[sample.unit],
    )
    return _combined(sample, clusters, fit, regressors, combination)


@dataclass(frozen=True)
class RatioSample:
    """Hold what Poisson regressions on one pattern of zeros share."""

    sample: StackedSample
    clusters: Codes
    regressors: Regressors
    cells: Codes
    usable: Usable


def ratio_sample(study: Study, sample: StackedSample, clusters: Codes) -> RatioSample:
    """Find the rows that a Poisson regression can use; `clusters` has a code per unit.

    Raises SupportError where the search fails.
    """
    regressors = stacked_regressors(sample, "event")
    cells = year_cells(sample, study.panel, None)
    usable = usable_rows(sample.y, regressors.columns, sample.unit, cells)
    return RatioSample(sample, clusters, regressors, cells, usable)


def average_ratio(found: RatioSample, y: Floats) -> AverageEffect:
    """Estimate the mean log ratio over event times from entry on, by Poisson, for outcomes y (n,).

    `y` is zero where the sample's outcome is, and only there. Raises IdentificationError where the
    average has no finite value, SupportError where nothing is left.
    """
    sample, regressors = found.sample, found.regressors
    fit = fit_poisson(
        y,
        regressors.columns,
        (),
        first=sample.unit,
        second=found.cells,
        weight=sample.weight,
        clusters=found.clusters[sample.unit],
        usable=found.usable,
    ).fit
    touched = np.isin(found.cells, found.cells[found.usable.separated])
    separated = ~fit.estimable & np.asarray((regressors.columns[touched] != 0).any(axis=0))
    if separated[_after_entry(regressors)].any():
        raise IdentificationError(
            f"no finite effect: separation, with {found.usable.n_separated} firm-years in which "
            "only a total of zero can be fitted"
        )
    return _combined(sample, found.clusters, fit, regressors, average_shares)


def minus(first: AverageEffect, second: AverageEffect) -> AverageEffect:
    """Return the difference of two averages on the same rows and clusters."""
    return AverageEffect(
        first.estimate - second.estimate,
        first.influence - second.influence,
        first.present,
        first.counts,
    )


def _after_entry(regressors: Regressors) -> Flags:
    """Mark the coefficients (k,) that the average takes up."""
    every = np.ones(regressors.columns.shape[1], dtype=np.bool_)
    return np.asarray(average_shares(regressors, every) > 0)


def _combined(
    sample: StackedSample,
    clusters: Codes,
    fit: Fit,
    regressors: Regressors,
    combination: Combination,
) -> AverageEffect:
    """Weight coefficients (k,) and the clusters' influences (G, k) into one average."""
    used = fit.estimable
    if not (_after_entry(regressors) & used).any():
        raise IdentificationError("no event time from entry on is estimated")
    assert fit.influence is not None, "clustered in one direction"
    shares = combination(regressors, used)[used]
    influence = np.zeros(int(clusters.max()) + 1)
    influence[: len(fit.influence)] = fit.influence[:, used] @ shares
    firm, group = sample.stacks.firm[sample.unit], clusters[sample.unit]
    counts = count_sample(fit.kept, sample.treated, firm, group, entry=sample.stack)
    present = np.bincount(group[fit.kept], minlength=len(influence)) > 0
    return AverageEffect(float(fit.estimates[used] @ shares), influence, present, counts)
