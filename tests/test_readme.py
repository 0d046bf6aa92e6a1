"""The README: its numbers are the pipeline's, its files exist, its settings are real."""

import re
import runpy

import pytest
from import_closure import ROOT

from pipeline.params.settings import load_yaml

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_generated_blocks_are_those_of_the_committed_results():
    fill = runpy.run_path(str(ROOT / "docs" / "readme.py"))["with_generated_blocks"]
    assert fill(README) == README, "run `python docs/readme.py`"
    assert "Average effect" in README


def test_it_is_short():
    assert len(README.splitlines()) < 250


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_linked_files_exist(page):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert len(links) >= 3
    assert [
        link for link in links if not (ROOT / link).exists() and not _of_absent_study(link)
    ] == []


def test_who_contributes_types_what_a_newcomer_types():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    install, run = re.findall(r"^python -m pip install .*\ndvc repro$", text, re.M)[0].split("\n")
    assert f"{install} && pytest -n 2 --dist loadfile" in README.splitlines()
    assert run in README
    scripts = re.findall(r"python (docs/\w+\.py)", text)
    assert [script for script in scripts if not (ROOT / script).is_file()] == []
    tests = re.findall(r"tests/\w+\.py", text)
    assert len(tests) >= 4
    assert [test for test in tests if not (ROOT / test).is_file()] == []


def _of_absent_study(link: str) -> bool:
    """Say whether a file is a result of a study that somebody took out."""
    place, study, *_ = [*link.split("/"), ""]
    return place == "reports" and study not in (load_yaml(ROOT / "params.yaml")["studies"] or [])


def test_the_two_lines_are_there_once_each():
    lines = README.splitlines()
    assert lines.count("python -m pip install -c constraints.txt -e . && dvc repro") == 1
    tests = 'python -m pip install -c constraints.txt -e ".[test]" && pytest -n 2 --dist loadfile'
    assert lines.count(tests) == 1


def test_files_of_the_project_name_no_host_and_no_place_of_one_machine():
    single = ("constraints.txt", "pyproject.toml", "dvc.yaml", "params.yaml", "CITATION.cff")
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/workflows/*.yml")]
    assert len(pages) > 10
    for name in (*single, *pages):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"index-url|file://|/home/|/root/|/opt/", text), name


def test_constraints_are_names_and_versions_only():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.\-]+==[A-Za-z0-9_.+!\-]+", line), line
