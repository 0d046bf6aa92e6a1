"""Tables between stages: exact columns, types and key, at writing and at reading."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.datasets.panel import PANEL
from pipeline.datasets.precision import significant
from pipeline.datasets.selection import COVARIATES, SCORES
from pipeline.datasets.store import (
    Column,
    Dataset,
    TableError,
    as_stored,
    ascends,
    conform,
    empty,
    read,
    write,
)
from pipeline.errors import DataError

THINGS = Dataset(
    name="THINGS",
    row="one thing",
    key=("name",),
    columns={
        "name": Column("string", "its name"),
        "size": Column("number", "its size", missing="not known"),
        "year": Column("integer", "its year", missing="not known"),
    },
    open_kinds=("number",),
)


def things(**changes):
    return pd.DataFrame({"name": ["b", "a"], "size": [1.0, None], "year": [2001, None]} | changes)


def test_a_table_comes_back_sorted_and_typed(tmp_path):
    write(THINGS, things(), tmp_path)
    back = read(THINGS, tmp_path)
    assert back["name"].tolist() == ["a", "b"]
    assert back["year"].dtype == "Int64"
    assert back["size"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (things(name=["a", "a"]), "repeat the key"),
        (things(name=["a", None]), "1 values missing"),
        (things().drop(columns="size"), "absent"),
        (things(extra=["x", "y"]), "extra .* is not declared"),
    ],
)
def test_a_table_that_breaks_its_declaration_is_refused(frame, message):
    with pytest.raises(TableError, match=message):
        conform(THINGS, frame)


def test_study_columns_of_an_allowed_kind_pass():
    assert list(conform(THINGS, things(extra=[1.0, 2.0])).columns) == [
        "name",
        "size",
        "year",
        "extra",
    ]


def test_reading_checks_what_somebody_else_wrote(tmp_path):
    things(name=["a", "a"]).to_parquet(tmp_path / "things.parquet")
    with pytest.raises(TableError):
        read(THINGS, tmp_path)


def test_a_table_not_yet_made_says_how_to_make_it(tmp_path):
    with pytest.raises(DataError, match="run `dvc repro`"):
        read(THINGS, tmp_path)


def test_writing_does_not_change_the_input(tmp_path):
    frame = things()
    before = frame.copy()
    write(THINGS, frame, tmp_path)
    pd.testing.assert_frame_equal(frame, before)


def test_an_empty_table_has_its_types():
    assert empty(THINGS).dtypes.astype(str).tolist() == ["str", "float64", "Int64"]


@pytest.mark.parametrize("digits", [3, 8, 10])
def test_significant_digits_are_those_of_the_decimal_text(digits):
    rng = np.random.default_rng(1)
    values = rng.normal(size=4000) * 10.0 ** rng.integers(-200, 200, 4000)
    powers = 10.0 ** np.arange(-30, 30)
    edges = np.concatenate([powers, np.nextafter(powers, 0), np.nextafter(powers, np.inf)])
    numbers = np.concatenate([values, edges, -edges, [0.0]])
    expected = [float(f"{number:.{digits - 1}e}") for number in numbers]
    assert significant(numbers, digits).tolist() == expected


def test_rounding_twice_is_rounding_once_and_missing_stays_missing():
    values = np.random.default_rng(2).normal(size=1000) * 1e7
    once = significant(values, 10)
    assert np.array_equal(significant(once, 10), once)
    assert np.isnan(significant(np.array([np.nan]), 10)[0])
    kept = np.array([np.inf, -np.inf, 1e-300, 1e305, 0.0])
    assert np.array_equal(significant(kept, 10), kept)


def test_computed_numbers_are_stored_to_ten_significant_digits(tmp_path):
    write(THINGS, things(size=[1 / 3, 2e8 / 3], extra=[1e-5 / 3, 0.0]), tmp_path)
    back = read(THINGS, tmp_path)
    assert back["size"].tolist() == [66666666.67, 0.3333333333]
    assert back["extra"].tolist() == [0.0, 3.333333333e-06]


def test_levels_of_the_panel_are_stored_as_delivered(tmp_path):
    delivered = 123456789012.345
    panel = pd.DataFrame(
        {"firm_id": ["a"], "year": [2001], "cohort": [None], "cluster": ["c"]}
        | {"cluster_entry": [None], "sales": [delivered]}
    )
    write(PANEL, panel, tmp_path)
    assert read(PANEL, tmp_path)["sales"].tolist() == [delivered]
    covariates = pd.DataFrame({"stack": [2001], "firm_id": ["a"], "sales_log": [1 / 3]})
    write(COVARIATES, covariates, tmp_path)
    assert read(COVARIATES, tmp_path)["sales_log"].tolist() == [0.3333333333]


def test_scores_are_stored_to_eight_decimals():
    scores = {name: column.stored for name, column in SCORES.columns.items()}
    assert [name for name, stored in scores.items() if stored == "score"] == [
        "propensity_score",
        "linear_score",
    ]
    row = {"model": "m", "stack": 2001, "firm_id": "a", "treated": True, "base_year": 2000}
    row |= {"cluster": "c", "in_treated_cluster": True, "on_support": True}
    row |= {"propensity_score": 0.1234567849, "linear_score": -12.1234567851}
    stored = as_stored(SCORES, pd.DataFrame([row])).iloc[0]
    assert (stored["propensity_score"], stored["linear_score"]) == (0.12345678, -12.12345679)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 2), st.booleans()), max_size=6))
def test_rows_ascend_where_sorting_leaves_them_and_none_repeats(rows):
    key = ["name", "year", "flag"]
    frame = pd.DataFrame(rows, columns=key).astype({"name": "str", "year": "Int64", "flag": "bool"})
    ordered = frame.sort_values(key, kind="stable", ignore_index=True)
    unique = not frame.duplicated().any()
    assert ascends(frame, key) == (unique and ordered.equals(frame))
    assert ascends(ordered, key) == unique


def test_a_key_with_a_missing_value_is_left_to_those_who_sort():
    assert not ascends(pd.DataFrame({"name": ["a", None]}, dtype="str"), ["name"])
    assert ascends(pd.DataFrame({"name": ["a", "b"]}, dtype="str"), ["name"])
