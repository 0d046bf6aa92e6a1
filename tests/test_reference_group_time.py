"""Group-time effects against published figures; sources in reference/README.md."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from group_time_samples import full_samples

from pipeline.effects.adjusted_change import adjusted_change, prepare_comparison
from pipeline.effects.group_time import GroupTimeRules, group_time_effects
from pipeline.effects.group_time_averages import (
    cell_effects,
    cohort_averages,
    equal_average,
    event_averages,
    mean_over_cohorts,
    simple_average,
    year_averages,
)
from pipeline.effects.group_time_rows import group_time_pre_test
from pipeline.effects.rows import Label

REFERENCE = Path(__file__).parent / "reference"
PRINTED = 6e-11  # ten decimals are printed

LABEL = Label("lemp", "all", "group_time", "att", "log points", "firm", 0.95)


def counties():
    """Return mpdta wide, entry years (infinite for never), and log population."""
    data = pd.read_csv(REFERENCE / "mpdta.csv")
    wide = data.pivot(index="countyreal", columns="year", values="lemp")
    own = data.drop_duplicates("countyreal").set_index("countyreal").loc[wide.index]
    return wide, own["first.treat"].replace(0, np.inf).to_numpy(float), own[["lpop"]].to_numpy()


def mpdta_effects(covariates=False, method="outcome_regression"):
    wide, first, lpop = counties()
    samples = full_samples(wide, first, never_only=True, covariates=lpop if covariates else None)
    return group_time_effects(samples, GroupTimeRules(method, "varying", 0))


def figures(average):
    return average.estimate, float(np.sqrt(average.influence @ average.influence))


@pytest.mark.parametrize(
    ("cell", "estimate", "error"),
    [
        ("att_gt[2004,2004]", -0.0105032462, 0.0232510364),
        ("att_gt[2004,2007]", -0.1008113631, 0.0343592258),
        ("att_gt[2006,2006]", -0.0045946070, 0.0177551967),
        ("att_gt[2007,2007]", -0.0260544107, 0.0166554353),
        ("att_gt[2007,2004]", 0.0305066556, 0.0150335603),
    ],
)
def test_mpdta_cells(cell, estimate, error):
    found = {average.term: average for average in cell_effects(mpdta_effects())}
    assert figures(found[cell]) == pytest.approx((estimate, error), abs=PRINTED)


def test_mpdta_averages():
    effects = mpdta_effects()
    after = [e for e in event_averages(effects) if e.event_time >= 0]
    found = {
        "simple": simple_average(effects),
        "group": mean_over_cohorts(effects, cohort_averages(effects)),
        "event": equal_average(after, "event_average"),
        "calendar": equal_average(year_averages(effects), "year_average"),
    }
    published = {
        "simple": (-0.0399512752, 0.0120340128),
        "group": (-0.0310182822, 0.0124460593),
        "event": (-0.0772398215, 0.0199649891),
        "calendar": (-0.0417004321, 0.0159718519),
    }
    for name, average in found.items():
        assert figures(average) == pytest.approx(published[name], abs=PRINTED)


def test_mpdta_without_estimated_shares():
    """The standard error that takes the shares as known, from the same source."""
    effects = mpdta_effects()
    cells = [k for k, cell in enumerate(effects.cells) if cell.estimated and cell.event_time >= 0]
    row = [effects.cohorts.index(effects.cells[k].cohort) for k in cells]
    share = effects.mass.sum(axis=1)[row]
    influence = (share / share.sum()) @ effects.influence[cells]
    assert np.sqrt(influence @ influence) == pytest.approx(0.0117467, abs=5e-8)


def test_mpdta_outcome_regression_on_population():
    found = simple_average(mpdta_effects(covariates=True))
    assert figures(found) == pytest.approx((-0.0419686124, 0.0114448298), abs=PRINTED)


@pytest.mark.parametrize(("covariates", "p_value"), [(False, 0.16812), (True, 0.23267)])
def test_mpdta_pre_test(covariates, p_value):
    """The p-values that R's did prints in its introductory vignette."""
    effects = mpdta_effects(covariates, "doubly_robust")
    assert group_time_pre_test(LABEL, effects, 0)["p_value"] == pytest.approx(p_value, abs=5e-6)


def test_nsw_improved_doubly_robust():
    """LaLonde's comparison group: real earnings 1975 to 1978, printed by R's DRDID.

    Standard error to 1e-7 relative; it differs by 3.5e-8. The improved estimator's weights minimise
    a convex loss, and at the optimum covariate means agree to rounding.
    """
    data = pd.read_csv(REFERENCE / "drdid_nsw_long.csv.gz")
    data = data[(data["treated"] == 0) | (data["sample"] == 2)]
    wide = data.pivot(index="id", columns="year", values="re")
    own = data[data["year"] == 1975].set_index("id").loc[wide.index]
    names = ["age", "educ", "black", "married", "nodegree", "hisp", "re74"]
    columns = np.column_stack([np.ones(len(own)), own[names].to_numpy(float)])
    treated = own["experimental"].to_numpy() == 1
    comparison = prepare_comparison(treated, np.ones(len(own)), columns, "doubly_robust_improved")
    found = adjusted_change(comparison, (wide[1978] - wide[1975]).to_numpy())
    n = len(own)
    error = np.sqrt(found.influence @ found.influence * n / (n - 1))  # DRDID divides by n - 1
    assert found.effect == pytest.approx(-901.2703064, abs=5e-7)
    assert error == pytest.approx(393.6246693, rel=1e-7)
    balanced = columns.T @ (comparison.treated_share - comparison.control_share)
    assert balanced / np.abs(columns).max(axis=0) == pytest.approx(np.zeros(8), abs=1e-12)
