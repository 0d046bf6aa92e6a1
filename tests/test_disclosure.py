"""Disclosure control: small counts, what tells them, means near each other, dominance, manifest."""

import csv
import dataclasses
import io
import itertools

import numpy as np
import pandas as pd
import pytest
from published import build_exhibits
from results import OUTCOMES, made_score_bins, said, study_results, with_details, with_figures

from pipeline.datasets.balance import BALANCE_SUMMARY, DIFFERENCES, SUPPORT
from pipeline.datasets.details import DETAILS
from pipeline.datasets.dominance import largest_share
from pipeline.datasets.fits import (
    DECOMPOSED_KINDS,
    DECOMPOSITION,
    DETECTABLE,
    FITS,
    PRE_TREND_POWER,
    UNIT_DEPENDENCE,
)
from pipeline.datasets.panel import FROM_FIRST_ENTRY, YEAR
from pipeline.datasets.samples import BASELINES, CONCENTRATION
from pipeline.datasets.selection import SCORE_LOSSES
from pipeline.datasets.small_counts import protected, step_runs
from pipeline.datasets.store import as_stored, columns_that_tell
from pipeline.effects.description import largest_shares
from pipeline.errors import Reason
from pipeline.exhibits.checks.cautions import study_cautions
from pipeline.exhibits.inputs import Dominance
from pipeline.exhibits.summary import summary
from pipeline.exhibits.tables.table import HIDDEN
from pipeline.exhibits.words.caution_words import cautions_said
from pipeline.publishing.disclosure.details import _OF_DESIGN, _OF_MODEL, hide_single_firms
from pipeline.publishing.disclosure.dominance import dominated
from pipeline.publishing.disclosure.groups import hide_group_tests, is_second, second_groups
from pipeline.publishing.disclosure.losses import REASONS, hide_steps, hide_support
from pipeline.publishing.disclosure.samples import hide_paths
from pipeline.publishing.disclosure.score_shares import score_shares
from pipeline.publishing.disclosure.vet import vet
from pipeline.publishing.study import study_tables


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ([[9, 0, 1], [20, 7, 30]], [[1, 0, 1], [1, 0, 1]]),
        ([[9, 0, 12], [20, 7, 30]], [[0, 0, 0], [0, 0, 0]]),
        ([[0, 0, 4]], [[1, 0, 1]]),
    ],
)
def test_a_small_cell_is_never_alone_in_its_line(counts, hidden):
    assert protected(np.array(counts, float), 5).astype(int).tolist() == hidden


@pytest.mark.parametrize("seed", range(20))
def test_no_hidden_cell_follows_from_totals(seed):
    counts = np.random.default_rng(seed).integers(0, 12, size=(4, 3)).astype(float)
    hidden = protected(counts, 5)
    assert hidden[(counts > 0) & (counts < 5)].all()
    assert not (hidden.sum(axis=1) == 1).any()
    assert not (hidden.sum(axis=0) == 1).any()


@pytest.mark.parametrize(
    ("losses", "runs"),
    [
        ([0, 10, 0], [(0, 1), (1, 2), (2, 3)]),
        ([2, 10], [(0, 2)]),
        ([10, 2], [(0, 2)]),
        ([10, 2, 2, 1, 8], [(0, 1), (1, 4), (4, 5)]),
        ([3], [(0, 1)]),
    ],
)
def test_steps_are_joined_until_their_loss_is_no_small_count(losses, runs):
    found = step_runs(np.array(losses, float)[:, None], 5)
    assert [(run.start, run.stop) for run in found] == runs


def test_steps_that_lost_few_are_hidden_and_cannot_be_told():
    results = study_results()
    first, second = results.sample_flow.iloc[0], results.sample_flow.iloc[1]
    third = second.copy()
    third["step"], third["rule"] = 3, "every_year"
    for name in ("firms", "firm_years", "treated_firms", "comparison_firms"):
        third[name] = second[name] - 2
        third[f"{name}_lost"] = 2
    flow = pd.DataFrame([first, second, third])
    shown = hide_steps(flow, 5)
    assert shown.loc[1:, "firms_lost"].isna().all()
    assert shown["firms"].isna().tolist() == [False, True, False]
    assert hide_steps(flow.iloc[:2], 5).equals(hide_steps(flow.iloc[:2], 1))


