"""Tables between stages: exact columns, types and key, at writing and at reading."""

import pandas as pd
import pytest

from pipeline.datasets.store import Column, Dataset, TableError, conform, empty, read, write
from pipeline.errors import DataError

THINGS = Dataset(
    name="THINGS",
    row="one thing",
    key=("name",),
    columns={
        "name": Column("string", "its name"),
        "size": Column("number", "its size", nullable=True),
        "year": Column("integer", "its year", nullable=True),
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
