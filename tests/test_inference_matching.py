"""Variances of matching estimators (sources and tolerances in tests/reference/README.md)."""

from pathlib import Path

import lalonde
import numpy as np
import pandas as pd
import pytest
import statsmodels

from pipeline.inference_matching import (
    EstimatedScore,
    Firms,
    Rules,
    matching_effect,
    used_firms_variance,
)
from pipeline.matching.mahalanobis import whiten

CATTANEO = Path(statsmodels.__file__).parent / "treatment" / "tests" / "results" / "cataneo2.csv"
PSMATCH2 = Path(__file__).parent / "reference" / "psmatch2_data.csv"


@pytest.fixture(scope="module")
def births():
    return pd.read_csv(CATTANEO)


@pytest.fixture(scope="module")
def smoking(births):
    """Return the score of teffects psmatch: a logit with a squared age."""
    from statsmodels.discrete.discrete_model import Logit

    columns = births[["mmarried_", "mage", "mage2", "fbaby_", "medu"]].astype(float)
    design = np.column_stack([np.ones(len(columns)), columns])
    treated = births["mbsmoke_"].to_numpy() == 1
    fit = Logit(treated.astype(float), design).fit(disp=0, tol=1e-14)
    p = fit.predict()
    return EstimatedScore(design, fit.cov_params(), p, p * (1 - p), whiten(columns, treated, False))


@pytest.fixture(scope="module")
def scored(births, smoking):
    treated = births["mbsmoke_"].to_numpy() == 1
    return Firms(births["bweight"].to_numpy(float), treated, smoking.probability[:, None])


def test_ate_on_an_estimated_score(scored, smoking):
    found = matching_effect(scored, "ate", Rules(), score=smoking)
    assert found.estimate == pytest.approx(-210.9683, abs=5e-5)
    assert found.std_error == pytest.approx(32.021, abs=5e-4)


def test_ate_with_exact_cells_and_bias_adjustment(births):
    columns = births[["mmarried_", "mage", "fage", "medu", "prenatal1_"]].astype(float)
    treated = births["mbsmoke_"].to_numpy() == 1
    cells = births.groupby(["mmarried_", "prenatal1_"]).ngroup().to_numpy(np.int64)
    firms = Firms(
        births["bweight"].to_numpy(float), treated, whiten(columns, treated, False), cells
    )
    adjust = births[["mage", "fage", "medu"]].to_numpy(float)
    found = matching_effect(firms, "ate", Rules(own_neighbours=2), bias_covariates=adjust)
    assert found.estimate == pytest.approx(-210.0558, abs=5e-5)
    assert found.std_error == pytest.approx(29.32803, abs=5e-6)


def test_att_with_a_known_score():
    table = lalonde.read_lalonde()
    score = lalonde.score(table).scores.dropna().sort_values("firm_id")["propensity_score"]
    firms = Firms(
        table["re78"].to_numpy(float), table["treated"].to_numpy(), score.to_numpy()[:, None]
    )
    found = matching_effect(firms, "att", Rules(tolerance=1e-12))
    assert found.estimate == pytest.approx(1968.79971586, abs=1e-7)
    assert found.std_error == pytest.approx(1134.31908691, abs=1e-7)


def test_att_given_the_weights_as_psmatch2_prints_it():
    rows = pd.read_csv(PSMATCH2)
    treated, weight = rows["d"].to_numpy() == 1, rows["_weight"].fillna(0).to_numpy()
    variance = used_firms_variance(rows["y"].to_numpy(), treated, weight)
    assert np.sqrt(variance) == pytest.approx(1.1675852016454364, rel=1e-12)


def dense_variances(y, treated, distance, ratio, own):
    """Return ATE and ATT variances by the formulas of Abadie & Imbens, firm by firm."""
    n = len(y)
    share = np.zeros((n, n))
    spread = np.zeros(n)
    for i in range(n):
        others = np.flatnonzero(treated != treated[i])
        kth = np.sort(distance[i, others])[ratio - 1]
        near = others[distance[i, others] <= kth + 1e-10]
        share[i, near] = 1 / len(near)
        same = np.flatnonzero(treated == treated[i])
        kth = np.sort(distance[i, same])[own]
        spread[i] = np.var(y[same[distance[i, same] <= kth + 1e-10]], ddof=1)
    effect = np.where(treated, 1, -1) * (y - share @ y)
    results = []
    for of in (np.ones(n, bool), treated):
        k, k2 = share[of].sum(axis=0), np.square(share[of]).sum(axis=0)
        extra = k**2 - k2 + (2 * k if of.all() else 0)
        total = np.square(effect[of] - effect[of].mean()).sum() + (spread * extra).sum()
        results.append((effect[of].mean(), np.sqrt(total) / of.sum()))
    return results


@pytest.mark.parametrize(("ratio", "own"), [(1, 1), (3, 2)])
def test_any_number_of_neighbours_follows_the_formulas(ratio, own):
    rng = np.random.default_rng(ratio)
    points = rng.integers(0, 12, (80, 2)).astype(float)
    treated, y = np.arange(80) < 30, rng.normal(size=80)
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    expected = dense_variances(y, treated, distance, ratio, own)
    for estimand, (estimate, error) in zip(("ate", "att"), expected, strict=True):
        found = matching_effect(Firms(y, treated, points), estimand, Rules(ratio, own))
        assert found.estimate == pytest.approx(estimate)
        assert found.std_error == pytest.approx(error)


@pytest.mark.slow
@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_intervals_cover_the_truth(estimand):
    """The corrected standard error fits the spread of estimates over samples (4 MC errors)."""
    from statsmodels.discrete.discrete_model import Logit

    rng = np.random.default_rng(20)
    estimates, errors = [], []
    for _ in range(400):
        x = rng.normal(size=(500, 2))
        treated = rng.random(500) < 1 / (1 + np.exp(0.5 - 0.7 * x.sum(axis=1)))
        y = x @ [1.0, 0.5] + treated * (1 + 0.5 * x[:, 0]) + rng.normal(size=500)
        design = np.column_stack([np.ones(500), x])
        fit = Logit(treated.astype(float), design).fit(disp=0)
        p = fit.predict()
        score = EstimatedScore(design, fit.cov_params(), p, p * (1 - p), x)
        found = matching_effect(Firms(y, treated, p[:, None]), estimand, Rules(), score=score)
        estimates.append(found.estimate)
        errors.append(found.std_error)
    ratio = np.mean(errors) / np.std(estimates, ddof=1)
    assert abs(ratio - 1) < 4 / np.sqrt(2 * len(estimates))
