"""Progress of long work: told to who asks, and to nobody else."""

import os
import subprocess
import sys
from contextlib import nullcontext
from threading import Event
from types import SimpleNamespace

import pandas as pd
import pytest

from pipeline import progress
from pipeline.datasets.matches import LEFT_OVER
from pipeline.matching.designs import Matched
from pipeline.progress import at, telling, track, watching
from stages import match
from stages.run import Folders


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that a test sets."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def told(work, clock, now):
    clock[0] = now
    return work.told()


def test_items_come_through_unchanged():
    assert list(track(iter("abc"), "letters", 3)) == ["a", "b", "c"]
    with watching() as work:
        assert list(track(iter("abc"), "letters", 3)) == ["a", "b", "c"]
        assert work.loops == []


def test_seconds_left_go_by_what_is_done(clock):
    with watching() as work:
        draws = track(range(4000), "draws", 4000)
        next(draws)
        assert told(work, clock, 0.5) == "0 s, draws 1 of 4,000"
        for _ in range(1000):
            clock[0] += 0.0295
            next(draws)
        assert told(work, clock, 30.0) == "30 s, about 90 s left, draws 1,001 of 4,000"
        draws.close()
        assert told(work, clock, 31.0) == "31 s"


def test_sizes_and_names_of_items_are_told(clock):
    with watching() as work:
        designs = track(["all", "matched"], "designs", 2, name=str, sizes=[3.0, 1.0])
        assert next(designs) == "all"
        assert told(work, clock, 5.0) == "5 s, designs 1 of 2 (all)"
        clock[0] = 6.0
        next(designs)
        assert told(work, clock, 6.0) == "6 s, about 2 s left, designs 2 of 2 (matched)"
        assert told(work, clock, 7.0) == "7 s, about 1 s left, designs 2 of 2 (matched)"


def test_an_item_that_takes_longer_than_expected_leaves_what_comes_after_it(clock):
    with watching() as work:
        designs = track(range(4), "designs", 4)
        next(designs)
        clock[0] = 2.0
        next(designs)
        assert told(work, clock, 3.0) == "3 s, about 5 s left, designs 2 of 4"
        assert told(work, clock, 30.0) == "30 s, about 30 s left, designs 2 of 4"


def test_what_has_no_parts_is_told_without_a_count(clock):
    with watching() as work:
        with at("reading PANEL"):
            assert told(work, clock, 3.0) == "3 s, reading PANEL"
        assert told(work, clock, 4.0) == "4 s"


def test_what_is_done_of_a_loop_inside_counts(clock):
    with watching() as work:
        for _ in track(range(2), "designs", 2):
            for number in track(range(4), "draws", 4):
                clock[0] += 5.0
                if number == 2:
                    line = told(work, clock, 10.0)
            break
    assert line == "10 s, about 30 s left, designs 1 of 2, draws 3 of 4"


def test_who_asks_is_told_while_one_item_takes_long(monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN", 0.001)
    lines, heard = [], Event()

    def tell(line):
        lines.append(line)
        heard.set()

    with telling(tell):
        for _ in track(range(2), "draws", 2):
            assert heard.wait(10)
            heard.clear()
            assert heard.wait(10)
    n_lines = len(lines)
    assert "0 s, draws 1 of 2" in lines
    heard.clear()
    assert not heard.wait(0.05)
    assert len(lines) == n_lines


WATCHED = """
import time
from pipeline import progress
from pipeline.progress import track
from stages.run import watched
progress._SECONDS_BETWEEN = 0.01
with watched("estimate here"):
    for _ in track(range(2), "draws " + "long " * 50, 2):
        time.sleep(0.1)
"""


def test_a_stage_that_no_terminal_watches_prints_nothing():
    code = [sys.executable, "-c", WATCHED]
    run = subprocess.run(code, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize("ci", ["", "1"])
def test_a_terminal_shows_one_line_that_fits_and_goes(ci):
    pty = pytest.importorskip("pty", reason="no terminals of this kind here")
    ours, theirs = pty.openpty()
    env = {**os.environ, "CI": ci, "COLUMNS": "60"}
    subprocess.run([sys.executable, "-c", WATCHED], stderr=theirs, env=env, check=True)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode() if not ci else ""
    if ci:
        with pytest.raises(OSError):  # nothing was written to the end that is closed
            os.read(ours, 1)
        return
    lines = shown.split("\r\033[K")
    assert lines[0] == lines[-1] == ""
    assert all(line.startswith("estimate here: 0 s, draws long") for line in lines[1:-1])
    assert {len(line) for line in lines[1:-1]} == {59}


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
    scores = pd.DataFrame({"firm_id": ["a"]})
    one_arm = SimpleNamespace(left={"all": ""}, trying=lambda _: nullcontext())
    made = {"read": scores, "arms_left": one_arm}
    made |= dict.fromkeys(["write", "read_brought", "designs_matched", "tell_arms"])
    for step, returned in made.items():
        monkeypatch.setattr(match, step, lambda *_, returned=returned: returned)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    match.main(Folders("any"), clean=SimpleNamespace(identifier=None), treatment=None, match=None)
    said = capsys.readouterr()
    assert said.out == ""
    line = said.err.removeprefix("\r\033[K")
    assert line.startswith("design one: 2 of 9 treated firms (2009: 2)") == shown
    assert bool(line) == shown