def support(counts):
    rows = [
        {"design": "a", "stack": s, "fate": f, "covariate": "x", "n_treated": n, "mean": 1.5}
        for (s, f), n in counts.items()
    ]
    return pd.DataFrame(rows)


def test_a_hidden_reason_hides_a_second_one_and_their_means():
    table = support(
        {
            ("2009", "kept"): 50,
            ("2009", "no_covariate"): 9,
            ("2009", "no_match"): 1,
            ("2009", "lost"): 10,
            ("all", "kept"): 50,
            ("all", "no_covariate"): 9,
            ("all", "no_match"): 1,
            ("all", "lost"): 10,
        }
    )
    shown, hidden = hide_support(table, 5)
    found = shown.set_index(["stack", "fate"])["n_treated"]
    assert found.loc["2009"].isna().to_dict() == {
        "kept": False, "no_covariate": True, "no_match": True, "lost": False,
    }  # fmt: skip
    assert ("a", "all", "no_match") in hidden
    assert shown["mean"].isna().equals(shown["n_treated"].isna())
    assert hide_support(table, 1)[0]["mean"].notna().all()


def test_a_hidden_zero_has_a_row_so_that_its_absence_does_not_tell():
    table = support({("2009", "kept"): 50, ("2009", "no_match"): 4, ("2009", "lost"): 4})
    table = pd.concat([table, table.assign(stack="all")], ignore_index=True)
    shown, _ = hide_support(table, 5)
    assert shown.loc[shown["fate"] == "no_covariate", "n_treated"].isna().all()
    assert (shown["fate"] == "no_covariate").sum() == 2


def test_a_fate_that_nobody_protects_is_refused():
    table = support({("2009", "kept"): 50, ("2009", "left_the_country"): 2})
    with pytest.raises(ValueError, match="left_the_country is no fate whose counts are protected"):
        hide_support(table, 5)


def test_every_reason_for_a_loss_is_hidden_where_details_tell_it():
    assert {*_OF_MODEL, *_OF_DESIGN} == set(REASONS)


def test_a_mean_over_few_firms_is_hidden_with_their_number():
    rows = [("x", d, True, 0, 1.0, n) for d, n in (("a", 57), ("few", 3))]
    columns = ["outcome", "design", "treated", "event_time", "mean", "n_firms"]
    shown = hide_paths(pd.DataFrame(rows, columns=columns), 5).set_index("design")
    assert shown["mean"].isna().to_dict() == {"a": False, "few": True}
    assert shown["n_firms"].isna().to_dict() == {"a": False, "few": True}


def test_a_difference_that_is_hidden_is_in_no_mean_of_differences():
    results = study_results()
    one = (results.balance["design"] == "covariates") & (results.balance["covariate"] == "age")
    results.balance.loc[one & (results.balance["sample"] == "after"), "n_treated"] = 3
    shown = vet(results).details.of(BALANCE_SUMMARY).set_index(["design", "sample"])
    hidden = shown[list(DIFFERENCES)].isna()
    assert hidden.loc[("covariates", "after")].all()
    assert not hidden.drop(index=("covariates", "after")).any(axis=None)


def test_estimates_on_few_firms_are_replaced_by_the_reason():
    results = study_results()
    estimates = results.estimates.copy()
    few = (estimates["design"] == "covariates") & (estimates["outcome"] == "sales_log")
    estimates.loc[few, "n_treated"] = 3
    shown = vet(dataclasses.replace(results, estimates=estimates)).estimates
    assert shown.loc[few, "estimate"].isna().all()
    assert set(shown.loc[few, "reason"]) == {"few_firms_in_group"}
    assert set(shown.loc[few, "reason_fields"]) == {'{"least": 5}'}
    assert shown.loc[few, "remarks"].isna().all()
    assert shown.loc[~few].equals(estimates.loc[~few])


def test_the_largest_share_and_the_rule():
    by = [pd.Series(["a", "a", "b", "b"], name="g")]
    share = largest_share(pd.Series([9.0, 1.0, 5.0, 5.0]), by)
    assert share.to_dict() == {"a": 90.0, "b": 50.0}
    table = share.rename("share").reset_index()
    assert dominated(pd.DataFrame({"g": ["b", "a", "c"]}), table, ["g"], 50).tolist() == [
        False, True, False,
    ]  # fmt: skip


