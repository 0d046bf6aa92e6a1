"""The simulated programme meets its stated targets, tells the truth, and breaks what is asked."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from simulation import settings

from pipeline.errors import ParamsError
from pipeline.simulation.simulate import SimulatedProgramme, simulate_programme

SEEDS = range(5)
KEYS = ["firm_id", "year"]
NO_EFFECT = {
    "sales_percent": [0],
    "employment_percent": [0],
    "exporting_points": [0],
    "export_value_percent": [0],
    "survival_points": [0],
}


def run(seed=0, **changes) -> SimulatedProgramme:
    return simulate_programme(settings(**changes), np.random.default_rng(seed))


@cache
def default_programme(seed) -> SimulatedProgramme:
    return run(seed)


def merged(programme) -> pd.DataFrame:
    """Join panel, truth and entry; add cluster, event time, and the first entry in the cluster."""
    entries = programme.register.query("programme == 'cdp'").set_index("firm_id")["entry_year"]
    rows = programme.panel.merge(programme.truth, on=KEYS, validate="1:1")
    rows["cluster"] = rows["municipality"] + rows["sector"]
    rows["entry_year"] = rows["firm_id"].map(entries)
    rows["event_time"] = rows["year"] - rows["entry_year"]
    rows["opening"] = rows.groupby("cluster")["entry_year"].transform("min")
    return rows


@cache
def default_rows(seed) -> pd.DataFrame:
    return merged(default_programme(seed))


def pooled_rows() -> pd.DataFrame:
    return pd.concat([default_rows(seed) for seed in SEEDS])


def log_ratio(rows, outcome="sales") -> pd.Series:
    return np.log(rows[outcome] / rows[f"{outcome}_untreated"])


def switched(**changes) -> pd.DataFrame:
    """Return the rows of a world with a switch thrown beside those of the default world."""
    return merged(run(0, **changes)).merge(
        default_rows(0)[[*KEYS, "sales", "sales_untreated", "employment_untreated"]],
        on=KEYS,
        suffixes=("", "_before"),
    )


def risk_set(rows, cohort, last) -> pd.DataFrame:
    """Return one row per firm of a stack: covariates at base, untreated growth, treatment."""
    base = rows[rows["year"] == cohort - 1].set_index("firm_id")
    end = rows[rows["year"] == last].set_index("firm_id")
    pool = (base["entry_year"] == cohort) | base["opening"].isna()
    base = base[pool & base.index.isin(end.index)]
    end = end.loc[base.index]
    growth = {
        f"growth_{name}": np.log(end[f"{name}_untreated"] / base[f"{name}_untreated"])
        for name in ("sales", "employment")
    }
    return base.assign(
        **growth,
        treated=(base["entry_year"] == cohort).astype(float),
        log_employment=np.log(base["employment"]),
        stack=str(cohort),
    )


def treated_coefficient(rows, outcome, covariates, cohorts=(2009, 2010, 2011)):
    """Regress untreated growth over five years on treatment; SE by cluster. Return both."""
    sample = pd.concat([risk_set(rows, cohort, cohort + 4) for cohort in cohorts])
    dummies = pd.get_dummies(sample[["stack", "sector"]], drop_first=True, dtype=float)
    design = np.column_stack([sample["treated"], np.ones(len(sample)), sample[covariates], dummies])
    design = design.astype(float)
    bread = np.linalg.inv(design.T @ design)
    growth = sample[f"growth_{outcome}"].to_numpy()
    beta = bread @ design.T @ growth
    scores = design * (growth - design @ beta)[:, None]
    by_cluster = pd.DataFrame(scores).groupby(sample["cluster"].to_numpy()).sum().to_numpy()
    covariance = bread @ by_cluster.T @ by_cluster @ bread
    return beta[0], np.sqrt(covariance[0, 0])


OBSERVED = [
    "log_employment",
    "founding_year",
    "foreign_owned",
    "manager_education_years",
    "distance_km",
]


def mean_z(coefficients) -> float:
    """Return the mean coefficient over seeds in standard errors of that mean."""
    estimates, errors = np.array(coefficients).T
    return estimates.sum() / np.sqrt((errors**2).sum())


# Targets of the defaults


@pytest.mark.parametrize("seed", SEEDS)
def test_defaults_meet_the_stated_targets(seed):
    rows = default_rows(seed)
    entrants = rows[rows["event_time"] == -1]
    outside = rows[rows["opening"].isna()]
    beside = rows[rows["opening"].notna() & rows["entry_year"].isna()]
    assert rows["firm_id"].nunique() > 5900  # the rest exit, or are born, outside the panel's years
    assert set(rows["year"]) == set(range(2005, 2017))
    assert set(entrants["entry_year"]) == {2009, 2010, 2011}
    assert 0.07 < len(entrants) / rows["firm_id"].nunique() < 0.09
    assert beside["cluster"].nunique() >= 60
    assert (entrants["exports"] > 0).sum() >= 50
    assert 0.83 < (rows["exports"] == 0).mean() < 0.87
    assert outside["firm_id"].nunique() > 8 * len(entrants)


def test_unmatched_comparison_of_sales_is_biased_by_two_standard_errors():
    coefficients = [treated_coefficient(default_rows(s), "sales", []) for s in SEEDS]
    ratios = [estimate / error for estimate, error in coefficients]
    assert np.mean(ratios) >= 2


@pytest.mark.parametrize("outcome", ["sales", "employment"])
def test_parallel_trends_hold_given_what_the_score_observes(outcome):
    coefficients = [treated_coefficient(default_rows(s), outcome, OBSERVED) for s in SEEDS]
    assert abs(mean_z(coefficients)) < 3


def test_every_sector_has_entrants_in_every_year():
    entrants = default_rows(0).query("event_time == 0")
    assert pd.crosstab(entrants["sector"], entrants["entry_year"]).min().min() > 0


def test_tables_are_keyed_and_aligned():
    programme = default_programme(0)
    panel, truth, register = programme.panel, programme.truth, programme.register
    assert not panel.duplicated(KEYS).any()
    assert truth[KEYS].equals(panel[KEYS])
    assert not register.duplicated(["firm_id", "programme"]).any()
    assert set(register["programme"]) == {"cdp"}
    assert panel.notna().all().all() and truth.notna().all().all()
    assert (panel["sales"] > 0).all() and (panel["employment"] >= 1).all()
    assert (panel["exports"] >= 0).all() and (panel["exports"] < panel["sales"]).all()
    assert (panel["year"] >= panel["founding_year"]).all()
    assert set(panel.groupby("firm_id")["year"].agg(lambda y: y.max() - y.min() + 1 - len(y))) == {
        0
    }


def test_firms_are_born_late_and_exit():
    panel = default_programme(0).panel
    span = panel.groupby("firm_id")["year"].agg(["min", "max"])
    assert 0.10 < (span["min"] > 2005).mean() < 0.20
    exits = (span["max"] < 2016).sum()
    at_risk = (panel["year"] < 2016).sum()
    assert abs(exits / at_risk - 0.04) < 4 * np.sqrt(0.04 * 0.96 / at_risk) + 0.001


# Truth


def profile_at(profile, event_time):
    return np.array(profile)[np.minimum(event_time, len(profile) - 1)]


def test_true_effect_on_log_sales_is_the_profile():
    after = default_rows(0).query("event_time >= 0")
    expected = profile_at([0, 16, 11, 9], after["event_time"].astype(int))
    np.testing.assert_allclose(log_ratio(after), np.log1p(expected / 100), atol=1e-12)


@pytest.mark.parametrize("event_time", range(6))
def test_true_effect_on_log_jobs_is_the_profile_up_to_rounding(event_time):
    effects = log_ratio(pooled_rows().query("event_time == @event_time"), "employment")
    expected = np.log1p(profile_at([0, 8, 9, 10], event_time) / 100)
    assert abs(effects.mean() - expected) <= 4 * effects.sem()


@pytest.mark.parametrize("event_time", range(6))
def test_true_effect_on_exporting_is_the_profile(event_time):
    rows = pooled_rows().query("event_time == @event_time")
    entered = (rows["exports"] > 0).astype(int) - (rows["exports_untreated"] > 0)
    expected = profile_at([0, 0, 4, 5], event_time) / 100
    assert abs(entered.mean() - expected) <= 4 * np.sqrt(expected / len(rows))
    assert (entered >= 0).all()


def test_true_effect_on_export_value_is_the_profile():
    rows = default_rows(0).query("event_time >= 0 and exports_untreated > 0")
    expected = profile_at([0, 5, 10], rows["event_time"].astype(int))
    np.testing.assert_allclose(log_ratio(rows, "exports"), np.log1p(expected / 100), atol=1e-12)


@pytest.mark.parametrize("event_time", range(6))
def test_true_effect_on_survival_is_the_profile(event_time):
    rows = pooled_rows()
    entrants = (rows["event_time"] == 0).sum()
    saved = (rows["event_time"].eq(event_time) & ~rows["alive_untreated"]).sum() / entrants
    expected = profile_at([0, 2, 2.5, 3], event_time) / 100
    assert abs(saved - expected) <= 4 * np.sqrt(expected / entrants)


def test_without_the_programme_observed_equals_untreated():
    rows = default_rows(0)
    untouched = rows[~(rows["event_time"] >= 0)]
    for outcome in ("sales", "employment", "exports"):
        assert untouched[outcome].equals(untouched[f"{outcome}_untreated"].rename(outcome))
    assert untouched["alive_untreated"].all()


def test_a_profile_of_zeros_is_a_world_without_effect():
    rows = merged(run(0, effects=NO_EFFECT))
    for outcome in ("sales", "employment", "exports"):
        np.testing.assert_array_equal(rows[outcome], rows[f"{outcome}_untreated"])
    assert rows["alive_untreated"].all()


def test_effects_can_differ_by_cohort():
    rows = merged(run(0, cohort_effect_factors=[0, 1, 2])).query("event_time == 1")
    effects = log_ratio(rows).groupby(rows["entry_year"]).agg(["min", "max"])
    expected = np.outer([0, 1, 2], [1, 1]) * np.log1p(0.16)
    np.testing.assert_allclose(effects, expected, atol=1e-12)


def test_effects_can_grow():
    growing = {**NO_EFFECT, "sales_percent": [1, 2, 4, 8]}
    rows = merged(run(0, effects=growing)).query("event_time >= 0")
    by_event_time = np.exp(log_ratio(rows)).groupby(rows["event_time"]).mean()
    np.testing.assert_allclose(by_event_time.iloc[:5], [1.01, 1.02, 1.04, 1.08, 1.08])


# Determinism


def test_the_same_seed_gives_the_same_tables_and_another_seed_does_not():
    again, other = run(0), run(1)
    for name in ("panel", "register", "truth"):
        pd.testing.assert_frame_equal(
            getattr(again, name), getattr(default_programme(0), name), check_exact=True
        )
    assert not again.panel.equals(other.panel)


# Broken assumptions, one switch each


def test_treated_trend_tilts_only_the_untreated_paths_of_participants():
    rows = switched(treated_trend_percent_per_year=2)
    tilt = np.log(rows["sales_untreated"] / rows["sales_untreated_before"])
    np.testing.assert_allclose(tilt, 0.02 * rows["event_time"].fillna(0), atol=1e-12)
    np.testing.assert_allclose(
        log_ratio(rows), np.log(rows["sales_before"] / rows["sales_untreated_before"])
    )


def test_treated_trend_shows_as_a_gap_given_what_the_score_observes():
    rows = [merged(run(s, treated_trend_percent_per_year=2)) for s in SEEDS]
    assert mean_z([treated_coefficient(r, "sales", OBSERVED) for r in rows]) > 3


def test_entry_dip_lowers_untreated_sales_just_before_entry():
    rows = switched(entry_dip_percent=20, entry_dip_years=2)
    dip = np.log(rows["sales_untreated"] / rows["sales_untreated_before"])
    expected = np.log(0.8) * rows["event_time"].isin([-2, -1])
    np.testing.assert_allclose(dip, expected, atol=1e-12)


def test_anticipation_is_an_effect_and_not_an_untreated_path():
    rows = switched(anticipation_percent=5)
    before = rows[~(rows["event_time"] >= 0)]
    expected = np.log(1.05) * (before["event_time"] == -1)
    np.testing.assert_allclose(log_ratio(before), expected, atol=1e-12)
    np.testing.assert_array_equal(rows["sales_untreated"], rows["sales_untreated_before"])


def test_spillovers_reach_non_participants_beside_participants_and_nobody_else():
    rows = switched(spillover_percent=-6)
    outsiders = rows[rows["entry_year"].isna()]
    near = outsiders["year"] >= outsiders["opening"]
    np.testing.assert_allclose(log_ratio(outsiders), np.log(0.94) * near, atol=1e-12)
    insiders = rows[rows["entry_year"].notna()]
    np.testing.assert_array_equal(insiders["sales"], insiders["sales_before"])


def deviation_before_exit(rows) -> float:
    """Return the mean log deviation of sales per job from the firm's usual before its exit."""
    last = rows["year"] == rows.groupby("firm_id")["year"].transform("max")
    deviation = np.log(rows["sales_untreated"]) - np.log(rows["employment_untreated"])
    deviation = deviation - deviation.groupby(rows["firm_id"]).transform("mean")
    usual = deviation.groupby(rows["year"]).transform("mean")
    return (deviation - usual)[last & (rows["year"] < 2016) & (rows["year"] > 2007)].mean()


