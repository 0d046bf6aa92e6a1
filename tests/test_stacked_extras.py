"""Regression adjustment, event bins and placebo entries of the stacked estimator."""

import numpy as np
import pandas as pd
import pytest
from keyed import figure
from stacked_tables import (
    estimation,
    joined,
    matches_from,
    outcomes,
    panel_from,
    random_study,
    stacked_rows,
    treatment,
    weights_from,
)
from told import estimate_specs, with_names

from pipeline.analyses.placebo_entry import placebo_stacks
from pipeline.analyses.recovery import recover
from pipeline.datasets.fits import FITS
from pipeline.effects.stacks import unit_covariates
from pipeline.effects.study import prepare_study
from pipeline.errors import IdentificationError, ParamsError
from pipeline.params.estimate import EventBin


def covariates_of(weights, seed=0):
    """Return COVARIATES of every firm and stack: a number and a category."""
    rng = np.random.default_rng(seed)
    keys = weights[["stack", "firm_id"]].drop_duplicates().reset_index(drop=True)
    return keys.assign(
        size=rng.normal(size=len(keys)), sector=np.where(rng.random(len(keys)) < 0.5, "a", "b")
    )


def run(study=None, table=None, missing="renormalise", matched_times=None, anticipation=0, **spec):
    panel, matches, weights = study or random_study(5)
    prepared = prepare_study(
        panel,
        matches,
        weights,
        outcomes=outcomes(),
        treatment=treatment(-3, 2, anticipation),
        matched_times=matched_times or {},
        estimate=estimation(missing=missing, **spec),
        covariates=table,
    )
    return estimate_specs(prepared)


def by_term(results, sample="all"):
    rows = results.estimates
    rows = rows[(rows["sample"] == sample) & (rows["inference"] == "analytic")]
    return rows.set_index("named")


def test_adjustment_is_the_regression_with_slopes_by_stack_and_year():
    panel, matches, weights = random_study(5, missing_share=0.0)
    covariates = covariates_of(weights)
    found = by_term(run((panel, matches, weights), covariates, covariates=["size", "sector"]))
    dense = stacked_rows(panel, weights, covariates)
    rows, unit, year = dense.rows, dense.unit, dense.year
    size, sector = rows["size"].to_numpy(), (rows["sector"] == "b").to_numpy()
    own = [dense.at[c] * x for c in dense.cells for x in (size, sector)]
    columns = [*dense.treated_at, *own]
    design = np.column_stack([*columns, np.eye(unit.max() + 1)[unit], np.eye(year.max() + 1)[year]])
    root = np.sqrt(rows["weight"].to_numpy())
    slopes = np.linalg.lstsq(design * root[:, None], rows["sales"].to_numpy() * root)[0]
    effect = dict(zip(dense.cells, slopes, strict=False))
    mass = {2004: 6, 2005: 6}
    for e in (-3, 0, 2):
        expected = sum(effect[g, e] * mass[g] for g in mass) / 12
        assert found.loc[f"event[{e}]", "estimate"] == pytest.approx(expected, abs=1e-9)


def test_adjustment_removes_a_trend_in_a_covariate():
    panel, matches, weights = random_study(6, missing_share=0.0)
    covariates = covariates_of(weights)
    entrants = weights[weights["treated"]].set_index("firm_id")["stack"]
    size = covariates.drop_duplicates("firm_id").set_index("firm_id")["size"]
    covariates["size"] = covariates["firm_id"].map(size)
    trend = 0.5 * panel["firm_id"].map(size).fillna(0.0) * (panel["year"] - 2001)
    after = (panel["year"] >= panel["firm_id"].map(entrants)).fillna(False).astype(float)
    noiseless = panel.assign(sales=trend + after)
    found = by_term(run((noiseless, matches, weights), covariates, covariates=["size"]))
    plain = by_term(run((noiseless, matches, weights), covariates))
    assert found.loc["event[2]", "estimate"] == pytest.approx(1.0, abs=1e-9)
    assert found.loc["event[-3]", "estimate"] == pytest.approx(0.0, abs=1e-9)
    assert abs(plain.loc["event[2]", "estimate"] - 1.0) > 0.1


def test_firms_without_covariates_count_as_not_observed():
    study = random_study(5, missing_share=0.0)
    covariates = covariates_of(study[2])
    first = study[2].loc[study[2]["treated"], "firm_id"].iloc[0]
    covariates.loc[covariates["firm_id"] == first, "size"] = np.nan
    results = run(study, covariates, missing="drop_set", covariates=["size"])
    assert figure(results, FITS, "n_without_covariates") == 1
    assert by_term(results).loc["att", "n_treated"] == 11


