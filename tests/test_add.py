"""A prepared study joins with one command, whole or not at all."""

import json

import pytest
from import_closure import ROOT
from workspace import contents, example, project, section

from pipeline.commands import undo
from pipeline.commands.add import add_study
from pipeline.errors import DataError, ParamsError
from pipeline.params.settings import load_yaml
from pipeline.params.study import check_studies
from stages import add

KENYA = ROOT / "examples" / "kenya"


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = project(tmp_path / "project", {"michigan": section("michigan")})
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("study", ["kenya", "fastfood"])
def test_an_example_joins_and_is_valid(here, study, capsys):
    add.main([str(ROOT / "examples" / study), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["study"] == study
    assert f"data/raw/{study}/README.md" in said["written"]
    assert check_studies(here / "params.yaml", here) == [study, "michigan"]
    assert load_yaml(here / "params.yaml")[study] == example(study)
    assert contents(here / "data" / "raw" / study) == contents(ROOT / "examples" / study / "raw")


@pytest.mark.parametrize("study", ["kenya", "fastfood"])
def test_outcomes_of_an_example_have_a_label_each(study):
    labels = [outcome["label"] for outcome in example(study)["outcomes"].values()]
    assert len(labels) == len(set(labels))


def test_what_is_there_already_and_the_same_is_no_hindrance(here):
    add_study(here, KENYA)
    text = (here / "params.yaml").read_text()
    (here / "params.yaml").write_text("studies:\n")
    study, written = add_study(here, KENYA)
    assert (study, written) == ("kenya", [])
    assert load_yaml(here / "params.yaml")["kenya"] == load_yaml(KENYA / "params.yaml")["kenya"]
    assert text.endswith((KENYA / "params.yaml").read_text())


def test_a_file_that_differs_is_never_replaced(here):
    (here / "data" / "raw" / "kenya").mkdir()
    (here / "data" / "raw" / "kenya" / "README.md").write_text("mine\n")
    before = contents(here)
    with pytest.raises(DataError, match=r"data/raw/kenya/README.md is there already and differs"):
        add_study(here, KENYA)
    assert contents(here) == before


def test_a_study_joins_once(here):
    add_study(here, KENYA)
    before = contents(here)
    with pytest.raises(ParamsError, match="has a section kenya already"):
        add_study(here, KENYA)
    assert contents(here) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {}\nb: {}\n", "has 2 keys"),
        ("raw: {}\n", "raw is a folder of data/"),
        ("Kenya: {}\n", "'Kenya' is not a study name"),
        ("kenya: {}\n", "kenya.data is missing"),
        ((KENYA / "params.yaml").read_text(), "the folder data/raw/kenya is missing"),
    ],
)
def test_what_check_would_refuse_does_not_join(here, tmp_path, text, message):
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared" / "params.yaml").write_text(text)
    before = contents(here)
    with pytest.raises(ParamsError, match=message):
        add_study(here, tmp_path / "prepared")
    assert contents(here) == before


def test_a_folder_without_params_is_told(here, capsys):
    with pytest.raises(SystemExit) as stop:
        add.main(["nowhere"])
    assert stop.value.code == 2
    assert "nowhere/params.yaml is missing" in capsys.readouterr().err


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_failure_on_the_way_leaves_everything_as_it_was(here, number, monkeypatch):
    before, real, asked = contents(here), undo.replacing, []

    def failing(path):
        asked.append(path)
        if len(asked) == number:
            raise OSError(28, "full")
        return real(path)

    monkeypatch.setattr(undo, "replacing", failing)
    with pytest.raises(OSError):
        add_study(here, KENYA)
    assert contents(here) == before
    assert not (here / "data" / "raw" / "kenya").exists()
