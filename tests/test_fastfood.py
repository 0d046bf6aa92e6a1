"""The example `fastfood`: a package's wide file and settings alone give the published figures."""

import subprocess
import sys

import pandas as pd
import pytest
from workspace import example, joined

from pipeline.errors import DataError
from pipeline.panel.clean import clean_panel
from pipeline.panel.delivered import long_layout
from pipeline.panel.sources import obtain_tables
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection, Wide
from pipeline.params.treatment import TreatmentSection

BLOCK = example("fastfood")


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    data = DataSection.model_validate(BLOCK["data"])
    return clean_panel(
        obtain_tables(data, tmp_path_factory.mktemp("raw")).panel,
        None,
        {},
        data=data,
        clean=CleanSection.model_validate(BLOCK["clean"]),
        treatment=TreatmentSection.model_validate(BLOCK["treatment"]),
    ).panel


def test_employment_by_state_and_wave_is_that_published(panel):
    """Card & Krueger (1994), doi:10.3386/w4509, table 3, rows 1, 2 and 4."""
    assert panel["firm_id"].nunique() == 410
    means = panel.groupby(["state", "year"])["employment"].agg(["mean", "count"]).round(2)
    assert means["mean"].tolist() == [20.44, 21.03, 23.33, 21.17]
    assert means["count"].tolist() == [321, 319, 77, 77]
    wide = panel.pivot(index=["state", "firm_id"], columns="year", values="employment").dropna()
    change = (wide[2] - wide[1]).groupby("state").mean().round(2)
    assert change.to_dict() == {"1": 0.47, "2": -2.28}


@pytest.fixture(scope="module")
def averages(tmp_path_factory):
    """Return the average effects among all restaurants, by estimator and outcome."""
    folder = joined(tmp_path_factory.mktemp("fastfood"), "fastfood")
    for stage in ("obtain", "clean", "score", "match", "estimate"):
        subprocess.run(
            [sys.executable, "-m", f"stages.{stage}", "fastfood"], cwd=folder, check=True
        )
    rows = pd.read_parquet(folder / "data" / "fastfood" / "estimate" / "estimates.parquet")
    chosen = (rows["design"] == "unmatched") & (rows["term"] == "att")
    return rows[chosen].set_index(["estimator", "outcome"])


@pytest.mark.parametrize("estimator", ["stacked", "one_change"])
def test_the_effect_is_the_published_difference_in_differences(averages, estimator):
    """Table 3, row 4: 2.75 full-time equivalents, standard error 1.34; HC3 is 1.35."""
    att = averages.loc[estimator, "employment"]
    assert att["estimate"] == pytest.approx(2.75, abs=5e-3)
    assert att["std_error"] == pytest.approx(1.34, abs=0.02)
    assert (att["n_treated"], att["n_control"]) == (309, 75)
    assert (att["inference"] == "hc3") == (estimator == "one_change")


def test_the_difference_in_levels_after_the_rise_is_the_published_one(averages):
    """Table 3, row 2: -0.14 full-time equivalents, standard error 1.07."""
    att = averages.loc["after", "employment_after"]
    assert att["estimate"] == pytest.approx(-0.14, abs=5e-3)
    assert att["std_error"] == pytest.approx(1.07, abs=0.02)
    assert (att["n_treated"], att["n_control"]) == (319, 77)
    assert averages.loc["stacked", "employment_after"]["reason"] == "observed_after_entry_only"


def test_the_effect_in_percent_is_of_the_mean_in_pennsylvania(averages, panel):
    """2.75 of the mean before the rise of restaurants with both waves."""
    wide = panel.pivot(index=["state", "firm_id"], columns="year", values="employment").dropna()
    percent = 100 * 2.75 / wide.loc["2", 1].mean()
    assert averages.loc["stacked", "employment_percent"]["estimate"] == pytest.approx(percent)


STORES = pd.DataFrame(
    {"sheet": ["406", "407", "407"], "state": ["1", "1", "2"], "e1": [9, 8, 7], "e2": [9, 6, 5]}
)
WIDE = {"columns": {"employment": {1: "e1", 2: "e2"}}}


def cleaned(firm_id, **wide):
    data = {
        "source": {"kind": "files", "panel": "stores.csv"},
        "firm_id": firm_id,
        "year": "wave",
        "cluster": ["firm_id"],
        "columns": {
            "employment": BLOCK["data"]["columns"]["employees"] | {"column": "employment"},
            "state": BLOCK["data"]["columns"]["state"],
        },
    }
    return clean_panel(
        long_layout(STORES, Wide.model_validate(WIDE | wide), "wave"),
        None,
        {},
        data=DataSection.model_validate(data),
        clean=CleanSection.model_validate(BLOCK["clean"]),
        treatment=TreatmentSection.model_validate(BLOCK["treatment"]),
    ).panel


def test_a_number_that_stands_for_two_stores_is_refused_until_rows_are_numbered():
    with pytest.raises(
        DataError,
        match=r"a firm is in no group of state, or in several .*: 4 rows; .* row 3, 4, 6, 7",
    ):
        cleaned("sheet")
    found = cleaned("store", number_rows="store")
    assert found["firm_id"].tolist() == ["1", "2", "3", "1", "2", "3"]
    assert found["employment"].tolist() == [9, 8, 7, 9, 6, 5]


def test_a_new_column_may_not_hide_a_delivered_one():
    with pytest.raises(DataError, match="the file has a column state already"):
        long_layout(STORES, Wide.model_validate(WIDE | {"number_rows": "state"}), "wave")


def test_a_sum_is_missing_where_a_part_is(panel):
    parts = panel[["employees", "managers"]].isna().any(axis=1)
    assert 0 < parts.sum() == panel["employment"].isna().sum()