def test_the_truth_is_of_the_firms_that_have_the_covariates():
    panel, matches, weights = random_study(7, missing_share=0.0)
    covariates = covariates_of(weights)
    first = weights.loc[weights["treated"], "firm_id"].iloc[0]
    covariates.loc[covariates["firm_id"] == first, "size"] = np.nan
    own = pd.factorize(panel["firm_id"])[0]
    cohort = panel["cohort"].to_numpy(dtype=float, na_value=np.inf)
    effect = np.where(panel["year"].to_numpy(float) >= cohort, 1.0 + own % 3, 0.0)
    untreated = panel.assign(sales=own + panel["year"].to_numpy(float))
    prepared = prepare_study(
        untreated.assign(sales=untreated["sales"] + effect),
        matches,
        weights,
        outcomes=outcomes(),
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=estimation(missing="renormalise", covariates=["size"]),
        covariates=covariates,
    )
    truth = untreated[["firm_id", "year", "sales"]].rename(columns={"sales": "sales_untreated"})
    found = recover(prepared, truth, estimate_specs(prepared).estimates)
    found = with_names(found).set_index("named")
    assert found["estimate"].to_numpy() == pytest.approx(found["truth"].to_numpy(), abs=1e-8)


def test_a_constant_covariate_is_a_row_with_a_reason_and_an_unknown_one_is_named():
    study = random_study(5)
    constant = covariates_of(study[2]).assign(size=1.0)
    rows = run(study, constant, covariates=["size"]).estimates
    assert rows["estimate"].isna().all()
    assert rows["note"].str.startswith("covariate size is constant").all()
    with pytest.raises(ParamsError, match="names the covariate age"):
        run(study, constant, covariates=["age"])


def test_the_wild_bootstrap_and_cr2_take_the_adjustment():
    study = random_study(5)
    results = run(
        study,
        covariates_of(study[2]),
        covariates=["size"],
        cluster="assignment",
        bias_reduced=True,
        wild_bootstrap={"draws": 199, "seed": 1},
    )
    rows = results.estimates[results.estimates["named"] == "att"].set_index("inference")
    assert rows["estimate"].nunique() == 1
    assert rows.loc["wild_bootstrap", "conf_low"] < rows["estimate"].iloc[0]


def test_bins_are_means_of_event_times():
    rows = by_term(
        run(
            event_bins=[
                {"first_event_time": -3, "last_event_time": -2},
                {"first_event_time": 1, "last_event_time": 2},
                {"first_event_time": 7, "last_event_time": 9},
            ]
        )
    )
    for name, times in (("event_bin[-3,-2]", (-3, -2)), ("event_bin[1,2]", (1, 2))):
        mean = np.mean([rows.loc[f"event[{e}]", "estimate"] for e in times])
        assert rows.loc[name, "estimate"] == pytest.approx(mean)
        assert rows.loc[name, "std_error"] > 0
    assert "no event time from 7 to 9" in rows.loc["event_bin[7,9]", "note"]


def test_a_bin_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="comes before"):
        EventBin(first_event_time=2, last_event_time=1)
    with pytest.raises(ValueError, match="add event to terms"):
        estimation(terms=["att"], event_bins=[{"first_event_time": 0, "last_event_time": 1}])


def test_a_placebo_entry_is_the_same_estimate_on_moved_years():
    panel, matches, weights = random_study(5, missing_share=0.0)
    found = by_term(run((panel, matches, weights), placebo_entry_years=2), "placebo_entry")
    moved = matches.assign(stack=matches["stack"] - 2)
    earlier = weights.assign(stack=weights["stack"] - 2, base_year=weights["base_year"] - 2)
    before = panel[panel["year"] < panel["firm_id"].map(_horizon(weights))]
    study = prepare_study(
        before,
        moved,
        earlier,
        outcomes=outcomes(),
        treatment=treatment(-1, 1),
        matched_times={},
        estimate=estimation(),
    )
    expected = by_term(estimate_specs(study)).loc["att"]
    assert found.loc["att", "estimate"] == pytest.approx(expected["estimate"])
    assert found.loc["att", "std_error"] == pytest.approx(expected["std_error"])
    assert "placebo entry 2 years early" in found.loc["att", "note"]


def _horizon(weights):
    """Return a year by firm before which every one of its stacks has not been entered."""
    return weights.groupby("firm_id")["stack"].max()