def with_support(results):
    """Return the results with SUPPORT of two covariates, and dominance measured."""
    fates = {"kept": 400, "no_covariate": 10, "no_match": 20, "lost": 30}
    rows = [
        {"design": "covariates", "stack": stack, "fate": name, "covariate": covariate}
        | {"n_treated": n, "mean": 7.5}
        for stack in ("2009", "all")
        for name, n in fates.items()
        for covariate in ("age", "sales_lag")
    ]
    shown = dataclasses.replace(results, support=as_stored(SUPPORT, pd.DataFrame(rows)))
    return with_dominance(shown, 40.0)


@pytest.mark.parametrize(("minimum", "shown"), [(1, 1), (2, 0), (5, 0)])
def test_what_one_firm_has_is_published_in_bands_only(minimum, shown):
    place = {"design": "covariates", "outcome": "sales_log", "grouping": "all", "treated": True}
    shares = largest_shares(np.full(10, 0.1))
    made = with_details(study_results(), CONCENTRATION, [place | shares])
    found = hide_single_firms(made.details, minimum).of(CONCENTRATION)
    columns = ["largest_firm_share", "largest_five_share"]
    assert found[columns].notna().sum().tolist() == [shown, shown]
    bands = found[["largest_firm_band", "largest_five_band"]].iloc[0].tolist()
    assert bands == ["from_10_to_25", "above_50"]
    telling = {table.name: columns_that_tell(table, "one_firm") for table in DETAILS}
    assert telling["MATCHED"] == ["max_distance"]


def test_the_years_of_few_are_hidden_with_their_count():
    issues = study_results().issues
    rows = pd.DataFrame(
        {
            "issue": [1, 2, 3],
            "rule": "missing_value",
            "column": "sales",
            "count": [2, 9, 9],
            "firms": [2, 9, 3],
            "first_year": 1999,
            "last_year": 2001,
            "action": "kept_missing",
        }
    ).assign(action="kept")
    issues = rows.reindex(columns=issues.columns)
    shown = vet(dataclasses.replace(study_results(), issues=issues)).issues
    # nine values of three firms tell of three
    for name in ("count", "firms", "first_year", "last_year"):
        assert shown[name].isna().tolist() == [True, False, True]


def with_dominance(results, percent):
    key = {"outcome": "sales_log", "design": "covariates_lags", "estimator": None}
    key |= {"treated": False, "event_time": -1}
    outcomes = pd.DataFrame([{**key, "share": percent}])
    place = {"design": "covariates", "stack": "all", "covariate": "age", "sample": "before"}
    covariates = pd.DataFrame([{**place, "treated": True, "share": percent}])
    panel = pd.DataFrame(columns=["column", "scope", "first_year", "treated", "share"])
    return dataclasses.replace(results, dominance=Dominance(outcomes, covariates, panel))


def test_a_dominated_mean_is_hidden_with_its_counterpart():
    results = study_results()
    calm, dominated_results = (vet(with_dominance(results, p)) for p in (40.0, 60.0))
    key = {"design": "covariates_lags", "outcome": "sales_log", "treated": False}
    assert not calm.details.figure(BASELINES, "mean", **key).hidden
    assert dominated_results.details.figure(BASELINES, "mean", **key).hidden
    rows = dominated_results.balance.set_index(["design", "covariate", "sample"])
    assert (
        rows.loc[("covariates", "age", "before"), ["mean_treated", "mean_control"]]
        .isna()
        .all(axis=None)
    )


@pytest.mark.parametrize(
    ("transform", "percent", "hidden"),
    [
        ("level", 80.0, True),
        ("level", 70.0, False),
        ("log", 80.0, False),
        ("asinh", 80.0, True),
        ("asinh", 70.0, False),
    ],
)
def test_an_effect_in_levels_that_one_firm_makes_is_hidden_in_that_design(
    transform, percent, hidden
):
    """The share is of one group's total at the reference year, which every effect is against."""
    outcomes = OUTCOMES | {"sales_log": OUTCOMES["sales_log"] | {"transform": transform}}
    made = with_dominance(study_results(outcomes), percent)
    shown = vet(made).estimates
    own = (shown["design"] == "covariates_lags") & (shown["outcome"] == "sales_log")
    own &= made.estimates["estimate"].notna()
    assert own.any()
    assert shown.loc[own, "estimate"].isna().all() == hidden
    assert shown.loc[own, "estimate"].isna().any() == hidden
    assert not (shown.loc[~own, "reason"] == "one_firm_dominates").any()


