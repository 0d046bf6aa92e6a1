"""Flat estimators on every firm-year of an unbalanced panel, event times binned at the ends."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from keyed import figure, rows_with
from pydantic import ValidationError
from recovered import recovered
from stacked_tables import estimation, no_matches, outcomes, random_study, treatment
from told import declared, estimate_specs

from pipeline.datasets.fits import FITS
from pipeline.datasets.matches import WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.results import ESTIMATES, TESTS
from pipeline.datasets.store import check, conform
from pipeline.effects.study import prepare_study
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.estimate import EstimateSection
from pipeline.params.score import ScoreSection

FIRST, LAST = -3, 2
EVERY = ("twoway", "sun_abraham", "extended_twoway", "imputation")
OF_PANEL = {"designs": ["unmatched"], "firms": "panel", "terms": ["att", "event"]}

TIMES = [-3, -2, 0, 1, 2]
NAMED = ["event_or_earlier[-3]", "event[-2]", "event[0]", "event[1]", "event_or_later[2]"]
# Firms that never enter in the random study.
NEVER = ["F030", "F031", "F032"]


def section(*estimators, **changes) -> EstimateSection:
    """Return specs that go by the names of their estimators."""
    specs = [
        {"name": name, "estimator": name, "outcomes": "all", "cluster": "firm"}
        | ({} if name == "twoway" else {"average": "event"})
        | OF_PANEL
        | changes
        for name in estimators
    ]
    headline = {"spec": estimators[0], "design": "unmatched", "term": "att"}
    plain = estimation().model_dump(exclude_unset=True)
    return EstimateSection.model_validate(plain | {"headline": headline, "specs": specs})


def unmatched(seed):
    """Return an unbalanced PANEL, and WEIGHTS of risk sets that hold some of its firms."""
    panel, _, weights = random_study(seed)
    return panel, weights.assign(design="unmatched", weight=1.0)


def run(panel, weights, estimate, anticipation=0, window=(FIRST, LAST), **settings):
    study = prepare_study(
        panel,
        no_matches(),
        weights,
        outcomes=outcomes(),
        treatment=treatment(*window, anticipation),
        matched_times={},
        estimate=estimate,
        **settings,
    )
    return estimate_specs(study)


def rows_by(results, estimator):
    """Return ESTIMATES of a spec by the names of terms."""
    own = results.estimates["estimator"] == estimator
    return results.estimates[own].set_index("named")


def rows_of(panel):
    """Return firm-years with an outcome, event times missing for never-treated, and binned."""
    rows = panel[panel["sales"].notna()].reset_index(drop=True)
    since = (rows["year"] - rows["cohort"]).astype("Float64").to_numpy(float, na_value=np.nan)
    return rows.assign(since=since, e=np.clip(since, FIRST, LAST))


def with_effects(rows, columns):
    """Return columns beside firm and year dummies, the first year left out."""
    firm = pd.get_dummies(rows["firm_id"], dtype=float)
    year = pd.get_dummies(rows["year"], dtype=float).iloc[:, 1:]
    return np.column_stack([*columns, firm, year])


def by_hand(rows, columns):
    """Return the coefficients of columns beside firm and year dummies, by least squares."""
    whole = with_effects(rows, columns)
    return np.linalg.lstsq(whole, rows["sales"].to_numpy(), rcond=None)[0][: len(columns)]


def by_cells(rows, first):
    """Return effects by binned event time: one dummy a cell, averaged by firm-years into bins."""
    own = rows[(rows["since"] >= first) & (rows["since"] != -1)]
    mass = own.groupby(["cohort", "since", "e"]).size()
    cells = mass.index.tolist()
    at = [(rows["cohort"] == g) & (rows["since"] == since) for g, since, _ in cells]
    effect = by_hand(rows, [column.to_numpy(float, na_value=0) for column in at])
    total = pd.Series(effect * mass, mass.index).groupby("e").sum()
    return total / mass.groupby("e").sum()


@pytest.fixture(scope="module")
def every():
    panel, weights = unmatched(1)
    results = run(panel, weights, section(*EVERY))
    check(ESTIMATES, declared(results.estimates))
    check(TESTS, declared(results.tests))
    return rows_of(panel), results


def test_the_event_study_with_binned_ends_is_the_regression_on_dummies(every):
    rows, results = every
    found = rows_by(results, "twoway")
    whole = with_effects(rows, [(rows["e"] == time).to_numpy(float) for time in TIMES])
    clusters = {"groups": pd.factorize(rows["firm_id"])[0]}
    fit = sm.OLS(rows["sales"].to_numpy(), whole).fit(cov_type="cluster", cov_kwds=clusters)
    effects, errors = fit.params[: len(TIMES)], fit.bse[: len(TIMES)]
    assert found.loc[NAMED, "estimate"].to_numpy() == pytest.approx(effects, abs=1e-8)
    # statsmodels pays for firm effects, which lie within the clusters: Stata and we do not
    n, paid, n_firms = *whole.shape, rows["firm_id"].nunique()
    ours = np.sqrt((n - paid) / (n - paid + n_firms - 1))
    assert found.loc[NAMED, "std_error"].to_numpy() == pytest.approx(ours * errors, rel=1e-8)
    assert found.loc["event[-1]", "note"] == "reference period"
    average = found.loc["event_average"]
    assert average["estimate"] == pytest.approx(effects[[2, 3]].mean(), abs=1e-8)
    assert "without years 2 or later from entry" in average["note"]
    static = by_hand(rows, [(rows["since"] >= 0).to_numpy(float)])
    assert found.loc["att", "estimate"] == pytest.approx(static[0], abs=1e-8)
    assert (found.loc[["att", *NAMED], "n_obs"] == len(rows)).all()


@pytest.mark.parametrize(("estimator", "first"), [("sun_abraham", -9), ("extended_twoway", 0)])
def test_effects_by_cohort_are_averaged_into_the_ends(every, estimator, first):
    rows, results = every
    found = rows_by(results, estimator)["estimate"]
    expected = by_cells(rows, first)
    told = [name for name in NAMED if first < 0 or name in NAMED[2:]]
    assert {name for name in found.index if "[" in name} == {*told, "event[-1]"}
    assert found[told].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-8)
    assert found["att"] == pytest.approx(expected[[0, 1]].mean(), abs=1e-8)


def test_imputed_effects_are_averaged_into_the_last_end(every):
    rows, results = every
    untreated, whole = ~(rows["since"] >= 0).to_numpy(), with_effects(rows, [])
    fit = np.linalg.lstsq(whole[untreated], rows["sales"].to_numpy()[untreated], rcond=None)[0]
    effect = (rows["sales"] - whole @ fit).groupby(rows["e"]).mean()
    found = rows_by(results, "imputation")["estimate"]
    assert found[NAMED[2:]].to_numpy() == pytest.approx(effect[[0, 1, 2]].to_numpy(), abs=1e-8)
    assert found["att"] == pytest.approx(effect[[0, 1]].mean(), abs=1e-8)


def test_averages_take_the_end_bin_if_the_user_says_so(every):
    panel, weights = unmatched(1)
    (rows, plain), told = every, section(*EVERY, end_bins="averaged")
    averaged = run(panel, weights, told)
    for estimator in EVERY:
        found = rows_by(averaged, estimator)
        events = rows_by(plain, estimator).loc[NAMED[2:], "estimate"].to_numpy()
        assert found.loc["event_average", "estimate"] == pytest.approx(events.mean(), abs=1e-12)
        assert "years 2 or later from entry counted as one" in found.loc["event_average", "note"]
    n_rows = [(rows["since"] == time).sum() for time in (0, 1)]
    simple = run(panel, weights, section(*EVERY[1:], average="simple"))
    for estimator in EVERY[1:]:
        events = rows_by(plain, estimator).loc[NAMED[2:4], "estimate"]
        mean = rows_by(simple, estimator).loc["att", "estimate"]
        assert mean == pytest.approx(np.average(events, weights=n_rows), abs=1e-10)


def test_the_earliest_end_is_no_lead_of_the_pre_trend_test(every):
    _, results = every
    own = results.tests.set_index("estimator").loc["sun_abraham"]
    assert own["df"] == 2  # both entry years two years before entry
    assert own["note"] == "2 effects of cohorts and years before entry"
    narrow = run(*unmatched(1), section("sun_abraham"), window=(-2, 2))
    assert "are told as one effect" in narrow.tests.iloc[0]["note"]


def test_every_firm_year_is_used_that_has_the_outcome():
    """Firms of no risk set, with gaps, or gone before entry: all are in the regression."""
    panel, weights = unmatched(3)
    few = weights[weights["firm_id"].isin(["F000", "F006", "F020"])]
    found = run(panel, few, section("twoway"))
    assert figure(found, FITS, "n_treated_sharing_cluster") == 6
    assert "compare cluster: assignment" in found.estimates.iloc[0]["note"]
    whole = run(panel, weights, section("twoway")).estimates
    pd.testing.assert_frame_equal(whole, found.estimates)
    assert whole["n_obs"].max() == panel["sales"].notna().sum()
    inside = run(panel, weights, section("twoway", firms="risk_sets", terms=["att"])).estimates
    assert inside["n_obs"].max() < whole["n_obs"].max()


def test_entry_years_without_a_year_before_are_left_out_and_counted():
    """As firms that enter in the panel's first year; of Sun and Abraham those without year -1."""
    panel, weights = unmatched(4)
    early = panel["firm_id"].isin(NEVER)
    gap = ((panel["cohort"] == 2005) & (panel["year"] == 2004)).fillna(False)
    entered = panel.assign(cohort=panel["cohort"].mask(early, 2001))[~gap].reset_index(drop=True)
    results = run(entered, weights, section(*EVERY))
    lost = {e: rows_with(results, FITS, estimator=e)["n_without_year_before"].item() for e in EVERY}
    assert lost == {"twoway": 3, "sun_abraham": 9, "extended_twoway": 3, "imputation": 3}
    kept = panel[~(early | gap)].reset_index(drop=True)
    without = run(kept, weights[~weights["firm_id"].isin(NEVER)], section(*EVERY))
    pd.testing.assert_frame_equal(results.estimates, without.estimates)
    assert np.isfinite(rows_by(results, "sun_abraham").loc["event[0]", "estimate"])


