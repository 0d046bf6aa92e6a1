import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.table import (
    Interval,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
    align_decimals,
    number_cell,
)
from pipeline.exhibits.words.language import MINUS


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (-0.0004, 3, "0.000"),
        (-0.0005001, 3, "\u22120.001"),
        (0.0, 3, "0.000"),
        (-12.5, 0, "\u221212"),
        (1234.5, 1, "1,234.5"),
        (-9876543.21, 2, "\u22129,876,543.21"),
    ],
)
def test_fixed_decimals(value, decimals, shown):
    assert rounding.fixed(value, decimals) == shown


@given(st.floats(-1e9, 1e9), st.integers(0, 6))
def test_fixed_reads_back_as_the_rounded_number_and_never_as_minus_zero(value, decimals):
    shown = rounding.fixed(value, decimals)
    read = float(shown.replace(",", "").replace(MINUS, "-"))
    assert read == pytest.approx(value, abs=0.5000001 * 10**-decimals, rel=1e-12)
    assert math.copysign(1, read) == 1 or read != 0


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.8449, "1.84"), (23.64, "23.6"), (0.11812, "0.118"), (9836.4, "9,836"), (0, "0")],
)
def test_three_significant_digits(value, shown):
    assert rounding.in_significant_digits(value) == shown


def test_standard_error_that_rounds_to_zero_is_a_bound():
    assert Number(0.0000001, 3, "parenthesis").plain() == "(<0.001)"
    assert Number(0.0006, 3, "parenthesis").plain() == "(0.001)"


@pytest.mark.parametrize(
    ("errors", "digits", "least", "decimals"),
    [
        ([0.031], 1, 3, 3),
        ([0.031, 0.00042], 1, 3, 4),
        ([4.21], 2, 0, 1),
        ([421.0], 2, 0, 0),
        ([], 2, 3, 3),
    ],
)
def test_decimals_follow_the_smallest_standard_error(errors, digits, least, decimals):
    assert rounding.decimals_for(errors, digits, least) == decimals


def test_decimals_stop_at_the_most():
    assert rounding.decimals_for([1e-12], 1, 3) == rounding.MOST_DECIMALS


def test_rows_have_one_cell_per_column():
    with pytest.raises(ValueError, match="2 cells"):
        Table((TableColumn("a"),), (Panel("", (Row("x", (None, None)),)),))


def test_same_decimals_down_a_column():
    rows = (Row("a", (Number(1.0, 1),)), Row("b", (Interval(1.0, 2.0, 4),)))
    aligned = align_decimals(Table((TableColumn("a"),), (Panel("", rows),)))
    assert [cell.decimals for cell in aligned.column_cells(0)] == [4, 4]


def test_missing_number_is_an_empty_cell():
    assert number_cell(math.nan, 3) is None
    assert number_cell(0.5, 3) == Number(0.5, 3)


def test_counts_group_thousands():
    assert WholeNumbers((412, 9836)).plain() == "412 / 9,836"