@pytest.mark.parametrize(("share", "hidden"), [(80.0, True), (70.0, False)])
def test_effects_by_weights_that_are_mostly_one_firms_are_hidden_on_any_scale(share, hidden):
    results = with_dominance(study_results(), 40.0)
    spec = results.settings.estimate.headline.spec
    outcomes = results.dominance.outcomes
    row = outcomes.assign(estimator=spec, treated=True, event_time=-1, share=share)
    dominance = dataclasses.replace(results.dominance, outcomes=pd.concat([outcomes, row]))
    shown, plain = vet(dataclasses.replace(results, dominance=dominance)), vet(results)
    table = plain.estimates
    own = (table["estimator"] == spec) & (table["design"] == row["design"].item())
    own &= (table["outcome"] == "sales_log") & table["estimate"].notna()
    assert own.any() and shown.estimates.loc[own, "estimate"].isna().all() == hidden
    assert (shown.estimates.loc[own, "reason"] == "one_firm_dominates").all() == hidden
    assert shown.estimates[~own].equals(table[~own])
    assert shown.paths.equals(plain.paths), "means are not by the weights of a spec"
    assert shown.details.of(BASELINES).equals(plain.details.of(BASELINES))


@pytest.mark.parametrize(
    ("transform", "estimator", "term"),
    [("asinh", "cells", "att"), ("proportional", "margins", "log1p")],
)
@pytest.mark.parametrize(("percent", "shown"), [(70.0, True), (80.0, False)])
def test_in_a_million_of_the_unit_no_scale_tells_a_level_that_one_firm_makes(
    transform, estimator, term, percent, shown
):
    """The effect on asinh(y / 1,000,000), times a million, is the effect on y."""
    outcomes = OUTCOMES | {"sales_log": OUTCOMES["sales_log"] | {"transform": transform}}
    place = {"design": "covariates_lags", "outcome": "sales_log"} | {
        "estimator": estimator,
        "term": term,
    }
    results = with_dominance(study_results(outcomes), percent)
    row = results.estimates[results.estimates["estimate"].notna()].head(1).assign(**place)
    results = dataclasses.replace(
        results, estimates=pd.concat([results.estimates, row], ignore_index=True)
    )
    told = {"x100": 0.2, "per_million": 0.1}
    details = vet(with_details(results, UNIT_DEPENDENCE, [place | told])).details
    for column in told:
        assert details.figure(UNIT_DEPENDENCE, column, **place).known == shown


@pytest.mark.parametrize("scope", [YEAR, FROM_FIRST_ENTRY])
def test_a_dominated_mean_of_a_year_is_hidden_with_those_of_several_years(scope):
    """The years from the first entry on begin with 2009 too: their mean is of other firm-years."""
    results = with_dominance(study_results(), 40.0)
    cell = {"column": "sales", "scope": scope, "first_year": 2009, "treated": True}
    gone = {}
    for percent in (40.0, 60.0):
        panel = pd.DataFrame([cell | {"share": percent}])
        dominance = dataclasses.replace(results.dominance, panel=panel)
        profile = vet(dataclasses.replace(results, dominance=dominance)).profile
        own = profile[profile["mean"].isna() & profile["std_dev"].isna()]
        gone[percent] = own[own["column"] != "cohort"]
    assert gone[40.0].empty
    assert set(gone[60.0]["column"]) == {"sales"} and gone[60.0]["treated"].all()
    years = gone[60.0].loc[gone[60.0]["scope"] == YEAR, "first_year"].tolist()
    assert years == ([2009] if scope == YEAR else [])
    assert FROM_FIRST_ENTRY in set(gone[60.0]["scope"])


def test_tables_mark_what_is_hidden_and_say_why():
    few, enough = (
        with_figures(study_results(), SCORE_LOSSES, {"treated": True}, n_off_support=number)
        for number in (2, 5)
    )
    hidden = [
        sum(cell is HIDDEN for row in shown.rows() for cell in row.cells)
        for results in (few, enough)
        for shown in [study_tables(vet(results))["sample_flow"]]
    ]
    assert hidden[0] > hidden[1]
    table = study_tables(vet(few))["sample_flow"]
    assert any(note.startswith("c: not shown") and "fewer than 5" in note for note in table.notes)


