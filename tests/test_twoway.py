"""Flat two-way fixed effects: what it weighs, and agreement with linearmodels."""

import numpy as np
import pandas as pd
import pytest
from stacked_tables import matches_from, panel_from, random_study, sample_of

from pipeline.effects.least_squares import fit_absorbed
from pipeline.estimators.stacked import stacked_coefficients, year_cells
from pipeline.estimators.twoway import fit_twoway, flat_sample, true_twoway


@pytest.mark.parametrize("clusters", ["firm", "cluster"])
def test_the_regressors_are_treated_firm_years(clusters):
    panel, matches, _ = random_study(7, missing_share=0.3)
    flat = flat_sample(sample_of(panel, matches, (-3, 2), "renormalise"), panel)
    group = getattr(flat, clusters)
    ours = fit_absorbed(
        flat.y,
        flat.treated_post[:, None].astype(float),
        ("att",),
        first=flat.firm,
        second=flat.year - flat.year.min(),
        weight=flat.weight,
        clusters=group,
    )
    theirs = fit_twoway(flat, group)
    assert theirs.estimates == pytest.approx(ours.estimates, abs=1e-9)
    assert theirs.covariance == pytest.approx(ours.covariance, abs=1e-9)
    assert (theirs.n_obs, theirs.n_clusters) == (ours.n_obs, ours.n_clusters)


def test_agrees_with_panel_ols_coefficient():
    from linearmodels.panel import PanelOLS

    panel, matches, _ = random_study(8, missing_share=0.2)
    flat = flat_sample(sample_of(panel, matches, (-3, 2), "drop_set"), panel)
    index = pd.MultiIndex.from_arrays([flat.firm, flat.year])
    model = PanelOLS(
        pd.Series(flat.y, index),
        pd.DataFrame({"att": flat.treated_post.astype(float)}, index),
        weights=pd.Series(flat.weight, index),
        entity_effects=True,
        time_effects=True,
    )
    assert fit_twoway(flat, flat.firm).estimates[0] == pytest.approx(
        model.fit().params["att"], abs=1e-9
    )


def test_a_firm_in_two_stacks_has_its_summed_weight():
    text = """
    firm_id cluster 2003 2004 2005 2006
    T1      a       1    2    3    9
    T2      a       1    2    4    4
    C1      c       1    2    3    5
    """
    panel = panel_from(text, {"T1": 2004, "T2": 2005})
    sets = matches_from(
        "stack set_id firm_id treated\n2004 A T1 1\n2004 A C1 0\n2005 B T2 1\n2005 B C1 0"
    )
    flat = flat_sample(sample_of(panel, sets, (-1, 1), "drop_set"), panel)
    firm = panel["firm_id"].to_numpy()[flat.panel_row]
    weight = {(f, int(y)): w for f, y, w in zip(firm, flat.year, flat.weight, strict=True)}
    assert [weight["C1", y] for y in (2003, 2004, 2005, 2006)] == [1, 2, 2, 1]
    treated = {(f, int(y)) for f, y, d in zip(firm, flat.year, flat.treated_post, strict=True) if d}
    assert treated == {("T1", 2004), ("T1", 2005), ("T2", 2005), ("T2", 2006)}
    effect = np.where(firm == "T1", 1.0, 3.0)
    assert true_twoway(flat, effect) == pytest.approx(2.0)


def test_a_firm_used_before_its_own_entry_is_treated_from_its_cohort():
    text = """
    firm_id cluster 2003 2004 2005 2006
    T1      a       1    2    3    9
    T2      a       1    2    4    4
    C1      c       1    2    3    5
    """
    panel = panel_from(text, {"T1": 2004, "T2": 2006})
    sets = matches_from(
        "stack set_id firm_id treated\n2004 A T1 1\n2004 A T2 0\n2006 B T2 1\n2006 B C1 0"
    )
    flat = flat_sample(sample_of(panel, sets, (-1, 0), "drop_set"), panel)
    late = panel["firm_id"].to_numpy()[flat.panel_row] == "T2"
    assert flat.treated_post[late].tolist() == [False, False, False, True]
    assert flat.ever_treated[late].tolist() == [False, False, True, True]


def test_growing_effects_bias_two_way_but_not_stacked():
    """Effects grow by one a year: stacked event estimates are exact, two-way is not the mean."""
    rng = np.random.default_rng(1)
    panel, matches, _ = random_study(9, missing_share=0.0)
    cohort = panel["cohort"].to_numpy(dtype=float, na_value=np.nan)
    year = panel["year"].to_numpy(dtype=float)
    effect = np.where(year >= cohort, year - cohort + 1, 0.0)
    level = rng.normal(size=panel["firm_id"].nunique())[pd.factorize(panel["firm_id"])[0]]
    panel = panel.assign(sales=level + 0.1 * year + effect)
    sample = sample_of(panel, matches, (-3, 2), "renormalise")
    stacked = stacked_coefficients(sample, sample.y, "event", year_cells(sample, panel, None))
    assert [stacked[f"event[{e}]"] for e in (0, 1, 2)] == pytest.approx([1, 2, 3], abs=1e-10)
    flat = flat_sample(sample, panel)
    bias = fit_twoway(flat, flat.firm).estimates[0] - true_twoway(flat, effect[flat.panel_row])
    assert bias < -0.01
