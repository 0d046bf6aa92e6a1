"""Bad input: each stops in the earliest stage that can know, with one message and no traceback."""

import copy
import importlib
import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import simulation
from import_closure import ROOT
from workspace import contents, section, write_params

from pipeline.simulation.simulate import simulate_programme
from stages.run import run_stage

STAGES = ["check", "obtain", "clean", "score", "match", "balance", "estimate", "exhibit"]


def firms_section():
    """Return the simulated study's settings on files, without the designs a test can spare."""
    block = section("simulated")
    block["data"]["source"] = {
        "kind": "files",
        "panel": "panel.csv",
        "register_file": "register.csv",
    }
    block["score"]["models"] = {"covariates": block["score"]["models"]["covariates"]}
    block["match"]["designs"] = {"covariates": block["match"]["designs"]["covariates"]}
    block["match"]["designs"]["covariates"]["exact"] = []
    for spec in block["estimate"]["specs"]:
        spec["designs"] = [d for d in spec["designs"] if d in {"unmatched", "covariates"}]
    panels = block["exhibit"]["panels"]
    block["exhibit"]["panels"] = [p for p in panels if p["design"] in {"unmatched", "covariates"}]
    return block


@pytest.fixture(scope="module")
def delivered():
    """Simulate the files that a ministry delivers."""
    settings = simulation.settings(firms=1200, municipalities=15, sectors=4, treated_clusters=20)
    firms = simulate_programme(settings, np.random.default_rng(1))
    return firms.panel, firms.register


def run(stage, study="firms"):
    """Run one stage in this process; return its exit code."""
    module = importlib.import_module(f"stages.{stage}")
    arguments = [] if stage == "check" else [study]
    sys.argv = [stage, *arguments]
    try:
        if stage == "check":
            module.main()
        else:
            run_stage(module.main, module.SECTIONS)
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.fixture
def workspace(tmp_path, delivered, monkeypatch):
    """Stand in a folder with the delivered files and earlier results in reports/."""
    panel, register = delivered
    raw = tmp_path / "data" / "raw" / "firms"
    raw.mkdir(parents=True)
    (tmp_path / "data" / "rules" / "firms").mkdir(parents=True)
    panel.to_csv(raw / "panel.csv", index=False)
    register.to_csv(raw / "register.csv", index=False)
    (tmp_path / "reports" / "firms").mkdir(parents=True)
    (tmp_path / "reports" / "firms" / "earlier.txt").write_text("earlier results\n")
    write_params(tmp_path, {"firms": firms_section()})
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    return tmp_path


def edit_csv(name):
    """Return a decorator for faults that change one delivered file."""

    def decorate(change):
        def fault(folder):
            path = folder / "data" / "raw" / "firms" / name
            change(pd.read_csv(path, dtype=str)).to_csv(path, index=False)

        return fault

    return decorate


def edit_params(change):
    """Return a fault that changes the study's settings."""

    def fault(folder):
        block = copy.deepcopy(firms_section())
        change(block)
        write_params(folder, {"firms": block})

    return fault


def first_rows(frame, column, value, n=1):
    frame = frame.copy()
    frame.loc[frame.index[:n], column] = value
    return frame


def covariate(name, **settings):
    """Return a change that adds one covariate to the score."""

    def change(block):
        block["score"]["covariates"][name] = {"label": name, **settings}
        block["score"]["models"]["covariates"]["covariates"].append(name)

    return change


def link_elsewhere(path):
    """Put a link to a file outside in the place of a delivered file."""
    outside = path.parents[3] / "outside.csv"
    path.rename(outside)
    path.symlink_to(outside)


def everybody_enters(folder):
    """Put every firm of the panel into the register."""
    raw = folder / "data" / "raw" / "firms"
    register = pd.read_csv(raw / "register.csv", dtype=str)
    firms = pd.read_csv(raw / "panel.csv", dtype=str)["firm_id"].unique()
    rows = pd.DataFrame([register.iloc[0].to_dict()] * len(firms))
    rows.assign(firm_id=firms).to_csv(raw / "register.csv", index=False)


def never_before_entry(frame):
    late = frame["year"].astype(int) >= 2011
    return frame.assign(sales=frame["sales"].where(late))


