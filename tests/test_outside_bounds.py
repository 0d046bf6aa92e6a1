"""Bounds that do not hold the estimate beside them say so."""

import dataclasses

import pytest
from test_analysis_tables import made

from pipeline.exhibits.tables.export_margins import export_margins_tables
from pipeline.exhibits.tables.survival import survival_tables


@pytest.fixture(scope="module")
def results():
    return made()


def moved(results, estimate, **place):
    """Return the results with another estimate of one average effect."""
    table = results.estimates.copy()
    rows = (table[list(place)] == list(place.values())).all(axis=1) & (table["term"] == "att")
    assert rows.any()
    table.loc[rows & table["estimate"].notna(), "estimate"] = estimate
    return dataclasses.replace(results, estimates=table)


def notes(tables):
    return " ".join(note for table in tables for note in table.notes)


def test_an_effect_of_stayers_outside_their_bounds_is_a_caution(results):
    words = "Export value, 56 outside [\u221212, 27] (Bounds (Lee))"
    assert words in notes(export_margins_tables(results))
    place = {"estimator": "margins", "sample": "base_exporters"}
    within = moved(results, 0.2, **place)
    assert "outside" not in notes(export_margins_tables(within))


def test_an_effect_of_the_main_table_outside_bounds_on_survivors_is_a_caution(results):
    place = {"estimator": "stacked", "design": "covariates", "outcome": "sales_log"}
    inside, outside = (moved(results, value, **place) for value in (0.1, 0.2))
    assert "outside" not in notes(survival_tables(inside))
    words = "Annual sales, 22.1 outside [6.5, 16.0] (Survive either way (Lee))"
    assert words in notes(survival_tables(outside))
    assert "Worst case" not in notes(survival_tables(outside)).split("Caution")[1]


def test_an_estimate_on_another_scale_is_not_compared(results):
    """The effect on survivors in levels, 28, is no effect in logs."""
    place = {"estimator": "stacked", "design": "covariates", "outcome": "sales_log"}
    assert "28" not in notes(survival_tables(moved(results, 0.1, **place)))