def test_informative_exit_takes_firms_after_a_bad_year():
    rows = merged(run(0, informative_exit_log_hazard=1))
    assert abs(deviation_before_exit(default_rows(0))) < 0.02
    assert deviation_before_exit(rows) < -0.05
    assert abs(len(rows) / len(default_rows(0)) - 1) < 0.02


def test_other_programme_is_likelier_for_participants_and_has_its_effect():
    programme = run(0, other_programme_share=0.1)
    register = programme.register.pivot(index="firm_id", columns="programme", values="entry_year")
    share_of_participants = register.loc[register["cdp"].notna(), "other"].notna().mean()
    only_other = register.index[register["cdp"].isna()]
    rows = merged(programme)
    share_of_others = len(only_other) / rows.loc[rows["entry_year"].isna(), "firm_id"].nunique()
    assert 0.05 < share_of_others < 0.12
    assert share_of_participants > 2 * share_of_others
    helped = rows[rows["firm_id"].isin(only_other)]
    since = helped["year"] >= helped["firm_id"].map(register["other"])
    np.testing.assert_allclose(log_ratio(helped), np.log(1.1) * since, atol=1e-12)


def test_selection_on_an_unobserved_trend_breaks_conditional_parallel_trends():
    rows = [merged(run(s, unobserved_selection_log_odds=1.5)) for s in SEEDS]
    assert mean_z([treated_coefficient(r, "sales", OBSERVED) for r in rows]) > 3


