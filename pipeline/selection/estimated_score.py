"""The fit of a score on which firms were matched, as far as a variance after matching needs it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats
from pipeline.errors import Reason, SupportError
from pipeline.selection.design_matrix import build_design_matrix, expanded_columns
from pipeline.selection.likelihood import (
    Link,
    link_density,
    maximise_by_statsmodels,
    probability,
)


@dataclass(frozen=True)
class EstimatedScore:
    """Hold the maximum-likelihood fit of a score on which firms were matched.

    `design` (n, k) with its intercept, `covariance` (k, k) of the coefficients, `probability`
    (n,), `density` (n,) the derivative of the probability by the index (p (1 - p) for a logit),
    `points` (n, m) the covariates in their own units: teffects compares firms on them unscaled.
    """

    design: Floats
    covariance: Floats
    probability: Floats
    density: Floats
    points: Floats

    def of(self, rows: Flags) -> "EstimatedScore":
        """Return the same fit for some of its firms."""
        by_firm = (self.design, self.probability, self.density, self.points)
        design, chance, density, points = (values[rows] for values in by_firm)
        return EstimatedScore(design, self.covariance, chance, density, points)

    def among(self, fitted: Flags) -> "EstimatedScore":
        """Return the same fit for all firms, missing for those that it left out."""

        def spread(values: Floats) -> Floats:
            everyone = np.full((len(fitted), *values.shape[1:]), np.nan)
            everyone[fitted] = values
            return everyone

        design, chance, density, points = map(
            spread, (self.design, self.probability, self.density, self.points)
        )
        return EstimatedScore(design, self.covariance, chance, density, points)


def estimated_score(covariates: pd.DataFrame, treated: Flags, link: Link) -> EstimatedScore:
    """Fit a score as `propensity.fit_score` does, and keep what the correction needs.

    Raises SupportError where there is no optimum.
    """
    design = build_design_matrix(covariates)
    optimum = maximise_by_statsmodels(design.standardised, treated, link)
    if optimum is None:
        raise SupportError(Reason("score_without_optimum", {"link": link, "n": len(treated)}))
    return EstimatedScore(
        design=design.standardised,
        covariance=optimum.covariance,
        probability=probability(optimum.index, link),
        density=link_density(optimum.index, link),
        points=np.column_stack([values for *_, values in expanded_columns(covariates)]),
    )
