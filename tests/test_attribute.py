"""Attribution: every amount is what computing gives, and nothing of the project is touched."""

import copy
import dataclasses
import hashlib
import json
import math

import pytest
from dvc.stage.cache import _get_cache_hash
from repository import commit_all, git
from results import many_outcomes
from ruamel.yaml import YAML
from workspace import contents, project, section, write_params

from pipeline.commands.attribute import headlines_computed
from pipeline.commands.attribute.answers import StudyAnswer, answer_data, answers
from pipeline.commands.attribute.attribution import Attribution, Computed, NamedOutcomes
from pipeline.commands.attribute.attribution_words import attribution_markdown, attribution_text
from pipeline.commands.attribute.changed_settings import Change, Setting
from pipeline.commands.attribute.headline_effects import HeadlineEffect
from pipeline.commands.attribute.headlines_computed import question
from pipeline.commands.attribute.run_cache import RunCache
from pipeline.commands.attribute.shapley import asked_combinations, shapley_values
from pipeline.commands.attribute.states import settled
from pipeline.commands.attribute.waterfall import waterfalls
from pipeline.commands.audit.revisions import Revision, commit
from pipeline.commands.explore import explore
from pipeline.exhibits.tables.table import DASH
from pipeline.params.study import read_study
from stages import diff as diff_command

ALL = frozenset({0, 1, 2})


def small() -> dict:
    """Return the Michigan study with one outcome and the headline's design alone."""
    block = section("michigan")
    block["outcomes"] = {"sales_log": block["outcomes"]["sales_log"]}
    block["match"]["designs"] = {"covariates": block["match"]["designs"]["covariates"]}
    block["estimate"]["analyses"] = {}
    for spec in block["estimate"]["specs"].values():
        spec["designs"] = [d for d in spec["designs"] if d in {"unmatched", "covariates"}]
    panels = block["exhibit"]["panels"]
    block["exhibit"]["panels"] = [p for p in panels if p["design"] in {"unmatched", "covariates"}]
    return block


def changed(*sections: str) -> dict:
    """Return the same with another label, and another caliper and window in the sections named."""
    block = small()
    if "match" in sections:
        block["match"]["designs"]["covariates"]["caliper_sd"] = 0.1
    if "treatment" in sections:
        block["treatment"]["window"]["last_event_time"] = 0
    block["outcomes"]["sales_log"]["label"] = "Sales"
    return block


BOTH = ("match", "treatment")


# ---- sharing


def test_shares_of_settings_that_do_not_interact_are_what_each_moves():
    amounts = (0.5, -2.0, 0.0)
    values = {chosen: 7 + sum(amounts[i] for i in chosen) for chosen in asked_combinations(3)}
    assert shapley_values(values, 3) == pytest.approx(amounts)


def test_what_two_settings_move_only_together_is_shared_by_both():
    values = {c: (3.0 if {0, 1} <= c else 0.0) + (1.0 if 2 in c else 0) for c in powerset()}
    assert shapley_values(values, 3) == pytest.approx([1.5, 1.5, 1.0])


def test_shares_add_up_to_the_whole():
    values = {chosen: math.sin(1 + 3 * sum(2**i for i in chosen)) for chosen in powerset()}
    assert sum(shapley_values(values, 3)) == pytest.approx(values[ALL] - values[frozenset()])


def powerset():
    return asked_combinations(3)


def test_of_more_settings_each_is_changed_alone_and_last():
    asked = asked_combinations(5)
    assert sorted(map(len, asked)) == [0, *[1] * 5, *[4] * 5, 5]


# ---- settings that changed


