"""Whatever a delivery spoils: no identifier and no value of a firm appears on the terminal."""

import os
import re
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from import_closure import ROOT
from marked_study import DIGITS, MARK, STAGES, STUDY, marked_panel, marked_project, run

from pipeline.errors import LEAST_FIRMS_NAMED, told_codes, told_columns
from stages import start

TREATED = marked_panel()["entry"] < 9999
_TOKEN = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def told(capsys):
    said = capsys.readouterr()
    return said.out + said.err


def values_in(text, panel):
    """Return numbers of four or more digits in the text that are a cell, rounded as they are."""
    cells = pd.to_numeric(pd.Series(panel.to_numpy().ravel()), errors="coerce").dropna().unique()
    cells = np.abs(cells[cells != 0].astype(float))
    cells = np.concatenate([cells, np.abs(np.log(cells))])
    found = []
    for token in _TOKEN.findall(text):
        digits = len(re.sub(r"e.*|[-.]", "", token).lstrip("0"))
        if digits >= 4 and abs(float(token)) in {float(f"{cell:.{digits}g}") for cell in cells}:
            found.append(token)
    return found


def cells(panel, column, rows, value):
    """Return the panel as text with another value in some rows of a column."""
    changed = panel.astype("str")
    changed.loc[changed.index[rows], column] = value
    return changed


def moved(panel, factor):
    """Return the panel with participants' sales far from the others'."""
    sales = panel["sales"].astype(float)
    return panel.assign(sales=sales.where(~TREATED, factor * sales).map("{:.6f}".format))


def columns(**more):
    number = {"kind": "number", "unit": "US$", "label": "X"}
    return {
        "columns": {
            "sales": {**number, "column": "sales"},
            "employment": {**number, "column": "jobs"},
            "sector": {"kind": "text", "column": "sector", "label": "Sector"},
            "place": {"kind": "text", "column": "place", "label": "Place"},
            "entry": {**number, "column": "entry"},
            **more,
        }
    }


def scored(*names, **covariates):
    """Return the section of a score on these covariates."""
    at = {"column": "sales", "at": -1, "label": "X"}
    every = {
        "turnover": {**at, "transform": "log"},
        "jobs": {**at, "column": "employment", "transform": "log"},
        "place": {**at, "column": "place", "transform": "category"},
        "sector": {**at, "column": "sector", "transform": "category"},
        **{name: {**at, **change} for name, change in covariates.items()},
    }
    model = {
        "controls_from": "all",
        "covariates": list(names),
        "fit": "per_stack",
        "link": "logit",
        "missing": "drop_firm",
        "support": "none",
    }
    return {"covariates": every, "models": {"logit": model}}


def design(**settings):
    return {"designs": {"matched": {"score": "logit", **settings}}}


PANEL = marked_panel()
REFUSED = {"unknown": "refuse", "one_to_many": "refuse"}
WHOLE = {"split": "refuse", "add_up": None}
SPOILT = {
    "no identifier": (cells(PANEL, "firm", [3], ""), {}),
    "year in words": (cells(PANEL, "year", [3], f"{MARK} year"), {}),
    "year beyond": (cells(PANEL, "year", [3], f"9{DIGITS}1"), {}),
    "words among numbers": (cells(PANEL, "sales", [3, 5], f"{MARK}-9"), {}),
    "negative": (cells(PANEL, "sales", [3], f"-88.{DIGITS}"), {}),
    "beyond variances": (cells(PANEL, "sales", [3], f"{DIGITS}e200"), {}),
    "formula": (cells(PANEL, "sector", [3], f"={MARK}()"), {}),
    "row twice": (pd.concat([PANEL, PANEL.iloc[[3]].assign(sales=f"1.{DIGITS}")]), {}),
    "entry in words": (cells(PANEL, "entry", [3], MARK), {}),
    "entry within a year": (cells(PANEL, "entry", range(7), f"2009.{DIGITS}"), {}),
    "entry that changes": (cells(PANEL, "entry", [3], "2009"), {}),
    "entry far away": (cells(PANEL, "entry", range(7), f"{DIGITS}"), {}),
    "no cluster": (cells(PANEL, "place", [3], ""), {"data": {"cluster": ["place"]}}),
    "one group": (PANEL.assign(entry=9999), {}),
    "sales separate, above": (moved(PANEL, 1e4), {}),
    "sales separate, below": (moved(PANEL, 1e-4), {}),
    "sales are constant": (PANEL.assign(sales=f"54.{DIGITS}"), {}),
    "categories separate": (PANEL, {"score": scored("place")}),
    "category twice": (
        PANEL,
        {"score": scored("again", "place", again={
            "column": "place", "transform": "indicator", "value": f"{MARK}-3"})},
    ),
    "sum of others": (
        PANEL,
        {
            "data": columns(total={
                "kind": "sum", "of": ["sales", "employment"], "unit": "US$", "label": "X"}),
            "score": scored("a", "b", "c", a={"transform": "level"},
                            b={"column": "employment", "transform": "level"},
                            c={"column": "total", "transform": "level"}),
        },
    ),
    "no firm near": (
        PANEL,
        {"match": design(method="nearest", distance="linear", ratio=1, replacement=False,
                         caliper_sd=1e-9, caliper_sd_of="all", exact=[], order="largest",
                         tie_tolerance=1e-7)},
    ),
    "moments out of reach": (
        moved(PANEL, 1e3),
        {"score": scored("jobs"),
         "match": design(method="entropy", covariates=["turnover"], moments=2, base="equal")},
    ),
    "outcome never seen": (cells(PANEL, "sales", range(len(PANEL)), "0"), {
        "score": scored("jobs")}),
    "code that no recode knows": (
        PANEL,
        {"clean": {"recodes": [{"column": "sector", "file": "codes.csv", **REFUSED}]}},
    ),
    "corrections of another column": (PANEL, {"clean": {"corrections": "columns.csv"}}),
    "corrections of other values": (PANEL, {"clean": {"corrections": "values.csv"}}),
    "corrections without a header": (PANEL, {"clean": {"corrections": "headless.csv"}}),
    "circle of links": (PANEL, {"clean": {"links": {"file": "circle.csv", **WHOLE}}}),
    "links that split": (PANEL, {"clean": {"links": {"file": "split.csv", **WHOLE}}}),
    "links that share years": (
        PANEL, {"clean": {"links": {"file": "joined.csv", **WHOLE}}}
    ),
}  # fmt: skip
RULES = {
    "codes.csv": f"from,to\n{MARK}-a,1\n",
    "columns.csv": "firm_id,year,column,old,new,reason,source\n"
    f"{MARK}001,2008,{MARK}-sales,1,2,typing error,report\n",
    "values.csv": "firm_id,year,column,old,new,reason,source\n"
    f"{MARK}001,2008,sales,1.{DIGITS},2.{DIGITS},typing error,report\n",
    "headless.csv": f"{MARK}001,2008,sales,1.{DIGITS},2.{DIGITS},typing error,report\n" * 2,
    "circle.csv": f"old_id,new_id\n{MARK}001,{MARK}002\n{MARK}002,{MARK}001\n",
    "split.csv": f"old_id,new_id\n{MARK}001,{MARK}002\n{MARK}001,{MARK}003\n",
    "joined.csv": f"old_id,new_id\n{MARK}001,{MARK}003\n",
}

