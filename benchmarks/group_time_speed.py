"""Time doubly robust group-time effects against diff-diff and moderndid, side by side.

    python -m benchmarks.group_time_speed --peer diff-diff=<python> --peer moderndid=<python>

All start from the same long table in memory: firms x 10 years, three cohorts, two covariates,
never-treated comparison, event averages with analytic standard errors.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.result_file import HERE
from benchmarks.side_by_side import Comparison, Figures, Side, compare

if TYPE_CHECKING:
    from pipeline.estimators.group_time.cohort_sample import CohortSample

YEARS = 10
COHORTS = (4.0, 6.0, 8.0)


def simulate(n_firms: int) -> pd.DataFrame:
    rng = np.random.default_rng(20261123)
    first = rng.choice([*COHORTS, np.inf], n_firms, p=[0.1, 0.1, 0.1, 0.7])
    x1 = rng.normal(size=n_firms) + 0.3 * np.isfinite(first)
    x2 = rng.normal(size=n_firms)
    year = np.arange(1, YEARS + 1)
    y = rng.normal(size=(n_firms, YEARS)) + x1[:, None] * year / 10
    y += rng.normal(size=n_firms)[:, None] + 0.5 * (year >= first[:, None])
    return pd.DataFrame(
        {
            "firm": np.repeat(np.arange(n_firms), YEARS),
            "year": np.tile(year, n_firms),
            "first_treated": np.repeat(np.where(np.isinf(first), 0, first), YEARS),
            "x1": np.repeat(x1, YEARS),
            "x2": np.repeat(x2, YEARS),
            "y": y.ravel(),
        }
    )


def ours(data: pd.DataFrame) -> Figures:
    from pipeline.estimators.group_time.group_time import GroupTimeRules, group_time_effects
    from pipeline.estimators.group_time.group_time_averages import event_averages
    from pipeline.inference.analytic import infer

    effects = group_time_effects(samples(data), GroupTimeRules("doubly_robust", "varying", 0))
    inferred = infer(event_averages(effects), "firm")
    estimated = inferred.estimated
    pairs = zip(estimated.estimates.tolist(), inferred.std_errors.tolist(), strict=True)
    named = zip(estimated.terms, pairs, strict=True)
    return {str(term.event_time): list(pair) for term, pair in named}


def samples(data: pd.DataFrame) -> "list[CohortSample]":
    """Return each cohort beside the firms never treated."""
    from pipeline.estimators.group_time.group_time_panel import (
        FirmsByYear,
        cohort_sample,
        compared_firms,
    )
    from pipeline.panel.panel_index import index_panel

    row = index_panel(data[["firm", "year"]].set_axis(["firm_id", "year"], axis=1)).row
    own = row[:, 0]
    first = data["first_treated"].to_numpy()[own]
    first = np.where(first == 0, np.inf, first)
    years = np.arange(1, YEARS + 1)
    firms = FirmsByYear(years, data["y"].to_numpy()[row], first, first, np.arange(len(row)))
    columns = np.column_stack([np.ones(len(row)), data[["x1", "x2"]].to_numpy()[own]])
    found = []
    for cohort in firms.cohorts():
        kept = compared_firms(firms, cohort, "never_treated", balanced=False)
        weight = np.ones(len(kept))
        found.append(cohort_sample(firms, cohort, kept, weight=weight, columns=columns[kept]))
    return found


def diff_diff(data: pd.DataFrame) -> Figures:
    from diff_diff import CallawaySantAnna

    model = CallawaySantAnna(control_group="never_treated", estimation_method="dr", n_bootstrap=0)
    found = model.fit(
        data,
        outcome="y",
        unit="firm",
        time="year",
        first_treat="first_treated",
        covariates=["x1", "x2"],
    ).aggregate("event_study")
    parts = zip(found.event_time, found.att, found.se, strict=True)
    return {str(int(e)): [float(effect), float(error)] for e, effect, error in parts}


def moderndid(data: pd.DataFrame) -> Figures:
    import moderndid as package

    cells = package.att_gt(
        data,
        "y",
        "year",
        "firm",
        "first_treated",
        xformla="~ x1 + x2",
        est_method="dr",
        control_group="nevertreated",
        cband=False,
    )
    found = package.aggte(cells, type="dynamic", cband=False)
    parts = zip(found.event_times, found.att_by_event, found.se_by_event, strict=True)
    return {str(int(e)): [float(effect), float(error)] for e, effect, error in parts}


COMPARISON = Comparison(
    name="group_time_speed",
    what="doubly robust ATT(g,t), 2 covariates, 3 cohorts, 10 years, event averages and errors",
    counted="firms",
    simulate=simulate,
    sides={
        HERE: Side(ours, ("numpy", "pandas", "scipy"), own=True),
        "diff-diff": Side(diff_diff, ("diff-diff", "numpy", "pandas")),
        "moderndid": Side(moderndid, ("moderndid", "numpy", "pandas")),
    },
    size=1_000_000,
)

if __name__ == "__main__":
    compare(COMPARISON, __doc__)
