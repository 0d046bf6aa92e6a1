"""How a number is printed: signs, bounds, decimals, and the stars beside it."""

import dataclasses

import pytest
from results import study_results
from shown_tables import effect_tables

from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.table import Number

MINUS = "\u2212"


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (-0.0004, 3, "0.000"),
        (-0.0006, 3, f"{MINUS}0.001"),
        (-1234.5, 1, f"{MINUS}1,234.5"),
        (0.0, 2, "0.00"),
    ],
)
def test_a_number_that_rounds_to_zero_has_no_sign(value, decimals, shown):
    assert rounding.fixed(value, decimals) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0004, "<0.001"), (0.0006, "0.001"), (0.25, "0.250")]
)
def test_a_positive_number_is_never_shown_as_zero(value, shown):
    assert rounding.positive(value, 3) == shown


@pytest.mark.parametrize(
    ("errors", "digits", "least", "decimals"),
    [
        ([12.0, 0.034], 2, 0, 3),
        ([12.0, 340.0], 2, 0, 0),
        ([0.03, 0.0004], 1, 3, 4),
        ([0.03], 1, 3, 3),
        ([1e-9], 1, 3, rounding.MOST_DECIMALS),
        ([0.0], 1, 3, 3),
    ],
)
def test_decimals_show_the_digits_of_the_smallest_error(errors, digits, least, decimals):
    assert rounding.decimals_for(errors, digits, least) == decimals


def test_significant_digits_come_without_exponents():
    shown = [
        rounding.in_significant_digits(value) for value in (1.8449, 23.649, 9836.4, 0.0123449, 0)
    ]
    assert shown == ["1.84", "23.6", "9,836", "0.0123", "0"]


@pytest.mark.parametrize(
    ("p_value", "stars"),
    [(0.101, ""), (0.0999, "*"), (0.055, "*"), (0.0499, "**"), (0.011, "**"), (0.0099, "***")],
)
def test_stars_are_those_that_the_notes_define(p_value, stars):
    starred = study_results(stars=True)
    shown = starred.settings.exhibit.panels[0]
    estimates = starred.estimates
    held = (estimates["term"] == "att") & (estimates["design"] == shown.design)
    held &= estimates["estimator"] == shown.spec
    marked = dataclasses.replace(
        starred, estimates=estimates.assign(p_value=estimates["p_value"].mask(held, p_value))
    )
    table = effect_tables(marked)["main_effects"]
    cells = [cell for cell in table.panels[0].rows[0].cells if isinstance(cell, Number)]
    assert {cell.suffix for cell in cells} == {stars}
    assert "* p < 0.10, ** p < 0.05, *** p < 0.01." in " ".join(table.notes)
