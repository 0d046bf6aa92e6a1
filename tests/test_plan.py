"""What a run is expected to take: from row counts, params, and what was measured elsewhere."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from import_closure import ROOT
from marked_study import STUDY, marked_panel, marked_project, run
from workspace import project, section

from pipeline.commands.plan.cost import expected, read_cost
from pipeline.commands.plan.sizes import Sizes, study_sizes
from pipeline.commands.plan.work import study_work
from pipeline.params.settings import load_yaml
from pipeline.params.study import read_study
from stages.plan import main

COST = read_cost()
LARGE = load_yaml(ROOT / "benchmarks" / "large.yaml")
SIZES = Sizes("here", 1_000_000, 200_000, {})
# As docs/running.md says.
FACTOR = 3


def planned(block=None, sizes=SIZES, jobs=1):
    """Return seconds and MiB by stage of a study."""
    study = read_study({"large": block} if block else LARGE, "large")
    stages = expected(COST, study_work(study, sizes, COST.shares), jobs)
    return {s.stage: s.seconds for s in stages}, {s.stage: s.mib for s in stages}


def changed(**settings):
    block = load_yaml(ROOT / "benchmarks" / "large.yaml")["large"]
    block["estimate"].update(settings)
    return block


@pytest.mark.parametrize("point", COST.points[1:], ids=lambda p: f"{p.sizes.firm_years}")
def test_a_size_is_foretold_by_the_other_sizes_within_the_factor(point):
    """The smallest aside: nothing below it says what a stage takes with hardly any rows."""
    others = replace(COST, points=[p for p in COST.points if p is not point])
    for stage in expected(others, point.work):
        assert 1 / FACTOR < stage.seconds / point.seconds[stage.stage] < FACTOR, stage
        assert 1 / FACTOR < stage.mib / point.mib[stage.stage] < FACTOR, stage


def test_a_measured_size_is_foretold_exactly():
    for point in COST.points:
        for stage in expected(COST, point.work):
            if stage.stage != "exhibit":  # as much to show at every size
                assert stage.seconds == pytest.approx(point.seconds[stage.stage], rel=1e-6)
                assert stage.mib == pytest.approx(point.mib[stage.stage], rel=1e-6)


def test_the_work_on_file_is_that_of_the_study_that_was_measured():
    """Where not, `python -m benchmarks.endtoend --cost` has to measure again."""
    study = read_study(LARGE, "large")
    for point in COST.points:
        assert study_work(study, point.sizes, COST.shares) == point.work


def test_more_of_anything_takes_longer():
    seconds, mib = planned()
    twice = replace(SIZES, firm_years=2_000_000, firms=400_000)
    longer, more = planned(sizes=twice)
    for stage in set(seconds) - {"exhibit"}:
        assert longer[stage] > seconds[stage]
        assert more[stage] > mib[stage]
    spec = LARGE["large"]["estimate"]["specs"]
    for block in (
        changed(match_orders=5000),
        changed(specs={**spec, "again": spec["stacked"]}),
        changed(specs={**spec, "stacked": drawing(spec, inference="cluster_bootstrap", draws=999)}),
        changed(specs={**spec, "stacked": drawing(spec, randomisation={"draws": 999, "seed": 1})}),
        changed(specs={**spec, "stacked": drawing(spec, wild_bootstrap={"draws": 999, "seed": 1})}),
    ):
        assert planned(block)[0]["estimate"] > 1.01 * seconds["estimate"]
        assert planned(block)[0]["match"] == seconds["match"]


def drawing(specs, **settings):
    seed = {"seed": 1} if "inference" in settings else {}
    return {**specs["stacked"], **settings, **seed}


def test_a_second_job_takes_memory_of_estimate_only():
    one, two = planned()[1], planned(jobs=2)[1]
    assert [stage for stage in one if two[stage] != one[stage]] == ["estimate"]
    assert two["estimate"] > one["estimate"]


def answered(capsys, *arguments):
    status = 0
    try:
        main([*arguments, "--json"])
    except SystemExit as stop:
        status = stop.code
    return status, json.loads(capsys.readouterr().out)


def test_rows_are_counted_where_they_are(tmp_path, monkeypatch, capsys):
    """In the delivered file, then in what stages wrote, the nearest to what they work on."""
    monkeypatch.chdir(marked_project(tmp_path, marked_panel()))
    monkeypatch.setattr("sys.argv", ["stage", STUDY])
    rows = len(marked_panel())
    status, said = answered(capsys, STUDY)
    delivered = {"source": f"data/raw/{STUDY}/panel.csv", "firm_years": rows}
    assert (status, said["sizes"]) == (0, {**delivered, "firms": None, "used": {}})
    run("obtain")
    assert answered(capsys, STUDY)[1]["sizes"]["source"] == f"data/{STUDY}/obtained/panel.parquet"
    run("clean")
    cleaned = answered(capsys, STUDY)[1]["sizes"]
    assert cleaned == {
        "source": f"data/{STUDY}/clean/panel.parquet",
        "firm_years": rows,
        "firms": 2 * 60,
        "used": {},
    }
    run("score")
    run("match")
    scores = pd.read_parquet(tmp_path / "data" / STUDY / "score" / "scores.parquet")
    weights = pd.read_parquet(tmp_path / "data" / STUDY / "match" / "weights.parquet")
    matched = answered(capsys, STUDY)[1]["sizes"]
    assert matched["firms"] == (scores["model"] == "unmatched").sum()
    assert matched["used"] == weights["design"].value_counts().to_dict()


def test_every_stage_has_a_line_and_the_grounds_are_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(marked_project(tmp_path, marked_panel()))
    main([STUDY])
    lines = capsys.readouterr().out.splitlines()
    stages = ["obtain", "clean", "score", "match", "balance", "estimate", "exhibit"]
    assert [line.split()[0] for line in lines[1:9]] == [*stages, "all,"]
    assert COST.command in "\n".join(lines)
    assert f"{len(marked_panel()):,} firm-years in data/raw/{STUDY}/panel.csv" in "\n".join(lines)


def test_what_is_missing_is_said(tmp_path, monkeypatch, capsys):
    folder = marked_project(tmp_path, marked_panel())
    monkeypatch.chdir(folder)
    (folder / "data" / "raw" / STUDY / "panel.csv").unlink()
    status, said = answered(capsys, STUDY)
    assert (status, said["error"]["class"]) == (2, "DataError")
    assert (
        f"data/raw/{STUDY}/panel.csv (data.source.panel) is not there" in said["error"]["message"]
    )


def test_data_of_a_package_and_simulated_data(tmp_path, monkeypatch, capsys):
    studies = {name: section(name) for name in ("michigan", "simulated")}
    monkeypatch.chdir(project(tmp_path, studies))
    status, said = answered(capsys, "michigan")
    assert status == 2
    assert "`dvc repro 'obtain@michigan'` reads it" in said["error"]["message"]
    settings = studies["simulated"]["data"]["source"]["settings"]
    years = settings["last_year"] - settings["first_year"] + 1
    sizes = answered(capsys, "simulated")[1]["sizes"]
    assert (sizes["source"], sizes["firm_years"]) == (
        "data.source.settings",
        settings["firms"] * years,
    )


@pytest.mark.parametrize("kind", ["parquet", "dta", "wide"])
def test_rows_of_other_files_are_counted(kind, tmp_path):
    block = load_yaml(ROOT / "benchmarks" / "large.yaml")["large"]
    raw = tmp_path / "data" / "raw" / "large"
    raw.mkdir(parents=True)
    frame = pd.DataFrame({"firm": [1.0, 2.0, 3.0], "a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]})
    if kind == "dta":
        frame.to_stata(raw / "firms.dta", write_index=False)
        block["data"]["source"]["panel"] = "firms.dta"
    else:
        frame.to_parquet(raw / "firms.parquet")
    if kind == "wide":
        block["data"]["source"]["wide"] = {"columns": {"sales": {2001: "a", 2002: "b"}}}
    found = study_sizes(tmp_path, "large", read_study({"large": block}, "large"))
    assert found.firm_years == (6 if kind == "wide" else 3)
