"""Beneficiaries of the register that the panel lacks: counted wherever a reader looks."""

import pandas as pd
import pytest
from marked_study import MARK, STAGES, STUDY, marked_panel, marked_project, run


def with_register(folder, n_lost):
    """Make the study with its entries in a register, which has `n_lost` firms more."""
    panel = marked_panel()
    entered = panel[panel["entry"] < 9999].drop_duplicates("firm")[["firm", "entry"]]
    lost = pd.DataFrame({"firm": [f"{MARK}9{i:02d}" for i in range(n_lost)], "entry": 2009})
    data = {
        "source": {"kind": "files", "panel": "panel.csv", "register_file": "register.csv"},
        "register_columns": {"firm_id": "firm", "entry_year": "entry"},
    }
    entry = {"source": "register", "programme": None, "other_programmes": "keep"}
    why = {"unfound": "closed before the panel starts"} if n_lost else {}
    marked_project(folder, panel, data=data, treatment={"entry": entry, **why})
    raw = folder / "data" / "raw" / STUDY / "register.csv"
    pd.concat([entered, lost]).to_csv(raw, index=False)
    return folder


@pytest.mark.parametrize(("n_lost", "shown"), [(7, "7"), (3, "c"), (0, None)])
def test_they_are_counted_where_a_reader_looks(n_lost, shown, tmp_path, monkeypatch, capsys):
    folder = with_register(tmp_path, n_lost)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["stage", STUDY])
    for verb in STAGES:
        run(verb)
    said = capsys.readouterr().err
    line = f"clean firms: {n_lost} beneficiaries of the register are not in the panel"
    assert (line in said, MARK in said) == (bool(n_lost), False)
    reports = folder / "reports" / STUDY
    flow = (reports / "tables" / "sample_flow.md").read_text(encoding="utf-8")
    rows = [line for line in flow.splitlines() if "beneficiaries in the register" in line]
    cells = [[cell.strip() for cell in row.split("|")[2:-1]] for row in rows]
    assert cells == ([] if shown is None else [["", shown, "", "", "", ""]])
    count = {"7": "7 not in the panel", "c": "fewer than 5 more, not in the panel", None: ""}[shown]
    for name in ("summary.md", "report.html", "tables/main_effects.md"):
        text = (reports / name).read_text(encoding="utf-8")
        assert count in text, name
        assert ("(closed before the panel starts)" in text) == bool(n_lost), name
        assert ("not in the panel" in text) == bool(n_lost), name
    issues = (reports / "results" / "issues.csv").read_text(encoding="utf-8")
    assert ("not_in_panel" in issues) == bool(n_lost)
    assert "%" not in issues