CASES = {
    "mistyped parameter": (
        edit_params(lambda b: b["match"]["designs"]["covariates"].update(calliper_sd=0.2)),
        "check",
        "did you mean caliper_sd?",
    ),
    "missing parameter": (
        edit_params(lambda b: b["estimate"].pop("missing")),
        "check",
        "firms.estimate.missing is missing",
    ),
    "parameter out of range": (
        edit_params(lambda b: b["estimate"].update(conf_level=95)),
        "check",
        "firms.estimate.conf_level is 95",
    ),
    "raw file missing": (
        lambda folder: (folder / "data/raw/firms/panel.csv").unlink(),
        "check",
        "data/raw/firms/panel.csv does not exist",
    ),
    "raw file empty": (
        lambda folder: (folder / "data/raw/firms/panel.csv").write_text(""),
        "obtain",
        "panel.csv is empty",
    ),
    "raw file not text": (
        lambda folder: (folder / "data/raw/firms/panel.csv").write_bytes(b"\xff\xfe\x00\x01" * 9),
        "obtain",
        "panel.csv cannot be read",
    ),
    "raw file in another encoding": (
        lambda folder: (folder / "data/raw/firms/panel.csv").write_bytes(
            "firm_id,año\n1,Córdoba\n".encode("cp1252")
        ),
        "obtain",
        "panel.csv cannot be read",
    ),
    "raw file cut off": (
        lambda folder: (folder / "data/raw/firms/panel.csv").write_text(
            (folder / "data/raw/firms/panel.csv").read_text().rpartition(",")[0]
        ),
        "obtain",
        "cells, the header",
    ),
    "more rows than allowed": (
        edit_params(lambda b: b["data"].update(max_rows=100)),
        "obtain",
        "panel.csv holds more than data.max_rows 100 rows",
    ),
    "path out of the folder": (
        edit_params(lambda b: b["data"]["source"].update(panel="../../rules/firms/x.csv")),
        "check",
        "it must lie inside data/raw/firms",
    ),
    "pattern out of the folder": (
        edit_params(lambda b: b["data"]["source"].update(panel="*/../../other/*.csv")),
        "check",
        "it must lie inside data/raw/firms",
    ),
    "absolute path": (
        edit_params(lambda b: b["data"]["source"].update(panel="/etc/hosts")),
        "check",
        "it must lie inside data/raw/firms",
    ),
    "link to elsewhere": (
        lambda folder: link_elsewhere(folder / "data/raw/firms/panel.csv"),
        "check",
        "firms.data.source.panel is 'panel.csv': it must lie inside data/raw/firms",
    ),
    "link to elsewhere behind a pattern": (
        lambda folder: (
            link_elsewhere(folder / "data/raw/firms/panel.csv"),
            edit_params(lambda b: b["data"]["source"].update(panel="pan*.csv"))(folder),
        ),
        "check",
        "firms.data.source.panel: data/raw/firms/pan*.csv does not exist",
    ),
    "number in quotes": (
        edit_params(lambda b: b["match"]["designs"]["covariates"].update(caliper_sd="0.2")),
        "check",
        "caliper_sd is '0.2': write a number, without quotes",
    ),
    "formula in a code": (
        edit_csv("panel.csv")(lambda frame: first_rows(frame, "sector", "=cmd|A1", 3)),
        "clean",
        "column sector: a value is a formula: 3 rows; paste it as a value, see row 2, 3, 4 of "
        "panel.csv",
    ),
    "column that the file lacks": (
        edit_csv("panel.csv")(lambda frame: frame.drop(columns="sales")),
        "obtain",
        "the panel has no column sales, which params name",
    ),
    "duplicate firm-year": (
        edit_csv("panel.csv")(lambda frame: pd.concat([frame, frame.iloc[[3]].assign(sales="1")])),
        "clean",
        "a firm has more than one row in a year: 2 rows",
    ),
    "non-numeric outcome": (
        edit_csv("panel.csv")(lambda frame: first_rows(frame, "sales", "a lot")),
        "clean",
        "column sales: a value is no number: 1 rows",
    ),
    "negative outcome": (
        edit_csv("panel.csv")(lambda frame: first_rows(frame, "sales", "-5", 2)),
        "clean",
        "column sales: a value is below its minimum 0: 2 rows",
    ),
    "firm without assignment cluster": (
        edit_csv("panel.csv")(lambda frame: first_rows(frame, "municipality", None)),
        "clean",
        "a firm-year has no assignment cluster (municipality x sector): 1 rows",
    ),
    "no treated firms": (
        edit_csv("register.csv")(lambda frame: frame.assign(firm_id="nobody")),
        "clean",
        "1 of 1 beneficiaries of the register (100 percent) are not in the panel",
    ),
    "covariate constant": (
        edit_csv("panel.csv")(lambda frame: frame.assign(foreign_owned="1")),
        "score",
        "foreign_owned",
    ),
    "covariate collinear": (
        edit_params(
            covariate("founded", column="founding_year", transform="level", at=-2),
        ),
        "score",
        "founded",
    ),
    "covariate dated after entry": (
        edit_params(covariate("later", column="sales", transform="log", at=1)),
        "check",
        "firms.score.covariates.later is dated 1 years from entry",
    ),
    "no comparison firm within the caliper": (
        edit_params(lambda b: b["match"]["designs"]["covariates"].update(caliper_sd=1e-12)),
        "match",
        "caliper",
    ),
    "infinite value": (
        edit_csv("panel.csv")(lambda frame: first_rows(frame, "sales", "inf")),
        "clean",
        "column sales: a value is no number: 1 rows",
    ),
    "value too large to be squared": (
        edit_csv("panel.csv")(lambda frame: first_rows(frame, "sales", "1e300")),
        "clean",
        "column sales: a value is beyond 1e+100, which variances cannot take: 1 rows",
    ),
    "value too small to be squared": (
        edit_csv("panel.csv")(lambda frame: first_rows(frame, "sales", "1e-300")),
        "clean",
        "column sales: a value is nearer to zero than 1e-100, which variances cannot take: 1 rows",
    ),
    "nobody stays untreated": (
        everybody_enters,
        "clean",
        "every firm enters the programme, so there is no never-treated firm to compare with",
    ),
    "everybody enters before the panel starts": (
        edit_csv("register.csv")(lambda frame: frame.assign(entry_year="1990")),
        "clean",
        "no firm that enters the programme is left: entry by the panel's first year took 134",
    ),
    "everybody enters after the panel ends": (
        edit_csv("register.csv")(lambda frame: frame.assign(entry_year="2040")),
        "score",
        "the panel has no rows of 2039, 2040",
    ),
    "panel of every fourth year": (
        edit_csv("panel.csv")(lambda frame: frame[frame["year"].astype(int) % 4 == 0]),
        "score",
        "the panel has no rows of",
    ),
    "one firm treated": (
        edit_csv("register.csv")(lambda frame: frame.head(1)),
        "score",
        "separate",
    ),
    "outcome never observed before entry": (
        edit_csv("panel.csv")(never_before_entry),
        "clean",
        "sales has no value in any row of 2005, 2006, 2007, 2008, 2009, 2010",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_stops_early_with_one_message(case, workspace, capsys):
    fault, expected_stage, message = CASES[case]
    fault(workspace)
    before = contents(workspace / "reports")
    for stage in STAGES:
        code = run(stage)
        if code:
            break
    output = capsys.readouterr().err
    assert (stage, code) == (expected_stage, 2), output
    assert message in output
    assert "Traceback" not in output
    assert contents(workspace / "reports") == before


def test_a_perfectly_separating_covariate_is_named(workspace, delivered, capsys):
    path = workspace / "data/raw/firms/panel.csv"
    panel, treated = pd.read_csv(path, dtype=str), set(delivered[1]["firm_id"])
    share = panel["firm_id"].isin(treated).map({True: "30", False: "1"})
    panel.assign(manager_education_years=share).to_csv(path, index=False)
    codes = [run(stage) for stage in STAGES[:4]]
    assert codes == [0, 0, 0, 2]
    assert "manager_education" in capsys.readouterr().err


def test_an_unknown_study_is_refused_by_every_stage(workspace, capsys):
    assert run("clean", "frims") == 2
    assert "frims is not a study in params.yaml; did you mean firms?" in capsys.readouterr().err


def test_a_treatment_that_switches_off_is_refused(workspace, capsys):
    path = workspace / "data/raw/firms/panel.csv"
    panel = pd.read_csv(path, dtype=str)
    panel["support"] = (panel["year"] == "2010").astype(int)
    panel.to_csv(path, index=False)
    block = firms_section()
    block["data"]["columns"]["support"] = {
        "kind": "number",
        "column": "support",
        "unit": "share",
        "label": "Support",
    }
    block["treatment"]["entry"] = {
        "source": "indicator",
        "column": "support",
        "switches_off": "refuse",
    }
    write_params(workspace, {"firms": block})
    assert [run(stage) for stage in STAGES[:3]] == [0, 0, 2]
    assert "returns to 0 after entry" in capsys.readouterr().err


def test_the_rows_concerned_go_to_a_private_file_only(workspace, delivered, capsys):
    CASES["duplicate firm-year"][0](workspace)
    for stage in STAGES[:3]:
        run(stage)
    output = capsys.readouterr().err
    problems = pd.read_csv("data/firms/problems.csv")
    assert "data/firms/problems.csv" in output
    assert len(problems) == 2
    assert not [firm for firm in problems["firm_id"].unique() if firm in output]


def test_params_edited_while_a_stage_runs_are_noticed(workspace, capsys, monkeypatch):
    for stage in ("check", "obtain"):
        run(stage)
    clean = importlib.import_module("stages.clean")
    real = clean.clean_panel

    def edit_and_clean(*arguments, **sections):
        block = firms_section()
        block["treatment"]["comparison"] = "not_yet_treated"
        write_params(workspace, {"firms": block})
        return real(*arguments, **sections)

    monkeypatch.setattr(clean, "clean_panel", edit_and_clean)
    assert run("clean") == 2
    assert "changed while the stage ran" in capsys.readouterr().err


def test_good_input_runs_to_the_end(workspace):
    assert [run(stage) for stage in STAGES] == [0] * len(STAGES)
    assert os.path.exists("reports/firms/tables/main_effects.tex")
