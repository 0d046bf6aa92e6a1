"""What must not change a match: irrelevant firms, copies of all firms, units of covariates."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from test_matching_nearest import NEAREST, scores_table

from pipeline.errors import SupportError
from pipeline.matching.designs import match_designs
from pipeline.matching.entropy import covariate_moments, entropy_weights
from pipeline.matching.kernel import kernel_weights
from pipeline.params.match import MatchSection
from pipeline.selection.score_fit import fit_score

CALIPER = 0.4
ON_SCORE = {"score": "model", "distance": "linear", "exact": ["sector"]}
WIDTH = {"caliper_sd": None, "caliper_sd_of": "all", "caliper": CALIPER}
MAHALANOBIS = {**NEAREST, **WIDTH, "covariates": ["size", "age"], "covariance_of": "pooled"}
BANDED = {"edges": [-0.5, 0.5]}
DESIGNS = {
    "nearest": {**NEAREST, **ON_SCORE, **WIDTH},
    "closest": {**NEAREST, **ON_SCORE, **WIDTH, "order": "closest", "ratio": 2},
    "shared": {**NEAREST, **ON_SCORE, **WIDTH, "replacement": True, "ratio": 2},
    "radius": {**ON_SCORE, **WIDTH, "method": "radius"},
    "kernel": {**ON_SCORE, "method": "kernel", "bandwidth": CALIPER},
    "cells": {
        "score": "model",
        "method": "cells",
        "exact": ["sector", "size"],
        "bins": {"size": BANDED},
    },
}

seeds = st.integers(0, 2**32 - 1)


def section(**designs):
    balance = {"denominator": "treated", "threshold": 0.1}
    return MatchSection.model_validate({"designs": designs, "balance": balance})


def firms(seed, n=60):
    """Draw one stack: scores without ties, two sectors, two continuous covariates."""
    rng = np.random.default_rng(seed)
    rows = [(2009, f"f{i:03d}", bool(i < n // 4), s) for i, s in enumerate(rng.normal(size=n))]
    covariates = pd.DataFrame(
        {
            "stack": 2009,
            "firm_id": [row[1] for row in rows],
            "sector": rng.choice(["a", "b"], n),
            "size": rng.normal(size=n),
            "age": rng.normal(size=n),
        }
    )
    return rows, covariates


def weights(rows, covariates, design):
    """Return the weights of one design by firm; None where nobody has a match."""
    try:
        matched = match_designs(scores_table(rows), covariates, section(one=design))
    except SupportError:
        return None
    used = matched.weights[matched.weights["design"] == "one"]
    return used.set_index("firm_id")["weight"].sort_index()


@settings(max_examples=12, deadline=None)
@given(seeds, st.integers(1, 4))
@pytest.mark.parametrize("design", DESIGNS)
def test_copies_of_firms_out_of_reach_change_nothing(design, seed, copies):
    """Out of reach: beyond the caliper and in no bin of the treated, or in a cell of their own."""
    rows, covariates = firms(seed)
    before = weights(rows, covariates, DESIGNS[design])
    extra, values = [], []
    for copy in range(copies):
        extra += [(2009, f"x{copy}", False, 1e3), (2009, f"a{copy}", False, rows[0][3])]
        values += [("a", 1e3, 0.0), ("lonely", 0.0, 0.0)]
    added = pd.DataFrame(values, columns=["sector", "size", "age"])
    added = added.assign(stack=2009, firm_id=[row[1] for row in extra])
    if design == "cells":
        reached = covariates.loc[: len(rows) // 4 - 1]
        if ((reached["sector"] == "a") & (reached["size"] >= 0.5)).any():
            added = added[added["sector"] == "lonely"]
            extra = [row for row in extra if row[1].startswith("a")]
    after = weights([*rows, *extra], pd.concat([covariates, added]), DESIGNS[design])
    assert (before is None) == (after is None)
    if before is not None:
        pd.testing.assert_series_equal(before, after)


@settings(max_examples=12, deadline=None)
@given(seeds, st.integers(2, 4))
@pytest.mark.parametrize("design", ["radius", "kernel", "cells", "shared"])
def test_copies_of_every_comparison_firm_share_its_weight(design, seed, copies):
    """With replacement a firm delivered twice counts as one: its copies tie and share."""
    rows, covariates = firms(seed)
    asked = {**DESIGNS[design], "ratio": 1} if design == "shared" else DESIGNS[design]
    before = weights(rows, covariates, asked)
    control = [row for row in rows if not row[2]]
    again = [(2009, f"{row[1]}+{c}", False, row[3]) for row in control for c in range(1, copies)]
    origin = [row[1].split("+")[0] for row in again]
    added = covariates.set_index("firm_id").loc[origin].reset_index(drop=True)
    added["firm_id"] = [row[1] for row in again]
    after = weights([*rows, *again], pd.concat([covariates, added]), asked)
    assert (before is None) == (after is None)
    if before is not None:
        together = after.groupby(after.index.str.split("+").str[0]).sum()
        pd.testing.assert_series_equal(before, together, check_names=False)


def affine(rng, covariates):
    """Return the covariates in other units and mixed with each other, invertibly."""
    mix = np.eye(2) + rng.uniform(-0.4, 0.4, (2, 2))
    scale = rng.choice([-1000.0, 0.001, 7.0], 2)
    changed = covariates[["size", "age"]].to_numpy() @ (mix * scale) + rng.normal(size=2) * scale
    return covariates.assign(size=changed[:, 0], age=changed[:, 1])


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_a_linear_score_and_its_matches_ignore_affine_changes(seed):
    rng = np.random.default_rng(seed)
    rows, covariates = firms(seed, 200)
    treated = np.array([row[2] for row in rows])
    found = []
    for values in (covariates, affine(rng, covariates)):
        score = fit_score(values[["size", "age", "sector"]], treated, "logit").linear_score
        scored = [(*row[:3], s) for row, s in zip(rows, score, strict=True)]
        found.append((score, weights(scored, covariates, DESIGNS["shared"])))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-8)
    pd.testing.assert_series_equal(found[0][1], found[1][1], rtol=1e-6)


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from(["all", "pooled"]), st.sampled_from(["data", "closest"]))
def test_mahalanobis_matches_ignore_affine_changes(seed, covariance, order):
    rows, covariates = firms(seed)
    changed = affine(np.random.default_rng(seed), covariates)
    asked = {**MAHALANOBIS, "method": "mahalanobis", "score": "model", "order": order}
    asked |= {"covariance_of": covariance, "exact": ["sector"]}
    pd.testing.assert_series_equal(weights(rows, covariates, asked), weights(rows, changed, asked))


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from([{"quantiles": 4}, {"equal_width": 3}]))
def test_cells_of_bins_ignore_affine_changes_of_each_covariate(seed, rule):
    rows, covariates = firms(seed)
    changed = covariates.assign(size=40 - 7 * covariates["size"], age=1e-3 * covariates["age"])
    asked = {**DESIGNS["cells"], "exact": ["size", "age"], "bins": {"size": rule, "age": rule}}
    one, other = weights(rows, covariates, asked), weights(rows, changed, asked)
    assert (one is None) == (other is None)
    if one is not None:
        pd.testing.assert_series_equal(one, other)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_entropy_weights_on_means_ignore_affine_changes(seed):
    rows, covariates = firms(seed, 120)
    treated = np.array([row[2] for row in rows])
    changed = affine(np.random.default_rng(seed), covariates)
    plain, other = (
        entropy_weights(table[["size", "age"]], treated, np.ones((~treated).sum()), 1)
        for table in (covariates, changed)
    )
    np.testing.assert_allclose(plain, other, rtol=1e-5, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 3), st.floats(0, 4))
def test_entropy_balancing_meets_its_moments_or_names_what_is_out_of_reach(seed, order, shift):
    """To 1e-8 standard deviations; otherwise a linear programme finds no weights either."""
    rng = np.random.default_rng(seed)
    treated = np.arange(60) < 12
    table = pd.DataFrame({"size": rng.normal(size=60), "age": rng.normal(size=60)})
    table.loc[treated, "size"] += shift
    moments = covariate_moments(table, treated, order)
    feasible = linprog(
        np.zeros(48),
        A_eq=np.vstack([moments.deviations.T, np.ones(48)]),
        b_eq=np.append(np.zeros(len(moments.names)), 1.0),
    )
    try:
        weight = entropy_weights(table, treated, np.ones(48), order)
    except SupportError as refusal:
        message = str(refusal)
        named = [name for name in moments.names if f"{name} (" in message]
        assert "no weights of the 48 comparison firms meet" in message
        assert feasible.status == 2 or "nearly all of them" in message
        assert named or "nearly all of them" in message
        return
    gap = weight / weight.sum() @ moments.deviations
    assert np.abs(gap).max() <= 1e-8
    assert weight.sum() == pytest.approx(12)
    # positive, but far from the treated so small that a float is zero
    assert (weight >= 0).all()


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_kernel_weights_approach_the_nearest_firm_as_the_bandwidth_shrinks(seed):
    """Halving the bandwidth never spreads a treated firm's weight; in the end one firm has it."""
    rng = np.random.default_rng(seed)
    score, treated = rng.normal(size=50), np.arange(50) < 1
    gap = np.sort(np.abs(score[0] - score[1:]))
    nearest = 1 + int(np.argmin(np.abs(score[0] - score[1:])))
    shares = []
    for bandwidth in np.geomspace(8 * gap[1], np.sqrt(gap[0] * gap[1]), 8):
        weight = kernel_weights(score, treated, bandwidth=bandwidth, cells=None)
        shares.append(weight[nearest])
    assert np.all(np.diff(shares) >= -1e-12)
    assert shares[-1] == pytest.approx(1)
