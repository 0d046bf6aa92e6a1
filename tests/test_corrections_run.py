"""Only a corrections file changes: DVC runs from clean on, and the ledger names the correction."""

import subprocess
import sys

import pandas as pd
import pytest
from workspace import project, section

STAGES = ("obtain", "clean", "score", "match", "balance", "estimate", "exhibit")


def dvc(folder, *words):
    command = [sys.executable, "-m", "dvc", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ran(output):
    """Return the stages of study michigan that DVC ran."""
    return [stage for stage in STAGES if f"Running stage '{stage}@michigan'" in output]


@pytest.mark.slow
def test_a_changed_correction_runs_from_clean_on_and_is_named(tmp_path):
    block = section("michigan")
    block["clean"]["corrections"] = "corrections.csv"
    folder = project(tmp_path, {"michigan": block})
    rules = folder / "data" / "rules" / "michigan" / "corrections.csv"
    header = "firm_id,year,column,old,new,reason,source\n"
    rules.write_text(header + "410032,1987,employment,100,101,typing error,annual report\n")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    dvc(folder, "init", "-q")
    assert ran(dvc(folder, "repro")) == list(STAGES)
    rules.write_text(header + "410032,1987,employment,100,102,second letter,annual report\n")
    assert ran(dvc(folder, "repro")) == list(STAGES[1:])
    published = pd.read_csv(folder / "reports" / "michigan" / "results" / "issues.csv")
    assert "point_correction" in set(published["rule"])
    for file in (folder / "reports" / "michigan").rglob("*.*"):
        assert b"second letter" not in file.read_bytes(), file
    # so small a count is not published; the private ledger has it
    issues = pd.read_parquet(folder / "data" / "michigan" / "clean" / "issues.parquet")
    named = issues[issues["rule"] == "point_correction"].iloc[0]
    assert (named["column"], named["count"], named["first_year"]) == ("employment", 1, 1987)
    private = pd.read_parquet(folder / "data" / "michigan" / "clean" / "corrections.parquet")
    assert private[["reason", "source"]].to_numpy().tolist() == [["second letter", "annual report"]]
    panel = pd.read_parquet(folder / "data" / "michigan" / "clean" / "panel.parquet")
    corrected = panel[(panel["firm_id"] == "410032") & (panel["year"] == 1987)]
    assert corrected["employment"].tolist() == [102]
