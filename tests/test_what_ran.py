"""SPECS says of every spec what ran, option by option."""

from dataclasses import replace
from typing import Any

import bad_chains
import pandas as pd
import pytest
from bad_studies import LEVEL, inputs, plain_panel, spec

from pipeline.datasets.reasons import unpacked_list
from pipeline.datasets.specs import SPECS
from pipeline.datasets.store import check
from pipeline.effects.collected import Results
from pipeline.estimators.registry import ESTIMATORS
from pipeline.exhibits.words.language import say
from pipeline.params.analyses import Analyses

BINS = [{"first_event_time": 0, "last_event_time": 1}]
GROUP_TIME = {
    "method": "difference",
    "covariates": [],
    "base": "universal",
    "average": "event",
    "bands": False,
}
UNMATCHED = {"designs": ["unmatched"]}
STACKED = {"average": "event", "terms": ["att", "event"], "designs": ["matched"]}
EVERY_FIRM = UNMATCHED | {"firms": "panel"}
# Missing where the option is not asked for.
NULLABLE = {
    "cutoff_km",
    "seed",
    "wild_seed",
    "randomisation_seed",
    "romano_wolf_seed",
    "balanced_last_event_time",
}


def few(*specs: dict, **settings: Any) -> Results:
    """Estimate some specs on one outcome."""
    headline = {"spec": specs[0]["name"], "design": specs[0]["designs"][0], "term": "att"}
    asked = {"specs": [*specs], "headline": headline, "analyses": {}, "romano_wolf": None}
    return inputs(outcomes={"sales": LEVEL}, **(asked | settings)).results()


def row(results: Results, **part: Any) -> dict[str, Any]:
    """Return the only row of SPECS that agrees."""
    rows = results.details[SPECS.name]
    for name, value in part.items():
        rows = rows[rows[name] == value]
    (found,) = rows.to_dict("records")
    return found


def listed(row: dict[str, Any], column: str) -> list[Any]:
    """Return the list that a column of a row holds."""
    return unpacked_list(row[column])


def ran(estimator: str, **settings: Any) -> dict[str, Any]:
    """Return the row of one spec."""
    return row(few(spec("one", estimator, **settings)), design=settings["designs"][0])


def one_entry_year(**settings: Any) -> Results:
    """Run what has to make designs again, on a panel that allows one difference per firm."""
    panel = plain_panel()
    panel = panel[(panel["cohort"] != 2005).fillna(True).astype(bool)]
    return bad_chains.chained(panel.assign(cluster=panel["firm_id"]), **settings)


@pytest.mark.parametrize(("pools", "taken"), [(True, "once"), (False, "per_entry_year")])
def test_how_often_firm_years_are_taken_follows_from_the_trait(pools, taken, monkeypatch):
    monkeypatch.setitem(ESTIMATORS, "stacked", replace(ESTIMATORS["stacked"], pools=pools))
    assert ran("stacked", **STACKED)["firm_years"] == taken


@pytest.fixture(scope="module")
def everything() -> Results:
    return inputs(romano_wolf=None).results()


def test_every_spec_of_estimates_has_a_row_and_no_cell_is_empty(everything):
    table = everything.details[SPECS.name]
    check(SPECS, table)
    key = list(SPECS.key)
    places = everything.estimates[key].drop_duplicates().sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(table[key], places)
    assert not table.drop(columns=[*NULLABLE]).isna().any(axis=None)
    assert not (table == "").any(axis=None)
    assert {c for c in table if SPECS.columns[c].missing} == NULLABLE


@pytest.fixture(scope="module")
def chained() -> Results:
    return one_entry_year()


def test_every_rule_for_gaps_that_ran_has_its_sentence(everything, chained):
    rows = pd.concat([everything.details[SPECS.name], chained.details[SPECS.name]])
    of_specs = rows.loc[rows["kind"].isin(list(ESTIMATORS)), "gaps"]
    rules = {rule for listed in of_specs for rule in unpacked_list(listed)}
    assert rules >= {"renormalise", "observed", "pairs", "with_difference"}
    for rule in rules:
        assert say(f"gap_rule.{rule}", firms="plants")


