"""Leads that a spec's own covariates fit are zero by construction, and tell nothing of trends."""

from itertools import permutations

import numpy as np
import pytest
from keyed import rows_with
from results import study_results, with_figures
from stacked_tables import estimation, outcomes, random_study, treatment
from told import estimate_specs

from pipeline.datasets.fits import PRE_TREND_POWER
from pipeline.datasets.reasons import packed_list
from pipeline.datasets.specs import SPECS
from pipeline.effects.adjusted_changes import changes_adjusted_for
from pipeline.effects.study import prepare_study
from pipeline.exhibits.leads import headline_pre_trends
from pipeline.exhibits.tables.dynamic_effects import dynamic_effects
from pipeline.params.score import Covariate, ScoreSection

GROWTH = {"label": "Growth", "column": "sales", "transform": "level", "change": [-3, -1]}
LOCAL = {**GROWTH, "change": [-2, -1]}


def spanned(*dates, transform="log"):
    """Return the changes, from earlier to later, of covariates with these dates."""
    dated = [{"label": "Sales", "column": "sales", "transform": transform, **d} for d in dates]
    adjusted = changes_adjusted_for([Covariate.model_validate(d) for d in dated], "sales")
    found = [pair for pair in permutations(range(-5, 0), 2) if adjusted.spans(pair)]
    assert sorted(found) == sorted(pair[::-1] for pair in found)
    return sorted(pair for pair in found if pair[0] < pair[1])


@pytest.mark.parametrize(
    ("dates", "changes"),
    [
        ([{"at": -1}], []),
        ([{"at": -1}, {"at": -3}], [(-3, -1)]),
        ([{"change": [-3, -1]}], [(-3, -1)]),
        ([{"change": [-3, -2]}, {"change": [-2, -1]}], [(-3, -2), (-3, -1), (-2, -1)]),
        ([{"trend": [-3, -1]}], [(-3, -1)]),  # over three years the slope is half the change
        ([{"trend": [-4, -1]}], []),
        ([{"average": [-2, -1]}], []),
        ([{"average": [-2, -1]}, {"at": -1}], [(-2, -1)]),
    ],
)
def test_changes_that_covariates_add_up_to(dates, changes):
    assert spanned(*dates) == changes


def test_a_trend_makes_the_earliest_lead_a_sum_of_the_later_ones():
    trend = Covariate.model_validate(
        {"label": "Trend", "column": "sales", "transform": "log", "trend": [-4, -1]}
    )
    adjusted = changes_adjusted_for([trend], "sales")
    assert adjusted.spans((-4, -1), [(-2, -1), (-3, -1)])
    assert not adjusted.spans((-3, -1), [(-2, -1)])


def test_forms_of_a_column_and_other_columns_do_not_add_up():
    log, level = (
        Covariate.model_validate({"label": "S", "column": "sales", "transform": form, "at": at})
        for form, at in (("log", -1), ("level", -3))
    )
    assert not changes_adjusted_for([log, level], "sales").spans((-3, -1))
    growth = [Covariate.model_validate(GROWTH)]
    assert changes_adjusted_for(growth, "sales").spans((-3, -1))
    assert not changes_adjusted_for(growth, "jobs").spans((-3, -1))


def run(covariates, *, matched=frozenset(), window=(-4, 2), **spec):
    """Return the results of a spec that adjusts for covariates by their settings."""
    panel, matches, weights = random_study(5, missing_share=0.0)
    value = panel.set_index(["firm_id", "year"])["sales"]
    keys = weights[["stack", "firm_id"]].drop_duplicates().reset_index(drop=True)
    table = keys.copy()
    for name, own in covariates.items():
        first, last = (
            value.reindex(list(zip(keys["firm_id"], keys["stack"] + t, strict=True))).to_numpy()
            for t in own["change"]
        )
        table[name] = last - first
    score = ScoreSection.model_validate(
        {"covariates": covariates, "unmatched": {"controls_from": "all"}, "models": {}}
    )
    study = prepare_study(
        panel,
        matches,
        weights,
        outcomes=outcomes(),
        treatment=treatment(*window),
        matched_times={"matched": {"sales": matched}},
        estimate=estimation(covariates=list(covariates), **spec),
        covariates=table,
        score=score,
    )
    return estimate_specs(study)


GROUP_TIME = {
    "estimator": "group_time",
    "method": "outcome_regression",
    "average": "event",
    "bands": False,
}