def test_no_bin_of_the_overlap_figure_tells_of_few_firms():
    counted = made_score_bins(np.random.default_rng(1))
    bins = score_shares(counted, "lags", 5)
    n_treated = int(counted.loc[counted["model"].eq("lags") & counted["treated"], "n_firms"].sum())
    counts = (bins["share_treated"] * n_treated).to_numpy()
    assert bins["share_treated"].sum() == pytest.approx(1)
    run = np.flatnonzero(np.diff(counts, prepend=-1, append=-1))
    sums = [counts[a:b].sum() for a, b in itertools.pairwise(run)]
    assert all(total < 1e-9 or total > 5 - 1e-9 for total in sums)


def test_the_manifest_lists_every_file_and_no_small_count():
    files = build_exhibits(with_support(study_results(figures=[])))
    rows = list(csv.DictReader(io.StringIO(files["manifest.csv"].decode())))
    assert {row["file"] for row in rows} == set(files) - {"manifest.csv"}
    for row in rows:
        assert row["smallest_count"] == "" or int(row["smallest_count"]) >= 5
        assert row["dominance_checked"] in {"checked", "no_magnitudes"}
    checked = {row["file"]: row["dominance_checked"] for row in rows}
    assert checked["results/baselines.csv"] == checked["results/balance.csv"] == "checked"
    assert checked["results/samples.csv"] == "no_magnitudes"
    assert checked["results/support.csv"] == checked["tables/support.csv"] == "checked"
    smallest = {row["file"]: row["smallest_count"] for row in rows}
    assert smallest["results/score_losses.csv"] == "40", "not the few, which are hidden"
    unchecked = build_exhibits(study_results(figures=[]))["manifest.csv"].decode()
    assert "results/balance.csv" in unchecked and ",not_checked\n" in unchecked


def groups(sizes, outcome="sales_log", without=0.0):
    """Return ESTIMATES, GROUPING_LOSSES and TESTS of one grouping; a missing size is not shown."""
    names = list(sizes)
    estimates = pd.DataFrame(
        {
            "outcome": outcome,
            "design": "d",
            "estimator": "groups",
            "grouping": "size",
            "subgroup": names,
            "n_treated": pd.array(list(sizes.values()), dtype="Int64"),
        }
    )
    lost = {"design": "d", "estimator": "groups", "grouping": "size", "treated": True}
    tests = pd.DataFrame(
        {
            "outcome": outcome,
            "design": "d",
            "estimator": "groups",
            "grouping": "size",
            "subgroup": [*names, "all"],
            "test": [*("q_value" for _ in names), "equality"],
            "statistic": 2.5,
            "df_denominator": 61.0,
            "p_value": 0.04,
            **said(None, Reason("benjamini_hochberg_groups", {"n": 3})),
        }
    )
    return estimates, pd.DataFrame([lost | {"n_firms": without}]), tests


@pytest.mark.parametrize(
    ("sizes", "without", "second"),
    [
        ({"a": None, "b": 30, "c": 20}, 0, {"c"}),
        ({"a": None, "b": 30, "c": None}, 0, set()),
        ({"a": 10, "b": 30, "c": 20}, 0, set()),
        ({"a": 10, "b": 30, "c": 20}, 3, {"a"}),
        ({"a": None, "b": 30, "c": 20}, 3, set()),
        ({"a": None, "b": 30, "c": 20}, 9, {"c"}),
        ({"a": None}, 0, set()),
    ],
)
def test_no_group_that_is_not_shown_is_alone(sizes, without, second):
    estimates, losses, _ = groups(sizes, without=float(without))
    found = second_groups(estimates, losses, 5)
    assert {group for *_, group in found} == second
    assert is_second(estimates, found).sum() == len(second)


def test_every_outcome_hides_the_same_second_group():
    """By their own sizes it would be b for sales and c for jobs; each then tells the other's."""
    sales, losses, _ = groups({"a": None, "b": 20, "c": 21})
    jobs, _, _ = groups({"a": None, "b": 22, "c": 21}, outcome="employment_log")
    found = second_groups(pd.concat([sales, jobs]), losses, 5)
    assert found == {("sales_log", "d", "size", "b"), ("employment_log", "d", "size", "b")}


