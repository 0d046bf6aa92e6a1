"""The slope that pre-trend tests find: R's pretrends, simulation, rows of FACTS."""

import numpy as np
import pytest
from stacked_tables import estimation, outcomes, random_study, treatment

from pipeline.effects.specs import estimate_specs
from pipeline.effects.study import prepare_study
from pipeline.pre_trend_power import any_significant, slope_found_by_any, slope_found_jointly


def covariance(k):
    """Variances .04, covariances .012."""
    return np.full((k, k), 0.012) + 0.028 * np.eye(k)


@pytest.mark.parametrize(
    ("years", "half", "four_fifths"),
    [
        ([-3, -2, -1], 0.11085490751343, 0.168538720656777),
        ([-5, -3, -1], 0.0685248863600757, 0.103615302925996),
        ([-5, -4, -3, -2], 0.0580280273451627, 0.0917980203438368),
    ],
)
def test_slopes_of_pretrends(years, half, four_fifths):
    years = np.array(years, dtype=float)
    found = [slope_found_by_any(years, covariance(len(years)), 0.05, p) for p in (0.5, 0.8)]
    assert found == pytest.approx([half, four_fifths], abs=1e-4)


def test_power_of_pretrends_at_a_slope():
    years = np.array([-3.0, -2.0, -1.0])
    found = [any_significant(slope * years, covariance(3), 0.05) for slope in (0.0, 0.2)]
    assert found == pytest.approx([0.136261192117481, 0.905586670498965], abs=1e-4)


@pytest.mark.parametrize("df", [12.0, np.inf])
@pytest.mark.parametrize("power", [0.5, 0.8])
def test_the_joint_test_finds_its_slope_as_often_as_said(df, power):
    from scipy import stats

    years, rng, draws = np.array([-3.0, -2.0, -1.0]), np.random.default_rng(0), 20000
    slope = slope_found_jointly(years, covariance(3), df, 0.05, power)
    estimates = rng.multivariate_normal(slope * years, covariance(3), draws)
    wald = np.einsum("ij,jk,ik->i", estimates, np.linalg.inv(covariance(3)), estimates)
    scale = 1.0 if np.isinf(df) else rng.chisquare(df, draws) / df
    critical = stats.chi2.isf(0.05, 3) if np.isinf(df) else 3 * stats.f.isf(0.05, 3, df)
    found = (wald / scale > critical).mean()
    assert abs(found - power) < 4 * np.sqrt(power * (1 - power) / draws)


def test_no_slope_without_an_inverse():
    years = np.array([-2.0, -1.0])
    assert np.isnan(slope_found_jointly(years, np.ones((2, 2)), 40.0, 0.05, 0.5))
    assert np.isnan(slope_found_jointly(years, covariance(2), 1.0, 0.05, 0.5))
    assert np.isnan(slope_found_by_any(years, np.zeros((2, 2)), 0.05, 0.5))


def test_facts_beside_the_pre_trend_test():
    study = prepare_study(
        *random_study(5),
        outcomes=outcomes(),
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=estimation(),
    )
    facts = estimate_specs(study).facts.set_index("name")
    slopes = facts.loc[[f"pre_trend_slope[main,{p}]" for p in (50, 80)], "value"]
    assert 0 < slopes.iloc[0] < slopes.iloc[1]
    assert facts.loc["pre_trend_slope_any[main,50]", "unit"] == "US$ a year"
    by_number = [facts.loc[f"mde[main,treated_clusters={n}]", "value"] for n in (5, 10, 80)]
    assert by_number == sorted(by_number, reverse=True)
