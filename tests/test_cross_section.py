"""Comparisons of outcomes after entry: equal to regressions by statsmodels, and said as such."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from bad_studies import LEVEL
from keyed import figure
from recovered import recovered
from results import study_results, with_figures
from stacked_tables import estimation, random_study, treatment
from told import estimate_specs

from pipeline.datasets.fits import FITS
from pipeline.datasets.reasons import packed_list
from pipeline.datasets.specs import SPECS
from pipeline.effects.study import prepare_study
from pipeline.errors import IdentificationError, ParamsError
from pipeline.exhibits.checks.cautions import study_cautions
from pipeline.exhibits.summary import summary
from pipeline.exhibits.tables.dynamic_effects import dynamic_effects
from pipeline.exhibits.tables.panels import Shown, lettered_panels
from pipeline.exhibits.words.main_notes import main_notes
from pipeline.exhibits.words.methods_paragraph import methods_sentences
from pipeline.exhibits.words.short_notes import short_notes
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.analysis_faults import Sections
from pipeline.params.cross_section_faults import cross_section_faults
from pipeline.params.estimate import EstimateSection
from pipeline.params.outcomes import OutcomesSection

SPEC = {"name": "levels", "estimator": "cross_section", "base_value": "unused"} | {
    "designs": ["matched"],
    "outcomes": "all",
    "terms": ["att", "event"],
    "cluster": "firm",
}


def section(*specs, **settings):
    both = [estimation().model_dump()["specs"][0] | {"average": "event"}, *specs]
    return EstimateSection.model_validate(estimation().model_dump() | {"specs": both} | settings)


def run(data, *specs, outcome=None, window=(-3, 2), **settings):
    panel, matches, weights = data
    study = prepare_study(
        panel,
        matches,
        weights,
        outcomes=OutcomesSection.model_validate({"sales": LEVEL | (outcome or {})}),
        treatment=treatment(*window),
        matched_times={},
        estimate=section(*(specs or [SPEC]), **settings),
    )
    return estimate_specs(study)


def rows_of(results, spec="levels"):
    rows = results.estimates[results.estimates["estimator"] == spec]
    return rows.set_index("named")


@pytest.fixture(scope="module")
def whole():
    """Return a panel without holes, in which sets of two entry years share firms."""
    return random_study(7, missing_share=0.0)


@pytest.fixture(scope="module")
def one_entry_year(whole):
    panel, matches, weights = whole
    entered = weights["stack"] == 2005
    return panel, matches[matches["stack"] == 2005], weights[entered]


def cross_section(data, year):
    """Return a row for each firm: weight, treatment, cluster, outcome at base and in a year."""
    panel, _, weights = data
    sales = panel.pivot(index="firm_id", columns="year", values="sales")
    own = weights.set_index("firm_id")
    after, base = sales[year].loc[own.index], sales[2004].loc[own.index]
    return own.assign(after=after, base=base, d=own["treated"].astype(float))


def least_squares(rows, columns, **errors):
    regressors = sm.add_constant(rows[columns])
    return sm.WLS(rows["after"], regressors, weights=rows["weight"]).fit(**errors)


def by(rows, name):
    return {"cov_type": "cluster", "cov_kwds": {"groups": pd.factorize(rows[name])[0]}}


@pytest.mark.parametrize("cluster", ["firm", "assignment"])
def test_a_difference_in_levels_is_that_of_a_weighted_regression(one_entry_year, cluster):
    found = rows_of(run(one_entry_year, SPEC | {"cluster": cluster}))
    for event_time in (0, 1, 2):
        rows = cross_section(one_entry_year, 2005 + event_time).reset_index()
        codes = by(rows, "firm_id" if cluster == "firm" else "cluster")
        expected = least_squares(rows, ["d"], **codes)
        own = found.loc[f"event[{event_time}]"]
        assert own["estimate"] == pytest.approx(expected.params["d"], rel=1e-9)
    # all event times are one regression in which each has its own constant and effect
    assert found.loc["att", "estimate"] == pytest.approx(
        found.loc[["event[0]", "event[1]", "event[2]"], "estimate"].mean()
    )


@pytest.mark.parametrize("cluster", ["firm", "assignment"])
def test_errors_are_those_of_a_clustered_regression(one_entry_year, cluster):
    found = rows_of(run(one_entry_year, SPEC | {"cluster": cluster}, window=(-3, 0)))
    rows = cross_section(one_entry_year, 2005).reset_index()
    codes = by(rows, "firm_id" if cluster == "firm" else "cluster")
    expected = least_squares(rows, ["d"], **codes)
    assert found.loc["att", "std_error"] == pytest.approx(expected.bse["d"], rel=1e-9)
    assert found.loc["att", "n_clusters"] == len(np.unique(codes["cov_kwds"]["groups"]))


def test_entry_years_count_by_their_treated_firms(whole):
    panel, matches, weights = whole
    found = rows_of(run(whole))
    effects, treated = [], []
    for year in (2004, 2005):
        own = (panel, matches[matches["stack"] == year], weights[weights["stack"] == year])
        effects.append(rows_of(run(own)).loc["event[1]", "estimate"])
        treated.append(int(own[2]["treated"].sum()))
    assert found.loc["event[1]", "estimate"] == pytest.approx(np.average(effects, weights=treated))


def test_an_outcome_that_is_not_observed_before_entry_is_compared_after_it():
    panel, matches, weights = random_study(3)
    late = panel.assign(sales=panel["sales"].where(panel["year"] >= 2005))
    results = run(
        (late, matches[matches["stack"] == 2005], weights[weights["stack"] == 2005]),
        SPEC,
        outcome={"post_only": True},
        missing="renormalise",
    )
    found, stacked = rows_of(results), rows_of(results, "main")
    assert set(stacked["reason"]) == {"observed_after_entry_only"}
    for time in (0, 1):
        sales = late[late["year"] == 2005 + time].set_index("firm_id")["sales"]
        rows = weights[weights["stack"] == 2005]
        rows = rows.assign(after=rows["firm_id"].map(sales))
        seen = rows[rows["after"].notna()].assign(d=rows["treated"].astype(float))
        expected = least_squares(seen, ["d"]).params["d"]
        assert found.loc[f"event[{time}]", "estimate"] == pytest.approx(expected)
    assert found.loc["event[1]", "n_treated"] > 0


def test_an_event_times_firms_are_those_seen_at_it():
    found, stacked = (rows_of(run(random_study(1)), name) for name in ("levels", "main"))
    counts = ["n_treated", "n_control"]
    assert found.loc["event[0]", "n_treated"] < found.loc["att", "n_treated"]
    events = [f"event[{time}]" for time in (0, 1, 2)]
    pd.testing.assert_frame_equal(found.loc[events, counts], stacked.loc[events, counts])


def test_levels_say_that_firms_without_a_base_value_are_left_out(one_entry_year):
    panel, matches, weights = one_entry_year
    lacking = panel["firm_id"].isin(weights.loc[~weights["treated"], "firm_id"].iloc[:2])
    holed = panel.assign(sales=panel["sales"].mask(lacking & (panel["year"] == 2004)))
    for data, n_lost in ((one_entry_year, 0), ((holed, matches, weights), 2)):
        results = run(data)
        assert figure(results, FITS, "n_without_base_value", estimator="levels") == n_lost
        note = rows_of(results).loc["att", "note"]
        assert ("not observed in the reference year are left out" in note) == bool(n_lost)
        assert "mean over event times" in note
    taken = run((holed, matches, weights), outcome={"post_only": True})
    assert "left out" not in rows_of(taken).loc["att", "note"]
    assert rows_of(taken).loc["att", "n_control"] > rows_of(results).loc["att", "n_control"]


def test_an_outcome_without_a_base_year_is_refused_until_it_is_said_to_be_so():
    panel, *rest = random_study(3)
    late = panel.assign(sales=panel["sales"].where(panel["year"] >= 2006))
    with pytest.raises(IdentificationError, match=r"set outcomes\.sales\.post_only to true"):
        run((late, *rest))


def faults(*specs, **outcome):
    outcomes = OutcomesSection.model_validate({"sales": LEVEL | outcome})
    return list(cross_section_faults(sections(outcomes, treatment(-1, 0), section(*specs))))


def sections(outcomes, treated, estimate):
    own = {"outcomes": outcomes, "treatment": treated, "estimate": estimate}
    return Sections(data=None, clean=None, **own)


def test_only_a_spec_of_levels_may_name_an_outcome_that_is_observed_after_entry_only():
    assert faults(SPEC, post_only=True) == []
    assert faults() == []
    (nobody,) = faults(post_only=True)
    assert "outcomes.sales.post_only: no spec compares levels after entry" in nobody
    named = estimation().model_dump()["specs"][0] | {"name": "own", "outcomes": ["sales"]}
    (fault,) = faults(SPEC, named, post_only=True)
    assert fault.startswith("estimate.specs.own.outcomes: sales is observed after entry only")


@pytest.fixture(scope="module")
def made():
    """Return results whose headline SPECS says to be a cross-section."""
    own = {"kind": "cross_section", "base": "none", "firm_effects": "none"}
    plain = study_results()
    return plain, with_figures(
        plain, SPECS, {"estimator": "stacked"}, **own, method=packed_list(["least_squares"])
    )


def said(results):
    shown = Shown({1: "sales_log"}, lettered_panels(results))
    notes = [*main_notes(results, shown), *short_notes(results, shown)]
    (table, *_) = dynamic_effects(results)
    return " ".join([*notes, *methods_sentences(results), *table.notes])


def test_levels_are_said_to_be_levels_and_no_trends_are_said_to_be_parallel(made):
    plain, levels = (said(results) for results in made)
    for words in (
        "difference in levels after entry between treated and comparison firms, which measures no",
        "Average difference after entry",
        "event times 0 to",
        "would have been at the same level after entry",
        "Differences at each year from entry on",
    ):
        assert words in levels
        assert words not in plain
    for words in ("would have moved alike", "relative to year", "before and after entry"):
        assert words not in levels
        assert words in plain


ANCOVA = SPEC | {"name": "ancova", "base_value": "covariate"}


@pytest.mark.parametrize("cluster", ["firm", "assignment"])
def test_the_base_value_as_covariate_is_that_of_a_weighted_regression(one_entry_year, cluster):
    found = rows_of(drawn(one_entry_year, ANCOVA | {"cluster": cluster}, window=(-3, 0)), "ancova")
    rows = cross_section(one_entry_year, 2005).reset_index()
    codes = by(rows, "firm_id" if cluster == "firm" else "cluster")
    expected = least_squares(rows, ["d", "base"], **codes)
    assert found.loc["att", "estimate"] == pytest.approx(expected.params["d"], rel=1e-9)
    assert found.loc["att", "std_error"] == pytest.approx(expected.bse["d"], rel=1e-9)
    assert found.loc["att", "estimate"] != pytest.approx(least_squares(rows, ["d"]).params["d"])


def drawn(data, *specs, assignment="random", window=(-3, 2), **settings):
    panel, matches, weights = data
    study = prepare_study(
        panel,
        matches,
        weights,
        outcomes=OutcomesSection.model_validate({"sales": LEVEL}),
        treatment=treatment(*window).model_copy(update={"assignment": assignment}),
        matched_times={},
        estimate=section(*specs, **settings),
    )
    return estimate_specs(study)


def test_a_base_value_that_does_not_vary_within_groups_changes_nothing(one_entry_year):
    panel, *rest = one_entry_year
    alike = panel.assign(sales=panel["sales"].where(panel["year"] != 2004, 5.0))
    found = drawn((alike, *rest), ANCOVA, SPEC)
    columns = ["estimate", "std_error", "n_obs"]
    own, plain = (rows_of(found, name)[columns] for name in ("ancova", "levels"))
    pd.testing.assert_frame_equal(own, plain)


def test_ancova_is_refused_where_support_was_not_assigned_at_random(one_entry_year):
    with pytest.raises(ParamsError, match=r"declare treatment\.assignment: random"):
        drawn(one_entry_year, ANCOVA, assignment=None)
    outcomes = OutcomesSection.model_validate({"sales": LEVEL})
    own = treatment(-1, 0)
    (fault,) = cross_section_faults(sections(outcomes, own, section(ANCOVA)))
    assert fault.startswith("estimate.specs.ancova.base_value: covariate (ANCOVA) is for support")
    random = own.model_copy(update={"assignment": "random"})
    assert list(cross_section_faults(sections(outcomes, random, section(ANCOVA)))) == []


def test_ancova_says_first_that_assignment_was_random(made):
    own = {"kind": "cross_section", "base": "covariate", "firm_effects": "none"}
    ancova = with_figures(made[0], SPECS, {"estimator": "stacked"}, **own)
    shown = Shown({1: "sales_log"}, lettered_panels(ancova))
    for notes in (main_notes(ancova, shown), short_notes(ancova, shown), methods_sentences(ancova)):
        assert notes[0].startswith("Support was assigned at random")
    assert "would have been alike after entry" in methods_sentences(ancova)[-1]
    assert "(ANCOVA)" in said(ancova)
    assert "ANCOVA" not in said(made[0])


DIFFERENCE = SPEC | {"name": "difference", "base_value": "subtracted"}
BASES = {"unused": ["d"], "covariate": ["d", "base"], "subtracted": ["d"]}


def by_firm(data):
    """Return a study whose assignment clusters are firms, each in one entry year."""
    panel, matches, weights = data
    own = panel.assign(cluster=panel["firm_id"])
    own["cluster_entry"] = cluster_entry(own)
    return own, matches, weights.assign(cluster=weights["firm_id"])


def test_one_difference_a_firm_is_what_stacked_finds(whole):
    found = run(whole, DIFFERENCE)
    own, stacked = rows_of(found, "difference"), rows_of(found, "main")
    for term in ("att", "event[0]", "event[2]"):
        assert own.loc[term, "estimate"] == pytest.approx(stacked.loc[term, "estimate"], rel=1e-9)


@pytest.mark.parametrize("base_value", BASES)
def test_hc3_errors_are_those_of_statsmodels(one_entry_year, base_value):
    data = by_firm(one_entry_year)
    asked = DIFFERENCE | {"base_value": base_value, "inference": "hc3", "terms": ["att"]}
    results = drawn(data, asked, window=(-3, 0))
    (own,) = rows_of(results, "difference").to_dict("records")
    rows = cross_section(data, 2005).reset_index()
    rows["after"] -= rows["base"] if base_value == "subtracted" else 0.0
    expected = least_squares(rows, BASES[base_value], cov_type="HC3")
    assert own["estimate"] == pytest.approx(expected.params["d"], rel=1e-9)
    assert own["std_error"] == pytest.approx(expected.bse["d"], rel=1e-9)
    assert (own["inference"], own["df"]) == ("hc3", len(rows) - 1)
    assert "HC3 errors, firms independent" in own["note"]
    (ran,) = results.details[SPECS.name].query("estimator == 'difference'").to_dict("records")
    assert (ran["variance"], ran["inference"]) == ("hc3", '["hc3"]')


def test_an_average_over_event_times_sums_a_firms_own(one_entry_year):
    """Event times share no coefficient, so that a firm's residuals are left out one by one."""
    data = by_firm(one_entry_year)
    asked = DIFFERENCE | {"inference": "hc3"}
    found = rows_of(run(data, asked, window=(-3, 1)), "difference")
    influence = np.zeros(len(data[2]))
    for year in (2005, 2006):
        rows = cross_section(data, year)
        rows["after"] -= rows["base"]
        fit = least_squares(rows, ["d"])
        scaled = fit.model.wexog
        hat = ((scaled @ fit.normalized_cov_params.to_numpy()) * scaled).sum(axis=1)
        weighted = rows["weight"] * (rows["after"] - fit.fittedvalues)
        x = sm.add_constant(rows[["d"]]).to_numpy() @ fit.normalized_cov_params.to_numpy()
        influence += x[:, 1] * weighted.to_numpy() / (1 - hat) / 2
    assert found.loc["att", "std_error"] == pytest.approx(np.sqrt((influence**2).sum()), rel=1e-9)


