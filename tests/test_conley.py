"""Spatial errors: sums over pairs by the tree are those of every pair, and of published data.

Sources in reference/README.md.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.errors import DataError, IdentificationError
from pipeline.inference import conley
from pipeline.inference.conley import conley_covariance
from pipeline.inference.covariance import std_errors_of
from pipeline.params.inference import Conley

REFERENCE = Path(__file__).parent / "reference"
RADIUS = 6371.01
RNG = np.random.default_rng(16)


def haversine(latitude, longitude):
    """Return the great-circle distances in km of all pairs of places."""
    north, east = np.radians(latitude), np.radians(longitude)
    half = np.sin((north[:, None] - north) / 2) ** 2
    across = np.cos(north)[:, None] * np.cos(north)
    half += across * np.sin((east[:, None] - east) / 2) ** 2
    return 2 * RADIUS * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def weights(km, cutoff, kernel):
    return km <= cutoff if kernel == "uniform" else np.maximum(1 - km / cutoff, 0)


def found(influence, latitude, longitude, cutoff, kernel="uniform"):
    asked = Conley(cutoff_km=cutoff, kernel=kernel)
    return conley_covariance(influence, latitude, longitude, asked)


def uniform_places(n):
    return RNG.uniform(36, 44, n), RNG.uniform(-9, 3, n)


def towns(n):
    centre = RNG.uniform([36, -9], [44, 3], (12, 2))[RNG.integers(0, 12, n)]
    return tuple((centre + RNG.normal(0, 0.05, (n, 2))).T)


def few_places(n):
    """Return towns whose firms are all at the centre, so that many are at one place."""
    return tuple(RNG.uniform([36, -9], [44, 3], (40, 2))[RNG.integers(0, 40, n)].T)


def antimeridian(n):
    east = RNG.uniform(175, 185, n)
    return RNG.uniform(-20, -12, n), np.where(RNG.random(n) < 0.5, east, (east + 180) % 360 - 180)


def south_pole(n):
    return np.minimum(-90 + RNG.exponential(1, n), -80), RNG.uniform(-180, 180, n)


def whole_earth(n):
    return np.degrees(np.arcsin(RNG.uniform(-1, 1, n))), RNG.uniform(-180, 180, n)


LAYOUTS = [uniform_places, towns, few_places, antimeridian, south_pole, whole_earth]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sums_by_the_tree_are_those_of_every_pair(layout):
    latitude, longitude = layout(700)
    influence, km = RNG.normal(size=(700, 3)), haversine(latitude, longitude)
    for kernel in ("uniform", "bartlett"):
        for cutoff in (5.0, 60.0, 400.0, 9000.0):
            expected = influence.T @ weights(km, cutoff, kernel) @ influence
            tree = found(influence, latitude, longitude, cutoff, kernel)
            assert tree == pytest.approx(expected, rel=1e-9, abs=1e-9), (kernel, cutoff)
            assert (tree == tree.T).all()


@pytest.mark.parametrize(
    ("km", "const", "mag"),
    [(100, 108.7232355, 19.1877913), (300, 119.6094624, 20.1855300)],
)
def test_published_earthquakes(km, const, mag):
    """Depth on magnitude, of places up to 188 degrees east."""
    data = pd.read_csv(REFERENCE / "quakes.csv")
    x = np.column_stack([np.ones(len(data)), data["mag"]])
    bread = np.linalg.inv(x.T @ x)
    residual = data["depth"] - x @ (bread @ x.T @ data["depth"])
    influence = x * residual.to_numpy()[:, None] @ bread
    covariance = found(influence, data["lat"].to_numpy(), data["long"].to_numpy(), km)
    assert np.sqrt(np.diag(covariance)) == pytest.approx([const, mag], rel=1e-8)


def test_without_reach_errors_are_robust_ones_by_place():
    latitude, longitude = few_places(500)
    influence = RNG.normal(size=(500, 2))
    sums = pd.DataFrame(influence).groupby([latitude, longitude]).sum().to_numpy()
    for kernel in ("uniform", "bartlett"):
        covariance = found(influence, latitude, longitude, 0, kernel)
        assert covariance == pytest.approx(sums.T @ sums, rel=1e-12)


def test_one_place_has_several_names():
    """The date line is 180 west and east, and a pole is one place at all longitudes."""
    latitude = np.array([10.0, 10.0, 90.0, 90.0, 0.0, -0.0, 5.0, 5.0])
    longitude = np.array([180.0, -180.0, 3.0, -77.0, 0.0, 360.0, -178.38, 181.62])
    influence = np.array([[1.0], [2], [10], [20], [100], [200], [1000], [2000]])
    expected = 3**2 + 30**2 + 300**2 + 3000**2
    assert found(influence, latitude, longitude, 0) == pytest.approx(expected)


def test_the_cutoff_is_within_reach():
    """A degree of the equator, R pi / 180, is in reach of itself, and not of a millimetre less."""
    influence, latitude = np.ones((2, 1)), np.zeros(2)
    degree = RADIUS * np.pi / 180
    for start in (0.0, 17.0, 179.5):
        longitude = np.array([start, start + 1])
        assert found(influence, latitude, longitude, degree).item() == 4
        assert found(influence, latitude, longitude, degree - 1e-6).item() == 2


def test_beyond_the_farthest_everybody_shares_all():
    latitude, longitude = whole_earth(300)
    influence = RNG.normal(0.5, 1, size=(300, 2))
    total = influence.sum(axis=0)
    for cutoff in (np.pi * RADIUS, 1e6):
        covariance = found(influence, latitude, longitude, cutoff)
        assert covariance == pytest.approx(np.outer(total, total), rel=1e-12)


def textbook(scores, km, cutoff, lags):
    """Return the panel version, of `scores` (F, T, k): near firms in a year, a firm over years.

    sum_t sum_ij K(d_ij) s_it s_jt' + sum_i sum_{0 < |t - s| <= lags} (1 - |t - s| / (lags + 1))
    s_it s_is'.
    """
    years = range(scores.shape[1])
    total = sum(scores[:, t].T @ (km <= cutoff) @ scores[:, t] for t in years)
    for t in years:
        for s in years:
            if 0 < (lag := abs(t - s)) <= lags:
                total = total + (1 - lag / (lags + 1)) * scores[:, t].T @ scores[:, s]
    return total


def test_a_firm_is_correlated_over_all_its_years_and_neighbours_too():
    """Of one year it is the textbook's; of several it adds near firms' other years, undamped."""
    latitude, longitude = uniform_places(120)
    km, scores = haversine(latitude, longitude), RNG.normal(size=(120, 4, 2))
    one_year = found(scores[:, 0], latitude, longitude, 150)
    assert one_year == pytest.approx(textbook(scores[:, :1], km, 150, lags=3), rel=1e-9)
    others = (km <= 150) & (km > 0)
    expected = textbook(scores, km, 150, lags=10**9)
    for t in range(4):
        for s in range(4):
            expected = expected + (t != s) * scores[:, t].T @ others @ scores[:, s]
    whole = found(scores.sum(axis=1), latitude, longitude, 150)
    assert whole == pytest.approx(expected, rel=1e-7)


def test_a_variance_may_be_negative_and_its_root_is_missing():
    """Of three places in a line, of which only neighbours are near: 1 + 1.96 + 1 - 2 x 2.8 < 0."""
    influence = np.array([[1.0, 1.0], [-1.4, 1.4], [1.0, 1.0]])
    covariance = found(influence, np.zeros(3), np.array([0.0, 1, 2]), 120)
    assert np.diag(covariance) == pytest.approx([3.96 - 5.6, 3.96 + 5.6])
    assert np.isnan(std_errors_of(covariance)).tolist() == [True, False]


def test_firms_without_influence_need_no_place():
    latitude, longitude = uniform_places(50)
    influence = RNG.normal(size=(50, 2))
    expected = found(influence, latitude, longitude, 100)
    more = [np.append(column, [np.nan, 91]) for column in (latitude, longitude)]
    assert (found(np.vstack([influence, np.zeros((2, 2))]), *more, 100) == expected).all()
    assert (found(np.zeros((50, 2)), latitude, longitude, 100) == 0).all()


@pytest.mark.parametrize(("north", "east"), [(np.nan, 1), (90.1, 1), (1, 361), (1, -181)])
def test_firms_without_a_place_are_refused_and_counted(north, east):
    with pytest.raises(DataError, match=r"1 of 3 firms .* leave these firms out"):
        found(np.ones((3, 1)), np.array([1.0, 2, north]), np.array([1.0, 2, east]), 10)


def test_bartlett_is_refused_beyond_its_pairs(monkeypatch):
    monkeypatch.setattr(conley, "MOST_PAIRS", 1000)
    latitude, longitude = uniform_places(60)
    found(np.ones((40, 1)), latitude[:40], longitude[:40], 5000, "bartlett")
    with pytest.raises(
        IdentificationError, match=r"up to 1,770, and of at most 1,000; use kernel: uni"
    ):
        found(np.ones((60, 1)), latitude, longitude, 5000, "bartlett")


@pytest.mark.parametrize("given", [{}, {"cutoff_km": -1}, {"cutoff_km": 10, "kernel": "gauss"}])
def test_params_are_checked(given):
    with pytest.raises(ValidationError):
        Conley(**given)
