"""A study leaves with all that was made of it, or stays whole; what nobody made here stays."""

import io
import json
import shutil
from pathlib import Path

import pytest
from marked_study import STUDY, finished_project, marked_panel, marked_project
from test_pipeline import dvc
from workspace import contents, write_params

from pipeline.commands import remove, undo
from pipeline.commands.add import add_study
from pipeline.commands.audit.lock_check import lock_faults
from pipeline.commands.remove import plan_removal, remove_study
from pipeline.errors import DataError, EvaluationError, ParamsError
from pipeline.params.settings import load_yaml
from stages import export
from stages import remove as command

FOREIGN = (
    f"data/{STUDY}/notes.txt",
    f"data/{STUDY}/clean/mine.parquet",
    f"data/raw/{STUDY}/README.md",
    f"data/raw/{STUDY}/panel.csv",
    f"data/rules/{STUDY}/README.md",
    f"reports/{STUDY}/letter.tex",
    f"reports/{STUDY}/tables/mine.tex",
)
LOCK = f"""\
schema: '2.0'
stages:
  check:
    cmd: python -m stages.check
  clean@{STUDY}:
    cmd: python -m stages.clean {STUDY}
  index:
    cmd: python -m stages.index
  obtain@other:
    cmd: python -m stages.obtain other
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Run a study to its end and export it; put files beside that no stage made."""
    folder = finished_project(tmp_path_factory.mktemp("finished"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        export.main([STUDY, "--stata"])
    for path in FOREIGN:
        (folder / path).write_text("mine\n")
    (folder / "data" / STUDY / "problems.csv").write_text("rows\n")
    (folder / "dvc.lock").write_text(LOCK)
    return folder


@pytest.fixture
def here(finished, tmp_path, monkeypatch):
    """Stand in a copy of the finished project, in which DVC is told to have nothing to do."""
    folder = tmp_path / "project"
    shutil.copytree(finished, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(remove, "reproduce", lambda *_: None)
    return folder


def test_what_stages_made_goes_and_everything_else_stays(here):
    removal = plan_removal(here, STUDY)
    assert {path.as_posix() for path in removal.staying} == {
        path for path in FOREIGN if path.split("/")[1] == STUDY
    }
    remove_study(here, removal)
    left = contents(here)
    assert {path for path in left if STUDY in path.split("/")} == set(FOREIGN)
    assert not [path for path in left if path.startswith(f"reports/headlines/{STUDY}")]
    assert load_yaml(here / "params.yaml") == {"studies": None}
    assert not [path for path in (here / "data").iterdir() if path.name.startswith(".")]


def test_without_files_of_others_nothing_of_the_study_is_left(here):
    for path in FOREIGN:
        (here / path).unlink()
    remove_study(here, plan_removal(here, STUDY))
    assert not (here / "data" / STUDY).exists()
    assert not (here / "reports" / STUDY).exists()
    assert (here / "data" / "raw" / STUDY).is_dir()


def test_the_lock_loses_the_study_and_what_can_no_longer_run(here):
    """With no study left `check` and `index` cannot run, so nothing is recorded of them."""
    removal = plan_removal(here, STUDY)
    assert Path("reports/index.html") in removal.files, "what goes is said before"
    remove_study(here, removal)
    assert list(load_yaml(here / "dvc.lock")["stages"]) == ["obtain@other"]
    assert not (here / "reports" / "index.html").exists()


def fail_at(monkeypatch, number, error):
    """Let the move or copy with this number fail; return the count of those that were asked for."""
    asked = []

    def failing(real):
        def work(*arguments):
            asked.append(arguments)
            if len(asked) == number:
                raise error
            return real(*arguments)

        return work

    for name in ("_move", "replacing"):
        monkeypatch.setattr(undo, name, failing(getattr(undo, name)))
    return asked


@pytest.mark.parametrize("number", [1, 2, 3, 10, -2, -1])
@pytest.mark.parametrize("error", [OSError(28, "full"), KeyboardInterrupt()])
def test_a_failure_on_the_way_leaves_everything_as_it_was(here, number, error, monkeypatch):
    before = contents(here)
    removal = plan_removal(here, STUDY)
    at = number if number > 0 else len(removal.files) + 3 + number
    asked = fail_at(monkeypatch, at, error)
    with pytest.raises(type(error)):
        remove_study(here, removal)
    assert len(asked) >= at
    assert contents(here) == before


def test_a_failure_of_dvc_or_of_the_last_step_leaves_everything_as_it_was(here, monkeypatch):
    write_params(here, {name: load_yaml(here / "params.yaml")[STUDY] for name in (STUDY, "other")})
    shutil.copytree(here / "data/raw" / STUDY, here / "data/raw/other")
    shutil.copytree(here / "data/rules" / STUDY, here / "data/rules/other")
    before, removal = contents(here), plan_removal(here, STUDY)
    monkeypatch.setattr(remove, "reproduce", lambda *_: "it is locked")
    with pytest.raises(EvaluationError, match="bring check up to date:\nit is locked"):
        remove_study(here, removal)
    assert contents(here) == before
    monkeypatch.setattr(remove, "reproduce", lambda *_: None)

    def refuse(*_, **options):
        if not options:
            raise OSError(30, "read-only")

    monkeypatch.setattr(undo.shutil, "rmtree", refuse)
    with pytest.raises(OSError):
        remove_study(here, removal)
    after = contents(here)
    assert after == before


def test_what_a_killed_command_left_is_not_overwritten(here):
    (here / "data" / f".removed-{STUDY}").mkdir()
    before = contents(here)
    with pytest.raises(DataError, match="took aside"):
        remove_study(here, plan_removal(here, STUDY))
    assert contents(here) == before


@pytest.mark.parametrize("name", ["raw", "rules", "headlines", "..", "no", "../firms", "studies"])
def test_only_a_study_can_be_removed(here, name):
    with pytest.raises(ParamsError):
        plan_removal(here, name)


def test_a_manifest_that_names_files_elsewhere_takes_none_of_them(here):
    with (here / "reports" / STUDY / "manifest.csv").open("a") as file:
        file.write(f"../../data/raw/{STUDY}/panel.csv,,,\n../../params.yaml,,,\n")
    files = {path.as_posix() for path in plan_removal(here, STUDY).files}
    assert not [path for path in files if path.startswith("data/raw") or "params" in path]


@pytest.mark.parametrize(("said", "goes"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_it_shows_what_goes_and_asks(here, said, goes, capsys, monkeypatch):
    before = contents(here)
    monkeypatch.setattr("builtins.input", lambda _: said.strip())
    command.main([STUDY])
    shown = capsys.readouterr().out
    assert f"  params.yaml: section {STUDY}" in shown
    assert f"  data/raw/{STUDY}/" in shown.partition("This stays:")[2]
    assert f"  data/{STUDY}/notes.txt" in shown
    assert (contents(here) != before) == goes


def test_nobody_there_to_be_asked_means_nothing_is_removed(here, capsys, monkeypatch):
    before = contents(here)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for arguments in ([STUDY], [STUDY, "--json"]):
        with pytest.raises(SystemExit) as stop:
            command.main(arguments)
        assert stop.value.code == 2
    assert "give --yes" in capsys.readouterr().err
    assert contents(here) == before


def test_a_program_reads_what_went(here, capsys):
    command.main([STUDY, "--yes", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (said["exit"], said["study"], said["stages"]) == (0, STUDY, [f"clean@{STUDY}"])
    assert f"data/{STUDY}/clean/panel.parquet" in said["removed"]
    assert f"data/{STUDY}/notes.txt" in said["staying"]


@pytest.mark.slow
def test_a_study_that_came_and_went_leaves_a_project_that_is_one_whole(tmp_path):
    """It runs under DVC beside another; after it left, nothing of the other is out of date."""
    folder = marked_project(tmp_path / "project", marked_panel())
    prepared = tmp_path / "prepared"
    for kind in ("raw", "rules"):
        shutil.copytree(folder / "data" / kind / STUDY, prepared / kind)
    text = (folder / "params.yaml").read_text()
    section = text.partition(f"\n{STUDY}:\n")[2]
    (prepared / "params.yaml").write_text(f"other:\n{section}")
    add_study(folder, prepared)
    for arguments in (["init", "--no-scm", "--quiet"], ["repro", "--quiet"]):
        done = dvc(folder, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    own = contents(folder / "reports" / STUDY)
    remove_study(folder, plan_removal(folder, "other"))
    assert (folder / "params.yaml").read_text() == text
    assert lock_faults(folder) == []
    assert 'href="other/' not in (folder / "reports" / "index.html").read_text()
    assert contents(folder / "reports" / STUDY) == own
    assert not (folder / "data" / "other").exists()
    assert (folder / "data" / "raw" / "other" / "panel.csv").is_file()
    assert "up to date" in dvc(folder, "status").stdout