def test_settings_go_by_name_and_a_design_that_was_added_is_one():
    before, after = small(), changed(*BOTH)
    after["estimate"]["specs"] = [
        {"name": name, **spec} for name, spec in reversed(after["estimate"]["specs"].items())
    ]
    after["estimate"]["specs"][1]["average"] = "pooled"
    after["match"]["designs"]["wide"] = {**after["match"]["designs"]["covariates"]}
    change = Change(before, after)
    assert sorted(name for setting in change.settings for name in setting.names) == [
        "estimate.specs.stacked.average",
        "match.designs.covariates.caliper_sd",
        "match.designs.wide",
        "outcomes.sales_log.label",
        "treatment.window.last_event_time",
    ]
    as_read = [read_study({"a": block}, "a") for block in (change.section([]), before)]
    assert as_read[0] == as_read[1]
    assert change.section(change.settings) == after
    caliper = next(s for s in change.settings if s.label == "caliper_sd")
    assert (caliper.before, caliper.after) == (("0.2",), ("0.1",))
    only = change.section([caliper])
    assert only["match"]["designs"]["covariates"]["caliper_sd"] == 0.1
    assert (only["treatment"], list(only["match"]["designs"])) == (
        before["treatment"],
        ["covariates"],
    )
    assert before == small()


def test_settings_that_stand_only_together_are_one():
    before, after = small(), changed(*BOTH)
    after["match"]["designs"]["wide"] = after["match"]["designs"].pop("covariates")
    after["estimate"]["headline"]["design"] = "wide"
    for spec in after["estimate"]["specs"].values():
        spec["designs"] = ["wide" if d == "covariates" else d for d in spec["designs"]]
    for panel in after["exhibit"]["panels"]:
        panel["design"] = panel["design"].replace("covariates", "wide")
    for block in (before, after):
        block["exhibit"]["design_labels"] = {}
    found = settled("michigan", before, after)
    joint = next(s for s in found.entering if "estimate.headline.design" in s.names)
    assert {"match.designs.covariates", "match.designs.wide"} <= set(joint.names)
    assert [s.names for s in found.entering if s is not joint] == [
        ["treatment.window.last_event_time"]
    ]


def test_settings_that_the_headline_does_not_depend_on_need_no_run():
    after = changed(*BOTH)
    after["estimate"]["power"] = 0.9
    after["match"]["balance"]["threshold"] = 0.2
    after["score"]["unmatched"]["controls_from"] = "all"
    after["exhibit"]["title"] = "Another title"
    found = settled("michigan", small(), after)
    assert {s.label for s in found.entering} == {"caliper_sd", "last_event_time"}
    assert {s.label for s in found.silent} == {
        *("label", "power", "threshold", "controls_from", "title")
    }


# ---- what is said


def setting(name: str) -> Setting:
    return Setting((("match", name),), ("1",), ("2",))


def effect(estimate: float, half: float = 0.2) -> HeadlineEffect:
    return HeadlineEffect(estimate, half / 2, estimate - half, estimate + half)


def found(values: dict, n_settings: int, labels=None, **more) -> Attribution:
    """Return what is attributed where `values` are headlines by combination."""
    names = list(next(iter(values.values())))
    return Attribution(
        study="firms",
        settings=[setting(f"setting_{number}") for number in range(n_settings)],
        silent=[],
        outcomes=NamedOutcomes(
            labels or dict.fromkeys(names, "Sales"),
            dict.fromkeys(names, "log points"),
            more.pop("other_units", frozenset()),
        ),
        computed={c: v if isinstance(v, Computed) else Computed(v) for c, v in values.items()},
        **{"before": None, "after": None, **more},
    )


def row(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(start))
    return [line.removeprefix(start).split("  ")[-1].strip()]


def test_a_setting_that_moves_the_interval_alone_is_said_to():
    values = {
        frozenset(): {"sales": effect(0.1)},
        frozenset({0}): {"sales": effect(0.1, half=0.3)},
        frozenset({1}): {"sales": effect(0.15)},
        frozenset({0, 1}): {"sales": effect(0.15, half=0.3)},
    }
    text = attribution_text(found(values, 2), "no code")
    estimates, widths = text.split("Half the width")
    assert row(estimates, "1 setting_0") == ["interval only"]
    assert row(estimates, "2 setting_1") == ["+0.050"]
    assert row(widths, "1 setting_0") == ["+0.100"]
    assert row(widths, "2 setting_1") == ["0"]


def test_what_data_and_code_moved_is_an_arm_of_its_own():
    values = {frozenset(): {"sales": effect(0.1)}, frozenset({0}): {"sales": effect(0.3)}}
    published = {"before": {"sales": effect(0.05)}, "after": {"sales": effect(0.3)}}
    shown = found(values, 1, **published)
    assert shown.moves("sales").each == [(pytest.approx(0.2),)]
    assert shown.other_causes("sales") == pytest.approx(0.05)
    text = attribution_text(shown, "no raw data, 3 files of code, no package version")
    assert row(text, "Data, code, packages") == ["+0.050"]
    assert "3 files of code" in text


