"""The decomposition of flat two-way fixed effects: R's weights, the identity, refusals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from keyed import figure, rows_with
from stacked_tables import estimation, matches_from, outcomes, panel_from, treatment, weights_from
from told import estimate_specs

from pipeline.datasets.fits import DECOMPOSED_COHORTS, DECOMPOSED_KINDS, DECOMPOSITION, FITS
from pipeline.effects.study import prepare_study
from pipeline.effects.terms import ATT
from pipeline.errors import IdentificationError
from pipeline.estimators.goodman_bacon import balanced_part, goodman_bacon, share_by_kind
from pipeline.estimators.twoway import FlatSample, fit_twoway
from pipeline.params.estimate import TwowaySpec

REFERENCE = Path(__file__).parent / "reference"


def flat_of(firm, year, cohort, y, weight=None):
    return FlatSample(
        firm=firm,
        year=year,
        y=y,
        weight=np.ones(len(y)) if weight is None else weight,
        cohort=cohort,
        treated_post=year >= cohort,
        anticipated=np.zeros(len(y), dtype=bool),
        ever_treated=np.isfinite(cohort),
        panel_row=np.arange(len(y)),
        assignment=np.arange(int(firm.max()) + 1),
    )


def mpdta():
    data = pd.read_csv(REFERENCE / "mpdta.csv")
    first = data["first.treat"].to_numpy(dtype=float)
    cohort = np.where(first > 0, first, np.inf)
    county = pd.factorize(data["countyreal"])[0]
    return flat_of(county, data["year"].to_numpy(), cohort, data["lemp"].to_numpy())


def simulated(sizes, years=6, seed=0):
    """Return firms of cohorts {entry year: number}, entering at 1 (always) to inf (never)."""
    rng = np.random.default_rng(seed)
    cohort = np.repeat(np.array(list(sizes), dtype=float), list(sizes.values()))
    firm = np.repeat(np.arange(len(cohort)), years)
    year = np.tile(np.arange(1, years + 1), len(cohort))
    y = rng.normal(size=len(firm)) + 2.0 * (year >= cohort[firm])
    return flat_of(firm, year, cohort[firm], y)


def assert_identity(flat):
    found = goodman_bacon(flat)
    assert sum(part.weight for part in found) == pytest.approx(1, abs=1e-12)
    average = sum(part.weight * part.estimate for part in found)
    assert average == pytest.approx(fit_twoway(flat).estimate(ATT), abs=1e-10)
    return found


def test_mpdta_averages_to_the_two_way_figure():
    found = assert_identity(mpdta())
    assert len(found) == 9
    shares = share_by_kind(found)
    assert sum(shares.values()) == pytest.approx(1)


def test_weights_of_bacondecomp_with_always_treated_firms():
    """Five always, five never and five of each of three cohorts over six years: R's weights."""
    found = assert_identity(simulated({1: 5, 3: 25, 4: 25, 5: 25, np.inf: 25}))
    weight = {(part.cohort, part.control): part.weight for part in found}
    printed = {
        (3, 1): 0.0333333333333333,
        (4, 1): 0.0375,
        (5, 1): 0.0333333333333333,
        (3, None): 0.166666666666667,
        (4, None): 0.1875,
        (5, None): 0.166666666666667,
        (4, 3): 0.0625,
        (5, 3): 0.0833333333333333,
        (3, 4): 0.0416666666666667,
        (5, 4): 0.0416666666666667,
        (3, 5): 0.0833333333333333,
        (4, 5): 0.0625,
    }
    assert weight == pytest.approx(printed, abs=1e-12)


def test_castle_doctrine_as_bacondecomp():
    """R's bacondecomp on homicides and self-defence laws, by kind of comparison."""
    data = pd.read_csv(REFERENCE / "castle.csv")
    cohort = data["gvar"].replace(0, np.inf).to_numpy(dtype=float)
    state = pd.factorize(data["sid"])[0]
    flat = flat_of(state, data["year"].to_numpy(), cohort, data["l_homicide"].to_numpy())
    found = assert_identity(flat)
    assert fit_twoway(flat).estimate(ATT) == pytest.approx(0.0818, abs=5e-5)
    weight = share_by_kind(found)
    printed = {
        "not_yet": (0.05976, -0.00554),
        "already": (0.03190, 0.07032),
        "never": (0.90834, 0.08796),
    }
    for kind, (share, average) in printed.items():
        parts = [part for part in found if part.kind == kind]
        mean = sum(part.weight * part.estimate for part in parts) / weight[kind]
        assert (weight[kind], mean) == pytest.approx((share, average), abs=5.1e-6), kind