def test_hc3_has_no_error_where_a_firm_is_alone_in_its_group_of_a_cell(one_entry_year):
    panel, *joined = by_firm(one_entry_year)
    treated = joined[1].loc[joined[1]["treated"], "firm_id"].unique()
    unseen = panel["firm_id"].isin(treated[1:]) & (panel["year"] == 2006)
    data = (panel.assign(sales=panel["sales"].mask(unseen)), *joined)
    found = rows_of(run(data, DIFFERENCE | {"inference": "hc3"}, window=(-3, 1)), "difference")
    assert found.loc["event[0]", "std_error"] > 0
    for term in ("att", "event[1]"):
        assert np.isfinite(found.loc[term, "estimate"]) and np.isnan(found.loc[term, "std_error"])
    assert found.loc["att", "reason"] == "fitted_by_itself"


def test_hc3_is_refused_where_firms_are_not_independent(whole, one_entry_year):
    asked = DIFFERENCE | {"inference": "hc3"}
    with pytest.raises(IdentificationError, match="support was assigned by cluster") as caught:
        run(one_entry_year, asked)
    assert "use inference: analytic with cluster: assignment" in str(caught.value)
    with pytest.raises(IdentificationError, match="some comparison firm serves two entry years"):
        run(by_firm(whole), asked)
    with pytest.raises(IdentificationError, match="hc3 goes with cluster: firm, not assignment"):
        run(by_firm(one_entry_year), asked | {"cluster": "assignment"})
    with pytest.raises(ValueError, match="hc3 is for one value per firm"):
        section({"name": "own", **estimation().model_dump()["specs"][0], "inference": "hc3"})


