"""What an effect owes to the order of matching, and the score table."""

from dataclasses import replace

import lalonde
import numpy as np
import pandas as pd
import pytest
from keyed import figure
from results import study_results
from stacked_tables import estimation, outcomes, treatment
from test_matching_nearest import NEAREST
from told import estimate_specs

from pipeline.datasets.fits import FITS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform
from pipeline.effects.study import prepare_study
from pipeline.exhibits.tables.score import score_table
from pipeline.inference import match_order
from pipeline.inference.match_order import order_effects
from pipeline.matching.designs import design_risk_sets, match_designs, match_stack
from pipeline.matching.redo import Redo
from pipeline.panel.treated_clusters import cluster_entry

PAIRS = {**NEAREST, "score": "logit", "distance": "probability"}


@pytest.fixture(scope="module")
def table():
    return lalonde.read_lalonde()


def test_reversed_rows_of_lalonde(table):
    """894.37 becomes 908.20 (method of MatchIt with its data upside down)."""
    scored, rule = lalonde.score(table), lalonde.match_section({"one": PAIRS}).designs["one"]
    (risk_set,) = design_risk_sets(scored.scores, lalonde.covariates_of(table), "one", rule)
    outcome = table.set_index("firm_id")["re78"]
    effects = []
    for rows in (risk_set, risk_set.reordered(np.arange(len(table))[::-1])):
        stack = match_stack(rows, rule)
        y, w, one = outcome[stack.firms["firm_id"]].to_numpy(), stack.weight, rows.treated
        effects.append(np.average(y[one], weights=w[one]) - np.average(y[~one], weights=w[~one]))
    assert effects == pytest.approx([894.3674802703, 908.20], abs=5e-3)


def lalonde_study(table, rule):
    """Return the tables of a study of two years: 1977 without earnings, 1978 with them."""
    scored = lalonde.score(table)
    section = lalonde.match_section({"matched": rule})
    covariates = lalonde.covariates_of(table)
    matched = match_designs(scored.scores, covariates, section)
    years = [
        table[["firm_id"]].assign(year=year, sales=table["re78"] if year == 1978 else 0.0)
        for year in (1977, 1978)
    ]
    panel = pd.concat(years).assign(cluster="one")
    cohort = table.set_index("firm_id")["treated"].map({True: 1978, False: None})
    panel["cohort"] = panel["firm_id"].map(cohort).astype("Float64").astype("Int64")
    panel["cluster_entry"] = cluster_entry(panel)
    tables = (conform(PANEL, panel), matched.matches, matched.weights)
    sections = {
        "outcomes": outcomes(),
        "treatment": treatment(-1, 0),
        "matched_times": {},
        "estimate": estimation(terms=["att"]),
    }
    redo = Redo(scored.scores, covariates, lalonde.score_section(), section)
    return tables, sections, redo


def orders_of(table, rule):
    tables, sections, redo = lalonde_study(table, rule)
    return order_effects(prepare_study(*tables, **sections), redo)


def test_random_orders_span_a_range_and_rows_reversed_are_reported(table):
    (row,) = orders_of(table, PAIRS)
    assert row["att_rows_reversed"] == pytest.approx(908.20, abs=5e-3)
    assert row["att_order_low"] < row["att_order_high"]
    tables, sections, redo = lalonde_study(table, PAIRS)
    results = estimate_specs(prepare_study(*tables, **sections), redo)
    assert figure(results, FITS, "att_order_low") == row["att_order_low"]
    assert figure(results, FITS, "n_match_orders") == 50


def test_the_range_is_that_of_the_adjusted_effect_where_the_spec_adjusts(table):
    """With rows in the declared order the effect is the spec's own."""
    tables, sections, redo = lalonde_study(table, PAIRS)
    adjusted = estimation(terms=["att"], covariates=["age", "educ"], average="event")
    study = prepare_study(*tables, **sections | {"estimate": adjusted}, covariates=redo.covariates)
    found = estimate_specs(study).estimates.set_index("named")["estimate"]
    (effect,) = match_order._effects(study, adjusted.specs[0], iter([study.stacks["matched"]]))[
        "sales"
    ]
    assert effect == pytest.approx(found["att"])
    assert effect != pytest.approx(894.3674802703, abs=1)


def test_every_greedy_design_of_the_headline_spec_has_its_range(table):
    tables, sections, redo = lalonde_study(table, PAIRS)
    twice = dict.fromkeys(("matched", "other"), redo.match.designs["matched"])
    redo = replace(redo, match=redo.match.model_copy(update={"designs": twice}))
    study = prepare_study(*tables, **sections)
    study = replace(study, stacks={**study.stacks, "other": study.stacks["matched"]})
    spec = study.estimate.specs[0].model_copy(update={"designs": ["matched", "other"]})
    both = study.estimate.model_copy(update={"specs": [spec]})
    matched, other = order_effects(replace(study, estimate=both), redo)
    assert (matched["design"], other["design"]) == ("matched", "other")
    assert matched == other | {"design": "matched"}


def test_with_replacement_there_is_no_order(table):
    assert orders_of(table, {**PAIRS, "replacement": True}) == []


def test_the_score_table_shows_every_coefficient(table):
    results = study_results()
    headline = results.settings.estimate.headline.design
    model = results.settings.match.designs[headline].score
    fitted = lalonde.score(table).coefficients.assign(model=model)
    both = pd.concat([fitted.assign(fit="2009"), fitted.assign(fit="2010", pseudo_r2=0.5)])
    (shown,) = score_table(replace(results, coefficients=both))
    assert [column.heading for column in shown.columns] == ["Entry in 2009", "Entry in 2010"]
    rows = shown.panels[0].rows
    cells = [row.cells[1].value for row in rows]
    ordered = pd.concat([fitted[fitted["term"] != "const"], fitted[fitted["term"] == "const"]])
    assert sorted(cells[0::2]) == sorted(ordered["estimate"])
    assert sorted(cells[1::2]) == sorted(ordered["std_error"])
    assert "Constant" in [row.label for row in rows]
    labels = {row.label: [cell.plain() for cell in row.cells] for row in shown.foot}
    assert labels["Pseudo-R2"][1] == "0.500"
    assert labels["Comparison firms"] == ["429", "429"]
    assert labels["Treated firms"] == ["185", "185"]


def test_proportional_effects_have_no_range(table):
    """Their estimator is not the linear one that is repeated for every order."""
    tables, sections, redo = lalonde_study(table, PAIRS)
    ratio = outcomes().root["sales"].model_copy(update={"transform": "proportional"})
    sections["outcomes"] = type(outcomes())({"sales": ratio})
    assert order_effects(prepare_study(*tables, **sections), redo) == []