def test_firms_stop_comparing_when_their_cluster_is_entered():
    """The pool of the unmatched design leaves out firms in treated clusters, from then on."""
    panel, weights = unmatched(5)
    pool = {"controls_from": "outside_treated_clusters"}
    score = ScoreSection.model_validate({"covariates": {}, "unmatched": pool, "models": {}})
    apart = run(panel, weights, section("twoway"), score=score).estimates
    exposed = panel["cohort"].isna() & (panel["year"] >= panel["cluster_entry"].fillna(9999))
    kept = panel[~exposed].reset_index(drop=True)
    assert 0 < exposed.sum() < panel["cohort"].isna().sum()
    pd.testing.assert_frame_equal(apart, run(kept, weights, section("twoway")).estimates)


def test_years_of_anticipation_have_effects_of_their_own_and_are_no_base():
    panel, weights = unmatched(6)
    found = rows_by(run(panel, weights, section("twoway"), anticipation=1), "twoway")["estimate"]
    rows = rows_of(panel)
    effects = by_hand(rows, [(rows["e"] == time).to_numpy(float) for time in (-3, -1, 0, 1, 2)])
    assert found["event[-1]"] == pytest.approx(effects[1], abs=1e-8)
    assert found["event[-2]"] == 0
    both = [(rows["since"] >= 0).to_numpy(float), (rows["since"] == -1).to_numpy(float)]
    assert found["att"] == pytest.approx(by_hand(rows, both)[0], abs=1e-8)


