"""The replication package: unpacked into an empty folder it checks, runs and gives the results."""

import io
import shutil
import subprocess
import sys
import zipfile
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from import_closure import ROOT
from published import build_exhibits
from repository import commit_all, git
from results import study_results
from test_pipeline import dvc, small_section
from token_study import delivered, token_project
from workspace import contents, project, section

from pipeline.commands.audit.comparison import differences
from pipeline.commands.replication.archive import replication_package
from pipeline.commands.replication.measure import MeasureError, measure_stages
from pipeline.commands.replication.stand_in import made_up_register
from pipeline.datasets.complete import write_file
from pipeline.errors import DataError
from pipeline.params.data import RegisterColumns
from pipeline.params.exhibit import FigureName, TableName
from pipeline.publishing.study import EXHIBIT_FUNCTIONS
from stages import balance as balance_stage
from stages import clean, estimate, exhibit, match, obtain, package, score
from stages.run import run_stage

STAGES = (obtain, clean, score, match, balance_stage, estimate, exhibit)


def tracked(folder):
    """Put a project under git as the repository is: private data and caches outside."""
    for name in (".gitignore", "constraints.txt", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    commit_all(folder, "All")
    return folder


def unpacked(content, folder):
    folder.mkdir()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    git(folder, "init", "--quiet")
    return folder


def run_stages(folder, monkeypatch, study):
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["stage", study])
    for stage in STAGES:
        run_stage(stage.main, stage.SECTIONS)


