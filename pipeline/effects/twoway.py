"""Flat weighted two-way fixed effects, shown for comparability only.

It pools all entry years in one panel with firm and year effects, so firms treated earlier serve
as comparisons for firms treated later. Goodman-Bacon (2021),
doi:10.1016/j.jeconom.2021.03.014.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.effects.absorb import singletons_dropped
from pipeline.effects.least_squares import Fit, paid_parameters
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacks import Flags, Floats
from pipeline.errors import IdentificationError
from pipeline.inference import clustered_covariance, n_groups
from pipeline.panel_index import Codes

# linearmodels stops its iterations at 1e-8; estimates are compared across machines at 1e-7, so
# what the iterations leave must be far smaller. Costs nothing measurable.
LSMR_TOLERANCE = 1e-12


@dataclass(frozen=True)
class FlatSample:
    """Hold one row per firm-year, shape (n,): a firm in several stacks has its summed weight.

    `cohort` is PANEL's, infinite for never-treated; `treated_post` marks treated firm-years by it,
    `anticipated` those between the reference year and entry. `panel_row` is the position in PANEL.
    """

    firm: Codes
    year: NDArray[np.int64]
    cluster: Codes
    y: Floats
    weight: Floats
    cohort: Floats
    treated_post: Flags
    anticipated: Flags
    ever_treated: Flags
    panel_row: Codes

    def where(self, kept: Flags) -> "FlatSample":
        """Return the kept rows only."""
        return FlatSample(**{name: values[kept] for name, values in vars(self).items()})


def flat_sample(sample: StackedSample, panel: pd.DataFrame) -> FlatSample:
    """Collapse a stacked sample to firm-years, adding weights over stacks."""
    panel_row, first, position = np.unique(sample.panel_row, return_index=True, return_inverse=True)
    unit = sample.unit[first]
    year = sample.year[first]
    cohort = panel["cohort"].to_numpy(dtype=np.float64, na_value=np.inf)[panel_row]
    treated_post = year >= cohort
    return FlatSample(
        firm=sample.stacks.firm[unit],
        year=year,
        cluster=sample.stacks.cluster[unit],
        y=sample.y[first],
        weight=np.bincount(position, sample.weight).astype(np.float64),
        cohort=cohort,
        treated_post=treated_post,
        anticipated=(year > cohort + sample.stacks.reference) & ~treated_post,
        ever_treated=np.bincount(position, sample.treated) > 0,
        panel_row=panel_row,
    )


def fit_twoway(flat: FlatSample, clusters: Codes) -> Fit:
    """Fit y on treated_post with firm and year effects, weighted, by linearmodels' AbsorbingLS.

    linearmodels gives the demeaned columns, coefficients and residuals; its small-sample flags
    cannot give the factor of `clustered_covariance`, which is applied to its scores and bread.
    Raises IdentificationError where no row or no treated x post variation is left.
    """
    kept = singletons_dropped(flat.firm, flat.year - flat.year.min())
    if not kept.any():
        raise IdentificationError("every firm-year is alone in one of its effects")
    columns = [flat.treated_post[kept]] + [flat.anticipated[kept]] * bool(
        flat.anticipated[kept].any()
    )
    regressors = np.column_stack(columns).astype(np.float64)
    firm, year = flat.firm[kept], flat.year[kept]
    scores, bread, estimates = _absorbing_least_squares(
        flat.y[kept], regressors, firm, year, flat.weight[kept]
    )
    group = clusters[kept]
    k_parameters = paid_parameters(len(estimates), firm, year - year.min(), group)
    return Fit(
        names=("att", "anticipation")[: len(estimates)],
        estimates=estimates,
        covariance=clustered_covariance(scores, bread, group, len(group), k_parameters),
        estimable=np.ones(len(estimates), dtype=np.bool_),
        kept=kept,
        n_obs=len(group),
        n_clusters=n_groups(group),
    )


def true_twoway(flat: FlatSample, effect: Floats) -> float:
    """Return the weighted mean of a true effect (n,) over treated firm-years.

    That is what two-way fixed effects is usually read as; its own weights may be negative.
    """
    weight = flat.weight * flat.treated_post
    return float((weight * np.where(flat.treated_post, effect, 0.0)).sum() / weight.sum())


def true_event_mean(flat: FlatSample, effect: Floats) -> float:
    """Return the equal-weight mean over event times of the weighted mean of a true effect (n,)."""
    since = np.where(flat.treated_post, flat.year - flat.cohort, np.nan)
    times = np.unique(since[flat.treated_post])
    means = [np.average(effect[since == e], weights=flat.weight[since == e]) for e in times]
    return float(np.mean(means))


def _absorbing_least_squares(
    y: Floats, regressors: Floats, firm: Codes, year: NDArray[np.int64], weight: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return scores (n, k), bread (k, k) and estimates (k,) from linearmodels.

    Its columns are multiplied by the root of the weights, which it scales to a mean of 1; scores
    and bread hold for those, and the covariance does not depend on the scale.
    """
    from linearmodels.iv.absorbing import AbsorbingLS
    from linearmodels.panel.utility import AbsorbingEffectError

    effects = pd.DataFrame({"firm": pd.Categorical(firm), "year": pd.Categorical(year)})
    model = AbsorbingLS(y, regressors, absorb=effects, weights=weight)
    try:
        fitted = model.fit(
            method="lsmr",
            use_cache=False,
            cov_type="unadjusted",
            absorb_options={"atol": LSMR_TOLERANCE, "btol": LSMR_TOLERANCE},
        )
    except AbsorbingEffectError:
        raise IdentificationError("collinear with the absorbed effects") from None
    columns = model.absorbed_exog.to_numpy()
    estimates = fitted.params.to_numpy()
    residuals = model.absorbed_dependent.to_numpy()[:, 0] - columns @ estimates
    return columns * residuals[:, None], np.linalg.inv(columns.T @ columns), estimates
