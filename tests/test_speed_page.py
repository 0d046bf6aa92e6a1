"""The page on speed is what the files of results give, and says what they say."""

import json
import runpy
import subprocess
import sys

import pytest
from import_closure import ROOT

from benchmarks.result_file import (
    HERE,
    Difference,
    Measured,
    Run,
    exponents,
    median_ratio,
    read,
    today,
)
from benchmarks.side_by_side import largest_difference, printed_by

SPEED = runpy.run_path(str(ROOT / "docs" / "speed.py"))


def measured(**changes):
    """Return a comparison of two turns at one size."""
    here = Run(HERE, "task", 1_000, [1.0, 4.0], [1.0, 2.0], [100.0, 100.0])
    other = Run("peer", "task", 1_000, [3.0, 8.0], [4.0, 6.0], [400.0, 200.0])
    given = {
        "what": "task",
        "command": "python -m benchmarks.task",
        "counted": "firms",
        "runs": [here, other],
        "versions": {HERE: {"Python": "3.11"}, "peer": {"Python": "3.11", "peer": "1.2"}},
        **today(),
        "differences": [Difference("peer", 1_000, 2e-9, 12)],
    }
    return Measured(**given | changes)


def written(monkeypatch, folder, name, result):
    """Write a file of results to a folder."""
    monkeypatch.setattr("benchmarks.result_file.FOLDER", folder)
    result.write(name)
    return folder


def test_the_committed_page_is_what_the_files_give():
    committed = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    assert committed == SPEED["page"](), "run `python docs/speed.py`"


def test_a_file_of_results_gives_what_was_measured_back(monkeypatch, tmp_path):
    result = measured()
    folder = written(monkeypatch, tmp_path, "twoway_speed", result)
    assert read("twoway_speed", folder) == result
    assert json.loads((folder / "twoway_speed.json").read_text())["cores"] >= 1


def test_ratios_are_medians_turn_by_turn(monkeypatch, tmp_path):
    """Of medians it would be 5.5 over 2.5; turn by turn it is 3 and 2."""
    assert median_ratio([1.0, 4.0], [3.0, 8.0]) == 2.5
    page = SPEED["page"](written(monkeypatch, tmp_path, "twoway_speed", measured()))
    row = next(line for line in page.splitlines() if line.startswith("| task"))
    assert row.split(" | ")[1:] == [
        "1,000 firms",
        "2.50 s, 100 MiB",
        "peer 1.2: 5.50 s, 300 MiB",
        "2.5",
        "3.5",
        "0.33",
        "12, 2.0e-09 |",
    ]
    assert "`python -m benchmarks.task --write`" in page


def test_sides_with_another_task_are_named_without_a_ratio(monkeypatch, tmp_path):
    folder = written(monkeypatch, tmp_path, "matching", measured(differences=[]))
    page = SPEED["page"](folder)
    assert "another task: peer 1.2 at 1,000 firms: 5.50 s, 300 MiB." in page
    assert not [line for line in page.splitlines() if line.startswith("| task")]


def test_stages_stand_side_by_side_with_their_exponent(monkeypatch, tmp_path):
    runs = [
        Run(HERE, stage, size, [seconds], [seconds], [50.0 * seconds])
        for size, scale in ((1_000, 1.0), (100_000, 100.0))
        for stage, seconds in (("clean", 1 * scale), ("estimate", 3 * scale))
    ]
    assert exponents(runs) == ["From 1,000 to 100,000 firm-years seconds grow with exponent 1.00."]
    result = measured(runs=runs, differences=[], versions={HERE: {"Python": "3.11"}})
    page = SPEED["page"](written(monkeypatch, tmp_path, "endtoend", result))
    assert "| estimate | 3.0 | 150 | 300.0 | 15,000 |" in page
    assert "| all, peak | 4.0 | 150 | 400.0 | 15,000 |" in page


def test_an_estimate_differs_relative_to_its_error_where_that_is_larger():
    theirs = {"a": [0.0, 2.0], "b": [10.0, 1.0], "c": [4.0], "theirs alone": [1.0]}
    ours = {"a": [0.2, 2.0], "b": [10.0, 1.05], "c": [4.1]}
    assert largest_difference(ours, theirs) == (pytest.approx(0.1), 5)


@pytest.mark.slow
def test_a_side_runs_in_a_process_of_its_own_and_agrees():
    """linearmodels and our own regression, on few rows."""
    given = ("--sizes", "2000", "--run")
    sides = {
        name: printed_by(sys.executable, "benchmarks.twoway_speed", *given, name)
        for name in (HERE, "linearmodels")
    }
    gap, figures = largest_difference(*(side["figures"] for side in sides.values()))
    assert (gap < 1e-8, figures) == (True, 2)
    assert all(side["seconds"] > 0 and side["mib"] > 50 for side in sides.values())
    assert {"Python", "linearmodels"} <= sides["linearmodels"]["versions"].keys()


@pytest.mark.slow
def test_turns_are_said():
    command = [sys.executable, "-m", "benchmarks.stacked_speed", "--sizes", "5000", "--turns", "1"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    assert "5,000 here" in done.stdout