def test_every_estimator_has_a_row(everything, chained):
    kinds = {*everything.details[SPECS.name]["kind"], *chained.details[SPECS.name]["kind"]}
    assert kinds == set(ESTIMATORS) | set(Analyses.model_fields)


def test_an_analysis_has_a_row_that_says_how_it_ran(everything, chained):
    matched = {"design": "matched"}
    margins = row(everything, estimator="margins", outcome="exports", **matched)
    assert listed(margins, "method") == ["poisson", "least_squares"]
    parts = ["firms_above_zero", "level_per_firm", "level", "att", "asinh", "log1p"]
    assert listed(margins, "terms") == parts
    alive = row(everything, estimator="survival", outcome="survival", **matched)
    assert listed(alive, "terms") == ["event", "att"]
    assert listed(alive, "matched_event_times") == []
    groups = row(everything, estimator="groups", outcome="sales", **matched)
    assert (groups["weights"], groups["least_firms"]) == ("matching", 2)
    sized = row(everything, estimator="size_weighted", outcome="sales", **matched)
    assert (sized["weights"], listed(sized, "weight_by")) == ("own_size", ["sales"])
    assert {one["solved_by"] for one in (margins, alive, groups, sized)} == {"own"}


def test_a_spec_that_estimates_nothing_says_so(everything):
    place = {"outcome": "exports", "design": "matched"}
    without = row(everything, estimator="twoway", **place)
    assert (without["solved_by"], listed(without, "inference")) == ("nobody", [])
    poisson = row(everything, estimator="main", **place)
    assert (poisson["solved_by"], listed(poisson, "method")) == ("own", ["poisson"])


def test_who_solved_it_is_said(everything):
    place = {"outcome": "sales", "design": "unmatched"}
    solvers = {name: row(everything, estimator=name, **place)["solved_by"] for name in NAMES}
    assert solvers == {"main": "own", "twoway": "linearmodels", "imputation": "own"}
    assert row(everything, estimator="bounds", outcome="sales_log", design="matched")["solved_by"]


NAMES = ("main", "twoway", "imputation")


def test_a_spec_that_overrides_its_base_or_options_changes_its_row():
    base = ran("group_time", designs=["matched"], **GROUP_TIME)
    assert (base["event_base"], base["weights"]) == ("universal", "matching")
    assert listed(base, "gaps") == ["pairs"]
    varying = ran("group_time", designs=["matched"], **GROUP_TIME | {"base": "varying"})
    assert {k for k in base if not same(base[k], varying[k])} == {"event_base"}


@pytest.mark.parametrize(
    ("estimator", "before", "option", "says"),
    [
        ("stacked", STACKED, {"average": "pooled"}, {"average", "base"}),
        ("stacked", STACKED, {"terms": ["att"]}, {"terms", "event_base"}),
        ("stacked", STACKED, {"terms": ["event"]}, {"terms", "average"}),
        ("stacked", STACKED, {"cluster": "firm"}, {"cluster"}),
        ("stacked", STACKED, {"cluster": ["assignment", "firm"]}, {"other_cluster"}),
        ("stacked", STACKED, {"year_effects_by": "sector"}, {"year_effects_by"}),
        ("stacked", STACKED, {"covariates": ["size"]}, {"covariates"}),
        ("stacked", STACKED, {"bands": True}, {"bands"}),
        ("stacked", STACKED, {"bias_reduced": True}, {"inference"}),
        ("stacked", STACKED, {"event_bins": BINS}, {"event_bins"}),
        ("stacked", STACKED, {"placebo_entry_years": 1}, {"placebo_entry_years"}),
        (
            "stacked",
            STACKED,
            {"wild_bootstrap": {"draws": 99, "seed": 0, "ties": "left_out"}},
            {"wild_draws", "wild_seed", "wild_ties", "inference"},
        ),
        ("stacked", STACKED, UNMATCHED, {"design", "weights"}),
        ("twoway", {"designs": ["matched"]}, UNMATCHED, {"design", "weights", "gaps"}),
        ("twoway", {"designs": ["matched"]}, {"bias_reduced": True}, {"inference"}),
        (
            "group_time",
            GROUP_TIME | UNMATCHED,
            {"weight_by": "size"},
            {"weight_by"},
        ),
        ("group_time", GROUP_TIME | UNMATCHED, {"firms": "panel"}, {"firms"}),
        ("group_time", GROUP_TIME | EVERY_FIRM, {"gaps": "balanced"}, {"gaps"}),
        ("group_time", GROUP_TIME | EVERY_FIRM, {"average": "cohort"}, {"average"}),
        (
            "group_time",
            GROUP_TIME | {"designs": ["matched"]},
            {"method": "ipw", "covariates": ["size"], "weight_matched_again": True},
            {"method", "covariates", "weight_matched_again"},
        ),
        (
            "group_time",
            GROUP_TIME | {"designs": ["matched"]},
            {"terms": ["att", "event_balanced"], "balanced_last_event_time": 1},
            {"terms", "balanced_last_event_time"},
        ),
        (
            "extended_twoway",
            {"designs": ["matched"], "average": "event"},
            {"effects": "cohort"},
            {"firm_effects"},
        ),
    ],
)
def test_every_option_is_said_and_nothing_else_changes(estimator, before, option, says):
    plain, other = ran(estimator, **before), ran(estimator, **before | option)
    assert {name for name in plain if not same(plain[name], other[name])} == says


