"""Sizes delivered as classes: text under names that usually hold numbers."""

import re

import numpy as np
import pandas as pd
import pytest
from marked_study import STAGES, STUDY, marked_panel, marked_project, run
from workspace import project, section

from pipeline.datasets.panel import SAMPLE_FLOW
from pipeline.datasets.store import read
from pipeline.errors import DataError, ParamsError
from pipeline.params.study import check_studies
from stages.run import Folders
from stages.start import start

CLASSES = ["1-9", "10-19", "S/I"]
SIZE_NAMES = ("sales", "employment")


def in_classes(*names):
    """Return the panel with these columns in classes, under standard names, and a number."""
    panel = marked_panel().rename(columns={"jobs": "employment"})
    drawn = {name: np.resize(CLASSES, len(panel)) for name in names}
    return panel.assign(size=panel["sales"]).assign(**drawn)


def classified(folder, name, sections):
    """Make the study whose column `name` is text; `size` takes its place where numbers are used."""
    columns = {
        other: {"kind": "number", "column": other, "unit": "US$", "label": "Size"}
        for other in {*SIZE_NAMES, "size"} - {name}
    }
    columns[name] = {"kind": "text", "column": name, "label": "Class"}
    columns["entry"] = {"kind": "number", "column": "entry", "unit": "year", "label": "Entry"}
    return marked_project(folder, in_classes(name), data={"columns": columns}, **sections)


def by_size(**outcome):
    covariate = {"label": "Size", "column": "size", "transform": "log", "at": -1}
    model = {
        "controls_from": "all",
        "covariates": ["size"],
        "fit": "per_stack",
        "link": "logit",
        "missing": "drop_firm",
        "support": "none",
    }
    return {
        "score": {"covariates": {"size": covariate}, "models": {"logit": model}},
        "outcomes": {
            "sales_log": {
                "column": "size",
                "transform": "log",
                "unit": "US$",
                "label": "Sales",
                **outcome,
            }
        },
    }


@pytest.mark.parametrize("name", SIZE_NAMES)
def test_a_size_in_classes_goes_through_every_stage(name, tmp_path, monkeypatch):
    monkeypatch.chdir(classified(tmp_path, name, by_size()))
    monkeypatch.setattr("sys.argv", ["stage", STUDY])
    for verb in STAGES:
        run(verb)
    flow = read(SAMPLE_FLOW, Folders(STUDY).of("clean"))
    other = next(size for size in SIZE_NAMES if size != name)
    assert flow[f"{name}_lost_share"].isna().all()
    assert flow[f"{other}_lost_share"].notna().all()


@pytest.mark.parametrize("name", SIZE_NAMES)
def test_an_outcome_in_classes_is_refused_by_check(name, tmp_path):
    folder = classified(tmp_path, name, by_size(column=name))
    with pytest.raises(ParamsError, match=rf"{name} is a text column; this needs a number column"):
        check_studies(folder / "params.yaml", folder)


def test_classes_declared_as_numbers_are_one_message_of_clean(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(
        marked_project(
            tmp_path, marked_panel().assign(jobs=np.resize(CLASSES, len(marked_panel())))
        )
    )
    monkeypatch.setattr("sys.argv", ["stage", STUDY])
    run("obtain")
    with pytest.raises(SystemExit) as stop:
        run("clean")
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "column jobs: a value is no number: 420 rows" in said
    assert not any(code in said for code in CLASSES)


@pytest.mark.parametrize("names", [("employment",), ("sales",), ("sales", "employment")])
def test_a_study_with_classes_starts_where_something_else_is_measured(names, tmp_path, monkeypatch):
    monkeypatch.chdir(project(tmp_path, {"michigan": section("michigan")}))
    in_classes(*names).to_csv("panel.csv", index=False)
    start("nueva", [tmp_path / "panel.csv"])
    params = tmp_path / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(re.sub("'QUESTION[^']*'|QUESTION", "pesos", text), encoding="utf-8")
    assert check_studies(tmp_path / "params.yaml", tmp_path) == ["nueva", "michigan"]


def test_a_panel_of_classes_alone_is_refused_in_one_message(tmp_path, monkeypatch):
    monkeypatch.chdir(project(tmp_path, {"michigan": section("michigan")}))
    before = (tmp_path / "params.yaml").read_bytes()
    panel: pd.DataFrame = in_classes(*SIZE_NAMES).drop(columns="size")
    panel.to_csv("panel.csv", index=False)
    with pytest.raises(DataError, match=r"panel\.csv measures nothing in numbers"):
        start("nueva", [tmp_path / "panel.csv"])
    assert (tmp_path / "params.yaml").read_bytes() == before
