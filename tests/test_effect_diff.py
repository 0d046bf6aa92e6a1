"""The effect diff: each cause and each movement is seen, and nothing else."""

import copy
import json

import pytest
from repository import STUDY, commit_all, git, repository, write_results, write_yaml
from results import study_results, with_figures

from pipeline.commands.audit.diff_words import diff_markdown, diff_text
from pipeline.commands.audit.effect_diff import compare_revisions
from pipeline.commands.audit.moved_rows import HeadlineRows, moved_rows
from pipeline.commands.audit.revisions import Revision, RevisionError, commit
from pipeline.commands.audit.settings_diff import Changed, changed_parameters
from pipeline.datasets.matches import LOSSES, MATCHED
from stages import diff as diff_command

HEADLINE = ("sales_log", "covariates_lags", "stacked", "att")


@pytest.fixture
def project(tmp_path):
    return repository(tmp_path)


def diff_since_head(project):
    return compare_revisions(commit(project, "HEAD"), Revision(project))


def with_estimate(outcome, design, estimator, term, **values):
    """Return the estimates with one row's figures replaced."""
    table = study_results().estimates.copy()
    chosen = (table["outcome"] == outcome) & (table["design"] == design)
    chosen &= (table["estimator"] == estimator) & (table["term"] == term)
    assert chosen.sum() == 1
    for name, value in values.items():
        table.loc[chosen, name] = value
    return table


def test_nothing_changed_and_nothing_moved(project):
    diff = diff_since_head(project)
    assert (diff.parameters, diff.code, diff.packages, diff.data) == ([], [], [], [])
    assert "Nothing moved" in diff_text(diff)


def test_every_changed_parameter_has_its_full_path_as_dvc_names_it(project):
    from dvc.repo import Repo

    content = Revision(project).yaml("params.yaml")
    changed = copy.deepcopy(content)
    changed[STUDY]["match"]["designs"]["covariates"]["caliper_sd"] = 0.1
    changed[STUDY]["match"]["designs"]["covariates"]["exact"] = []
    changed[STUDY]["treatment"]["window"]["first_event_time"] = -2
    del changed[STUDY]["exhibit"]["design_labels"]["covariates"]
    write_yaml(project / "params.yaml", changed)
    found = diff_since_head(project).parameters
    stem = f"{STUDY}.match.designs.covariates"
    assert Changed(f"{stem}.caliper_sd", "0.2", "0.1") in found
    assert Changed(f"{stem}.exact", "[sector]", "[]") in found
    Repo.init(str(project), force=True)
    with Repo(str(project)) as repo:
        theirs = repo.params.diff("HEAD", targets=["params.yaml"])["diff"]["params.yaml"]
    assert {change.name for change in found} == set(theirs)


def test_specs_go_by_name_in_a_list_and_keyed(project):
    content = Revision(project).yaml("params.yaml")
    specs = content[STUDY]["estimate"]["specs"]
    name = specs[0]["name"]
    changed = Changed(f"{STUDY}.estimate.specs.{name}.cluster", "assignment", "firm")
    specs[0]["cluster"] = "firm"
    write_yaml(project / "params.yaml", content)
    assert changed_parameters(commit(project, "HEAD"), Revision(project)) == [changed]
    specs.reverse()  # the place in a list says nothing
    content[STUDY]["estimate"]["specs"] = {spec.pop("name"): spec for spec in specs}
    write_yaml(project / "params.yaml", content)
    assert changed_parameters(commit(project, "HEAD"), Revision(project)) == [changed]


def test_a_spec_that_is_renamed_goes_under_both_names(project):
    content = Revision(project).yaml("params.yaml")
    specs = content[STUDY]["estimate"]["specs"]
    before, specs[0]["name"] = specs[0]["name"], "renamed"
    write_yaml(project / "params.yaml", content)
    found = changed_parameters(commit(project, "HEAD"), Revision(project))
    clusters = {c.name: (c.before, c.after) for c in found if c.name.endswith(".cluster")}
    stem = f"{STUDY}.estimate.specs"
    assert clusters == {
        f"{stem}.{before}.cluster": ("assignment", ""),
        f"{stem}.renamed.cluster": ("", "assignment"),
    }


def test_a_moved_estimate_is_shown_in_standard_errors(project):
    row = study_results().estimates.set_index(["outcome", "design", "estimator", "term"])
    before = row.loc[("sales_log", "covariates", "stacked", "att")]
    moved = before.estimate + 0.5 * before.std_error
    write_results(
        project,
        "estimates",
        with_estimate("sales_log", "covariates", "stacked", "att", estimate=moved),
    )
    diff = diff_since_head(project)
    (found,) = diff.studies[0].estimates
    assert found.name == "sales_log covariates stacked att"
    assert found.change_in_errors == pytest.approx(0.5, rel=1e-6)
    assert not found.headline
    assert f"1 of {row['std_error'].notna().sum()} estimates moved" in diff_text(diff)


