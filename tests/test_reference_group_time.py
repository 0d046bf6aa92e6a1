"""Group-time effects against published figures; sources in reference/README.md."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from group_time_samples import all_averages, full_samples

from pipeline.effects.rows import Label
from pipeline.estimators.adjusted_change import adjusted_change, prepare_comparison
from pipeline.estimators.group_time.estimate import cell_leads
from pipeline.estimators.group_time.group_time import GroupTimeRules, group_time_effects
from pipeline.inference.pre_trends import pre_trend_test

REFERENCE = Path(__file__).parent / "reference"
PRINTED = 6e-11  # ten decimals are printed

LABEL = Label("lemp", "all", "group_time", "att", "log_points", "firm", 0.95)


def counties():
    """Return mpdta wide, entry years (infinite for never), and log population."""
    data = pd.read_csv(REFERENCE / "mpdta.csv")
    wide = data.pivot(index="countyreal", columns="year", values="lemp")
    own = data.drop_duplicates("countyreal").set_index("countyreal").loc[wide.index]
    return wide, own["first.treat"].replace(0, np.inf).to_numpy(float), own[["lpop"]].to_numpy()


SCENARIOS = {
    "never": {},
    "not_yet": {"never_only": False},
    "regression": {"covariates": True},
    "doubly_robust": {"covariates": True, "method": "doubly_robust"},
    "universal": {"base": "universal"},
    "anticipation": {"anticipation": 1},
    "weighted": {"weighted": True},
    "clustered": {"clustered": True},
}


def scenario_effects(
    *,
    never_only=True,
    covariates=False,
    method="outcome_regression",
    base="varying",
    anticipation=0,
    weighted=False,
    clustered=False,
):
    wide, first, lpop = counties()
    county = wide.index.to_numpy()
    samples = full_samples(
        wide,
        first,
        never_only=never_only,
        covariates=lpop if covariates else None,
        weight=1 + county % 13 / 10 if weighted else None,
        clusters=county // 1000 if clustered else None,
    )
    return group_time_effects(samples, GroupTimeRules(method, base, anticipation))


def published(scenario):
    """Return term, estimate and standard error of every figure."""
    table = pd.read_csv(REFERENCE / "did_mpdta.csv")
    chosen = table[table["scenario"] == scenario].drop(columns="scenario")
    assert len(chosen) > 3
    return list(chosen.itertuples(index=False, name=None))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_mpdta_as_r_did(scenario):
    """Cells and averages; other comparison, base, anticipation, weights, covariates, clusters."""
    found = all_averages(scenario_effects(**SCENARIOS[scenario]))
    for term, *figure in published(scenario):
        assert found[term] == pytest.approx(figure, abs=PRINTED), term


def test_mpdta_rows_as_repeated_cross_sections():
    """R's did with panel = FALSE: no firm is known to be the same in two years."""
    wide, first, _ = counties()
    values = wide.to_numpy()
    apart = np.full((values.size, values.shape[1]), np.nan)
    for column in range(values.shape[1]):
        apart[column * len(wide) : (column + 1) * len(wide), column] = values[:, column]
    apart = pd.DataFrame(apart, columns=wide.columns)
    samples = full_samples(apart, np.tile(first, values.shape[1]), never_only=True)
    rules = GroupTimeRules("outcome_regression", "varying", 0, every_row=True)
    found = all_averages(group_time_effects(samples, rules))
    for term, *figure in published("rows"):
        assert found[term] == pytest.approx(figure, abs=1e-9), term


@pytest.mark.parametrize(
    ("term", "estimate"),
    [
        ("att_gt[2004,2004]", -0.0211832),
        ("att_gt[2004,2006]", -0.1381927),
        ("att_gt[2006,2004]", -0.0074923),
        ("att_gt[2006,2006]", 0.0086951),
        ("att_gt[2007,2004]", 0.0269198),
        ("att_gt[2007,2005]", -0.0042041),
        ("att_gt[2007,2007]", -0.0287821),
    ],
)
def test_mpdta_not_yet_treated_improved_as_stata(term, estimate):
    """Leads of 2007 compare with the cohort of 2006, too, while that is untreated."""
    effects = scenario_effects(never_only=False, covariates=True, method="doubly_robust_improved")
    assert all_averages(effects)[term].estimate == pytest.approx(estimate, abs=5.1e-8)


def test_mpdta_without_estimated_shares():
    """The standard error that takes the shares as known, from the same source."""
    effects = scenario_effects()
    cells = [k for k, cell in enumerate(effects.estimated) if cell.event_time >= 0]
    row = [effects.cohorts.index(effects.estimated[k].cohort) for k in cells]
    share = effects.mass.sum(axis=1)[row]
    influence = effects.effects.influence[:, cells] @ (share / share.sum())
    assert np.sqrt(influence @ influence) == pytest.approx(0.0117467, abs=5e-8)


@pytest.mark.parametrize(("covariates", "p_value"), [(False, 0.16812), (True, 0.23267)])
def test_mpdta_pre_test(covariates, p_value):
    """The p-values that R's did prints in its introductory vignette."""
    effects = scenario_effects(covariates=covariates, method="doubly_robust")
    test = pre_trend_test(LABEL, cell_leads(effects, 0), frozenset(), -1)
    assert test.row["p_value"] == pytest.approx(p_value, abs=5e-6)


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
