"""Variances of matching estimators (sources and tolerances in tests/reference/README.md)."""

from dataclasses import replace
from pathlib import Path

import lalonde
import numpy as np
import pandas as pd
import pytest
import statsmodels

from pipeline.effects.estimated import Estimated, Seen, combined
from pipeline.effects.matched_effects import MatchedEffects, Rules
from pipeline.effects.terms import ATT, Term, event
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.matching_effect import matching_effect
from pipeline.inference.abadie_imbens import neighbour_variance, with_neighbour_covariance
from pipeline.matching.mahalanobis import whiten
from pipeline.matching.neighbours import ScoredFirms
from pipeline.selection.estimated_score import estimated_score

CATTANEO = Path(statsmodels.__file__).parent / "treatment" / "tests" / "results" / "cataneo2.csv"
PSMATCH2 = Path(__file__).parent / "reference" / "psmatch2_data.csv"


@pytest.fixture(scope="module")
def births():
    return pd.read_csv(CATTANEO)


TREATED = "mbsmoke_"
MANUAL = ["mmarried_", "mage", "mage2", "fbaby_", "medu"]
TOUR = ["mmarried_", "mage", "fage", "medu", "prenatal1_"]


def on_score(births, columns, link="logit"):
    """Return firms matched on their score, as teffects psmatch does, and the score's fit."""
    treated = births[TREATED].to_numpy() == 1
    fit = estimated_score(births[columns].astype(float), treated, link)
    return ScoredFirms(births["bweight"].to_numpy(float), treated, fit.probability[:, None]), fit


def on_covariates(births, columns, exact=()):
    """Return firms matched on covariates, within cells, as teffects nnmatch does."""
    treated = births[TREATED].to_numpy() == 1
    points = whiten(births[columns].astype(float), treated, False)
    cells = births.groupby(list(exact)).ngroup().to_numpy(np.int64) if exact else None
    return ScoredFirms(births["bweight"].to_numpy(float), treated, points, cells)


# Columns, estimand, options, estimate and standard error as Stata prints them.
PSMATCH = {
    "manual": (MANUAL, "ate", {}, "-210.9683", "32.021"),
    "manual, nneighbor(4)": (MANUAL, "ate", {"ratio": 4}, "-224.006", "29.88627"),
    "manual, vce(iid)": (MANUAL, "att", {"variance": "homoskedastic"}, "-236.7848", "26.11698"),
    "tour": (TOUR, "ate", {}, "-229.4492", "25.88746"),
    "tour, atet": (TOUR, "att", {}, "-224.5927", "30.55147"),
}


@pytest.mark.parametrize("case", PSMATCH)
def test_figures_of_teffects_psmatch(births, case):
    columns, estimand, options, estimate, error = PSMATCH[case]
    firms, score = on_score(births, columns)
    found = matching_effect(firms, estimand, Rules(**options), score=score)
    assert found.estimate == pytest.approx(float(estimate), abs=last_digit(estimate))
    assert std_error(found) == pytest.approx(float(error), abs=last_digit(error))


def std_error(found):
    return np.sqrt(neighbour_variance(found))


def last_digit(printed):
    """Return half a unit of the last printed digit."""
    return 0.5 * 10.0 ** -len(printed.partition(".")[2])


@pytest.mark.parametrize("caliper", [0.1, 0.03])
def test_a_caliper_that_binds_nobody_changes_nothing(births, caliper):
    """Stata's manual prints the same figures with caliper(0.1), and caliper(0.03) for the ATT."""
    firms, score = on_score(births, MANUAL)
    bound = replace(firms, score=score.probability, caliper=caliper)
    estimand = "ate" if caliper == 0.1 else "att"
    rules = Rules(variance="homoskedastic")
    found, plain = (matching_effect(given, estimand, rules) for given in (bound, firms))
    assert (found.estimate, std_error(found)) == (plain.estimate, std_error(plain))


def test_firms_beyond_the_caliper_leave_the_average():
    score = np.array([0.0, 1.0, 0.1, 0.2, 5.0])
    firms = ScoredFirms(
        np.array([3.0, 9.0, 1.0, 2.0, 0.0]),
        np.array([True, True, False, False, False]),
        score[:, None],
        score=score,
        caliper=0.5,
    )
    found = matching_effect(firms, "att", Rules())
    assert (found.estimate, found.n_averaged) == (2.0, 1)
    with pytest.raises(IdentificationError, match="nobody_within_caliper"):
        matching_effect(replace(firms, caliper=0.01), "att", Rules())


EXACT = ("mmarried_", "prenatal1_")
MANUAL_EXACT = ("prenatal1_", "mmarried_", "fbaby_")