def test_a_program_reads_the_place_and_both_sides_of_what_moved(project, monkeypatch, capsys):
    write_results(project, "estimates", with_estimate(*HEADLINE, estimate=0.5))
    monkeypatch.chdir(project)
    diff_command.main(["--json"])
    (study,) = json.loads(capsys.readouterr().out)["studies"]
    (moved,) = study["estimates"]
    place = [moved["place"][name] for name in ("outcome", "design", "estimator", "term")]
    assert (study["study"], tuple(place)) == (STUDY, HEADLINE)
    assert moved["after"]["estimate"] == 0.5 != moved["before"]["estimate"]


def test_the_place_of_an_effect_has_its_event_time_as_a_number(project):
    table = study_results().estimates
    table.loc[table["event_time"] == -2, "estimate"] += 1
    write_results(project, "estimates", table)
    found = diff_since_head(project).studies[0].estimates
    assert {(row.place["term"], row.place["event_time"]) for row in found} == {("event", -2)}
    assert {row.place["cohort"] for row in found} == {None}
    assert "sales_log covariates stacked event[-2]" in {row.name for row in found}


def test_a_headline_that_flips_sign_and_loses_significance_is_marked(project):
    write_results(project, "estimates", with_estimate(*HEADLINE, p_value=0.01))
    commit_all(project, "Significant")
    changed = {"estimate": -0.01, "p_value": 0.9}
    write_results(project, "estimates", with_estimate(*HEADLINE, **changed))
    diff = diff_since_head(project)
    (found,) = diff.studies[0].estimates
    assert found.headline
    assert found.marks == ["sign flips", "is no longer significant at 5 percent"]
    for shown in (diff_text(diff), diff_markdown(diff)):
        assert "sign flips; is no longer significant at 5 percent" in shown


def test_a_headline_that_only_moves_has_no_mark(project):
    before = study_results().estimates.set_index(["outcome", "design", "estimator", "term"])
    near = 1.01 * before.loc[HEADLINE].estimate
    write_results(project, "estimates", with_estimate(*HEADLINE, estimate=near))
    (found,) = diff_since_head(project).studies[0].estimates
    assert (found.headline, found.marks) == (True, [])


def test_a_headline_of_which_only_the_interval_moved_says_so(project):
    before = study_results().estimates.set_index(["outcome", "design", "estimator", "term"])
    wider = 2 * before.loc[HEADLINE].std_error
    write_results(project, "estimates", with_estimate(*HEADLINE, std_error=wider))
    diff = diff_since_head(project)
    (found,) = diff.studies[0].estimates
    assert (found.headline, found.marks) == (True, ["interval only"])
    assert "sales_log covariates_lags stacked att (interval only)" in diff_text(diff)


def test_a_study_that_left_is_no_longer_estimated_and_one_that_came_is_new(project):
    content = Revision(project).yaml("params.yaml")
    content["studies"] = ["other"]
    content["other"] = content.pop(STUDY)
    write_yaml(project / "params.yaml", content)
    (project / "reports" / STUDY).rename(project / "reports" / "other")
    text = diff_text(diff_since_head(project))
    assert f"{STUDY}: no longer estimated" in text
    assert "other: new" in text
    assert "estimates moved" not in text


def test_settings_that_changed_without_a_run_are_said_to(project):
    content = Revision(project).yaml("params.yaml")
    params = {f"{STUDY}.{name}": content[STUDY][name] for name in ("treatment", "match")}
    lock = {"stages": {f"match@{STUDY}": {"params": {"params.yaml": params}, "deps": []}}}
    write_yaml(project / "dvc.lock", lock)
    assert diff_since_head(project).not_run == []
    changed = copy.deepcopy(content)
    changed[STUDY]["match"]["designs"]["covariates"]["caliper_sd"] = 0.1
    write_yaml(project / "params.yaml", changed)
    (said,) = diff_since_head(project).not_run
    assert said.startswith(f"{STUDY}: params.yaml changed, results were not made again")
    assert f"({STUDY}.match of the working tree)" in said
    assert "results were not made again" in diff_text(diff_since_head(project))


def test_lines_are_short_whatever_moved(project):
    content = Revision(project).yaml("params.yaml")
    content[STUDY]["exhibit"]["tables"] = [f"table_of_a_long_name_{i}" for i in range(9)]
    write_yaml(project / "params.yaml", content)
    table = study_results().estimates
    table["estimate"] = -table["estimate"]
    write_results(project, "estimates", table)
    text = diff_text(diff_since_head(project))
    assert "sign flips" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(("inference", "is_headline"), [("hc3", True), ("bias_reduced", False)])
def test_a_headline_has_whatever_errors_are_its_own(inference, is_headline):
    table = study_results().estimates
    chosen = table[(table["outcome"] == "sales_log") & (table["term"] == "att")].iloc[:1]
    before = chosen.assign(inference=inference)
    after = before.assign(estimate=before["estimate"] + 1)
    headline = {name: before.iloc[0][name] for name in ("design", "estimator", "term")}
    (found,) = moved_rows(before, after, HeadlineRows(headline))
    assert found.headline == is_headline