# What is wrong with a file as a whole: its bytes, made from those of a good one.
FILES = {
    "no header": lambda text: text.partition("\n")[2],
    "no header, a value twice": lambda text: f"{MARK},{MARK}" + text.partition(",")[2][4:],
    "semicolons": lambda text: text.replace(",", ";"),
    "a cell too many": lambda text: text.replace("\n", f",{MARK}\n", 9).replace(f",{MARK}", "", 5),
    "a quote left open": lambda text: text.replace(MARK, f'"{MARK}', 3),
    "bytes of no text": lambda text: text.replace(f"{MARK}004", f"{MARK}\udcff", 1),
    "a row cut off": lambda text: text.rpartition(",")[0],
}


def stops(capsys):
    """Run the stages until one stops; return it with what the terminal shows of all."""
    said = ""
    for verb in STAGES:
        try:
            run(verb)
        except SystemExit as stop:
            said += told(capsys)
            assert stop.code == 2
            return verb, said
        said += told(capsys)
    return "none", said


@pytest.mark.parametrize("spoilt", SPOILT)
def test_no_message_shows_an_identifier_or_a_value(spoilt, tmp_path, monkeypatch, capsys):
    panel, sections = SPOILT[spoilt]
    folder = marked_project(tmp_path, panel, **sections)
    for file, content in RULES.items():
        (folder / "data" / "rules" / STUDY / file).write_text(content)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["stage", STUDY])
    verb, said = stops(capsys)
    assert verb != "none"
    assert "ParamsError" not in said and len(said) > 40, said
    assert MARK not in said
    assert values_in(said, panel) == []


@pytest.mark.parametrize("spoilt", FILES)
def test_no_message_quotes_a_file_that_cannot_be_read(spoilt, tmp_path, monkeypatch, capfd):
    folder = marked_project(tmp_path, PANEL)
    file = folder / "data" / "raw" / STUDY / "panel.csv"
    file.write_bytes(FILES[spoilt](file.read_text()).encode("utf-8", "surrogateescape"))
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["stage", STUDY])
    verb, said = stops(capfd)
    assert (verb, "panel" in said) == ("obtain", True)
    assert MARK not in said
    assert DIGITS not in said


@pytest.mark.parametrize("spoilt", FILES)
def test_starting_a_study_quotes_no_file(spoilt, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(marked_project(tmp_path, PANEL))
    text = (tmp_path / "data" / "raw" / STUDY / "panel.csv").read_text()
    file = tmp_path / "delivered.csv"
    file.write_bytes(FILES[spoilt](text).encode("utf-8", "surrogateescape"))
    with suppress(SystemExit):
        start.main(["nueva", str(file)])
    said = told(capfd)
    assert MARK not in said
    assert DIGITS not in said


def test_a_fault_of_ours_shows_where_it_arose_and_not_what_it_says(tmp_path):
    program = (
        "from stages.run import reported\n"
        "with reported('clean'):\n"
        f"    float('{MARK}'.lower().upper())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    shown = done.stderr.replace(f"float('{MARK}'", "")
    assert done.returncode == 1
    assert "ValueError, a fault of this code" in shown
    assert "line 3" in shown and MARK not in shown
    assert f"could not convert string to float: '{MARK}'" in (
        tmp_path / "data" / "fault.txt"
    ).read_text(encoding="utf-8")


def test_codes_are_told_where_many_firms_have_them():
    least = LEAST_FIRMS_NAMED
    assert told_codes({"b": least, "a": least + 1}) == f"a ({least + 1} firms), b ({least} firms)"
    assert told_codes({"a": least, "b": least - 1}) == (
        f"a ({least} firms), 1 of fewer than {least} firms each, not named"
    )
    assert told_codes({}) == "none"


def test_columns_are_told_where_the_first_row_is_a_header():
    assert told_columns(["firm", "sales"], ["firm", "year"]) == "it has firm, sales"
    assert told_columns([f"{MARK}1", "54.2"], ["firm"]).startswith("none of its 2 columns")