def test_a_lead_that_covariates_fit_leaves_the_joint_test_and_its_power():
    results = run({"growth": GROWTH})
    test, rows = results.tests.iloc[0], results.estimates.set_index("named")
    assert rows.loc["event[-3]", "estimate"] == 0 and np.isnan(rows.loc["event[-3]", "std_error"])
    assert test["df"] == 2 and 0 < test["p_value"] < 1
    assert test["note"] == "event times −4, −2; adjusted for and left out: −3"
    assert len(rows_with(results, PRE_TREND_POWER))


def test_a_change_between_earlier_years_makes_two_leads_one():
    """Adjusted for the change from -3 to -2, both leads are the same number: one is tested."""
    early = {"early": {**GROWTH, "change": [-3, -2]}}
    test = run(early, window=(-3, 2)).tests.iloc[0]
    assert test["note"] == "event times −2; adjusted for and left out: −3"
    assert test["df"] == 1 and 0 < test["p_value"] < 1


def test_nothing_is_tested_where_covariates_fit_every_lead():
    both = {"growth": GROWTH, "local": LOCAL}
    test = run(both, window=(-3, 2)).tests.iloc[0]
    assert np.isnan(test["p_value"])
    assert "was adjusted for or matched on" in test["note"].replace("\n", " ")


@pytest.mark.parametrize(("base", "n_tested"), [("universal", 3), ("varying", 3)])
def test_group_time_leads_that_covariates_fit_are_left_out(base, n_tested):
    """Of five leads both cohorts' of -3 against -1 are fitted.

    From year to year none is, but the two changes add up to one that is: one of them is left out.
    """
    test = run({"growth": GROWTH}, base=base, **GROUP_TIME).tests.iloc[0]
    assert test["df"] == n_tested and 0 < test["p_value"] < 1
    assert "2 adjusted for left out" in test["note"]


def test_a_change_from_the_year_before_is_fitted_under_a_varying_base():
    test = run({"local": LOCAL}, base="varying", **GROUP_TIME).tests.iloc[0]
    assert test["df"] == 3 and "2 adjusted for left out" in test["note"]


def test_matching_and_adjustment_are_told_apart():
    note = run({"growth": GROWTH}, matched=frozenset({-2})).tests.iloc[0]["note"]
    assert note == "event times −4; matched on and left out: −2; adjusted for and left out: −3"


def test_what_covariates_fit_is_no_placebo():
    """Two years early the base is -3: growth from there to -1 is fitted, that to -2 is not."""
    rows = run({"growth": GROWTH}, window=(-3, 2), placebo_entry_years=2, average="event").estimates
    found = rows[rows["sample"] == "placebo_entry"].iloc[0]
    leads = rows[rows["sample"] == "all"].set_index("named")["estimate"]
    assert found["estimate"] == pytest.approx(leads["event[-2]"] - leads["event[-3]"])
    assert "the spec adjusts for or the design matched on: −1" in found["note"]
    every = run({"local": LOCAL}, placebo_entry_years=1).estimates
    missing = every[every["sample"] == "placebo_entry"].iloc[0]
    assert np.isnan(missing["estimate"]) and "the spec adjusts for this outcome" in missing["note"]


def test_a_zero_that_covariates_of_another_name_fit_leaves_the_joint_test():
    """A column that holds the outcome's own growth is not known by its settings."""
    named = {"growth": {**GROWTH, "column": "growth_delivered"}}
    test = run(named).tests.iloc[0]
    assert test["df"] == 2 and "without a standard error and left out: −3" in test["note"]


def test_specs_say_which_event_times_are_adjusted_for():
    results = run({"growth": GROWTH})
    specs = rows_with(results, SPECS)
    assert specs["adjusted_event_times"].tolist() == [packed_list([-3])]


def test_exhibits_say_so_and_take_no_lead_from_it():
    place = {"estimator": "stacked", "design": "covariates_lags"}
    plain = with_figures(study_results(), SPECS, place, matched_event_times=packed_list([]))
    fitted = with_figures(plain, SPECS, place, adjusted_event_times=packed_list([-2]))
    notes = " ".join(dynamic_effects(fitted)[0].notes)
    assert (
        "Adjusted for changes of the outcome itself, so that nothing can be seen: column 1" in notes
    )
    assert "years adjusted for left out" in notes and "Matched on" not in notes
    assert -2 in headline_pre_trends(plain, "sales_log").leads
    assert -2 not in headline_pre_trends(fitted, "sales_log").leads
