"""Proportional effects through a study: rows, reasons, concentration, truth."""

import numpy as np
import pandas as pd
import pytest
from stacked_tables import (
    estimation,
    matches_from,
    outcomes,
    panel_from,
    random_study,
    treatment,
    weights_from,
)

from pipeline.effects.specs import estimate_specs
from pipeline.effects.truth import true_terms
from pipeline.errors import DataError
from pipeline.params.estimate import EstimateSection

VALUE = {"column": "sales", "transform": "proportional", "unit": "US$", "label": "Exports"}

# One entry year, two matched pairs; C3 never exports.
TEXT = """
firm_id cluster 2001 2002
T1      a       10   40
T2      b       30   20
C1      c       20   10
C2      d       0    30
T3      e       0    0
C3      f       0    0
"""
SETS = """
stack set_id firm_id treated
2002  A      T1      1
2002  A      C1      0
2002  B      T2      1
2002  B      C2      0
2002  C      T3      1
2002  C      C3      0
"""


def run(panel, matches, weights, window, estimate=None):
    return estimate_specs(
        panel,
        matches,
        weights,
        outcomes=outcomes(value=VALUE),
        treatment=treatment(*window),
        estimate=estimate or estimation(),
    )


def pairs(text=TEXT):
    panel = panel_from(text, {"T1": 2002, "T2": 2002, "T3": 2002})
    matches = matches_from(SETS)
    return run(panel, matches, weights_from(matches, panel), (-1, 0))


def test_two_years_give_the_ratio_of_ratios():
    results = pairs()
    rows = results.estimates[results.estimates["sample"] == "all"].set_index("term")
    assert rows.loc["att", "estimate"] == pytest.approx(np.log((60 / 40) / (40 / 20)))
    assert rows.loc["event[0]", "estimate"] == pytest.approx(rows.loc["att", "estimate"])
    assert rows.loc["att", "scale"] == "log points"
    assert rows.loc["att", ["n_treated", "n_control", "n_obs"]].tolist() == [2, 2, 8]
    facts = results.facts.set_index("name")["value"]
    assert facts["n_all_zero[main]"] == 4
    assert facts["baseline_mean"] == pytest.approx(20 / 3)


def test_shares_of_the_largest_and_the_estimate_without_them():
    results = pairs(TEXT.replace("10   40", "10   80"))
    facts = results.facts.set_index("name")["value"]
    assert facts["largest_firm_share_treated"] == pytest.approx(90 / 140)
    assert facts["largest_firm_share_comparison"] == pytest.approx(0.5)
    assert facts["largest_five_share_treated"] == pytest.approx(1)
    rows = results.estimates.set_index(["sample", "term"])
    without = rows.loc[("without_largest_firm", "att")]
    assert without["estimate"] == pytest.approx(np.log((20 / 30) / (40 / 20)))
    assert without["n_treated"] == 1
    assert np.isnan(rows.loc[("without_largest_five", "att"), "estimate"])
    assert rows.loc[("without_largest_five", "att"), "note"]


def test_no_exports_after_entry_is_separation():
    results = pairs(TEXT.replace("10   40", "10   0").replace("30   20", "30   0"))
    row = results.estimates.set_index(["sample", "term"]).loc[("all", "att")]
    assert np.isnan(row["estimate"])
    assert row["note"].startswith("no finite effect: separation, with 2 firm-years")


def test_no_exports_at_all_is_a_row_with_a_reason():
    text = TEXT
    for found in ("10   40", "30   20", "20   10", "0    30"):
        text = text.replace(found, "0    0")
    rows = pairs(text).estimates
    assert rows["estimate"].isna().all()
    assert set(rows["term"]) == {"att", "event_average"}
    assert rows["note"].str.contains("positive outcome").all()


def test_negative_values_are_refused():
    with pytest.raises(DataError, match="1 values are negative"):
        pairs(TEXT.replace("10   40", "10   -40"))


def test_other_estimators_have_a_row_with_the_reason():
    section = estimation().model_dump(exclude_none=True)
    flat = section["specs"][0] | {"estimator": "twoway", "terms": ["att"]}
    estimate = EstimateSection.model_validate(section | {"specs": [flat]})
    panel, matches, weights = random_study(0)
    panel = panel.assign(sales=np.exp(panel["sales"]))
    rows = run(panel, matches, weights, (-3, 2), estimate).estimates
    assert rows["note"].tolist() == [
        "effects in proportion to the level are estimated by the stacked estimator only"
    ]


def test_a_constant_proportional_effect_is_found_and_is_the_truth():
    panel, matches, weights = random_study(1)
    own = 1.0 + pd.factorize(panel["firm_id"])[0] % 5
    level = own * np.exp(0.1 * (panel["year"].to_numpy(float) - 2001))
    untreated = panel.assign(sales=panel["sales"].where(panel["sales"].isna(), level))
    cohort = panel["cohort"].to_numpy(dtype=float, na_value=np.inf)
    factor = np.where(panel["year"].to_numpy(float) >= cohort, 1.5, 1.0)
    observed = untreated.assign(sales=untreated["sales"] * factor)
    rows = run(observed, matches, weights, (-3, 2)).estimates
    estimate = rows[rows["sample"] == "all"].set_index("term")["estimate"]
    truth = true_terms(
        observed,
        untreated[["firm_id", "year", "sales"]],
        matches,
        weights,
        outcomes=outcomes(value=VALUE),
        treatment=treatment(-3, 2),
        estimate=estimation(),
    ).set_index("term")["truth"]
    for term in ("att", "event[0]", "event[2]", "event_average"):
        assert estimate[term] == pytest.approx(np.log(1.5), abs=1e-9)
        assert truth[term] == pytest.approx(np.log(1.5), abs=1e-9)