# Columns, exact columns, bias adjustment, estimand, estimate and standard error as Stata prints.
NNMATCH = {
    "tour": (TOUR, EXACT, ["mage", "fage", "medu"], "ate", "-210.0558", "29.32803"),
    "tour, atet": (TOUR, EXACT, ["mage", "fage", "medu"], "att", "-238.5204", "30.41661"),
    "tour, plain": (TOUR, (), [], "ate", "-210.5435", "29.32969"),
    "manual": (["mage", *MANUAL_EXACT], (), [], "ate", "-240.3306", "28.43006"),
    "manual, ematch": (["mage"], MANUAL_EXACT, [], "ate", "-240.3306", "28.43006"),
    "manual, biasadj": (
        ["mage", "fage"], MANUAL_EXACT, ["mage", "fage"], "ate", "-223.8389", "26.19973"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NNMATCH)
def test_figures_of_teffects_nnmatch(births, case):
    columns, exact, adjust, estimand, estimate, error = NNMATCH[case]
    bias = births[adjust].to_numpy(float) if adjust else None
    firms = on_covariates(births, columns, exact)
    found = matching_effect(firms, estimand, Rules(own_neighbours=2), bias_covariates=bias)
    assert found.estimate == pytest.approx(float(estimate), abs=last_digit(estimate))
    assert std_error(found) == pytest.approx(float(error), abs=last_digit(error))


def test_a_firm_alone_in_its_cell_has_no_variance():
    cells = np.array([0, 0, 0, 1, 1, 1])
    treated = np.array([True, False, False, True, True, False])
    firms = ScoredFirms(np.arange(6.0), treated, np.zeros((6, 1)), cells)
    found = matching_effect(firms, "att", Rules(ratio=1))
    with pytest.raises(IdentificationError, match=r"alone_in_cell \(n 1\)"):
        neighbour_variance(found)


def two_entry_years():
    """Return the effects of two entry years, and the result whose terms they are."""
    rng = np.random.default_rng(5)
    firms = [ScoredFirms(rng.normal(size=n), np.arange(n) < 4, np.zeros((n, 1))) for n in (9, 12)]
    effects = tuple(matching_effect(part, "att", Rules()) for part in firms)
    nobody = np.zeros(0, dtype=np.intp)
    return effects, Estimated(
        terms=(Term("att", cohort=2003), Term("att", cohort=2005)),
        estimates=np.array([effect.estimate for effect in effects]),
        influence=None,
        seen=Seen(nobody, nobody.astype(bool)),
        largest=1.0,
        loadings=np.eye(2),
        source=MatchedEffects(effects),
    )


def test_variances_of_entry_years_add_up_by_squared_shares():
    effects, by_year = two_entry_years()
    one, other = (neighbour_variance(effect) for effect in effects)
    share = np.array([[0.3, 1.0], [0.7, 0.0]])
    found, unknown = with_neighbour_covariance(combined(by_year, [ATT, event(0)], share))
    assert found.estimates == pytest.approx([share[:, 0] @ by_year.estimates, effects[0].estimate])
    assert np.diag(found.covariance) == pytest.approx([0.09 * one + 0.49 * other, one])
    assert np.isnan(found.covariance[0, 1]) and np.isnan(found.covariance[1, 0])
    assert unknown == {}


def test_a_term_without_a_variance_in_one_entry_year_has_the_reason():
    effects, by_year = two_entry_years()
    cells = np.zeros(9, dtype=np.int64)
    cells[[0, 1, 8]] = 1  # two treated firms share the one comparison firm of their cell
    alone = matching_effect(replace(effects[0].firms, cells=cells), "att", Rules())
    both = replace(by_year, source=MatchedEffects((alone, effects[1])))
    found, unknown = with_neighbour_covariance(combined(both, [ATT, event(0)], np.eye(2)))
    assert unknown == {ATT: Reason("alone_in_cell", {"n": 1})}
    assert found.covariance[1, 1] == pytest.approx(neighbour_variance(effects[1]))


def test_att_with_a_known_score():
    table = lalonde.read_lalonde()
    score = lalonde.score(table).scores.dropna().sort_values("firm_id")["propensity_score"]
    firms = ScoredFirms(
        table["re78"].to_numpy(float), table["treated"].to_numpy(), score.to_numpy()[:, None]
    )
    found = matching_effect(firms, "att", Rules(tolerance=1e-12))
    assert found.estimate == pytest.approx(1968.79971586, abs=1e-7)
    assert std_error(found) == pytest.approx(1134.31908691, abs=1e-7)


def used_firms_variance(outcome, treated, weight):
    """Return the variance of an ATT given the weights, as Stata's psmatch2 prints it.

    V = v1 / n1 + v0 sum_j w_j^2 / n1^2, with the outcome's variance among matched treated firms
    (v1) and among comparison firms in use (v0), comparison weights w summing to n1.
    Lechner (2001), doi:10.1007/978-3-642-57615-7_3.
    """
    one, zero = treated & (weight > 0), ~treated & (weight > 0)
    n_treated = weight[one].sum()
    v1, v0 = np.var(outcome[one], ddof=1), np.var(outcome[zero], ddof=1)
    return float(v1 / n_treated + v0 * np.square(weight[zero]).sum() / n_treated**2)


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
        found = matching_effect(ScoredFirms(y, treated, points), estimand, Rules(ratio, own))
        assert found.estimate == pytest.approx(estimate)
        assert std_error(found) == pytest.approx(error)


@pytest.mark.slow
@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_intervals_cover_the_truth(estimand):
    """The corrected standard error fits the spread of estimates over samples (4 MC errors)."""
    rng = np.random.default_rng(20)
    estimates, errors = [], []
    for _ in range(400):
        x = rng.normal(size=(500, 2))
        treated = rng.random(500) < 1 / (1 + np.exp(0.5 - 0.7 * x.sum(axis=1)))
        y = x @ [1.0, 0.5] + treated * (1 + 0.5 * x[:, 0]) + rng.normal(size=500)
        score = estimated_score(pd.DataFrame(x, columns=["a", "b"]), treated, "logit")
        firms = ScoredFirms(y, treated, score.probability[:, None])
        found = matching_effect(firms, estimand, Rules(), score=score)
        estimates.append(found.estimate)
        errors.append(std_error(found))
    ratio = np.mean(errors) / np.std(estimates, ddof=1)
    assert abs(ratio - 1) < 4 / np.sqrt(2 * len(estimates))
