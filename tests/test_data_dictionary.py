"""The data dictionary: current, complete, true of the committed files; the same for programs."""

import json
import runpy
from dataclasses import replace
from typing import get_args

import pandas as pd
import pytest
from import_closure import ROOT
from results import study_results

from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.store import Kind, Tells
from pipeline.exhibits.render.results_csv import read_results_csv
from pipeline.publishing.dictionary import TYPES, data_package, missing_says
from pipeline.publishing.publication import PUBLISHED, as_published, publish

PAGE = runpy.run_path(str(ROOT / "docs" / "data_dictionary.py"))
COMMITTED = sorted((ROOT / "reports").glob("*/results/*.csv"))
BY_FILE = {f"{table.name.lower()}.csv": table for table in PUBLISHED}


def test_the_page_is_what_the_declarations_give():
    page = (ROOT / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert page == PAGE["page"](), "run `python docs/data_dictionary.py`"


def test_the_page_follows_a_declaration():
    size = replace(ESTIMATES.columns["n_obs"], meaning="how many", missing="never met", unit="ells")
    changed = replace(ESTIMATES, columns={**ESTIMATES.columns, "n_obs": size})
    row = "| `n_obs` |  | how many | whole number, ells | never met; or hidden | count |"
    assert row in PAGE["page"]((changed,)).splitlines()


def test_every_kind_and_trait_has_words():
    assert PAGE["TYPES"].keys() == TYPES.keys() == set(get_args(Kind))
    assert PAGE["TELLS"].keys() == set(get_args(Tells))


def test_a_column_is_described_in_a_cell_and_a_number_has_a_unit():
    for table in PUBLISHED:
        for name, column in table.columns.items():
            place = f"{table.name}.{name}"
            assert column.meaning, place
            assert (column.kind == "number") == (column.unit is not None), place
            assert not set("|\n") & set(f"{column.meaning}{column.unit}{column.missing}"), place


@pytest.mark.skipif(not COMMITTED, reason="no study is listed")
def test_committed_files_are_empty_only_where_the_page_says():
    """Whether they are of this code is for `impact verify` to say."""
    for path in COMMITTED:
        table = BY_FILE[path.name]
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
        full = [name for name in table.columns if not missing_says(table, name)]
        assert full, path
        assert frame[[name for name in full if name in frame]].notna().all(axis=None), path


def test_a_hidden_figure_and_no_other_column_may_be_hidden():
    assert missing_says(ESTIMATES, "n_obs").endswith("; or hidden")
    assert "hidden" not in missing_says(ESTIMATES, "event_time")
    assert "hidden" not in missing_says(ESTIMATES, "reason")
    assert missing_says(ESTIMATES, "outcome") == ""


@pytest.fixture(scope="module")
def described():
    """Return the published CSV files of a study and what its package says of each."""
    publication = publish(study_results())
    package = json.loads(data_package("madeup", publication.tables()))
    assert package["name"] == "madeup"
    return publication.csvs, package["resources"]


def test_the_package_names_every_file_and_its_columns(described):
    csvs, resources = described
    assert {resource["path"] for resource in resources} == {f"{name}.csv" for name in csvs}
    for resource in resources:
        head = csvs[resource["name"]].decode().splitlines()[0]
        assert [field["name"] for field in resource["schema"]["fields"]] == head.split(",")


def test_what_the_package_requires_is_there_and_keys_are_unique(described):
    csvs, resources = described
    for resource in resources:
        schema, table = resource["schema"], BY_FILE[resource["path"]]
        frame = read_results_csv(csvs[resource["name"]], as_published(table))
        required = [f["name"] for f in schema["fields"] if f["constraints"]["required"]]
        assert frame[required].notna().all(axis=None), resource["name"]
        key = schema.get("primaryKey") or schema["uniqueKeys"][0]
        assert set(schema.get("primaryKey", [])) <= set(required)
        assert not frame.duplicated(key).any(), resource["name"]