@pytest.mark.parametrize(
    ("estimator", "changes", "message"),
    [
        ("twoway", {"designs": ["matched"]}, r"for designs: \[unmatched\] only"),
        ("imputation", {"designs": ["unmatched", "matched"]}, "use firms: risk_sets there"),
        ("twoway", {"firms": "all"}, "Input should be 'risk_sets' or 'panel'"),
        ("sun_abraham", {"end_bins": "left"}, "Input should be 'shown' or 'averaged'"),
        ("sun_abraham", {"firms": "risk_sets", "end_bins": "averaged"}, "is for firms: panel"),
        ("twoway", {"firms": "risk_sets"}, "with firms: panel, designs"),
        ("twoway", {"terms": ["att"], "end_bins": "averaged"}, "add event to terms"),
        ("extended_twoway", {"covariates": ["size"]}, "covariates go with firms: risk_sets"),
    ],
)
def test_other_combinations_are_refused_with_what_is_allowed(estimator, changes, message):
    with pytest.raises(ValidationError, match=message):
        section(estimator, **changes)


def simulated(effect):
    """Return a panel without noise, WEIGHTS, and `effect` of event times, by firm-year.

    Firms come late, have gaps and leave. An outcome is a firm's, a year's, and the effect.
    """
    rng = np.random.default_rng(1)
    firms = pd.DataFrame({"firm_id": [f"F{i:03d}" for i in range(120)]})
    firms["cohort"] = pd.array(rng.choice([2003, 2005, pd.NA], len(firms)), "Int64")
    firms["level"] = rng.normal(size=len(firms))
    firms["first"] = rng.choice([1998, 1999, 2001], len(firms))
    firms["last"] = rng.choice([2006, 2009, 2011], len(firms))
    rows = firms.merge(pd.DataFrame({"year": range(1998, 2012)}), how="cross")
    alive = rows["year"].between(rows["first"], rows["last"]) & (rng.random(len(rows)) > 0.2)
    rows = rows[alive].assign(cluster=rows["firm_id"]).reset_index(drop=True)
    since = (rows["year"] - rows["cohort"]).astype("Float64").to_numpy(float, na_value=np.nan)
    gained = np.where(since >= 0, effect(since), 0.0)
    rows["sales"] = rows["level"] + 0.3 * (rows["year"] - 2000) ** 2 + gained
    columns = ["firm_id", "year", "cohort", "cluster", "sales"]
    panel = conform(PANEL, rows[columns].assign(cluster_entry=cluster_entry(rows)))
    entered = {"treated": firms["cohort"].notna(), "stack": firms["cohort"].fillna(2003)}
    weights = firms[["firm_id"]].assign(cluster=firms["firm_id"], **entered)
    weights["base_year"] = weights["stack"] - 1
    same = {"design": "unmatched", "weight": 1.0, "in_treated_cluster": False, "estimand": "att"}
    return panel, conform(WEIGHTS, weights.assign(**same)), gained


