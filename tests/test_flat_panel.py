"""Flat estimators on every firm-year of an unbalanced panel, event times binned at the ends."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from keyed import figure
from stacked_tables import estimation, no_matches, outcomes, random_study, treatment
from told import declared, estimate_specs

from pipeline.datasets.fits import FITS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.results import ESTIMATES, TESTS
from pipeline.datasets.store import check, conform
from pipeline.effects.study import prepare_study
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.estimate import EstimateSection

FIRST, LAST = -3, 2
SPEC = {"designs": ["unmatched"], "firms": "panel", "terms": ["att", "event"]}
COHORTS = {"average": "event"}


def section(estimator, **changes) -> EstimateSection:
    plain = estimation().model_dump(exclude_unset=True)
    spec = {"name": "main", "estimator": estimator, "outcomes": "all", "cluster": "firm"}
    head = {"spec": "main", "design": "unmatched", "term": "att"}
    own = {} if estimator == "twoway" else COHORTS
    return EstimateSection.model_validate(
        plain | {"headline": head, "specs": [spec | SPEC | own | changes]}
    )


def unmatched(seed=0, **given):
    """Return an unbalanced PANEL and the WEIGHTS of a risk set that holds some of its firms."""
    panel, _, weights = random_study(seed, **given)
    return panel, weights.assign(design="unmatched", weight=1.0)


def study_of(panel, weights, estimate, anticipation=0, **settings):
    return prepare_study(
        panel,
        no_matches(),
        weights,
        outcomes=outcomes(),
        treatment=treatment(FIRST, LAST, anticipation),
        matched_times={},
        estimate=estimate,
        **settings,
    )


def run(panel, weights, estimator, **changes):
    results = estimate_specs(study_of(panel, weights, section(estimator, **changes)))
    check(ESTIMATES, declared(results.estimates))
    check(TESTS, declared(results.tests))
    return results


def rows_of(panel):
    """Return firm-years with an outcome, and binned event times, missing for never-treated."""
    rows = panel[panel["sales"].notna()].reset_index(drop=True)
    since = (rows["year"] - rows["cohort"]).astype("Float64").to_numpy(float, na_value=np.nan)
    return rows.assign(since=since, e=np.clip(since, FIRST, LAST))


def dummies(rows):
    """Return firm and year dummies, the first year left out."""
    firm = pd.get_dummies(rows["firm_id"], dtype=float)
    year = pd.get_dummies(rows["year"], dtype=float).iloc[:, 1:]
    return np.hstack([firm.to_numpy(), year.to_numpy()])


def by_hand(rows, columns):
    """Return the coefficients of columns beside firm and year dummies, by least squares."""
    stacked = np.column_stack([*columns, dummies(rows)])
    fit = sm.OLS(rows["sales"].to_numpy(), stacked).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(rows["firm_id"])[0]}
    )
    return fit.params[: len(columns)], fit.bse[: len(columns)]


def estimates(results):
    return results.estimates.set_index("named")["estimate"]


EARLY = ["F030", "F031", "F032"]
TIMES = [-3, -2, 0, 1, 2]
NAMED = ["event_or_earlier[-3]", "event[-2]", "event[0]", "event[1]", "event_or_later[2]"]


def test_the_event_study_with_binned_ends_is_the_regression_on_dummies():
    panel, weights = unmatched()
    found = run(panel, weights, "twoway")
    rows = rows_of(panel)
    params, errors = by_hand(rows, [(rows["e"] == time).to_numpy(float) for time in TIMES])
    own = found.estimates.set_index("named")
    assert own.loc[NAMED, "estimate"].to_numpy() == pytest.approx(params, abs=1e-8)
    # statsmodels pays for firm effects, which are nested in the clusters: as Stata, ours does not
    n_firms, n_years = rows["firm_id"].nunique(), rows["year"].nunique()
    paid, n = len(TIMES) + n_years - 1 + n_firms, len(rows)
    nested = len(TIMES) + n_years - 1 + 1
    assert own.loc[NAMED, "std_error"].to_numpy() == pytest.approx(
        errors * np.sqrt((n - paid) / (n - nested)), rel=1e-8
    )
    assert own.loc["event[-1]", "note"] == "reference period"
    assert own.loc["event_average", "estimate"] == pytest.approx(params[[2, 3]].mean(), abs=1e-8)
    assert "without years 2 or later from entry" in own.loc["event_average", "note"]
    static, _ = by_hand(rows, [(rows["since"] >= 0).to_numpy(float)])
    assert own.loc["att", "estimate"] == pytest.approx(static[0], abs=1e-8)
    assert (own.loc[["att", *NAMED], "n_obs"] == len(rows)).all()


def test_the_average_takes_the_end_bin_if_the_user_says_so():
    panel, weights = unmatched()
    averaged = estimates(run(panel, weights, "twoway", end_bins="averaged"))
    assert averaged["event_average"] == pytest.approx(averaged[NAMED[2:]].mean(), abs=1e-12)


def cells_of(rows, first):
    """Return entry year and unbinned event time of the cells from an event time on."""
    own = rows[rows["since"].notna() & (rows["since"] >= first) & (rows["since"] != -1)]
    return sorted(set(zip(own["cohort"].astype(int), own["since"].astype(int), strict=True)))


def averaged_cells(rows, cells, estimate, time):
    """Average cells at a binned event time by their firm-years."""
    own = [i for i, (_, e) in enumerate(cells) if np.clip(e, FIRST, LAST) == time]
    mass = [((rows["cohort"] == g) & (rows["since"] == e)).sum() for g, e in cells]
    return np.average([estimate[i] for i in own], weights=[mass[i] for i in own])


@pytest.mark.parametrize(("estimator", "first"), [("sun_abraham", -9), ("extended_twoway", 0)])
def test_effects_by_cohort_are_averaged_into_the_ends(estimator, first):
    panel, weights = unmatched(1)
    results = run(panel, weights, estimator)
    found, rows = estimates(results), rows_of(panel)
    cells = cells_of(rows, first)
    columns = [
        ((rows["cohort"] == g) & (rows["since"] == e)).to_numpy(float, na_value=0) for g, e in cells
    ]
    params, _ = by_hand(rows, columns)
    named = dict(zip(TIMES, NAMED, strict=True))
    told = [time for time in TIMES if time >= first]
    shown = {t for t in found.index if "[" in t}
    assert shown == {*(named[time] for time in told), "event[-1]"}
    for time in told:
        expected = averaged_cells(rows, cells, params, time)
        assert found[named[time]] == pytest.approx(expected, abs=1e-8)
    assert found["att"] == pytest.approx(found[["event[0]", "event[1]"]].mean(), abs=1e-10)
    simple = estimates(run(panel, weights, estimator, average="simple"))["att"]
    mass = [(rows["since"] == time).sum() for time in (0, 1)]
    assert simple == pytest.approx(np.average(found[["event[0]", "event[1]"]], weights=mass))


def test_imputed_effects_are_averaged_into_the_last_end():
    panel, weights = unmatched(2)
    rows = rows_of(panel)
    untreated = ~(rows["since"] >= 0).to_numpy()
    every = dummies(rows)
    fit = np.linalg.lstsq(every[untreated], rows["sales"].to_numpy()[untreated], rcond=None)[0]
    effect = rows["sales"].to_numpy() - every @ fit
    found = estimates(run(panel, weights, "imputation"))
    for time, named in list(zip(TIMES, NAMED, strict=True))[2:]:
        assert found[named] == pytest.approx(effect[rows["e"] == time].mean(), abs=1e-8)
    assert found["att"] == pytest.approx(found[["event[0]", "event[1]"]].mean(), abs=1e-10)


def test_the_earliest_end_is_no_lead_of_the_pre_trend_test():
    panel, weights = unmatched(1)
    results = run(panel, weights, "sun_abraham")
    assert results.tests.iloc[0]["df"] == 2  # both entry years two years before entry
    assert results.tests.iloc[0]["note"] == "2 effects of cohorts and years before entry"
    note = results.estimates.set_index("named").loc["att", "note"]
    assert "equal-weight mean over event times from entry on; without years 2 or later" in note


def test_every_firm_year_is_used_that_has_the_outcome():
    """Firms of no risk set, with gaps, or gone before entry: all are in the regression."""
    panel, weights = unmatched(3)
    few = weights[weights["firm_id"].isin(["F000", "F006", "F020"])]
    whole, of_few = (run(panel, w, "twoway").estimates for w in (weights, few))
    numbers = ["estimate", "std_error", "n_treated", "n_control", "n_obs"]
    pd.testing.assert_frame_equal(whole[numbers], of_few[numbers])
    assert whole["n_obs"].max() == panel["sales"].notna().sum()
    inside = run(panel, weights, "twoway", firms="risk_sets", terms=["att"]).estimates
    assert inside["n_obs"].max() < whole["n_obs"].max()


@pytest.mark.parametrize("estimator", ["twoway", "sun_abraham", "extended_twoway", "imputation"])
def test_entry_years_without_a_year_before_are_left_out_and_counted(estimator):
    """As firms that enter in the panel's first year, and of Sun and Abraham without year -1."""
    panel, weights = unmatched(4)
    plain = run(panel, weights, estimator).estimates
    early = panel["firm_id"].isin(EARLY)
    entered = panel.assign(cohort=panel["cohort"].mask(early, 2001))
    results = run(entered, weights, estimator)
    assert figure(results, FITS, "n_without_year_before") == 3
    kept = weights[~weights["firm_id"].isin(EARLY)]
    without = run(panel[~early].reset_index(drop=True), kept, estimator).estimates
    pd.testing.assert_frame_equal(results.estimates, without)
    assert len(without) == len(plain)