def test_an_outcome_that_a_setting_ends_is_no_longer_estimated():
    none = HeadlineEffect()
    values = {
        frozenset(): {"sales": effect(0.1)},
        frozenset({0}): {"sales": none},
        frozenset({1}): {"sales": effect(0.1)},
        frozenset({0, 1}): {"sales": none},
    }
    text = attribution_text(found(values, 2), "no code")
    assert row(text, "1 setting_0") == ["no longer estimated"]
    assert row(text, "2 setting_1") == [DASH.plain()]
    assert row(text, "After (computed here)") == ["no longer estimated"]


def test_effects_in_other_units_are_not_subtracted():
    values = {frozenset(): {"sales": effect(0.1)}, frozenset({0}): {"sales": effect(900.0)}}
    shown = found(values, 1, other_units=frozenset({"sales"}))
    assert shown.moves("sales") is None
    assert "In other units after than before" in attribution_text(shown, "no code")


def test_many_settings_are_told_alone_and_last_with_what_they_move_together():
    values = {c: {"sales": effect(0.1 * len(c) ** 2)} for c in asked_combinations(4)}
    text = attribution_text(found(values, 4), "no code")
    assert row(text, "1 setting_0") == ["+0.100 / +0.700"]
    assert row(text, "Together, beyond each alone") == ["+1.200"]
    assert "changed alone" in text


def test_a_combination_that_is_refused_is_named_with_the_reason():
    values = {c: {"sales": effect(0.1 * len(c))} for c in asked_combinations(2)}
    values[frozenset({1})] = Computed(refused="no comparison firm is left")
    text = attribution_text(found(values, 2), "no code")
    assert row(text, "2 setting_1") == ["? / +0.100"]
    assert "Not computed: 2 setting_1: no comparison firm is left" in text


def test_lines_are_short_whatever_the_labels():
    labels = {name: outcome["label"] for name, outcome in many_outcomes(9).items()}
    values = {c: {name: effect(0.1 * len(c)) for name in labels} for c in asked_combinations(3)}
    shown = found(values, 3, labels)
    text = attribution_text(shown, "no code")
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("1 setting_0") >= 9 / 2
    table = [li for li in attribution_markdown(shown, "no code").splitlines() if li[:1] == "|"]
    assert len(table[0].split("|")) == 9 + 3
    assert len([line for line in table if line.startswith("| 1 setting")]) == 1


def test_the_waterfall_is_drawn_the_same_each_time(tmp_path):
    values = {c: {"sales": effect(0.1 - 0.05 * len(c))} for c in asked_combinations(2)}
    answer = StudyAnswer("firms", [], found(values, 2))
    path = tmp_path / "w.svg"
    one, two = waterfalls([answer], path), waterfalls([answer], path)
    assert one == two
    assert list(one) == [path]
    other = StudyAnswer("others", [], dataclasses.replace(found(values, 2), study="others"))
    paths = list(waterfalls([answer, other], path))
    assert paths == [path.with_name("w_firms.svg"), path.with_name("w_others.svg")]


# ---- stored runs


