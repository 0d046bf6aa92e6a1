"""Commands on a study with arms: each arm's numbers are those of the stages."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from arms_study import ARMS, EXPOSURES, STUDY, delivered
from marked_study import run
from stata_commands import Stata
from workspace import project, write_params

from pipeline.commands.arms_in_memory import ArmsInMemory, cleaned_by, match_arms
from pipeline.commands.attribute.headline_effects import entering, estimated_headlines
from pipeline.commands.attribute.headlines_computed import attribution, question
from pipeline.commands.audit.revisions import Revision
from pipeline.commands.explore import explore
from pipeline.commands.notebook import Evaluation, evaluate
from pipeline.commands.notebook_match import Match
from pipeline.commands.notebook_params import study_of
from pipeline.commands.plan.cost import read_cost
from pipeline.commands.plan.sizes import study_sizes
from pipeline.commands.plan.work import study_work
from pipeline.commands.remove import plan_removal
from pipeline.datasets.arms import ARM_CONTRASTS, ARM_FLOW
from pipeline.datasets.exposure import EXPOSURE
from pipeline.datasets.matches import WEIGHTS
from pipeline.datasets.pools import POOLS
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.selection import SCORES
from pipeline.datasets.store import empty, read, write
from pipeline.errors import DataError, ParamsError, Reason, SupportError
from pipeline.params.settings import read_value
from pipeline.params.study import read_study
from pipeline.selection.supported_arms import TriedArms, with_reasons
from stages import export
from stages.run import Folders

NAMED = {arm: rule for arm, rule in ARMS["named"].items() if arm != "within_15"}
POOLS_ASKED = {
    "everybody": {"kind": "everyone"},
    "metal": {"kind": "among", "column": "sector", "values": ["metal"]},
}
FOLDERS = {arm: "" if arm == "training" else arm for arm in NAMED}


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """Return every second municipality of the study, cleaned; columns are called what they are."""
    panel, register = delivered()
    panel = panel[panel["place"].str[1:].astype(int) % 2 == 0]
    register = register[register["firm"].isin(panel["firm"])]
    return evaluate(
        panel,
        firm="firm",
        year="year",
        entry="entry",
        register=register.rename(columns={"part": "component"}),
        arms=ARMS | {"named": NAMED},
        exposure=EXPOSURES,
        pools=POOLS_ASKED,
        cluster="place",
        outcomes=["sales"],
        window=(-2, 2),
    )


@pytest.fixture(scope="module")
def match(evaluation) -> Match:
    return evaluation.match(["sales"], caliper_sd=0.5)


@pytest.fixture(scope="module")
def folders(tmp_path_factory, evaluation, match) -> Folders:
    """Run the stages on what the notebook saves and prints."""
    root = project(tmp_path_factory.mktemp("project"), {STUDY: {}})
    evaluation.save(root / "data" / "raw" / STUDY)
    written = block(match)
    written["estimate"]["match_orders"] = 1  # of no interest here, and slow
    write_params(root, {STUDY: written})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr("sys.argv", ["stage", STUDY])
        for verb in ("obtain", "clean", "score", "match", "estimate"):
            run(verb)
    return Folders(STUDY, root)


def block(match: Match, **arms: object) -> dict:
    """Return the section of the study; `arms` replaces parts of its arms."""
    found = read_value(match.params(STUDY))[STUDY]
    found["treatment"]["arms"] |= arms
    return found


@pytest.fixture(scope="module")
def section(match):
    return match.study


@pytest.fixture(scope="module")
def cleaned(folders, section) -> dict:
    read_too = cleaned_by(section.data, section.treatment)
    return {table: read(table, folders.of("clean")) for table in read_too}


def average(folders: Folders, arm: str, outcome: str = "sales") -> pd.Series:
    """Return the headline's row of ESTIMATES of an arm, as the stage wrote it."""
    rows = read(ESTIMATES, folders.of("estimate", FOLDERS[arm]))
    place = {"outcome": outcome, "design": "matched", "term": "att", "arm": arm}
    (found,) = rows[(rows[list(place)] == pd.Series(place)).all(axis=1)].to_dict("records")
    return pd.Series(found)


def test_exploring_gives_the_effects_of_the_arm_that_is_asked_for(folders, cleaned, section):
    found = explore(cleaned, section, "within_5")
    row = found.effects.set_index("outcome").loc["sales"]
    assert found.arm == "within_5"
    assert row["estimate"] == pytest.approx(average(folders, "within_5")["estimate"], rel=1e-8)
    with pytest.raises(ParamsError, match=r"loans is no arm.*training, credit, within_5"):
        explore(cleaned, section, "loans")


def test_an_arm_without_support_is_told_with_its_reason(match, cleaned, section):
    small = read_study({STUDY: block(match, least_firms=1000)}, STUDY)
    with pytest.raises(SupportError) as raised:
        explore(cleaned, small, "credit")
    assert raised.value.reason == Reason("arm_too_small", {"least": 1000})
    assert match.arm_flow.set_index("arm")["reason"].isna().all()