def test_sun_and_abraham_need_the_reference_year_of_each_entry_year():
    panel, weights = unmatched(4)
    gap = (panel["cohort"] == 2005) & (panel["year"] == 2004)
    results = run(panel[~gap.fillna(False)].reset_index(drop=True), weights, "sun_abraham")
    assert figure(results, FITS, "n_without_year_before") == 6
    assert np.isfinite(estimates(results)["event[0]"])


def test_firms_stop_comparing_when_their_cluster_is_entered():
    """The pool of the unmatched design leaves out firms in treated clusters, from then on."""
    from pipeline.params.score import ScoreSection

    panel, weights = unmatched(5)
    score = ScoreSection.model_validate(
        {"covariates": {}, "unmatched": {"controls_from": "outside_treated_clusters"}, "models": {}}
    )
    apart = estimate_specs(study_of(panel, weights, section("twoway"), score=score)).estimates
    entry = panel["cluster_entry"].fillna(9999)
    exposed = panel["cohort"].isna() & (panel["year"] >= entry)
    kept = panel[~exposed].reset_index(drop=True)
    assert 0 < exposed.sum() < panel["cohort"].isna().sum()
    pd.testing.assert_frame_equal(apart, run(kept, weights, "twoway").estimates)


def test_years_of_anticipation_have_effects_of_their_own_and_are_no_base():
    panel, weights = unmatched(6)
    estimate = section("twoway")
    found = estimates(estimate_specs(study_of(panel, weights, estimate, anticipation=1)))
    rows = rows_of(panel)
    times = [-3, -1, 0, 1, 2]
    params, _ = by_hand(rows, [(rows["e"] == time).to_numpy(float) for time in times])
    assert found["event[-1]"] == pytest.approx(params[1], abs=1e-8)
    assert found["event[-2]"] == 0
    both = [(rows["since"] >= 0).to_numpy(float), (rows["since"] == -1).to_numpy(float)]
    assert found["att"] == pytest.approx(by_hand(rows, both)[0][0], abs=1e-8)


