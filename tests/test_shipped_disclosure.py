"""What is shown of the Michigan study, which has designs that differ by one firm."""

import shutil

import pytest
from import_closure import ROOT
from near_means import pairs_that_differ_by_few, study_here
from workspace import project, section

from pipeline.publishing.disclosure.vet import vet
from stages import balance, clean, estimate, match, obtain, score
from stages.run import run_stage

STUDY = "michigan"


@pytest.fixture(scope="module")
def estimated(tmp_path_factory):
    block = section(STUDY)
    block["estimate"]["specs"] = {"stacked": _plain(block["estimate"]["specs"]["stacked"])}
    block["estimate"]["headline"]["spec"] = "stacked"
    folder = project(tmp_path_factory.mktemp("project"), {STUDY: block})
    raw = "data/raw/michigan"
    shutil.copytree(ROOT / raw, folder / raw, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["stage", STUDY])
        for stage in (obtain, clean, score, match, balance, estimate):
            run_stage(stage.main, stage.SECTIONS)
    return folder


def _plain(spec):
    return {name: value for name, value in spec.items() if name not in ("wild_bootstrap",)}


@pytest.mark.slow
def test_no_pair_of_means_that_differs_by_few_is_left(estimated, monkeypatch):
    monkeypatch.chdir(estimated)
    assert pairs_that_differ_by_few(STUDY, 5, vetted=False) > 18
    assert pairs_that_differ_by_few(STUDY, 5, vetted=True) == 0


@pytest.mark.slow
def test_headline_paths_balance_and_every_effect_stay(estimated, monkeypatch):
    monkeypatch.chdir(estimated)
    private = study_here(STUDY, 5)
    public = vet(private)
    design = private.settings.estimate.headline.design
    paths = public.paths[(public.paths["design"] == design) & public.paths["n_firms"].notna()]
    assert paths["mean"].notna().all()
    own = public.balance[(public.balance["design"] == design) & (public.balance["stack"] == "all")]
    in_score = own[own["in_score"] & own["sample"].isin(["before", "after"])]
    assert in_score[["mean_treated", "mean_control", "std_diff"]].notna().all(axis=None)
    gone = private.estimates["estimate"].notna() & public.estimates["estimate"].isna()
    assert set(public.estimates.loc[gone, "reason"]) == {"few_firms_in_group"}
    assert (private.estimates.loc[gone, "n_treated"] < 5).all()
