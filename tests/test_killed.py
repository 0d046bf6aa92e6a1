"""A stage killed at any moment leaves earlier results as they were, and the next run goes on."""

import os
import signal
from pathlib import Path

import pandas as pd
import pytest
from marked_study import STAGES, STUDY, finished_project, run
from workspace import contents

from pipeline.publishing.swap import undo_killed, write_exhibits

if not hasattr(os, "fork"):
    pytest.skip("no processes to fork here", allow_module_level=True)

FRESH = ".new-"
# Calls that change files: a stage may die before any of them.
CHANGES = [(Path, "replace"), (Path, "rename"), (Path, "write_bytes"), (pd.DataFrame, "to_parquet")]


def killed(work, before):
    """Run work in a process that dies before its change of that number; say whether it came to."""
    child = os.fork()
    if not child:
        left = [before]
        for owner, name in CHANGES:
            setattr(owner, name, dying(getattr(owner, name), left))
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def dying(change, left):
    def changed(*args, **kwargs):
        if not left[0]:
            half_written(change, *args)
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return change(*args, **kwargs)

    return changed


def half_written(change, *args):
    """Leave half of a file where one was to be written."""
    if change.__name__ == "write_bytes":
        args[0].open("wb").write(args[1][: len(args[1]) // 2])
    if change.__name__ == "to_parquet":
        args[1].open("wb").write(b"PAR1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Run every stage of the small study once."""
    return finished_project(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def here(finished, monkeypatch):
    monkeypatch.chdir(finished)
    monkeypatch.setattr("sys.argv", ["stage", STUDY])
    return finished


def complete(folder):
    """Return what stands in its place: the files that no write is under way to."""
    return {
        path: content
        for path, content in contents(folder).items()
        if not any(part.startswith(FRESH) for part in Path(path).parts)
    }


@pytest.mark.parametrize("verb", [verb for verb in STAGES if verb != "exhibit"])
@pytest.mark.parametrize("before", [0, 3])
def test_earlier_tables_stay_and_the_next_run_goes_on(verb, before, here):
    all_before = contents(here)
    assert killed(lambda: run(verb), before)
    assert complete(here) == all_before
    run(verb)
    assert contents(here) == all_before


@pytest.mark.parametrize("before", [3, 70])
def test_exhibits_are_made_again_after_a_kill(before, here):
    all_before = contents(here)
    assert killed(lambda: run("exhibit"), before)
    run("exhibit")
    assert contents(here) == all_before


OLD = {"tables/a.tex": b"old", "figures/b.svg": b"old", "results/c.csv": b"old", "summary.md": b"o"}
NEW = {path: b"new" for path in OLD}


def swapped(folder):
    write_exhibits(NEW, folder / "reports", folder / "fresh")


def n_changes(tmp_path):
    write_exhibits(OLD, tmp_path / "reports", tmp_path / "fresh")
    number = 0
    while killed(lambda: swapped(tmp_path), number):
        undo_killed(tmp_path / "reports", tmp_path / "fresh")
        assert complete(tmp_path / "reports") == OLD, number
        assert not (tmp_path / "fresh").exists()
        number += 1
    return number


def test_reports_are_the_old_ones_wherever_their_exchange_was_killed(tmp_path):
    assert n_changes(tmp_path) > len(OLD) + 2 * len(OLD)
    assert contents(tmp_path / "reports") == NEW


def test_what_a_kill_has_moved_is_put_back_before_anything_can_fail(here, monkeypatch):
    """A run that fails for another reason then still leaves the earlier results."""
    before = contents(here / "reports")
    fresh = here / "data" / STUDY / ".new-reports"
    fresh.mkdir()
    (here / "reports" / STUDY / "tables").rename(fresh / "tables.old")
    monkeypatch.setattr("stages.exhibit.gathered", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("exhibit")
    assert contents(here / "reports") == before
