"""The slope that pre-trend tests find: R's pretrends, simulation, rows of PRE_TREND_POWER."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from group_time_samples import full_samples
from keyed import rows_with
from stacked_tables import estimation, outcomes, random_study, treatment

from pipeline.analyses.beside import slopes
from pipeline.analyses.specs import estimate_specs
from pipeline.datasets.fits import DETECTABLE, PRE_TREND_POWER, TREATED_CLUSTERS
from pipeline.effects.collected import Collected
from pipeline.effects.rows import Label
from pipeline.effects.study import prepare_study
from pipeline.estimators.group_time.estimate import cell_leads
from pipeline.estimators.group_time.group_time import GroupTimeRules, group_time_effects
from pipeline.estimators.group_time.group_time_averages import event_averages
from pipeline.inference.analytic import infer
from pipeline.inference.pre_trend_power import (
    any_significant,
    slope_found_by_any,
    slope_found_jointly,
)
from pipeline.inference.pre_trends import pre_trend_test
from pipeline.inference.stored import keep


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


def two_cohorts(slope=0.0, hole_share=0.0):
    """Return 80 firms in years 2001-2006, entry in 2004, 2005 or never, entrants on a slope."""
    rng = np.random.default_rng(4)
    first = np.repeat([2004.0, 2005.0, np.inf], [20, 15, 45])
    years = np.arange(2001, 2007)
    values = rng.normal(size=(80, 6)) + slope * np.isfinite(first)[:, None] * years
    return full_samples(pd.DataFrame(values, columns=years), first, never_only=True)


def slopes_of(effects, anticipation=0):
    label = Label("sales", "matched", "gt", "att", "log_points", "firm", 0.95)
    leads = cell_leads(effects, anticipation)
    test = pre_trend_test(label, leads, frozenset(), -1 - anticipation)
    collected = Collected(SimpleNamespace(index=SimpleNamespace(firms=np.arange(80).astype(str))))
    for inferred in test.inferred:
        keep(collected, label, inferred)
    return {row["power"]: row for row in slopes(collected, label, test)}


def cells_before(effects):
    """Return the positions of the cells before entry among the effects."""
    return [k for k, cell in enumerate(effects.estimated) if cell.event_time < 0]


def span(cell):
    """Return the years of a cell from its base year."""
    return cell.year - cell.base_year


@pytest.mark.parametrize(
    ("base", "anticipation"), [("universal", 0), ("varying", 0), ("universal", 1)]
)
def test_a_slope_moves_each_cell_by_the_years_from_its_base(base, anticipation):
    rules = GroupTimeRules("outcome_regression", base, anticipation)
    flat = group_time_effects(two_cohorts(), rules)
    sloped = group_time_effects(two_cohorts(slope=0.3), rules)
    before = [
        (flat.effects.estimate(one.term), sloped.effects.estimate(one.term), span(one))
        for one in flat.estimated
        if one.event_time < -anticipation
    ]
    assert flat.effects.terms == sloped.effects.terms
    moved = [other - one for one, other, _ in before]
    assert moved == pytest.approx([0.3 * span for _, _, span in before])
    assert {span for *_, span in before} <= ({1} if base == "varying" else {-1, -2, -3})


@pytest.mark.parametrize("base", ["universal", "varying"])
def test_the_slope_of_a_single_lead_is_its_detectable_effect_over_its_years(base):
    """Entry in 2003, before it 2000 and 2002 only: by hand (z.975 + z.8) SE / 2, or nearly."""
    from scipy import stats

    samples = two_cohorts()[:1]
    sample = replace(samples[0], cohort=2003, years=np.array([2000, 2002, 2003, 2004]))
    sample = replace(sample, y=sample.y[:, :4], treated_from=sample.treated_from - 1)
    effects = group_time_effects([sample], GroupTimeRules("outcome_regression", base, 0))
    (lead,) = cells_before(effects)
    error = np.sqrt((effects.effects.influence[:, lead] ** 2).sum())
    expected = (stats.norm.isf(0.025) + stats.norm.ppf(0.8)) * error / 2
    found = slopes_of(effects)[0.8]
    assert found["slope_jointly"] == pytest.approx(expected, rel=1e-3)
    assert found["slope_by_any"] == pytest.approx(expected, rel=1e-3)


def test_the_group_time_test_finds_its_slope_as_often_as_said():
    """Draws of the cells from their own covariance, moved by the slope that is told."""
    from scipy import stats

    effects = group_time_effects(two_cohorts(), GroupTimeRules("outcome_regression", "varying", 0))
    before = cells_before(effects)
    influence = effects.effects.influence[:, before]
    covariance_ = influence.T @ influence
    slope, draws = slopes_of(effects)[0.8]["slope_jointly"], 20000
    rng = np.random.default_rng(1)
    estimates = rng.multivariate_normal(np.full(len(before), slope), covariance_, draws)
    wald = np.einsum("ij,jk,ik->i", estimates, np.linalg.inv(covariance_), estimates)
    found = (wald > stats.chi2.isf(0.05, len(before))).mean()
    assert abs(found - 0.8) < 4 * np.sqrt(0.16 / draws)


def test_a_single_year_is_an_event_time_over_cohorts():
    effects = group_time_effects(two_cohorts(), GroupTimeRules("outcome_regression", "varying", 0))
    events = event_averages(effects)
    before = infer(events.where([t for t in events.terms if t.event_time < 0]), "firm")
    assert len(before.estimated.terms) == 3
    expected = slope_found_by_any(np.ones(3), before.covariance, 0.05, 0.5)
    assert slopes_of(effects)[0.5]["slope_by_any"] == pytest.approx(expected)


def test_no_slope_without_an_inverse():
    years = np.array([-2.0, -1.0])
    assert np.isnan(slope_found_jointly(years, np.ones((2, 2)), 40.0, 0.05, 0.5))
    assert np.isnan(slope_found_jointly(years, covariance(2), 1.0, 0.05, 0.5))
    assert np.isnan(slope_found_by_any(years, np.zeros((2, 2)), 0.05, 0.5))


def test_rows_beside_the_pre_trend_test():
    study = prepare_study(
        *random_study(5),
        outcomes=outcomes(),
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=estimation(),
    )
    results = estimate_specs(study)
    found = rows_with(results, PRE_TREND_POWER).set_index("power")
    assert 0 < found.loc[0.5, "slope_jointly"] < found.loc[0.8, "slope_jointly"]
    assert set(found["scale"]) == {"US$"}
    by_number = rows_with(results, DETECTABLE).dropna(subset="treated_clusters")
    assert by_number["treated_clusters"].tolist() == list(TREATED_CLUSTERS)
    assert by_number["effect"].is_monotonic_decreasing