def test_true_effects_never_enter_a_placebo():
    panel, matches, weights = random_study(5)
    entry = panel["firm_id"].map(weights[weights["treated"]].set_index("firm_id")["stack"])
    after = (panel["year"] >= entry).fillna(False).astype(float)
    affected = panel.assign(sales=panel["sales"] + 50.0 * after)
    plain = by_term(run((panel, matches, weights), placebo_entry_years=1), "placebo_entry")
    found = by_term(run((affected, matches, weights), placebo_entry_years=1), "placebo_entry")
    assert found.loc["att", "estimate"] == pytest.approx(plain.loc["att", "estimate"])


def test_years_of_anticipation_never_enter_a_placebo():
    panel, matches, weights = random_study(5)
    entry = panel["firm_id"].map(weights[weights["treated"]].set_index("firm_id")["stack"])
    from_then = (panel["year"] >= entry - 1).fillna(False).astype(float)
    affected = panel.assign(sales=panel["sales"] + 50.0 * from_then)
    early = {"placebo_entry_years": 2, "anticipation": 1}
    plain = by_term(run((panel, matches, weights), **early), "placebo_entry").loc["att"]
    found = by_term(run((affected, matches, weights), **early), "placebo_entry").loc["att"]
    assert found["estimate"] == pytest.approx(plain["estimate"])
    ignored = by_term(run((affected, matches, weights), placebo_entry_years=2), "placebo_entry")
    assert ignored.loc["att", "estimate"] > 10 + plain["estimate"]


def test_a_placebo_needs_years_on_both_sides():
    rows = by_term(run(placebo_entry_years=3), "placebo_entry")
    assert np.isnan(rows.loc["att", "estimate"])
    assert "no placebo entry 3 years early" in rows.loc["att", "note"]


def test_years_matched_on_are_no_placebo():
    """Firms were made alike at -1: of the placebo years -2 and -1 only -2 can show anything."""
    study = random_study(5, missing_share=0.0)
    on_last = {"matched": {"sales": frozenset({-1})}}
    results = run(study, placebo_entry_years=2, matched_times=on_last)
    found, leads = by_term(results, "placebo_entry").loc["att"], by_term(results)["estimate"]
    assert found["estimate"] == pytest.approx(leads["event[-2]"] - leads["event[-3]"])
    assert "without those that the design matched on: −1" in found["note"]


def test_matching_on_every_placebo_year_leaves_no_placebo():
    both = {"matched": {"sales": frozenset({-1, -2})}}
    rows = by_term(run(placebo_entry_years=2, matched_times=both), "placebo_entry")
    assert np.isnan(rows.loc["att", "estimate"])
    assert "matched on this outcome in every year" in rows.loc["att", "note"]


def test_matching_on_the_year_before_the_placebo_changes_nothing():
    before = {"matched": {"sales": frozenset({-3})}}
    found = by_term(run(placebo_entry_years=2, matched_times=before), "placebo_entry")
    plain = by_term(run(placebo_entry_years=2), "placebo_entry")
    assert found.loc["att", "estimate"] == plain.loc["att", "estimate"]


def test_placebo_stacks_keep_weights_and_cut_at_entry():
    panel, matches, weights = random_study(5)
    study = prepare_study(
        panel,
        matches,
        weights,
        outcomes=outcomes(),
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=estimation(),
    )
    stacks = study.stacks["matched"]
    moved, alike = placebo_stacks(stacks, 2)
    assert alike == []
    assert moved.event_times.tolist() == [-1, 0, 1]
    assert (moved.stack + 2 == stacks.stack).all() and (moved.weight == stacks.weight).all()
    with pytest.raises(IdentificationError):
        placebo_stacks(stacks, 4)


def test_a_firm_without_a_row_in_its_base_year_has_its_own_covariates():
    panel = panel_from(
        """
        firm_id cluster 2001 2002 2003
        T1      a       1    2    3
        C1      b       1    x    4
        C2      c       1    2    5
        """,
        {"T1": 2003},
    )
    rows = ["2003 A T1 1", "2003 A C1 0", "2003 A C2 0"]
    matches = matches_from("stack set_id firm_id treated\n" + "\n".join(rows))
    units = joined(panel, weights_from(matches, panel), matches, (-2, 0))
    table = pd.DataFrame({"stack": 2003, "firm_id": ["T1", "C1", "C2"], "size": [1.0, 2.0, 3.0]})
    found = unit_covariates(units, panel, table, ["size"])[:, 0]
    names = panel["firm_id"].unique()[units.firm]
    assert dict(zip(names, found, strict=True)) == {"T1": 1.0, "C1": 2.0, "C2": 3.0}
