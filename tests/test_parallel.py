"""Several pieces of work at a time: the same results in the same order, and the same bytes."""

import threading
import time

import pandas as pd
import pytest
from marked_study import run
from workspace import contents, project, section

from pipeline.analyses import specs
from pipeline.parallel import results_in_order, working
from stages import obtain
from stages.run import run_stage

STUDY = "michigan"


def later_first(item):
    """Return an item, the later the sooner."""
    time.sleep(0.02 * (4 - item))
    return item, threading.current_thread().name


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_results_come_in_the_order_of_the_items(jobs):
    with working(jobs):
        found = list(results_in_order(later_first, iter(range(5))))
    assert [item for item, _ in found] == list(range(5))
    assert len({thread for _, thread in found}) == jobs


def test_a_piece_cut_into_pieces_does_these_one_at_a_time():
    def cut(item):
        own = threading.current_thread().name
        return {name for _, name in results_in_order(later_first, [item, 4])} == {own}

    with working(2):
        assert all(results_in_order(cut, range(4)))


def test_a_fault_in_a_piece_is_raised():
    def refuse(item):
        raise KeyError(item)

    with working(2), pytest.raises(KeyError):
        list(results_in_order(refuse, range(3)))


@pytest.fixture(scope="module")
def matched(tmp_path_factory):
    """Run every stage before `estimate` of a study of two outcomes and several designs."""
    block = section(STUDY)
    del block["estimate"]["romano_wolf"]
    block["estimate"]["match_orders"] = 1
    for slow in ("wild_bootstrap", "bias_reduced"):
        del block["estimate"]["specs"]["stacked"][slow]
    average = {**block["estimate"]["specs"]["stacked"], "terms": ["att"], "bands": False}
    drawn = {"inference": "cluster_bootstrap", "draws": 50, "seed": 1}
    dealt = {"randomisation": {"draws": 99, "seed": 1}}
    block["estimate"]["specs"] |= {
        "drawn": {**average, "designs": ["entropy"], "outcomes": ["sales_log"], **drawn},
        "dealt": {**average, "designs": ["unmatched"], "outcomes": ["sales_log"], **dealt},
    }
    folder = project(tmp_path_factory.mktemp("jobs"), {STUDY: block})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["stage", STUDY])
        for verb in ("obtain", "clean", "score", "match"):
            run(verb)
    return folder


def estimated(folder, monkeypatch, arguments):
    """Return what `estimate` wrote, and the threads that it worked in."""
    threads, of_outcome = set(), specs._of_outcome

    def watched(*given):
        threads.add(threading.current_thread().name)
        return of_outcome(*given)

    monkeypatch.chdir(folder)
    monkeypatch.setattr(specs, "_of_outcome", watched)
    monkeypatch.setattr("sys.argv", ["estimate", STUDY, *arguments])
    run("estimate")
    monkeypatch.setattr(specs, "_of_outcome", of_outcome)
    return contents(folder / "data" / STUDY), threads


def test_tables_are_the_same_bytes_for_any_number_of_jobs(matched, monkeypatch):
    one, alone = estimated(matched, monkeypatch, [])
    two, threads = estimated(matched, monkeypatch, ["--jobs", "2"])
    monkeypatch.setenv("IMPACT_JOBS", "3")
    three, from_environment = estimated(matched, monkeypatch, [])
    assert (len(alone), len(threads), len(from_environment)) == (1, 2, 3)
    estimates = pd.read_parquet(matched / "data" / STUDY / "estimate" / "estimates.parquet")
    assert estimates.loc[estimates["p_value"].notna(), "inference"].nunique() == 3
    assert one == two == three


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5"])
def test_what_is_no_number_of_jobs_is_refused(jobs, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["obtain", STUDY, f"--jobs={jobs}"])
    with pytest.raises(SystemExit) as stop:
        run_stage(obtain.main, obtain.SECTIONS)
    assert stop.value.code == 2
    assert "is no number of jobs" in capsys.readouterr().err