def test_effects_that_last_are_recovered_at_every_event_time_and_at_the_end():
    """Effects of 1, 2 and from then on 3: alike beyond the window, as one dummy assumes."""
    panel, weights, _ = simulated(lambda since: np.minimum(since + 1, 3))
    results = run(panel, weights, section(*EVERY))
    for estimator in EVERY:
        found = rows_by(results, estimator)["estimate"]
        assert found[NAMED[2:]].to_numpy() == pytest.approx([1, 2, 3], abs=1e-9)
        assert found["event_average"] == pytest.approx(1.5, abs=1e-9)


def test_where_effects_still_grow_one_dummy_for_the_end_is_wrong_and_an_average_right():
    """Effects of 1, 2, 3, ...: beyond the window they differ, and are missing unevenly.

    One dummy for all of them bends every other effect of the two-way event study; effects by entry
    year and year, averaged into the end, are the mean over its treated firm-years.
    """
    panel, weights, gained = simulated(lambda since: since + 1)
    results = run(panel, weights, section(*EVERY))
    mean = gained[(rows_of(panel)["e"] == LAST).to_numpy()].mean()
    assert mean > 4
    for estimator in EVERY:
        found = rows_by(results, estimator)["estimate"]
        off = np.abs(found[NAMED[2:]].to_numpy() - [1, 2, mean])
        assert (off > 0.05).all() if estimator == "twoway" else (off < 1e-9).all()
    untreated = panel.assign(sales=panel["sales"] - gained)
    for changes, truth in (({}, 1.5), ({"end_bins": "averaged"}, (1 + 2 + mean) / 3)):
        asked = section(*EVERY[1:], **changes)
        told = recovered(panel, untreated, no_matches(), weights, asked)
        assert told["truth"].to_numpy() == pytest.approx(truth, abs=1e-9)