def test_headlines_are_computed_for_every_arm(folders, cleaned, section):
    found = estimated_headlines(cleaned, section, {})
    keys = {arm: f"{arm}: sales" for arm in FOLDERS} | {"training": "sales"}
    assert set(found) == set(keys.values())
    for arm, key in keys.items():
        expected, effect = average(folders, arm), found[key]
        assert effect.estimate == pytest.approx(expected["estimate"], rel=1e-8)
        assert effect.std_error == pytest.approx(expected["std_error"], rel=1e-8)


def test_a_contrast_moves_no_headline(match, section):
    without, other = block(match, contrasts={}), block(match, headline="credit")
    assert entering(read_study({STUDY: without}, STUDY)) == entering(section)
    assert entering(read_study({STUDY: other}, STUDY)) != entering(section)


def test_a_notebook_gives_effects_under_pools_as_the_stage_does(folders, match):
    stored = read(POOLS, folders.of("estimate")).drop(columns="outcome")
    expected = stored.sort_values("position").reset_index(drop=True)
    shown = match.pools("sales")
    assert shown["pool"].to_list() == ["clean", *POOLS_ASKED]
    pd.testing.assert_frame_equal(shown, expected, rtol=1e-8, atol=1e-9, check_dtype=False)
    treatment = match.study.treatment.model_copy(update={"pools": {}})
    without = replace(match, study=match.study.model_copy(update={"treatment": treatment}))
    with pytest.raises(ParamsError, match="names no pools"):
        without.pools("sales")


def test_a_pool_moves_no_headline(match, section):
    without = block(match)
    del without["treatment"]["pools"]
    assert entering(read_study({STUDY: without}, STUDY)) == entering(section)


@pytest.mark.slow
def test_what_moved_is_attributed_in_every_arm_from_delivered_files(folders, match):
    root, sides = folders.private.parents[1], []
    for caliper in (0.5, 0.02):
        found = block(match)
        found["match"]["designs"]["matched"]["caliper_sd"] = caliper
        content = {"params.yaml": {"studies": [STUDY], STUDY: found}}
        sides.append(Revision(root, _read=content))
    asked = question(root, *sides, STUDY)
    assert asked.n_runs == 2
    told = attribution(asked)
    for arm, key in {"training": "sales", "credit": "credit: sales"}.items():
        expected = average(folders, arm)
        assert told.start(key).estimate == pytest.approx(expected["estimate"], rel=1e-8)
        ((moved,),) = told.moves(key).each
        assert moved == pytest.approx(told.end(key).estimate - expected["estimate"], abs=1e-9)
    assert told.outcomes.labels["credit: sales"] == "sales, credit"


def test_a_notebook_gives_each_arm_and_their_contrasts_as_the_stages_do(folders, match):
    assert list(match.arms) == list(FOLDERS)
    for arm, found in match.arms.items():
        shown = found.effects("sales").tidy()
        stored = read(ESTIMATES, folders.of("estimate", FOLDERS[arm]))
        expected = stored[stored["design"] == "matched"].reset_index(drop=True)
        assert set(shown["arm"]) == {arm}
        pd.testing.assert_frame_equal(shown, expected, rtol=1e-8, atol=1e-9, check_dtype=False)
    assert match.effects("sales").tidy().equals(match.arms["training"].effects("sales").tidy())
    stored = read(ARM_CONTRASTS, folders.of("estimate"))
    expected = stored[stored["design"] == "matched"].drop(columns=["outcome", "design"])
    found = match.contrasts("sales")
    assert found["estimate"].notna().any()
    expected = expected.reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-8, check_dtype=False)


def test_a_notebook_takes_links_between_firms(evaluation, tmp_path):
    panel, register = evaluation.asked.table, evaluation.asked.register
    firms, enters = panel["firm"].unique(), set(register["firm"])
    others = [firm for firm in firms if firm not in enters][:40]
    links = pd.DataFrame({"source": sorted(enters)[:40], "target": others, "year": 2008})
    named = {
        "training": ARMS["named"]["training"],
        "buyers": {"source": "exposure", "exposure": "bought"},
    }
    asked = {"firm": "firm", "year": "year", "entry": "entry", "outcomes": ["sales"]}
    asked |= {"register": register, "arms": {"headline": "training", "named": named}}
    asked |= {"exposure": {"bought": {"kind": "link", "direction": "target", "measure": "any"}}}
    study = evaluate(panel, links=links, **asked)
    study.save(tmp_path)
    assert len(pd.read_parquet(tmp_path / "links.parquet")) == 40
    assert "file: links.parquet" in study.params("mine")
    found = match_arms(dict(study.cleaned.tables()), study_of(study.asked, {})).arm("buyers")
    assert set(found.scores.loc[found.scores["treated"], "firm_id"]) == set(others)
    assert found.study.exposed.n_firms == len(others)
    with pytest.raises(DataError, match="has no column target"):
        evaluate(panel, links=links.drop(columns="target"), **asked)
    centred = {"kind": "ring", "place": "place", "centroids": "c.csv", "precision_km": 1}
    with pytest.raises(ParamsError, match="in a notebook give places as columns"):
        evaluate(panel, **asked | {"exposure": {"bought": centred | {"edges_km": [5.0]}}})