def test_a_run_is_named_as_dvc_names_it(tmp_path):
    """The record is what DVC writes; its name is that of DVC's own function."""
    (tmp_path / "dvc.yaml").write_text(
        "stages:\n  obtain:\n    foreach: ${studies}\n    do:\n"
        "      cmd: python -m stages.obtain ${item}\n      deps: [code.py]\n"
        '      params: ["${item}.data"]\n      outs: ["data/${item}/obtained"]\n'
    )
    (tmp_path / "code.py").write_text("x = 1\n")
    md5 = hashlib.md5(b"x = 1\n").hexdigest()
    record = {
        "cmd": "python -m stages.obtain firms",
        "deps": [{"path": "code.py", "hash": "md5", "md5": md5, "size": 6}],
        "params": {"params.yaml": {"firms.data": {"year": "year", "minimum": 0.1}}},
        "outs": [{"path": "data/firms/obtained", "hash": "md5", "md5": "ab12.dir", "nfiles": 1}],
    }
    cache = tmp_path / ".dvc" / "cache"
    name = _get_cache_hash(copy.deepcopy(record), key=True)
    place = cache / "runs" / name[:2] / name
    place.mkdir(parents=True)
    with (place / "value").open("w") as file:
        YAML().dump(record, file)
    for md5, content in (("ab12.dir", json.dumps([{"md5": "cd34", "relpath": "panel.parquet"}])),):
        (cache / "files" / "md5" / md5[:2]).mkdir(parents=True)
        (cache / "files" / "md5" / md5[:2] / md5[2:]).write_text(content)
    (cache / "files" / "md5" / "cd").mkdir()
    (cache / "files" / "md5" / "cd" / "34").write_text("a table")
    content = {"studies": ["firms"], "firms": {"data": {"year": "year", "minimum": 0.1}}}
    kept = RunCache(tmp_path).found("firms", content, "obtain", "panel.parquet")
    assert kept.read_text() == "a table"
    content["firms"]["data"]["minimum"] = 0.2
    assert RunCache(tmp_path).found("firms", content, "obtain", "panel.parquet") is None


# ---- computed


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Write a repository in which one setting changed and no results were made yet."""
    folder = project(tmp_path_factory.mktemp("project"), {"michigan": small(), "gone": small()})
    git(folder, "init", "--quiet")
    commit_all(folder, "Before")
    write_params(folder, {"michigan": changed("match")})
    return folder


def panel_of(folder, block):
    from pipeline.panel.clean import clean_panel
    from pipeline.panel.sources import obtain_tables

    study = read_study({"michigan": block}, "michigan")
    raw = obtain_tables(study.data, folder / "data" / "raw" / "michigan")
    sections = {name: getattr(study, name) for name in ("data", "clean", "treatment")}
    return dict(clean_panel(raw.panel, None, {}, **sections).tables()), study


def test_the_answer_is_what_exploring_gives_and_no_file_is_touched(here, monkeypatch):
    monkeypatch.chdir(here)
    monkeypatch.setattr(headlines_computed, "yardstick", lambda: 0.05)
    files = contents(here)
    told: list[str] = []
    first, second = answers(here, commit(here, "HEAD"), Revision(here), told.append)
    assert contents(here) == files
    assert second.sentences == ["gone: no longer estimated: `studies` does not list it any more."]
    (announced,) = told
    assert "michigan: 2 combinations of settings, 2 to be made here: about" in announced
    shown = first.found
    expected = explore(*panel_of(here, changed("match"))).effects.iloc[0]
    end, start = shown.end("sales_log"), shown.start("sales_log")
    assert end.estimate == pytest.approx(expected["estimate"], rel=1e-9)
    assert end.conf_high == pytest.approx(expected["conf_high"], rel=1e-9)
    ((amount,),) = shown.moves("sales_log").each
    assert amount == pytest.approx(end.estimate - start.estimate)
    assert abs(amount) > 1e-3
    assert [s.label for s in shown.silent] == ["label"]
    json.dumps(answer_data(first))


def test_a_waterfall_without_attribution_is_refused(here, monkeypatch, capsys):
    monkeypatch.chdir(here)
    with pytest.raises(SystemExit) as stop:
        diff_command.main(["--waterfall", "w.svg"])
    assert stop.value.code == 2
    assert "give both" in capsys.readouterr().err


def test_settings_that_the_code_here_does_not_know_are_said(here):
    before = Revision(here)
    block = small()
    block["match"]["designs"]["covariates"]["no_such"] = 1
    unknown = Revision(here)
    unknown._read["params.yaml"] = {"studies": ["michigan"], "michigan": block}
    (answer,) = answers(here, unknown, before, lambda _: None)
    assert "cannot be told with the code here" in answer.sentences[-1]
    assert "no_such" in answer.sentences[-1]


def test_what_was_published_by_the_code_and_data_here_is_not_computed_again(here, monkeypatch):
    old = commit(here, "HEAD")
    asked = question(here, old, Revision(here), "michigan")
    assert asked.n_runs == 2
    asked.combinations[frozenset()].known = {"sales_log": effect(0.1)}
    assert asked.n_runs == 1