def checked(folder):
    return subprocess.run(
        [sys.executable, "-m", "stages.check"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_package_of_one_study_holds_nothing_of_others_and_checks(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    tracked(project(source, {"michigan": small_section(), "other": small_section()}))
    (source / "reports" / "other").mkdir(parents=True)
    (source / "reports" / "other" / "summary.md").write_text("of another study")
    (source / "dvc.lock").write_text("schema: '2.0'\nstages:\n  clean@other:\n    cmd: x\n")
    commit_all(source, "Other")
    content = replication_package(source, ["michigan"])
    assert content == replication_package(source, ["michigan"])
    folder = unpacked(content, tmp_path / "empty")
    assert not [path for path in contents(folder) if "other" in path.split("/")]
    assert "other" not in (folder / "params.yaml").read_text()
    assert "other" not in (folder / "dvc.lock").read_text()
    done = checked(folder)
    assert (done.returncode, done.stderr) == (0, "")
    readme = (folder / "README_REPLICATION.md").read_text()
    for heading in ("Data Availability and Provenance Statements", "Computational requirements"):
        assert heading in readme


def test_the_readme_lists_every_exhibit_with_a_function_that_exists(tmp_path):
    from importlib import import_module

    folder = project(tmp_path, {"michigan": section("michigan")})
    for name, content in build_exhibits(study_results()).items():
        write_file(folder / "reports" / "michigan" / name, content)
    write_file(folder / ".ci" / "run", (ROOT / ".ci" / "run").read_bytes())
    tracked(folder)
    with zipfile.ZipFile(io.BytesIO(replication_package(folder, []))) as archive:
        readme = archive.read("README_REPLICATION.md").decode()
        exhibits = [n for n in archive.namelist() if "/tables/" in n and n.endswith(".tex")]
        assert ".ci/run" in archive.namelist()
    rows = [line.split(" | ") for line in readme.splitlines() if "`stages/exhibit.py`" in line]
    assert {row[3].strip(" `|") for row in rows} >= set(exhibits)
    for row in rows:
        module, _, function = row[2].strip("`").rpartition(".")
        assert callable(getattr(import_module(module), function))
    assert "numpy==" in readme
    assert set(EXHIBIT_FUNCTIONS["tables"]) == set(get_args(TableName))
    assert set(EXHIBIT_FUNCTIONS["figures"]) == set(get_args(FigureName))


@pytest.fixture
def confidential(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    folder, tokens = token_project(source, confidential=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["stage", "plants"])
    run_stage(obtain.main, obtain.SECTIONS)
    return tracked(folder), tokens


def test_stand_ins_take_the_place_of_confidential_data_and_run(tmp_path, confidential, monkeypatch):
    source, tokens = confidential
    content = replication_package(source, [])
    folder = unpacked(content, tmp_path / "empty")
    for path, text in contents(folder).items():
        assert not any(token.encode() in text for token in tokens), path
    real, made = delivered(source), delivered(folder)
    assert list(made.columns) == list(real.columns)
    assert made["year"].tolist() == real["year"].tolist()
    assert made["grant"].tolist() == real["grant"].tolist()
    assert made.groupby("fcode").size().tolist() == real.groupby("fcode").size().tolist()
    for name in ("sales", "employ", "avgsal"):
        assert abs(made[name].corr(real[name])) < 0.3, name
        assert 0.3 < made[name].median() / real[name].median() < 3
    assert "STAND-IN" in (folder / "data" / "raw" / "plants" / "STAND-IN.md").read_text()
    assert "Confidential data not provided" in (folder / "README_REPLICATION.md").read_text()
    assert checked(folder).returncode == 0
    run_stages(folder, monkeypatch, "plants")
    assert (folder / "reports" / "plants" / "tables" / "main_effects.tex").is_file()


def test_a_stand_in_of_the_register_holds_no_name_and_no_amount():
    columns = RegisterColumns(
        firm_id="id", entry_year="entry", name="called", component="part", amount="money"
    )
    register = pd.DataFrame(
        {
            "id": [f"F{n}" for n in range(40)],
            "entry": 2010,
            "called": "Aurora Ltd",
            "part": "credit",
        }
    )
    register = register.assign(money=1234.5 + np.arange(40) * 17.3, extra="x")
    codes = {f"F{n}": f"S{n}" for n in range(30)}
    made = made_up_register(register, columns, codes, np.random.default_rng(1))
    assert list(made["id"]) == [f"S{n}" for n in range(30)] == list(made["called"])
    assert (made["entry"] == 2010).all() and (made["part"] == "credit").all()
    assert not made["money"].isin(register["money"]).any()
    assert "extra" not in made


def test_what_cannot_be_packaged_is_said(tmp_path, monkeypatch, capsys):
    folder = project(tmp_path, {"michigan": small_section()})
    with pytest.raises(DataError, match="git tracks no file here"):
        replication_package(folder, [])
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as stop:
        package.main(["nowhere"])
    assert stop.value.code == 2
    assert "nowhere is not a study" in capsys.readouterr().err


def test_raw_files_that_git_lacks_stop_the_package(tmp_path):
    folder = project(tmp_path, {"michigan": small_section()})
    (folder / "data" / "raw" / "michigan" / "panel.csv").write_text("private")
    tracked(folder)
    with pytest.raises(DataError, match=r"1 files of data/raw/michigan are not in git"):
        replication_package(folder, [])


def test_measured_figures_reach_the_readme(tmp_path, monkeypatch):
    folder = project(tmp_path, {"michigan": small_section()})
    monkeypatch.setattr("pipeline.commands.replication.measure._STAGES", ("obtain",))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    path = measure_stages(folder, ["michigan"])
    tracked(folder)
    with zipfile.ZipFile(io.BytesIO(replication_package(folder, []))) as archive:
        readme = archive.read("README_REPLICATION.md").decode()
    assert f"| michigan | obtain | {path.read_text().splitlines()[1].split(',')[2]} |" in readme
    monkeypatch.setattr("pipeline.commands.replication.measure._STAGES", ("estimate",))
    with pytest.raises(MeasureError, match="estimate michigan stopped"):
        measure_stages(folder, ["michigan"])


@pytest.mark.slow
def test_the_whole_pipeline_runs_from_the_archive_and_gives_the_same_results(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    project(source, {"michigan": small_section()})
    shutil.copytree(ROOT / ".dvc", source / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
    tracked(source)
    done = dvc(source, "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    commit_all(source, "Results")
    folder = unpacked(replication_package(source, ["michigan"]), tmp_path / "empty")
    before = contents(folder / "reports")
    done = dvc(folder, "repro", "--force")
    assert done.returncode == 0, done.stdout + done.stderr
    assert differences(before, contents(folder / "reports")) == []


@pytest.mark.slow
def test_no_identifier_is_in_reports_dvc_files_or_what_a_run_prints(tmp_path):
    """Identifiers are tokens that nothing else contains, unlike Michigan's plain numbers."""
    folder, tokens = token_project(tmp_path)
    assert dvc(folder, "init", "--no-scm", "--quiet").returncode == 0
    done = dvc(folder, "repro", "--verbose")
    assert done.returncode == 0, done.stdout + done.stderr
    found = {"printed": (done.stdout + done.stderr).encode()}
    for place in ("reports", ".dvc/tmp"):
        found |= {f"{place}/{name}": text for name, text in contents(folder / place).items()}
    found |= {name: (folder / name).read_bytes() for name in ("dvc.lock", "dvc.yaml")}
    docx = zipfile.ZipFile(io.BytesIO(found["reports/plants/tables.docx"]))
    found |= {f"docx {name}": docx.read(name) for name in docx.namelist()}
    stem = tokens[0][:4].encode()
    assert stem in (folder / "data" / "plants" / "clean" / "panel.parquet").read_bytes()
    assert [name for name, text in found.items() if stem in text] == []