def test_what_a_notebook_cannot_give_is_said(evaluation):
    panel, register = evaluation.asked.table, evaluation.asked.register
    asked = {"firm": "firm", "year": "year", "entry": "entry", "outcomes": ["sales"]}
    plain = evaluate(panel.merge(register, how="left", on="firm"), **asked)
    with pytest.raises(ParamsError, match="names none"):
        plain.match(["jobs"]).contrasts("sales")
    with pytest.raises(ParamsError, match=r"treatment\.exposure"):
        evaluate(panel, register=register, exposure={"near": {"kind": "sell"}}, **asked)
    with pytest.raises(DataError, match="has no column entered"):
        evaluate(panel, register=register, **asked | {"entry": "entered"})


def test_every_arm_is_exported_and_repeated(folders, monkeypatch, capsys):
    monkeypatch.chdir(folders.private.parents[1])
    export.main([STUDY, "--stata"])
    for arm, name in FOLDERS.items():
        stata = Stata(folders.of("export", name))
        stata.run("estimates.do")
        # two designs; estimate, standard error, N, clusters
        assert stata.asserts == 2 * 4
        assert f"{STUDY}, arm {arm}" in (stata.folder / "estimates.do").read_text()
    assert "credit/matched.dta" in capsys.readouterr().out


def test_one_arm_is_exported_by_name(folders, monkeypatch, capsys):
    monkeypatch.chdir(folders.private.parents[1])
    export.main([STUDY, "--stata", "--arm", "within_5"])
    said = capsys.readouterr().out
    assert "within_5/estimates.do" in said and "credit" not in said
    with pytest.raises(SystemExit) as stop:
        export.main([STUDY, "--stata", "--arm", "within_6"])
    assert stop.value.code == 2
    assert "within_6 is no arm; did you mean within_" in capsys.readouterr().err


def test_an_arm_without_support_is_left_out_with_its_reason(folders, match, monkeypatch, capsys):
    place, why = folders.of("estimate"), Reason("few_exposed_firms", {"least": 30})
    flow = read(ARM_FLOW, place)
    told = with_reasons(flow, {"credit": why}, "match")
    tried = TriedArms(match.study.treatment, "match", told)
    with pytest.raises(SupportError) as refused:
        ArmsInMemory({}, empty(EXPOSURE), tried).arm("credit")
    assert refused.value.reason == why
    assert list(match.arm_flow["arm"]) == sorted(FOLDERS)
    write(ARM_FLOW, told, place)
    monkeypatch.chdir(folders.private.parents[1])
    export.main([STUDY, "--stata"])
    assert "credit" not in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        export.main([STUDY, "--stata", "--arm", "credit"])
    assert stop.value.code == 2
    assert "arm credit of clusters has no results to export" in capsys.readouterr().err
    write(ARM_FLOW, flow, place)


def test_a_notebook_shows_what_an_arm_is_called(match):
    found = match.arms["within_5"]
    assert "within 5" in found.effects("sales").table().content
    assert "<svg" in found.effects("sales").event_study().content


def test_the_work_of_every_arm_is_counted(folders, section):
    root = folders.private.parents[1]
    sizes = study_sizes(root, STUDY, section)
    scores = [read(SCORES, folders.of("score", name)) for name in FOLDERS.values()]
    assert sizes.firms == sum(int((s["model"] == "unmatched").sum()) for s in scores)
    weights = [read(WEIGHTS, folders.of("match", name)) for name in FOLDERS.values()]
    assert sum(sizes.used.values()) == sum(map(len, weights))
    alone = section.model_copy(
        update={"treatment": section.treatment.model_copy(update={"arms": None})}
    )
    shares = read_cost().shares
    early = replace(sizes, firms=None, used={})
    work, single = (study_work(asked, early, shares) for asked in (section, alone))
    assert work.seconds["match"] == pytest.approx(3 * single.seconds["match"])
    assert work.seconds["clean"] == single.seconds["clean"]


def test_files_of_every_arm_go_with_the_study(folders):
    root = folders.private.parents[1]
    made = {path.relative_to(root) for path in folders.private.rglob("*") if path.is_file()}
    removal = plan_removal(root, STUDY)
    assert {Path(f"data/{STUDY}/match/within_5/weights.parquet")} <= made == set(removal.files)
    assert removal.staying == []
