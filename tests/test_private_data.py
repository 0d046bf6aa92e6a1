"""Raw files of a study stay out of git until .gitignore declares them public."""

import shutil
import subprocess

import pytest
from import_closure import ROOT
from repository import git

from pipeline.params.tracked_raw import tracked_raw_files, what_to_do

needs_git = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git repository")


def ignored(folder, paths):
    """Return which of the files git ignores; all of them exist."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("1\n")
    told = subprocess.run(
        ["git", "check-ignore", *paths], cwd=folder, capture_output=True, text=True, check=False
    )
    return told.stdout.split()


@pytest.fixture
def repository(tmp_path):
    shutil.copy(ROOT / ".gitignore", tmp_path / ".gitignore")
    git(tmp_path, "init", "--quiet")
    return tmp_path


def test_raw_files_of_a_new_study_are_ignored_and_its_notes_are_not(repository):
    private = ["data/raw/nueva/panel.dta", "data/raw/nueva/2012/panel.csv", "data/nueva/a.parquet"]
    public = ["data/raw/nueva/README.md", "data/raw/nueva/panel.sha256", "data/rules/nueva/cpi.csv"]
    assert ignored(repository, [*private, *public]) == private


def test_a_line_of_gitignore_declares_a_study_public(repository):
    with (repository / ".gitignore").open("a") as file:
        file.write("!/data/raw/nueva/*\n")
    paths = [
        "data/raw/nueva/panel.dta",
        "data/raw/nueva/2012/panel.csv",
        "data/raw/other/panel.dta",
    ]
    assert ignored(repository, paths) == ["data/raw/other/panel.dta"]


def test_check_names_raw_files_that_git_has_although_nobody_declared_them_public(repository):
    ignored(repository, ["data/raw/nueva/panel.dta", "data/raw/nueva/README.md"])
    git(repository, "add", "--force", "data/raw/nueva")
    assert tracked_raw_files(repository, ["nueva"]) == ["data/raw/nueva/panel.dta"]
    assert tracked_raw_files(repository, ["other"]) == tracked_raw_files(repository, []) == []
    (line,) = what_to_do(["data/raw/nueva/panel.dta"])
    assert "git rm --cached data/raw/nueva/panel.dta" in line
    with (repository / ".gitignore").open("a") as file:
        file.write("!/data/raw/nueva/panel.dta\n")
    assert tracked_raw_files(repository, ["nueva"]) == []


def test_where_there_is_no_repository_nothing_is_named(tmp_path):
    assert tracked_raw_files(tmp_path, ["nueva"]) == []


@needs_git
def test_raw_files_that_git_has_are_declared_public():
    tracked = git(ROOT, "ls-files", "data/raw").split()
    assert tracked
    told = subprocess.run(
        ["git", "check-ignore", "--no-index", *tracked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout == ""