def simulated(effect, seed=1):
    """Return a panel without noise: firms come late, have gaps and leave; effects by event time.

    Outcomes are a firm's, a year's, and `effect` of event time; a fifth of firm-years is missing.
    """
    rng = np.random.default_rng(seed)
    firms = pd.DataFrame({"firm_id": [f"F{i:03d}" for i in range(120)]})
    firms["cohort"] = pd.array(rng.choice([2003, 2005, pd.NA], len(firms)), "Int64")
    firms["level"] = rng.normal(size=len(firms))
    firms["first"] = rng.choice([1998, 1999, 2001], len(firms))
    firms["last"] = rng.choice([2006, 2009, 2011], len(firms))
    rows = firms.merge(pd.DataFrame({"year": range(1998, 2012)}), how="cross")
    alive = rows["year"].between(rows["first"], rows["last"]) & (rng.random(len(rows)) > 0.2)
    rows = rows[alive].reset_index(drop=True)
    since = (rows["year"] - rows["cohort"]).astype("Float64").to_numpy(float, na_value=np.nan)
    rows["sales"] = rows["level"] + 0.3 * (rows["year"] - 2000) ** 2
    rows["sales"] += np.where(since >= 0, effect(since), 0.0)
    rows["cluster"] = rows["firm_id"]
    panel = conform(
        PANEL,
        rows[["firm_id", "year", "cohort", "cluster", "sales"]].assign(
            cluster_entry=cluster_entry(rows)
        ),
    )
    entered = firms[firms["cohort"].notna()]
    weights = pd.concat(
        [
            entered.assign(stack=entered["cohort"], treated=True),
            firms[firms["cohort"].isna()].assign(stack=2003, treated=False),
        ]
    )
    weights = weights.assign(
        design="unmatched",
        weight=1.0,
        base_year=weights["stack"] - 1,
        cluster=weights["firm_id"],
        in_treated_cluster=False,
        estimand="att",
    )
    return panel, weights, effect(since)


EVERY = ["twoway", "sun_abraham", "extended_twoway", "imputation"]


@pytest.mark.parametrize("estimator", EVERY)
def test_effects_that_last_are_recovered_at_every_event_time_and_at_the_end(estimator):
    """Effects of 1, 2 and from then on 3: alike beyond the window, as binning assumes."""
    panel, weights, _ = simulated(lambda since: np.minimum(since + 1, 3))
    found = estimates(run(panel, weights, estimator))
    assert found[NAMED[2:]].to_numpy() == pytest.approx([1, 2, 3], abs=1e-9)
    average = found["att"] if estimator != "twoway" else found["event_average"]
    assert average == pytest.approx(1.5, abs=1e-9)


@pytest.mark.parametrize("estimator", EVERY)
def test_where_effects_still_grow_a_dummy_for_the_end_is_wrong_and_an_average_right(estimator):
    """Effects of 1, 2, 3, ...: beyond the window they differ, and are missing unevenly.

    One dummy for all of them bends every other effect of the two-way event study; estimates by
    entry year, averaged into the end, are the mean over its treated firm-years.
    """
    panel, weights, effect = simulated(lambda since: since + 1)
    found = estimates(run(panel, weights, estimator))
    rows = rows_of(panel)
    mean = effect[(rows["e"] == LAST).to_numpy()].mean()
    assert mean > 4
    off = np.abs(found[NAMED[2:]].to_numpy() - [1, 2, mean])
    assert (off > 0.05).all() if estimator == "twoway" else (off < 1e-9).all()