def test_a_negative_control_is_no_headline(project):
    content = Revision(project).yaml("params.yaml")
    content[STUDY]["outcomes"] = {"sales_log": {"negative_control": "sold before the programme"}}
    write_yaml(project / "params.yaml", content)
    before = study_results().estimates.set_index(["outcome", "design", "estimator", "term"])
    near = 1.01 * before.loc[HEADLINE].estimate
    write_results(project, "estimates", with_estimate(*HEADLINE, estimate=near))
    (found,) = diff_since_head(project).studies[0].estimates
    assert not found.headline


def test_last_digits_of_a_machine_do_not_move_an_estimate(project):
    before = study_results().estimates.set_index(["outcome", "design", "estimator", "term"])
    near = before.loc[HEADLINE].estimate * (1 + 2e-8)
    write_results(project, "estimates", with_estimate(*HEADLINE, estimate=near))
    assert diff_since_head(project).nothing_moved


def test_effects_that_appear_and_vanish_are_moved(project):
    table = study_results().estimates
    write_results(project, "estimates", table[table["outcome"] != "sales_log"])
    marks = {tuple(row.marks) for row in diff_since_head(project).studies[0].estimates}
    assert marks == {("no longer estimated",)}


def test_sample_flow_and_matching_losses_move(project):
    results = study_results()
    flow = results.sample_flow.copy()
    flow.loc[1, "firms"] -= 3
    place = {"design": "covariates", "stack": "all"}
    fewer = with_figures(results, MATCHED, place, n_treated_matched=390)
    more = with_figures(fewer, LOSSES, place, n_firms=15)
    write_results(project, "sample_flow", flow)
    for table in (MATCHED, LOSSES):
        write_results(project, table.name.lower(), more.details.of(table))
    found = [
        (row.name, row.before, row.after) for row in diff_since_head(project).studies[0].counts
    ]
    assert found == [
        ("Assignment cluster known in every year: firms left", 10248, 10245),
        ("covariates: treated in the design", 398, 390),
        ("covariates: treated off support or without a match", 7, 15),
    ]


def test_counts_of_designs_that_a_state_does_not_have_are_not_compared(project):
    (project / "reports" / STUDY / "results" / "matched.csv").unlink()
    assert diff_since_head(project).studies[0].counts == []


def test_code_packages_and_data_that_changed_are_listed(project):
    (project / "pipeline" / "nearest.py").write_text("order = 'smallest'\n")
    (project / "pipeline" / "new.py").write_text("")
    (project / "pipeline" / "rules" / "cells.py").write_text("exact = False\n")
    (project / "constraints.txt").write_text("numpy==2.5.0\npandas==3.1.1\n")
    dep = {"path": "data/raw/madeup", "md5": "0123456789abcdef.dir"}
    write_yaml(project / "dvc.lock", {"stages": {"obtain@madeup": {"deps": [dep]}}})
    diff = diff_since_head(project)
    assert diff.code == [
        Changed("pipeline/nearest.py", "+1 \u22121", "match"),
        Changed("pipeline/new.py", "new", ""),
        Changed("pipeline/rules/cells.py", "+1 \u22121", "match"),
    ]
    assert diff.packages == [Changed("numpy", "2.4.6", "2.5.0")]
    assert diff.data == [Changed("data/raw/madeup", "", "0123456789")]
    assert diff.nothing_moved


def test_two_commits_are_compared_without_the_working_tree(project):
    (project / "constraints.txt").write_text("numpy==2.5.0\npandas==3.1.1\n")
    commit_all(project, "Second")
    (project / "constraints.txt").write_text("numpy==9\n")
    diff = compare_revisions(commit(project, "HEAD~1"), commit(project, "HEAD"))
    assert diff.packages == [Changed("numpy", "2.4.6", "2.5.0")]


def test_a_revision_without_results_is_compared_all_the_same(project):
    git(project, "rm", "-r", "--quiet", "reports", "constraints.txt")
    commit_all(project, "No results")
    diff = compare_revisions(commit(project, "HEAD"), commit(project, "HEAD~1"))
    assert {tuple(row.marks) for row in diff.studies[0].estimates} == {("new",)}


def test_an_unknown_revision_is_an_error_that_names_it(project):
    with pytest.raises(RevisionError, match="git knows no revision 'nowhere'"):
        commit(project, "nowhere")


def test_markdown_folds_long_lists_and_escapes_names(project):
    table = study_results().estimates
    table["estimate"] = 2 * table["estimate"]
    write_results(project, "estimates", table)
    shown = diff_markdown(diff_since_head(project))
    assert shown.count("<details>") == shown.count("</details>") == 1
    assert "sales\\_log covariates\\_lags stacked att" in shown
