"""Bad and odd deliveries: each is read as what it is, or refused with what to declare."""

import sys

import case_runs
import pytest


def marked(name):
    """A case that goes beyond cleaning takes half a second or more."""
    beyond = "score" in case_runs.case(name)["run"]
    return pytest.param(name, marks=pytest.mark.slow) if beyond else name


@pytest.mark.parametrize("name", [marked(name) for name in case_runs.names()])
def test_a_case_holds(name, tmp_path, monkeypatch):
    case_runs.set_up(name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    case = case_runs.case(name)
    ran = case_runs.run(tmp_path, case["run"])
    assert not case_runs.faults(ran, case["holds"])