def test_tests_do_not_count_the_clusters_of_a_hidden_group():
    tests = groups({"a": None, "b": 30, "c": 20})[2]
    shown = hide_group_tests(tests, {("sales_log", "d", "size", "c")}).set_index("subgroup")
    assert np.isnan(shown.loc["c", "p_value"])
    assert shown.loc["c", "reason"] == "tells_group_size"
    assert shown.loc["b", ["statistic", "p_value"]].tolist() == [2.5, 0.04]
    assert shown.loc["all", ["statistic", "df_denominator"]].isna().all()
    assert shown.loc["all", "p_value"] == 0.04


def with_few(results, chosen):
    """Return the results with three treated firms behind the chosen rows of ESTIMATES."""
    estimates = results.estimates.copy()
    estimates.loc[chosen(estimates), "n_treated"] = 3
    return dataclasses.replace(results, estimates=estimates)


PLACE = {"design": "covariates", "outcome": "sales_log"}
STACKED = PLACE | {"estimator": "stacked"}


def test_no_pre_trend_test_tells_a_lead_that_is_not_shown():
    row = STACKED | {"power": 0.5, "slope_jointly": 0.1, "slope_by_any": 0.1, "scale": "share"}
    results = with_details(study_results(), PRE_TREND_POWER, [row])
    here = (results.tests["design"] == "covariates") & (results.tests["outcome"] == "sales_log")
    here &= (results.tests["test"] == "pre_trends") & (results.tests["estimator"] == "stacked")
    assert results.tests.loc[here, "p_value"].notna().all() and here.any()

    def leads(rows):
        at = (rows["design"] == "covariates") & (rows["outcome"] == "sales_log")
        return at & (rows["event_time"] < -1).fillna(False)

    shown = vet(with_few(results, leads))
    assert shown.tests.loc[here, ["p_value", "statistic", "df_denominator"]].isna().all(axis=None)
    assert set(shown.tests.loc[here, "reason"]) == {"tells_hidden_effect"}
    assert shown.tests.loc[~here].equals(results.tests.loc[~here])
    for name in ("slope_jointly", "slope_by_any"):
        assert results.details.figure(PRE_TREND_POWER, name, **STACKED, power=0.5).known
        assert shown.details.figure(PRE_TREND_POWER, name, **STACKED, power=0.5).hidden
    one = vet(with_few(results, lambda rows: leads(rows) & (rows["event_time"] == -2)))
    assert one.tests.equals(results.tests), "another lead is shown, and the test is of several"


def test_no_detectable_effect_tells_a_hidden_error_or_baseline():
    other = {"grouping": "all", "effect": 0.2, "scale": "log_points"}
    rows = [
        STACKED | other | {"treated_clusters": 5},
        PLACE | {"estimator": "twoway"} | other | {"effect_in_unit": 9.0, "unit": "US$"},
    ]
    unknown = PLACE | {"treated": True, "mean": None, "unit": "US$"}
    results = with_details(with_details(study_results(), DETECTABLE, rows), BASELINES, [unknown])
    plain = vet(results).details
    in_unit = plain.detectable("effect_in_unit", PLACE | {"estimator": "twoway"})
    assert np.isnan(in_unit), "divided by exp(effect) - 1 it is the mean"
    assert plain.detectable("effect", STACKED, 5) == 0.2
    shown = vet(
        with_few(
            results,
            lambda rows: (
                (rows["design"] == "covariates")
                & (rows["outcome"] == "sales_log")
                & (rows["term"] == "att")
            ),
        )
    ).details
    for number in (None, 5):
        assert np.isfinite(results.details.detectable("effect", STACKED, number))
        assert np.isnan(shown.detectable("effect", STACKED, number))
    assert np.isfinite(shown.detectable("effect", STACKED | {"design": "covariates_lags"}))