def test_firm_weights_weigh_groups_and_means():
    flat = simulated({2: 4, 4: 6, np.inf: 9}, seed=2)
    assert_identity(replace(flat, weight=np.random.default_rng(1).uniform(0.3, 2, 19)[flat.firm]))


def test_entry_after_the_last_year_is_never():
    flat = simulated({3: 5, 9: 5, np.inf: 5}, seed=3)
    assert [(part.cohort, part.control) for part in assert_identity(flat)] == [(3, None)]


def test_a_growing_effect_shows_in_the_comparisons_with_treated_firms():
    flat = simulated({2: 40, 4: 40, np.inf: 40})
    growing = replace(flat, y=np.maximum(flat.year - flat.cohort + 1, 0.0))
    estimate = {(part.cohort, part.control): part.estimate for part in assert_identity(growing)}
    assert estimate[2, None] == pytest.approx(3)
    assert estimate[4, 2] < estimate[4, None]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda flat: flat.where(np.arange(len(flat.y)) != 7),
            r"^bacon_unbalanced \(n_short 1, n_firms 15, n_years \d+\)$",
        ),
        (lambda flat: replace(flat, weight=1.0 + flat.year), "^bacon_weights_vary$"),
        (lambda flat: replace(flat, anticipated=flat.year == 2), "^bacon_anticipation$"),
    ],
)
def test_refused_where_the_theorem_does_not_hold(change, reason):
    with pytest.raises(IdentificationError, match=reason):
        goodman_bacon(change(simulated({3: 5, 4: 5, np.inf: 5})))


def results_of(text):
    panel = panel_from(text, {"T1": 2004, "T2": 2005})
    sets = matches_from(
        "stack set_id firm_id treated\n2004 A T1 1\n2004 A C1 0\n2005 B T2 1\n2005 B C2 0"
    )
    section = estimation().model_dump(exclude_none=True)
    spec = {k: v for k, v in section["specs"][0].items() if k in TwowaySpec.model_fields}
    section["specs"] = [spec | {"estimator": "twoway", "terms": ["att"]}]
    study = prepare_study(
        panel,
        sets,
        weights_from(sets, panel),
        outcomes=outcomes(),
        treatment=treatment(-2, 2),
        matched_times={},
        estimate=type(estimation()).model_validate(section),
    )
    return estimate_specs(study)


BALANCED = """
firm_id cluster 2003 2004 2005 2006
T1      a       1    2    3    9
T2      b       1    2    4    4
C1      c       1    2    3    5
C2      d       1    1    3    4
"""


def test_rows_beside_the_two_way_figure():
    results = results_of(BALANCED)
    test = results.tests.set_index("test").loc["goodman_bacon"]
    att = results.estimates.set_index("term").loc["att", "estimate"]
    assert test["statistic"] == pytest.approx(att, abs=1e-10)
    assert "already treated" in test["note"]
    comparisons = rows_with(results, DECOMPOSITION)
    assert comparisons["weight"].sum() == pytest.approx(1)
    already = comparisons.loc[comparisons["kind"] == "already", "weight"].sum()
    assert figure(results, FITS, "share_already_treated") == pytest.approx(already)
    kinds = rows_with(results, DECOMPOSED_KINDS).set_index("kind")
    assert kinds.loc["already", "weight"] == pytest.approx(already)
    assert kinds.loc["all", "estimate"] == pytest.approx(att, abs=1e-10)
    assert kinds["n_comparisons"].sum() == 2 * len(comparisons)
    cohorts = rows_with(results, DECOMPOSED_COHORTS)
    named = {*comparisons["cohort"], *comparisons["control"].dropna()}
    assert named == set(cohorts["cohort"].dropna())


def test_of_an_unbalanced_panel_the_balanced_part_is_decomposed():
    whole = simulated({3: 5, 4: 5, np.inf: 6}, years=8, seed=4)
    seen = (whole.year > whole.cohort - 3) & (whole.year < whole.cohort + 4) | (
        whole.cohort == np.inf
    )
    seen[-1] = False  # the last firm misses the last year, which not all cohorts have
    gap = np.flatnonzero((whole.firm == 0) & (whole.year == 3))
    seen[gap] = False
    part = balanced_part(replace(whole, weight=1.0 + whole.year / 8).where(seen))
    assert (part.year.min(), part.year.max()) == (2, 6)
    assert set(part.firm) == set(range(1, 16))
    assert part.weight == pytest.approx(1.5)
    assert_identity(part)


def test_a_panel_without_a_balanced_part_has_the_reason():
    holes = BALANCED.replace("1    2    3    9", "1    2    .    .")
    results = results_of(holes.replace("b       1", "b       ."))
    test = results.tests.set_index("test").loc["goodman_bacon"]
    assert np.isnan(test["statistic"]) and "balanced panel" in test["note"]
    assert "no entrant in all of them" in test["note"]
