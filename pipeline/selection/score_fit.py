"""One fit of a propensity score: unpenalised maximum likelihood on the firms of a sample.

What would make its coefficients meaningless (constant, collinear or separating covariates) stops
the fit and is named (`pipeline.selection.design_matrix`).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.datasets.precision import SCORE_DECIMALS
from pipeline.errors import DataError, Reason, SupportError
from pipeline.params.score import ScoreErrors
from pipeline.selection.design_matrix import (
    DesignMatrix,
    build_design_matrix,
    group_sizes,
    refuse_separation,
    refuse_separation_by_combination,
)
from pipeline.selection.frequency import Frequency, mean, number, times_of
from pipeline.selection.likelihood import (
    Link,
    Maximiser,
    Optimum,
    maximise_by_statsmodels,
    probability,
)
from pipeline.selection.score_errors import robust_covariance


@dataclass(frozen=True)
class ScoreFit:
    """Hold one fitted propensity score.

    `coefficients` has one row per term: `covariate` (missing for the constant), `category` (missing
    for numbers), `estimate` and `std_error` on the index; `covariance` (terms, terms) is theirs,
    both in the units of the covariates;
    `propensity_score` and `linear_score` have one entry per firm, rounded to 8 decimals;
    `pseudo_r2` is McFadden's, `auc` the area under the ROC curve.
    """

    coefficients: pd.DataFrame
    covariance: Floats
    propensity_score: Floats
    linear_score: Floats
    n_obs: int
    n_treated: int
    pseudo_r2: float
    auc: float


def fit_score(
    covariates: pd.DataFrame,
    treated: Flags,
    link: Link,
    maximiser: Maximiser = maximise_by_statsmodels,
    *,
    errors: ScoreErrors = "conventional",
    cluster: Codes | None = None,
    weight: Floats | None = None,
) -> ScoreFit:
    """Fit the probability of treatment by unpenalised maximum likelihood.

    `covariates` has one row per firm and no missing value; text columns become one indicator
    per category, the first in sorted order being the base. `treated` is aligned with it.
    `errors` says of which kind those of coefficients are; `cluster` (n,) are the clusters of
    `clustered` ones, or the firms of `robust` ones where a firm has several rows. `weight` (n,) are
    sampling weights: they do not count firms, so that `conventional` errors are not for them.

    Raises SupportError where a group is empty or a covariate separates the groups (the estimate
    would be infinite: Albert & Anderson 1984, doi:10.1093/biomet/71.1.1), DataError where a
    covariate is missing, constant or a combination of others.
    """
    weighing = maximiser
    if weight is not None:
        weight = weight / weight.mean()  # of whatever size, they say who counts more
        weighing = partial(maximiser, weight=weight)
    design, optimum = find_optimum(covariates, treated, link, weighing)
    estimate = design.to_original_units @ optimum.coefficients
    of_columns = optimum.covariance
    if errors != "conventional":
        given = design.standardised, treated, optimum, link, cluster
        of_columns = robust_covariance(*given, weight=weight)
    covariance = design.to_original_units @ of_columns @ design.to_original_units.T
    index = optimum.index
    terms = pd.DataFrame([(None, None), *design.terms], columns=["covariate", "category"])
    return ScoreFit(
        coefficients=terms.assign(estimate=estimate, std_error=np.sqrt(np.diag(covariance))),
        covariance=covariance,
        propensity_score=np.round(probability(index, link), SCORE_DECIMALS),
        linear_score=np.round(index, SCORE_DECIMALS),
        n_obs=len(treated),
        n_treated=int(treated.sum()),
        pseudo_r2=_mcfadden(optimum.log_likelihood, treated, weight),
        auc=_auc(index, treated, weight),
    )


def find_optimum(
    covariates: pd.DataFrame,
    treated: Flags,
    link: Link,
    maximiser: Maximiser,
    frequency: Frequency = None,
) -> tuple[DesignMatrix, Optimum]:
    """Return the design matrix and the fit of `fit_score`, or raise as it does.

    Where firms count as often as `frequency` says, the maximiser must weigh them so, too.
    """
    _require_both_groups(treated, frequency)
    design = build_design_matrix(covariates, frequency)
    refuse_separation(covariates, treated, frequency)
    optimum = maximiser(design.standardised, treated, link)
    if optimum is None:
        refuse_separation_by_combination(design, treated, frequency)
        n = number(len(treated), frequency)
        raise DataError(
            f"the {link} did not converge on {n} firms; take extreme values or "
            "covariates out of the model",
            reason=Reason("score_not_converged", {"link": link, "n": n}),
        )
    return design, optimum


def _require_both_groups(treated: Flags, frequency: Frequency) -> None:
    if treated.all() or not treated.any():
        sizes = group_sizes(treated, frequency)
        raise SupportError(
            f"{sizes['n_treated']} treated and {sizes['n_control']} comparison firms: "
            "a score needs both: widen the comparison pool (controls_from of the model, "
            "treatment.comparison), or name the entry year in treatment.leave_out_entry_years",
            reason=Reason("score_without_group", sizes),
        )


def _mcfadden(log_likelihood: float, treated: Flags, weight: Floats | None) -> float:
    """Return 1 - L / L0, L0 the log-likelihood with an intercept alone."""
    share = mean(treated.astype(np.float64), weight)
    entropy = share * np.log(share) + (1 - share) * np.log(1 - share)
    return float(1 - log_likelihood / (times_of(weight, len(treated)).sum() * entropy))


def _auc(index: Floats, treated: Flags, weight: Floats | None) -> float:
    """Return the probability that a treated firm outranks a comparison firm, ties one half."""
    if weight is not None:
        return _weighted_auc(index, treated, weight)
    one, zero = np.sort(index[treated]), np.sort(index[~treated])
    outranked = np.searchsorted(zero, one, "left") + np.searchsorted(zero, one, "right")
    return float(outranked.sum() / 2 / len(one) / len(zero))


def _weighted_auc(index: Floats, treated: Flags, weight: Floats) -> float:
    """Return the AUC of firms that weigh (n,): of pairs, by the product of their weights."""
    order = np.argsort(index[~treated])
    zero, below = index[~treated][order], np.append(0.0, np.cumsum(weight[~treated][order]))
    one, own = index[treated], weight[treated]
    outranked = below[np.searchsorted(zero, one, "left")]
    outranked = outranked + below[np.searchsorted(zero, one, "right")]
    return float((own * outranked).sum() / 2 / own.sum() / below[-1])
