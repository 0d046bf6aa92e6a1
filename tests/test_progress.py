"""Progress of long work: told to who asks, and to nobody else."""

import subprocess
import sys

import pandas as pd
import pytest

from pipeline import progress
from pipeline.datasets.matches import LEFT_OVER
from pipeline.matching.designs import Matched
from pipeline.progress import telling, track
from stages import match
from stages.run import Folders


def test_items_come_through_unchanged():
    assert list(track(iter("abc"), "letters", 3)) == ["a", "b", "c"]


def test_who_asks_is_told_how_far_the_work_is(monkeypatch):
    clock = iter([0.0, 0.5, 1.5, 1.8, 3.0])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
    told = []
    with telling(told.append):
        list(track(range(4), "draws", 4000))
    assert told == ["draws: 1 of 4,000, 2 s", "draws: 3 of 4,000, 3 s"]


def test_after_the_block_nobody_is_told(monkeypatch, capsys):
    with telling(print):
        pass
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN", 0.0)
    list(track(range(3), "draws", 3))
    assert capsys.readouterr().out == ""


def test_a_stage_that_no_terminal_watches_prints_nothing(tmp_path):
    code = "from stages.run import watched\nwith watched('x'):\n    pass\n"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")


@pytest.mark.parametrize(
    ("terminal", "ci", "shown"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_matching_tells_of_shortages_only_who_watches_a_terminal(
    terminal, ci, shown, monkeypatch, capsys
):
    counts = pd.DataFrame([{"design": "one", "stack": "all", "n_treated": 9}])
    place = {"design": "one", "reason": LEFT_OVER, "n_firms": 2}
    losses = pd.DataFrame([place | {"stack": stack} for stack in ("2009", "all")])
    matched = Matched(pd.DataFrame(), pd.DataFrame(), counts, losses)
    monkeypatch.setattr(match, "match_designs", lambda *_: matched)
    for step in ("read", "write", "read_brought"):
        monkeypatch.setattr(match, step, lambda *_: None)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    match.main(Folders("any"), match=None)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("design one: 2 of 9 treated firms (2009: 2)") == shown
    assert bool(told.err) == shown
