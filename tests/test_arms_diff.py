"""The effect diff of a study with arms: whose effect moved, and which sums of effects."""

from pathlib import Path

import pandas as pd
import pytest
from repository import STUDY, commit_all, repository, write_results, write_yaml
from results import study_results, with_figures

from pipeline.commands.audit.diff_words import diff_text
from pipeline.commands.audit.effect_diff import StudyDiff, compare_revisions
from pipeline.commands.audit.revisions import Revision, commit
from pipeline.datasets.arms import ARM_CONTRASTS, ARM_FLOW
from pipeline.datasets.exposure import EXPOSED
from pipeline.datasets.matches import LOSSES, MATCHED
from pipeline.datasets.pools import POOLS

ARMS = {
    "headline": "training",
    "named": {name: {"source": "register", "component": [name]} for name in ("training", "credit")},
}
PLACE = {"outcome": "sales_log", "design": "covariates_lags", "estimator": "stacked", "term": "att"}
FIGURES = {"std_error": 0.04, "p_value": 0.01}
CONTRASTS = pd.DataFrame([PLACE | FIGURES | {"contrast": "difference", "estimand": "contrast"}])
CONTRASTS = CONTRASTS.assign(estimate=0.1).reindex(columns=list(ARM_CONTRASTS.columns))
UNDER_POOLS = pd.DataFrame({"outcome": "sales_log", "pool": ["clean", "everyone"], **FIGURES})
UNDER_POOLS = UNDER_POOLS.assign(estimate=[0.1, 0.05]).reindex(columns=list(POOLS.columns))
FLOW = pd.DataFrame({"arm": ["credit", "training"], "n_entrants": [40, 50]})
FLOW = FLOW.reindex(columns=list(ARM_FLOW.columns))
COUNTED = pd.DataFrame({"exposure": "near", "class": [0, 1], "n_firms": [100, 30]})
COUNTED = COUNTED.reindex(columns=list(EXPOSED.columns))


@pytest.fixture
def project(tmp_path) -> Path:
    """Return a repository in which the study has two arms with the same results."""
    folder = repository(tmp_path)
    content = Revision(folder).yaml("params.yaml")
    content[STUDY]["treatment"]["arms"] = ARMS
    content[STUDY]["estimate"]["conf_level"] = 0.95
    write_yaml(folder / "params.yaml", content)
    results = study_results()
    for place, arm in (("", "training"), ("credit/", "credit")):
        write_results(folder, f"{place}estimates", results.estimates.assign(arm=arm))
        for table in (MATCHED, LOSSES):
            write_results(folder, f"{place}{table.name.lower()}", results.details.of(table))
    tables = {"arm_contrasts": CONTRASTS, "pools": UNDER_POOLS}
    tables |= {"arm_flow": FLOW, "exposed": COUNTED}
    for name, rows in tables.items():
        write_results(folder, name, rows)
    commit_all(folder, "Name arms")
    return folder


def diff_of(project: Path) -> StudyDiff:
    (found,) = compare_revisions(commit(project, "HEAD"), Revision(project)).studies
    return found


def with_average(arm: str, change: float) -> pd.DataFrame:
    """Return an arm's ESTIMATES with the headline's average moved."""
    table = study_results().estimates.assign(arm=arm)
    chosen = (table[list(PLACE)] == pd.Series(PLACE)).all(axis=1)
    return table.assign(estimate=table["estimate"].where(~chosen, table["estimate"] + change))


def test_nothing_moved_in_any_arm(project):
    assert not diff_of(project).anything_moved


def test_an_effect_that_moved_is_named_by_its_arm(project):
    write_results(project, "credit/estimates", with_average("credit", 0.01))
    (found,) = diff_of(project).estimates
    assert (found.place["arm"], found.headline) == ("credit", True)
    assert found.name == "sales_log covariates_lags credit stacked att"
    assert found.change == pytest.approx(0.01)


def test_arms_are_compared_by_name_wherever_their_files_stand(project):
    content = Revision(project).yaml("params.yaml")
    content[STUDY]["treatment"]["arms"]["headline"] = "credit"
    write_yaml(project / "params.yaml", content)
    write_results(project, "estimates", with_average("credit", 0.01))
    write_results(project, "training/estimates", with_average("training", 0.0))
    (found,) = diff_of(project).estimates
    assert found.place["arm"] == "credit"


def test_contrasts_and_effects_under_pools_that_moved_are_told(project):
    write_results(project, "arm_contrasts", CONTRASTS.assign(estimate=-0.1))
    write_results(project, "pools", UNDER_POOLS.assign(estimate=[0.1, -0.05]))
    found = diff_of(project)
    (contrast,), (pool,) = found.contrasts, found.pools
    assert contrast.name == "difference sales_log covariates_lags stacked att"
    assert (contrast.marks, pool.marks) == (["sign flips"], ["sign flips"])
    assert pool.name == "sales_log everyone"
    text = diff_text(compare_revisions(commit(project, "HEAD"), Revision(project)))
    assert f"{STUDY}: sums of effects of several arms that moved (1)" in text
    assert f"{STUDY}: effects under other pools that moved (1)" in text
    insignificant = CONTRASTS.assign(estimate=0.05, p_value=0.2)
    write_results(project, "arm_contrasts", insignificant)
    (contrast,) = diff_of(project).contrasts
    assert contrast.marks == ["is no longer significant at 5 percent"]
    write_results(project, "pools", UNDER_POOLS)
    assert diff_of(project).anything_moved


def test_counts_of_arms_of_their_designs_and_of_the_exposed_move(project):
    results = study_results()
    place = {"design": "covariates", "stack": "all"}
    fewer = with_figures(results, MATCHED, place, n_treated_matched=390)
    write_results(project, "credit/matched", fewer.details.of(MATCHED))
    write_results(project, "arm_flow", FLOW.assign(n_entrants=[39, 50]))
    write_results(project, "exposed", COUNTED.assign(n_firms=[100, 29]))
    found = {row.name: (row.before, row.after) for row in diff_of(project).counts}
    assert found == {
        "arm credit: firms that stay": (40, 39),
        "exposure near, class 1: firms": (30, 29),
        "credit, covariates: treated in the design": (398, 390),
    }


def test_a_study_that_gains_arms_has_new_effects(project):
    content = Revision(project).yaml("params.yaml")
    del content[STUDY]["treatment"]["arms"]
    write_yaml(project / "params.yaml", content)
    write_results(project, "estimates", study_results().estimates)
    found = diff_of(project)
    arms = {(row.place["arm"], *row.marks) for row in found.estimates if row.headline}
    gone = "no longer estimated"
    assert arms == {("all", "new"), ("training", gone), ("credit", gone)}
