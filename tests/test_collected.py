"""Rows become the declared tables; what a table does not declare, or is told twice, is an error."""

from types import SimpleNamespace

import pytest

from pipeline.datasets.fits import FITS
from pipeline.datasets.store import TableError
from pipeline.effects.collected import Collected
from pipeline.effects.rows import Label, effect_row
from pipeline.effects.rows import test_row as row_of_test
from pipeline.effects.terms import ATT

LABEL = Label("sales", "nearest", "main", "att", "log", "assignment", 0.95)
FIT = {"design": "nearest", "outcome": "sales", "estimator": "main"}


@pytest.fixture
def collected():
    return Collected(SimpleNamespace())


def test_what_no_row_fills_is_missing(collected):
    collected.estimates.append(effect_row(LABEL, ATT, estimate=0.5))
    collected.add(FITS, **FIT, n_singletons=3)
    tables = collected.tables()
    assert tables.estimates["estimate"].tolist() == [0.5]
    assert tables.estimates["std_error"].isna().all()
    assert tables.details["FITS"]["n_singletons"].tolist() == [3]


def test_a_column_that_the_table_does_not_declare_is_an_error(collected):
    collected.add(FITS, **FIT, n_singleton=3)
    with pytest.raises(TableError, match=r"FITS: column n_singleton .* is not declared"):
        collected.tables()


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("ESTIMATES", effect_row(LABEL, ATT, estimates=0.5)),
        ("TESTS", row_of_test(LABEL, "pre_trends", p=0.5)),
    ],
)
def test_an_estimate_or_test_with_such_a_column_is_an_error(collected, table, row):
    (collected.estimates if table == "ESTIMATES" else collected.tests).append(row)
    with pytest.raises(TableError, match=rf"{table}: column \w+ .* is not declared"):
        collected.tables()


def test_a_figure_told_twice_must_be_the_same(collected):
    collected.add(FITS, **FIT, n_singletons=3)
    collected.add(FITS, **FIT, n_singletons=3)
    with pytest.raises(TableError, match="told twice, and differ"):
        collected.add(FITS, **FIT, n_singletons=4)