def test_the_truth_stands_beside_effects_with_hc3_errors(one_entry_year):
    panel, matches, weights = by_firm(one_entry_year)
    entered = panel["cohort"].notna() & (panel["year"] >= panel["cohort"]).fillna(False)
    gained = panel.assign(sales=panel["sales"] + 2.0 * entered)
    estimate = section(DIFFERENCE | {"inference": "hc3"})
    found = recovered(gained, panel, matches, weights, estimate).set_index(["estimator", "named"])
    assert found.loc[("difference", "att"), "truth"] == pytest.approx(2.0)
    assert found.loc[("difference", "att"), "std_error"] > 0


def test_hc3_errors_are_said_to_be_so(made):
    own = {"kind": "cross_section", "base": "reference_year", "variance": "hc3"}
    hc3 = said(with_figures(made[0], SPECS, {"estimator": "stacked"}, **own))
    assert "standard errors HC3, firms taken as independent" in hc3
    assert "less than firms, conditional on the match" in hc3
    assert "one difference per firm, HC3 errors" in hc3
    assert "would have moved alike" in hc3
    assert "HC3" not in said(made[0])


@pytest.mark.parametrize(
    ("base", "codes"),
    [("none", ["levels_only"]), ("covariate", []), ("reference_year", ["no_look_before"])],
)
def test_no_trends_are_asked_about_where_no_change_is_measured(made, base, codes):
    """Levels matter, unless support was assigned at random; a change without leads does too."""
    own = {"kind": "cross_section", "base": base, "firm_effects": "none"}
    changed = with_figures(made[0], SPECS, {"estimator": "stacked"}, **own)
    table = changed.estimates
    after = table["event_time"].isna() | (table["event_time"] >= 0)
    tests = changed.tests
    untested = tests[tests["test"] != "pre_trends"]
    alone = dataclasses.replace(changed, estimates=table[after], tests=untested)
    with alone.speaking():
        found = {c.code for c in study_cautions(alone) if c.outcome == "sales_log"}
        text = summary(alone)
    looks = found & {"levels_only", "no_look_before", "gap_before", "look_hidden"}
    assert sorted(looks) == codes
    assert ("Pre-trends" in text) == (base == "reference_year")
