"""Options of group-time effects taken together, as R's did prints them on mpdta.

Comparison, base, anticipation, weights, covariates, clusters and gaps; sources in
reference/README.md.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from group_time_samples import all_averages, full_samples

from pipeline.estimators.adjusted_change import adjusted_change, prepare_comparison
from pipeline.estimators.group_time.group_time import GroupTimeRules, group_time_effects
from pipeline.estimators.group_time.level_comparison import Levels, compare_levels

REFERENCE = Path(__file__).parent / "reference"
ITERATED = 1.1e-10  # ten decimals are printed, and R's logit stops at 1e-8 of the deviance
# R's improved estimator stops short of the optimum: its standard errors differ by up to 2.1e-8.
IMPROVED_SHARE = 3e-8

NOT_YET = {"never_only": False}
DOUBLY_ROBUST = {"method": "doubly_robust"}
IMPROVED = {"method": "doubly_robust_improved"}
WEIGHTED = {"weight": "weight"}

SCENARIOS = {
    "doubly_robust_not_yet": DOUBLY_ROBUST | NOT_YET,
    "doubly_robust_weighted": DOUBLY_ROBUST | NOT_YET | WEIGHTED,
    "doubly_robust_clustered": DOUBLY_ROBUST | {"clustered": True},
    "doubly_robust_not_yet_clustered": DOUBLY_ROBUST | NOT_YET | {"clustered": True},
    "not_yet_clustered": NOT_YET | {"clustered": True},
    "always": DOUBLY_ROBUST | {"without_always": True},
    "always_anticipation": {"anticipation": 1, "without_always": True},
    "improved_universal": IMPROVED | {"base": "universal"},
    "improved_not_yet": IMPROVED | NOT_YET,
    "improved_rows": IMPROVED | {"base": "universal", "rows": "apart"},
    "ipw_rows": {"method": "ipw", "base": "universal", "rows": "apart"},
    "ipw_clustered": {"method": "ipw", "base": "universal", "clustered": True},
    "doubly_robust_anticipation_weighted": DOUBLY_ROBUST
    | {"base": "universal", "anticipation": 1, "weight": "sevenths"},
    "anticipation_not_yet_clustered": NOT_YET | {"anticipation": 1, "clustered": True},
    "balanced_doubly_robust_not_yet_weighted": DOUBLY_ROBUST
    | NOT_YET
    | WEIGHTED
    | {"gaps": True, "balanced": True},
    "balanced_clustered": {"gaps": True, "balanced": True, "clustered": True},
    "gaps": {"gaps": True, "rows": "together"},
    "gaps_not_yet_weighted": NOT_YET | WEIGHTED | {"gaps": True, "rows": "together"},
    "gaps_not_yet_weighted_clustered": NOT_YET
    | WEIGHTED
    | {"gaps": True, "rows": "together", "clustered": True},
}


def counties(gaps=False, without_always=False):
    """Return lemp by county and year, and own columns by county; with or without gaps."""
    data = pd.read_csv(REFERENCE / "mpdta.csv")
    wide = data.pivot(index="countyreal", columns="year", values="lemp")
    own = data.drop_duplicates("countyreal").set_index("countyreal").loc[wide.index]
    more = pd.read_csv(REFERENCE / "mpdta_gaps.csv", dtype={"seen": str}, index_col="countyreal")
    own = own.join(more).assign(sevenths=1 + own.index % 7 / 7)
    if gaps:
        wide = wide.where(np.array([[*seen] for seen in own["seen"]]) == "1")
    kept = own["treated_since"].isna() | (not without_always)
    return wide[kept], own[kept]


def scenario_effects(
    method="outcome_regression",
    base="varying",
    *,
    never_only=True,
    anticipation=0,
    weight=None,
    clustered=False,
    rows=None,
    gaps=False,
    balanced=False,
    without_always=False,
):
    wide, own = counties(gaps, without_always)
    if rows == "apart":
        long = wide.stack().rename("y").reset_index()
        wide = long.pivot(columns="year", values="y")
        own = own.loc[long["countyreal"]]
    covariates = None if method == "outcome_regression" else own[["lpop"]].to_numpy()
    samples = full_samples(
        wide,
        own["first.treat"].replace(0, np.inf).to_numpy(float),
        never_only=never_only,
        covariates=covariates,
        weight=None if weight is None else own[weight].to_numpy(),
        clusters=own.index.to_numpy() // 1000 if clustered else None,
        balanced=balanced,
    )
    rules = GroupTimeRules(method, base, anticipation, every_row=rows is not None)
    return group_time_effects(samples, rules)


def published(scenario):
    """Return term, estimate and standard error of every figure."""
    table = pd.read_csv(REFERENCE / "did_mpdta_options.csv")
    chosen = table[table["scenario"] == scenario].drop(columns="scenario")
    assert len(chosen) > 20
    return list(chosen.itertuples(index=False, name=None))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_mpdta_as_r_did(scenario):
    found = all_averages(scenario_effects(**SCENARIOS[scenario]))
    share = IMPROVED_SHARE if scenario.startswith("improved") else 0.0
    for term, *figure in published(scenario):
        assert found[term] == pytest.approx(figure, abs=ITERATED, rel=share), term


CASTLE = {
    ("never", None): [0.110383028366969, 0.110280744521602, 0.108447477345977, 0.0741756562581463],
    ("never", "popwt"): [
        0.108176841006163,
        0.110148287125459,
        0.105365635346201,
        0.0736223192028143,
    ],
    ("notyet", None): [0.109354951713911, 0.109406534622309, 0.107526731733528, 0.0749037178810347],
    ("notyet", "popwt"): [
        0.109476566783445,
        0.11114660497224,
        0.106526933085912,
        0.0760864308215975,
    ],
}


@pytest.mark.parametrize(("control", "weight"), CASTLE)
def test_castle_doctrine_as_r_did(control, weight):
    """States weighted by population, or not: simple, event, group and calendar averages."""
    data = pd.read_csv(REFERENCE / "castle.csv")
    wide = data.pivot(index="sid", columns="year", values="l_homicide")
    own = data.drop_duplicates("sid").set_index("sid").loc[wide.index]
    samples = full_samples(
        wide,
        own["gvar"].replace(0, np.inf).to_numpy(float),
        never_only=control == "never",
        weight=None if weight is None else own[weight].to_numpy(float),
    )
    found = all_averages(
        group_time_effects(samples, GroupTimeRules("outcome_regression", "universal", 0))
    )
    terms = ("simple", "event_average", "cohort_average", "year_average")
    estimates = [found[term].estimate for term in terms]
    assert estimates == pytest.approx(CASTLE[control, weight], abs=1e-13)


DRDID = [
    ("panel", "none", "drdid", 2.00599576826128, 0.17521668274905),
    ("panel", "none", "drdid_imp", 2.05623808128955, 0.190323818506724),
    ("panel", "none", "std_ipw_did", 2.05271536702132, 0.172685675628004),
    ("panel", "none", "reg_did", 1.89435448913607, 0.14688082855481),
    ("panel", "w", "drdid", 1.86337893563079, 0.212554813617172),
    ("panel", "w", "drdid_imp", 1.92685314589208, 0.214698596513701),
    ("panel", "w", "std_ipw_did", 1.94018720137153, 0.205971322080132),
    ("panel", "w", "reg_did", 1.7245489967127, 0.181223485913534),
    ("rc", "none", "drdid_imp", 1.6156621548289, 0.443222909972188),
    ("rc", "none", "std_ipw_did", 1.65582727884653, 0.372693137529855),
    ("rc", "none", "reg_did", 1.6007981341287, 0.253395412415437),
    ("rc", "w", "drdid_imp", 1.39298637661178, 0.490486451096121),
    ("rc", "w", "std_ipw_did", 1.45140362147332, 0.455746160068472),
    ("rc", "w", "reg_did", 1.49789480243084, 0.31572226131323),
]
DRDID_METHODS = {
    "drdid": "doubly_robust",
    "drdid_imp": "doubly_robust_improved",
    "std_ipw_did": "ipw",
    "reg_did": "outcome_regression",
}


@pytest.mark.parametrize(("data", "weight", "method", "estimate", "error"), DRDID)
def test_one_comparison_as_r_drdid(data, weight, method, estimate, error):
    """Panel and repeated cross-sections, two covariates, with and without weights."""
    rows = pd.read_csv(REFERENCE / f"drdid_{data}.csv.gz")
    n = len(rows)
    mass = np.ones(n) if weight == "none" else rows[weight].to_numpy()
    columns = np.column_stack([np.ones(n), rows[["x1", "x2"]]])
    treated = rows["D"].to_numpy() == 1
    if data == "panel":
        comparison = prepare_comparison(treated, mass, columns, DRDID_METHODS[method])
        found = adjusted_change(comparison, (rows["y1"] - rows["y0"]).to_numpy())
    else:
        later = rows["post"].to_numpy() == 1
        levels = Levels(treated, later, mass, rows["y"].to_numpy(), columns)
        found = compare_levels(levels, DRDID_METHODS[method])
    assert found.effect == pytest.approx(estimate, abs=2e-8)
    assert np.sqrt(found.influence @ found.influence) == pytest.approx(error, rel=2e-8)


def last_cell():
    """Return the rows of 2006 and 2007 of never-treated counties and the cohort of 2007."""
    wide, own = counties(gaps=True)
    chosen = own["first.treat"].isin([0, 2007])
    long = wide.loc[chosen, [2006, 2007]].stack().dropna().rename("y").reset_index()
    own = own.loc[long["countyreal"]]
    rows = Levels(
        treated=own["first.treat"].to_numpy() == 2007,
        later=long["year"].to_numpy() == 2007,
        weight=own["weight"].to_numpy(),
        y=long["y"].to_numpy(),
        columns=np.column_stack([np.ones(len(own)), own["lpop"]]),
    )
    return rows, long["countyreal"].to_numpy()


def doubly_robust_influence(rows):
    """Return the effect's derivatives by the rows' weights, times these, by central differences."""
    slopes = np.empty(len(rows.y))
    for row in range(len(slopes)):
        step = 1e-4 * (np.arange(len(slopes)) == row)
        above, below = (
            compare_levels(
                Levels(rows.treated, rows.later, rows.weight + sign * step, rows.y, rows.columns),
                "doubly_robust",
            ).effect
            for sign in (1, -1)
        )
        slopes[row] = (above - below) / 2e-4
    return rows.weight * slopes


def base_year_regression_part(rows):
    """Return influences through the comparison rows' regression in the base year.

    Of the weighting term only: the regression's mean over comparison rows by their odds, less that
    over treated rows.
    """
    import statsmodels.api as sm

    score = sm.GLM(
        rows.treated, rows.columns, family=sm.families.Binomial(), freq_weights=rows.weight
    ).fit(tol=1e-12)
    odds = score.fittedvalues / (1 - score.fittedvalues)
    base = ~rows.later
    control = rows.weight * odds * (~rows.treated & base)
    treated = rows.weight * (rows.treated & base)
    fitted_on = rows.weight * (~rows.treated & base)
    gram = rows.columns.T @ (fitted_on[:, None] * rows.columns)
    left = rows.y - rows.columns @ np.linalg.solve(gram, rows.columns.T @ (fitted_on * rows.y))
    mean_difference = rows.columns.T @ (control / control.sum() - treated / treated.sum())
    return fitted_on * left * (rows.columns @ np.linalg.solve(gram, mean_difference))


def test_rows_doubly_robust_and_the_sign_of_one_term_in_r():
    """R's standard error carries one term with the opposite sign; ours is the derivative.

    DRDID's `drdid_rc`, by which did compares levels where `panel = FALSE` or firms have gaps, takes
    the part of the influence that comes through the comparison rows' regression in the base year
    with the wrong sign: turned round, our influences give its standard error.
    """
    settings = DOUBLY_ROBUST | WEIGHTED | {"gaps": True, "rows": "together"}
    found = all_averages(scenario_effects(**settings))
    printed = {term: figure for term, *figure in published("gaps_doubly_robust_weighted")}
    for term, (estimate, _) in printed.items():
        assert found[term].estimate == pytest.approx(estimate, abs=ITERATED), term
    rows, county = last_cell()
    own = compare_levels(rows, "doubly_robust").influence
    assert own == pytest.approx(doubly_robust_influence(rows), abs=1e-9)
    term = "att_gt[2007,2007]"
    codes = pd.factorize(county)[0]
    by_county = np.bincount(codes, own)
    assert found[term].std_error == pytest.approx(np.sqrt(by_county @ by_county), rel=1e-9)
    turned = np.bincount(codes, own + 2 * base_year_regression_part(rows))
    assert np.sqrt(turned @ turned) == pytest.approx(printed[term][1], rel=1e-7)
    assert abs(found[term].std_error / printed[term][1] - 1) > 1e-5