# Options that the key or `kind` says, and those told by tests of their own.
IN_KEY = {"name", "designs", "outcomes", "estimator"}


def test_no_option_of_a_spec_is_left_out():
    said_elsewhere = {
        "effects": "firm_effects",
        "base": "event_base",
        "base_value": "base",
        "bias_reduced": "inference",
        "wild_bootstrap": "wild_draws",
        "randomisation": "randomisation_draws",
        "conley": "cutoff_km",
    }
    options = {name for e in ESTIMATORS.values() for name in e.settings.model_fields}
    unsaid = {said_elsewhere.get(name, name) for name in options - IN_KEY} - set(SPECS.columns)
    assert not unsaid


def test_bins_are_pairs_of_event_times():
    binned = ran("stacked", **STACKED, event_bins=BINS)
    assert listed(binned, "event_bins") == [[0, 1]]


def test_draws_are_those_of_methods_that_ran(chained):
    """Without what makes designs again neither bootstrap nor randomisation runs."""
    drawn = row(chained, estimator="drawn")
    assert listed(drawn, "inference") == ["analytic", "randomisation"]
    assert (drawn["randomisation_draws"], drawn["randomisation_seed"]) == (99, 1)
    bootstrapped = row(chained, estimator="main", design="odds")
    assert listed(bootstrapped, "inference") == ["analytic", "cluster_bootstrap"]
    assert (bootstrapped["draws"], bootstrapped["seed"]) == (50, 1)
    alone = ran("stacked", **STACKED, randomisation={"draws": 99, "seed": 4})
    assert (alone["randomisation_draws"], listed(alone, "inference")) == (0, ["analytic"])


def test_the_rule_for_gaps_is_the_one_that_applies_to_the_design():
    both = spec("one", "stacked", average="event", designs=["matched", "unmatched"])
    for missing, ruled in (("drop_set", "drop_set"), ("renormalise", "renormalise")):
        results = few(both, missing=missing)
        assert listed(row(results, design="matched"), "gaps") == [ruled]
        assert listed(row(results, design="unmatched"), "gaps") == ["renormalise"]


def test_pool_anticipation_and_window_are_those_that_ran():
    specs = [one for one in bad_chains.SPECS if one["estimator"] == "matched_difference"]
    changes = {"anticipation": 1, "window": (-3, 1), "comparison": "not_yet_treated"}
    rows = one_entry_year(specs=specs, **changes).details[SPECS.name]
    assert set(rows["controls_from"]) == {"all"}
    assert set(rows["comparison"]) == {"not_yet_treated"}
    assert set(rows["anticipation_years"]) == {1}
    assert set(rows["base_event_time"]) == {-2}
    assert set(rows["first_event_time"]) == {-3}
    assert set(rows["last_event_time"]) == {1}
    rows = rows[rows["kind"] == "matched_difference"]
    assert set(rows["inference"]) == {'["abadie_imbens"]'}
    assert set(rows["weights"]) == {"matched_anew"}


def same(one: Any, other: Any) -> bool:
    return bool(one == other) or bool(pd.isna(one) and pd.isna(other))
