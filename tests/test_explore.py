"""Exploring: changed settings in memory, nothing written."""

import json

import pytest
from workspace import contents, project, section

from pipeline.commands.explore import changed, headline_only
from pipeline.errors import ParamsError
from pipeline.params.study import read_study
from stages import clean, explore, obtain
from stages.run import run_stage


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Return a project with the Michigan panel cleaned, and be in it."""
    folder = project(tmp_path, {"michigan": section("michigan")})
    monkeypatch.chdir(folder)
    for stage in (obtain, clean):
        monkeypatch.setattr("sys.argv", ["stage", "michigan"])
        run_stage(stage.main, stage.SECTIONS)
    return folder


def test_a_changed_caliper_changes_the_match_and_writes_nothing(workspace, capsys):
    before = contents(workspace)
    explore.main(["michigan"])
    plain = capsys.readouterr().out
    explore.main(["michigan", "match.designs.covariates.caliper_sd=0.02"])
    narrow = capsys.readouterr().out
    assert "Design covariates: 56 of 57 treated firms" in plain
    assert "Design covariates: 56 of 57" not in narrow
    assert "training_hours" in narrow
    assert contents(workspace) == before


def test_a_program_reads_counts_balance_and_effects(workspace, capsys):
    explore.main(["michigan", "match.designs.covariates.caliper_sd=0.02", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (said["error"], said["design"]) == (None, "covariates")
    assert 0 < said["matched"]["n_treated_matched"] < 56 < said["matched"]["n_treated"]
    assert {"covariate", "std_diff", "std_diff_before"} <= said["balance"][0].keys()
    missing = [row for row in said["effects"] if row["estimate"] is None]
    assert [row["outcome"] for row in missing] == ["exports_any"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("match.designs.covariates.calliper_sd=1", "calliper_sd is not a setting; did you mean"),
        ("match.design.covariates.caliper_sd=1", "match.design is not a setting; did you mean"),
        ("match.designs.covariates.caliper_sd", "is no change; write the key"),
        ("match.designs.covariates.caliper_sd=-1", "caliper_sd is -1: must be above 0"),
    ],
)
def test_faulty_changes_are_explained(workspace, capsys, change, message):
    with pytest.raises(SystemExit) as stop:
        explore.main(["michigan", change])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_changes_leave_the_block_as_it_was():
    block = {"match": {"designs": {"one": {"ratio": 1}}}}
    new = changed(block, {"match.designs.one.ratio": 2})
    assert (new["match"]["designs"]["one"]["ratio"], block["match"]["designs"]["one"]["ratio"]) == (
        2,
        1,
    )
    with pytest.raises(ParamsError, match="two is not a setting"):
        changed(block, {"match.designs.two.ratio": 2})


@pytest.mark.parametrize(
    "path", ["clean.minimum_count", "treatment.entry.column", "treatment.leave_out_entry_years"]
)
def test_settings_that_cleaning_used_up_are_refused(path):
    with pytest.raises(ParamsError, match="acts on the panel"):
        changed({"clean": {}, "treatment": {"entry": {}}}, {path: 1})


@pytest.mark.parametrize("name", ["michigan", "simulated"])
def test_what_a_section_asks_for_beside_the_headline_is_left_out(name):
    study = read_study({name: section(name)}, name)
    only = headline_only(study)
    assert [spec.name for spec in only.estimate.specs] == [study.estimate.headline.spec]
    assert not only.estimate.analyses.asked()
