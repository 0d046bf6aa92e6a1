"""Poisson with absorbed effects: identities, separation, and a published example."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from regressions import poisson

from pipeline.effects.least_squares import COLLINEAR
from pipeline.effects.poisson import NO_DIGITS
from pipeline.effects.separation import usable_rows
from pipeline.effects.terms import Term
from pipeline.errors import Reason, SupportError

# Ship damage incidents, McCullagh & Nelder (1989), table 6.3: months of service and incidents of
# five types of ship by construction period (1960, 65, 70, 75) and operation (1960-74, 1975-79).
SERVICE = """
127 63 1095 1095 1512 3353 0 2244
44882 17176 28609 20370 7064 13099 0 7117
1179 552 781 676 783 1948 0 274
251 105 288 192 349 1208 0 2051
45 0 789 437 1157 2161 0 542
"""
INCIDENTS = """
0 0 3 4 6 18 0 11
39 29 58 53 12 44 0 18
1 1 0 1 6 2 0 1
0 0 0 0 2 11 0 4
0 0 7 7 5 12 0 1
"""


def fit(y, regressors, first, second, *, weight=None, clusters=None):
    regressors = np.asarray(regressors, dtype=float)
    return poisson(
        np.asarray(y, dtype=float),
        regressors,
        tuple(f"x{i}" for i in range(regressors.shape[1])),
        first=first,
        second=second,
        weight=np.ones(len(y)) if weight is None else weight,
        clusters=first if clusters is None else clusters,
    )


def usable(y, regressors, first, second):
    return usable_rows(np.asarray(y, float), np.asarray(regressors, float), first, second)


def panel(seed, n=30, years=5):
    """Return y, treat x post, firm, year, weight; some zeros."""
    rng = np.random.default_rng(seed)
    firm, year = np.repeat(np.arange(n), years), np.tile(np.arange(years), n)
    treated = ((firm < n // 2) & (year >= 3)).astype(float)
    mean = np.exp(0.5 * treated + 0.1 * year + rng.normal(size=n)[firm])
    return (
        rng.poisson(mean).astype(float),
        treated[:, None],
        firm,
        year,
        rng.uniform(0.5, 2, n)[firm],
    )


def test_ships_with_ship_effects():
    """Stata's manual, [XT] xtpoisson, fixed effects: incidence-rate ratios and standard errors.

    Exposure: incidents per month of service, weighted by months, have the same likelihood.
    """
    service = np.array(SERVICE.split(), dtype=float)
    incidents = np.array(INCIDENTS.split(), dtype=float)
    ship, cell = np.repeat(np.arange(5), 8), np.tile(np.arange(8), 5)
    period = cell // 2
    columns = np.column_stack([cell % 2 == 1, period == 1, period == 2, period == 3])
    at_sea = service > 0
    found = fit(
        incidents[at_sea] / service[at_sea],
        columns[at_sea],
        ship[at_sea],
        np.zeros(at_sea.sum(), dtype=int),
        weight=service[at_sea],
    )
    assert at_sea.sum() == 34
    ratios = np.exp(found.estimated.estimates)
    errors = ratios * np.sqrt(np.diag(found.estimated.regression.bread))
    assert ratios == pytest.approx([1.468831, 2.008003, 2.26693, 1.573695], abs=6e-6)
    assert errors == pytest.approx([0.1737218, 0.3004803, 0.384865, 0.3669393], abs=6e-7)


def test_balanced_two_by_two_is_the_ratio_of_ratios_of_weighted_totals():
    rng = np.random.default_rng(0)
    firm, post = np.repeat(np.arange(20), 2), np.tile([0, 1], 20)
    treated = firm < 8
    y = rng.poisson(2, 40) * rng.uniform(0, 3, 40)
    weight = rng.uniform(0.2, 2, 20)[firm]
    found = fit(y, (treated & (post == 1))[:, None], firm, post, weight=weight)
    kept = np.repeat(np.bincount(firm, y) > 0, 2)

    def total(group, time):
        return (weight * y)[kept & group & (post == time)].sum()

    ratio = total(treated, 1) / total(treated, 0) / (total(~treated, 1) / total(~treated, 0))
    assert found.estimated.estimates[0] == pytest.approx(np.log(ratio), abs=1e-9)


@pytest.mark.parametrize("seed", [1, 2])
def test_agrees_with_dense_dummies(seed):
    """statsmodels' GLM with a dummy for every firm and year; cluster-robust by hand."""
    import statsmodels.api as sm

    y, column, firm, year, weight = panel(seed)
    found = fit(y, column, firm, year, weight=weight, clusters=firm // 3)
    kept = found.estimated.regression.kept
    assert (kept == usable(y, column, firm, year).kept).all()
    dummies = pd.get_dummies(pd.DataFrame({"f": firm, "t": year})[kept].astype(str))
    design = np.hstack([column[kept], dummies.to_numpy(float)])
    free = np.linalg.qr(design)[1].diagonal()
    design = design[:, np.abs(free) > 1e-9]
    dense = sm.GLM(y[kept], design, family=sm.families.Poisson(), freq_weights=weight[kept]).fit(
        tol=1e-13
    )
    assert found.estimated.estimates[0] == pytest.approx(dense.params[0], abs=1e-8)
    mu = dense.fittedvalues
    bread = np.linalg.inv(design.T @ ((weight[kept] * mu)[:, None] * design))
    scores = design * (weight[kept] * (y[kept] - mu))[:, None]
    sums = pd.DataFrame(scores).groupby(firm[kept] // 3).sum().to_numpy()
    n, g = kept.sum(), len(sums)
    factor = g / (g - 1) * (n - 1) / (n - 1 - 5)
    expected = factor * (bread @ sums.T @ sums @ bread)[0, 0]
    assert found.covariance[0, 0] == pytest.approx(expected, rel=1e-7)
    assert found.counts.n_clusters == g


def test_units_and_constants_change_nothing():
    y, column, firm, year, weight = panel(3)
    before = fit(y, column, firm, year, weight=weight)
    scaled = fit(y * 1000, column, firm, year, weight=weight)
    grown = fit(y * np.exp(0.3 * year) * (1 + firm % 4), column, firm, year, weight=weight)
    assert scaled.estimated.estimates == pytest.approx(before.estimated.estimates, abs=1e-9)
    assert scaled.covariance == pytest.approx(before.covariance, rel=1e-7)
    steady = np.exp(0.4 * column[:, 0] + 0.2 * year) * (1 + firm)
    steadily = fit(steady, column, firm, year).estimated
    assert steadily.estimates == pytest.approx([0.4], abs=1e-9)
    assert grown.estimated.terms == (Term("x0"),)
    assert np.isfinite(grown.estimated.estimates).all()


def test_all_zero_firms_and_years_are_dropped_and_counted():
    y, column, firm, year, weight = panel(4)
    y = np.where((firm == 2) | (firm == 20) | (year == 1), 0.0, y + 1)
    found = fit(y, column, firm, year, weight=weight)
    assert usable(y, column, firm, year).n_all_zero == 5 + 5 + 28
    kept = ~((firm == 2) | (firm == 20) | (year == 1))
    alone = fit(y[kept], column[kept], firm[kept], year[kept], weight=weight[kept])
    assert found.estimated.estimates == pytest.approx(alone.estimated.estimates, abs=1e-10)
    n_obs = [part.estimated.regression.n_obs for part in (found, alone)]
    assert n_obs == [kept.sum(), kept.sum()]


def test_a_treated_group_that_never_sells_after_entry_is_separated():
    """The effect is minus infinity: its rows go, and the regressor with them."""
    y, column, firm, year, weight = panel(5)
    y = np.where(column[:, 0] == 1, 0.0, y + 1)
    found = fit(y, column, firm, year, weight=weight)
    assert usable(y, column, firm, year).n_separated == int(column.sum())
    assert found.estimated.terms == ()
    assert found.estimated.reasons == {Term("x0"): COLLINEAR}


def test_separation_by_a_combination_is_found():
    """y is positive only where 2 x1 = x2; 2 x1 - x2 > 0 at some zeros and never below."""
    rng = np.random.default_rng(6)
    firm, year = np.repeat(np.arange(12), 4), np.tile(np.arange(4), 12)
    x1 = rng.normal(size=48)
    excess = np.zeros(48)
    excess[[5, 17, 30]] = [1.0, 0.5, 2.0]
    columns = np.column_stack([x1, 2 * x1 - excess])
    y = rng.uniform(1, 2, 48)
    y[[5, 17, 30]] = 0
    y[[8, 21]] = 0
    found = usable_rows(y, columns, firm, year)
    assert np.flatnonzero(~found.kept).tolist() == [5, 17, 30]
    assert found.n_separated == 3
    excess[17] = -0.5
    mixed = usable_rows(y, np.column_stack([x1, 2 * x1 - excess]), firm, year)
    assert mixed.n_separated == 0


def test_a_search_for_separation_that_fails_is_told_by_its_status(monkeypatch):
    y, column, firm, year, _ = panel(5)
    y = np.where(column[:, 0] == 1, 0.0, y + 1)
    failed = SimpleNamespace(status=4, message="Numerical difficulties encountered.")
    monkeypatch.setattr("scipy.optimize.linprog", lambda *_, **__: failed)
    with pytest.raises(SupportError) as raised:
        usable_rows(y, column, firm, year)
    assert raised.value.reason == Reason("separation_search_failed", {"status": 4})


def test_no_positive_outcome_is_refused():
    _, column, firm, year, weight = panel(7)
    with pytest.raises(SupportError, match=r"^no_positive_outcome$"):
        fit(np.zeros(len(firm)), column, firm, year, weight=weight)


@pytest.mark.parametrize("largest", [1e18, 1e30])
def test_an_outcome_beyond_the_digits_of_a_number_is_a_reason_or_an_effect(largest):
    """Where fitted values leave no digits, exp() overflows or the effects' factor is singular."""
    reasons = set()
    for seed in range(4):
        y, _, firm, year, weight = panel(seed, n=12, years=8)
        by_year = np.column_stack([(firm < 6) & (year == k) for k in range(8) if k != 2])
        for position in (7, 14, 28, 35):
            spoilt = np.where(np.arange(len(y)) == position, largest, y)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    fit(spoilt, by_year, firm, year, weight=weight)
                except SupportError as reason:
                    reasons.add(reason.reason.code)
    assert NO_DIGITS.code in reasons
