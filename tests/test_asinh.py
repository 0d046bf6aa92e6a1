"""Outcomes in asinh, on request: the effect, and by how much it depends on the unit."""

import dataclasses
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from analysed import analysed, section
from keyed import figure, rows_with
from results import study_results, with_details
from test_margins import TEXT

from pipeline.analyses.published_means import _SCALES
from pipeline.datasets.fits import DETECTABLE, UNIT_DEPENDENCE
from pipeline.exhibits.tables.main_effects import main_effects
from pipeline.panel.scale import transform
from pipeline.params.outcomes import Outcome, Transform

ASINH = {"transform": "asinh", "unit": "US$"}


def by_hand(factor):
    after, before = np.array([6, 6, 0, 4, 0, 0]), np.array([2, 0, 3, 2, 1, 0])
    change = np.arcsinh(factor * after) - np.arcsinh(factor * before)
    return change[:3].mean() - change[3:].mean()


def test_the_scale_takes_zeros_and_negative_values():
    values = pd.Series([0.0, -2.0, 5.0, np.nan], name="profit")
    np.testing.assert_allclose(transform(values, "asinh"), np.arcsinh(values))


def test_the_effect_is_that_on_asinh_and_its_size_in_other_units_stands_beside():
    results = analysed(TEXT, 3, (-1, 0), outcome=ASINH, estimate=section())
    rows = results.estimates
    (att,) = rows[(rows["term"] == "att") & (rows["estimator"] == "main")].to_dict("records")
    assert att["estimate"] == pytest.approx(by_hand(1))
    assert att["scale"] == "asinh_points"
    for column, factor in {"x100": 100.0, "per_million": 1e-6}.items():
        found = figure(results, UNIT_DEPENDENCE, column, term="att", estimator="main")
        assert found == pytest.approx(by_hand(factor))
    detectable = rows_with(results, DETECTABLE, estimator="main")
    assert detectable["effect"].notna().any() and detectable["effect_in_unit"].isna().all()


def test_no_other_outcome_is_estimated_in_other_units():
    results = analysed(TEXT, 3, (-1, 0), estimate=section())
    assert not len(rows_with(results, UNIT_DEPENDENCE))


def in_asinh(notes):
    """Return results whose first outcome is in asinh."""
    plain = study_results()
    name = next(iter(plain.settings.outcomes.root))
    outcomes = plain.settings.outcomes.model_copy(deep=True)
    changed = outcomes.root[name].model_copy(update={"transform": "asinh"})
    outcomes.root[name] = changed
    exhibit = plain.settings.exhibit.model_copy(update={"notes": notes})
    settings = dataclasses.replace(plain.settings, outcomes=outcomes, exhibit=exhibit)
    return dataclasses.replace(plain, settings=settings), name


def notes_of(results):
    with results.speaking():
        return " ".join(note for table in main_effects(results) for note in table.notes)


@pytest.mark.parametrize("notes", ["short", "full"])
def test_the_note_says_that_the_effect_depends_on_the_unit(notes):
    results, name = in_asinh(notes)
    assert "depends on the unit and is no percentage." in notes_of(results)
    head = results.settings.estimate.headline
    place = {"design": head.design, "outcome": name, "estimator": head.spec, "term": "att"}
    row = place | {"x100": 0.5123, "per_million": 0.0071}
    told = notes_of(with_details(results, UNIT_DEPENDENCE, [row]))
    assert "0.51 in a hundredth of it, 0.0071 in a million of it" in told


def test_the_scale_of_an_outcome_in_asinh_is_no_unit():
    made = Outcome(label="Exports", column="exports", **ASINH)
    assert (made.scale, made.in_logs, made.in_ratios) == ("asinh_points", False, False)


def test_means_are_published_on_the_scale_of_every_transform():
    assert set(_SCALES) == set(get_args(Transform))