@pytest.mark.parametrize("column", ["att_order_low", "att_order_high", "att_rows_reversed"])
def test_no_range_over_orders_tells_a_hidden_average(column):
    results = with_details(study_results(), FITS, [STACKED | {column: 0.1}])
    few = with_few(results, lambda rows: rows["term"] == "att")
    assert vet(results).details.figure(FITS, column, **STACKED).value == 0.1
    assert vet(few).details.figure(FITS, column, **STACKED).hidden


def test_no_decomposition_tells_a_hidden_average():
    kind = STACKED | {"kind": "all"}
    pair = STACKED | {"cohort": 2009, "control": pd.NA}
    results = with_details(study_results(), DECOMPOSED_KINDS, [kind | {"estimate": 0.1}])
    results = with_details(results, DECOMPOSITION, [pair | {"kind": "never", "estimate": 0.1}])
    few = with_few(results, lambda rows: rows["term"] == "att")
    for table in (DECOMPOSED_KINDS, DECOMPOSITION):
        (before,), (after,) = (vet(r).details.of(table)["estimate"] for r in (results, few))
        assert before == 0.1 and np.isnan(after)
    tests = few.tests.head(1).assign(**STACKED, test="goodman_bacon", statistic=0.1)
    shown = vet(dataclasses.replace(few, tests=pd.concat([few.tests, tests]))).tests.iloc[-1]
    assert np.isnan(shown["statistic"]) and shown["reason"] == "tells_hidden_effect"


@pytest.mark.parametrize(("n_treated", "shown"), [(30, True), (3, False)])
def test_no_other_unit_tells_a_hidden_effect(n_treated, shown):
    results = study_results()
    margins = PLACE | {"estimator": "margins", "term": "asinh"}
    one = results.estimates[results.estimates["estimate"].notna()].head(1)
    row = one.assign(**margins, n_treated=n_treated)
    both = pd.concat([results.estimates, row], ignore_index=True)
    told = with_details(results, UNIT_DEPENDENCE, [margins | {"x100": 0.2, "per_million": 0.1}])
    details = vet(dataclasses.replace(told, estimates=both)).details
    for column in ("x100", "per_million"):
        assert details.figure(UNIT_DEPENDENCE, column, **margins).known == shown


def test_no_test_tells_of_a_group_that_is_too_small_to_show():
    results = study_results()
    sizes = {"a": 3, "b": 30, "c": 20}
    rows, _, tests = groups(sizes)
    rows = rows.assign(
        design="covariates", sample="all", arm="all", term="att", estimate=0.1, n_control=30
    )
    named = {"design": "covariates", "sample": "all", "arm": "all"}
    results = dataclasses.replace(
        results,
        estimates=pd.concat([results.estimates, rows], ignore_index=True),
        tests=pd.concat([results.tests, tests.assign(**named)], ignore_index=True),
    )
    place = PLACE | {"estimator": "groups", "grouping": "size"}
    difference = place | {"effect": 0.2, "scale": "log_points"}
    results = with_details(results, DETECTABLE, [difference])
    shown = vet(results)
    p_values = shown.tests[shown.tests["estimator"] == "groups"].set_index("subgroup")["p_value"]
    assert p_values.isna().to_dict() == {"a": True, "b": False, "c": True, "all": False}
    assert np.isnan(shown.details.detectable("effect", place))


def test_what_is_not_published_is_marked_and_never_said_to_be_unseen():
    def leads(rows):
        return (rows["outcome"] == "sales_log") & (rows["event_time"] < -1).fillna(False)

    shown = vet(with_few(study_results(), leads))
    tables = study_tables(shown)
    dynamic, main = tables["dynamic_effects"], tables["main_effects"]
    assert dynamic.rows()[0].cells[0] is HIDDEN and dynamic.foot[0].cells[0] is HIDDEN
    assert HIDDEN in [row.cells[0] for row in main.rows() if row.label == "Pre-trend p"]
    assert "c: not shown" in " ".join(dynamic.notes)
    assert "no pre-trend test, not published" not in " ".join(main.notes)
    assert "not published for Annual sales" in summary(shown)
    told = [one.sentence for one in cautions_said(shown, study_cautions(shown))]
    assert any(text.startswith("Effects before entry are not published: ") for text in told)
    place = {"outcome": "sales_log", "design": "covariates", "estimator": "stacked"}
    told = [shown.details.detectable("effect", place, event_time=time) for time in (-3, -2, None)]
    assert np.isnan(told).tolist() == [True, True, False]