def test_cluster_shocks_have_the_size_asked():
    quiet = {"sales_shock_sd_log": 0, "sector_shock_sd_log": 0}
    changed = run(0, **quiet, cluster_shock_sd_log=0.2).truth
    still = run(0, **quiet, cluster_shock_sd_log=0).truth
    both = changed.merge(still, on=KEYS, suffixes=("", "_still"))
    shocks = np.log(both["sales_untreated"] / both["sales_untreated_still"])
    assert shocks.std() == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("count", [1, 4, 10, 40, 96])
def test_the_number_of_treated_clusters_is_a_setting(count):
    entrants = merged(run(0, treated_clusters=count)).query("event_time == 0")
    assert 0.9 * count <= entrants["cluster"].nunique() <= count


def test_a_small_sample_works():
    programme = run(0, firms=300, municipalities=10, sectors=3, treated_clusters=12)
    assert programme.register["entry_year"].nunique() == 3


def test_other_sizes_follow_the_settings():
    panel = run(0, firms=500, last_year=2012, municipalities=7, sectors=2, treated_clusters=6).panel
    assert panel["year"].max() == 2012
    assert panel["municipality"].nunique() == 7 and panel["sector"].nunique() == 2


# Settings that make no sense


def test_more_treated_clusters_than_clusters_with_firms_is_an_error():
    with pytest.raises(ParamsError, match="treated_clusters is 390: only"):
        run(0, firms=400, treated_clusters=390)


def test_nobody_to_treat_is_an_error():
    with pytest.raises(ParamsError, match="raise firms"):
        run(0, firms=20, treated_clusters=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cohort_years": [2009, 2011, 2010]}, "must ascend"),
        ({"cohort_years": [2005, 2010, 2011]}, "after first_year"),
        ({"cohort_years": [2009, 2010, 2020]}, "must not pass last_year"),
        ({"cohort_effect_factors": [1]}, "one factor for each"),
        ({"treated_clusters": 401}, "exceeds municipalities x sectors"),
        ({"effects": {**NO_EFFECT, "survival_points": [1]}}, "starts at 0"),
        ({"effects": {**NO_EFFECT, "sales_percent": [-100]}}, "above -100"),
        ({"entry_dipp_percent": 5}, "Extra inputs"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        settings(**change)


def test_levels_are_delivered_to_ten_digits():
    """Processors disagree on the last digits of an exponential."""
    found = default_programme(0)
    levels = [found.panel[name] for name in ("sales", "exports", "rent")]
    levels += [found.truth[name] for name in ("sales_untreated", "exports_untreated")]
    for level in levels:
        assert level.tolist() == [float(f"{value:.9e}") for value in level]
