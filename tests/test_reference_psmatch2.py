"""Stata's psmatch2 and pstest, row by row (sources and tolerances in tests/reference/README.md)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.datasets.balance import GROUP_EMPTY, INDEX_CONSTANT, NO_FIT
from pipeline.matching.entropy import entropy_weights
from pipeline.matching.kernel import kernel_weights
from pipeline.matching.nearest import match_nearest, match_radius
from pipeline.matching.rubin import separation
from pipeline.matching.sets import unit_weights
from pipeline.selection.score_fit import fit_score

FOLDER = Path(__file__).parent / "reference"


@pytest.fixture(scope="module")
def rows():
    return pd.read_csv(FOLDER / "psmatch2_data.csv")


@pytest.fixture(scope="module")
def score(rows):
    return fit_score(rows[["x1", "x2"]], rows["d"].to_numpy() == 1, "logit").propensity_score


@pytest.fixture(scope="module")
def neighbour(rows, score):
    return match_nearest(
        score,
        rows["d"].to_numpy() == 1,
        ratio=1,
        replacement=True,
        caliper=None,
        cells=None,
        order="data",
        tie_tolerance=0.0,
    )


def test_scores(rows, score):
    np.testing.assert_allclose(score, rows["_pscore"], atol=2e-8)


def test_weights(rows, neighbour):
    weight = unit_weights(neighbour, len(rows))
    np.testing.assert_array_equal(weight, rows["_weight"].fillna(0))


def test_neighbours_distances_and_matched_outcomes(rows, neighbour):
    identifier = rows["_id"].to_numpy()
    of_treated = rows.iloc[neighbour.treated]
    np.testing.assert_array_equal(identifier[neighbour.control], of_treated["_n1"])
    np.testing.assert_allclose(neighbour.distance, of_treated["_pdif"], atol=2e-8)
    matched_outcome = rows["y"].to_numpy()[neighbour.control]
    np.testing.assert_allclose(matched_outcome, of_treated["_y"], rtol=1e-12)


def test_att(rows, neighbour):
    effect = (
        rows["y"].to_numpy()[neighbour.treated] - rows["y"].to_numpy()[neighbour.control]
    ).mean()
    assert effect == pytest.approx(3.758511605921656, rel=1e-12)


@pytest.mark.parametrize("bandwidth", [0.06, 0.2, 1.0])
def test_kernel_by_its_definition(rows, score, bandwidth):
    """The share of psmatch2's `kernel`: 1 - (d / h)^2 within h, summing to one per treated firm."""
    treated = rows["d"].to_numpy() == 1
    expected = np.zeros(len(rows))
    for i in np.flatnonzero(treated):
        share = np.clip(1 - ((score - score[i]) / bandwidth) ** 2, 0, None) * ~treated
        if share.sum() > 0:
            expected += share / share.sum()
            expected[i] = 1
    found = kernel_weights(score, treated, bandwidth=bandwidth, cells=None)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (found[treated] == 0).sum() == (2 if bandwidth == 0.06 else 0)


@pytest.mark.parametrize("caliper", [0.01, 0.05, 0.3])
def test_radius_by_its_definition(rows, score, caliper):
    """psmatch2's `radius`: everyone within the caliper, equally weighted."""
    treated = rows["d"].to_numpy() == 1
    near = (np.abs(score[:, None] - score) <= caliper) & treated[:, None] & ~treated
    matched = near.any(axis=1)
    expected = (near[matched] / near[matched].sum(axis=1, keepdims=True)).sum(axis=0) + matched
    sets = match_radius(score, treated, caliper=caliper, cells=None)
    np.testing.assert_allclose(unit_weights(sets, len(rows)), expected, atol=1e-12)


@pytest.fixture(scope="module")
def pstest():
    return pd.read_csv(FOLDER / "pstest_data.csv")


@pytest.mark.parametrize(
    ("sample", "b", "r", "pseudo_r2"),
    [
        ("before", 107.4296667, 0.9512540, 0.1864231),
        ("after", 15.0393316, 1.3772797, 0.0041113),
    ],
)
def test_rubin_figures(pstest, sample, b, r, pseudo_r2):
    weight = np.ones(len(pstest)) if sample == "before" else pstest["_weight"].fillna(0).to_numpy()
    found = separation(pstest[["x1", "x2"]], pstest["d"].to_numpy() == 1, weight)
    assert found.rubin_b == pytest.approx(b, abs=5e-8)
    assert found.rubin_r == pytest.approx(r, abs=5e-8)
    assert found.pseudo_r2 == pytest.approx(pseudo_r2, abs=5e-8)


def test_separated_groups_have_no_rubin_figures():
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
    found = separation(table, np.array([False, False, True, True]), np.ones(4))
    assert np.isnan([found.rubin_b, found.rubin_r, found.pseudo_r2]).all()
    nobody = separation(table, np.array([False, False, True, True]), np.array([1.0, 1, 0, 0]))
    assert np.isnan(nobody.rubin_b)
    assert (found.reason, nobody.reason) == (NO_FIT, GROUP_EMPTY)


def test_weights_that_meet_every_moment_leave_no_ratio_of_variances():
    """What the probit then fits is rounding: its variances have a ratio that means nothing."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(60, 2)) + 5, columns=["x1", "x2"])
    treated = np.arange(60) < 20
    weight = np.ones(60)
    weight[~treated] = entropy_weights(table, treated, np.ones(40), 1)
    found = separation(table, treated, weight)
    assert (found.rubin_b, found.pseudo_r2, found.reason) == (0.0, 0.0, INDEX_CONSTANT)
    assert np.isnan(found.rubin_r)
    assert separation(table, treated, np.ones(60)).reason is None
