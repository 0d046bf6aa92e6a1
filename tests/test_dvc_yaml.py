"""dvc.yaml against the code: DVC follows no import; what it misses means stale results."""

import ast
import importlib
from pathlib import Path

import pytest
from import_closure import ROOT, import_closure

from pipeline.params.settings import load_yaml
from pipeline.params.study import SECTIONS
from pipeline.publishing.study import OWNED

PIPELINE = load_yaml(ROOT / "dvc.yaml")["stages"]
# Where dependencies are code, or data that code is delivered with.
CODE = ("pipeline/", "stages/")
STUDY_STAGES = ["obtain", "clean", "score", "match", "balance", "estimate", "exhibit"]
ITEM = "${item}"


def declared(stage):
    return PIPELINE[stage]["do"] if "do" in PIPELINE[stage] else PIPELINE[stage]


def source(stage):
    return ast.parse((ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8"))


def folders_named(stage):
    """Return the stage folders that the code names: folders.of("clean") and so on."""
    return {
        node.args[0].value
        for node in ast.walk(source(stage))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "of"
    }


def attributes_named(stage):
    return {node.attr for node in ast.walk(source(stage)) if isinstance(node, ast.Attribute)}


def own_folder(stage):
    return {"obtain": "obtained", "exhibit": None}.get(stage, stage)


def test_every_stage_is_declared_and_runs_over_all_studies():
    assert list(PIPELINE) == ["check", *STUDY_STAGES, "index"]
    assert all(PIPELINE[stage]["foreach"] == "${studies}" for stage in STUDY_STAGES)


@pytest.mark.parametrize("stage", PIPELINE)
def test_code_dependencies_are_the_import_closure(stage):
    code = [dep for dep in declared(stage)["deps"] if dep.startswith(CODE)]
    closure = import_closure(f"stages.{stage}")
    assert code == closure, "dvc.yaml must list:\n" + "\n".join(f"- {path}" for path in closure)


@pytest.mark.parametrize("stage", STUDY_STAGES)
def test_data_dependencies_are_the_folders_read(stage):
    data = {dep for dep in declared(stage)["deps"] if not dep.startswith(CODE)}
    expected = {f"data/{ITEM}/{name}" for name in folders_named(stage) - {own_folder(stage)}}
    if "raw" in attributes_named(stage):
        expected.add(f"data/raw/{ITEM}")
    if "rules" in attributes_named(stage):
        expected.add(f"data/rules/{ITEM}")
    if stage in {"obtain", "clean"}:
        expected.add("data/checked")
    assert data == expected


@pytest.mark.parametrize("stage", STUDY_STAGES)
def test_parameters_are_the_sections_read(stage):
    sections = importlib.import_module(f"stages.{stage}").SECTIONS
    assert declared(stage)["params"] == [f"{ITEM}.{name}" for name in sections]
    assert all(SECTIONS[name] is model for name, model in sections.items())


@pytest.mark.parametrize("stage", STUDY_STAGES[:-1])
def test_a_stage_writes_its_own_folder_into_the_cache(stage):
    assert declared(stage)["outs"] == [f"data/{ITEM}/{own_folder(stage)}"]


def test_exhibit_owns_its_results_and_keeps_them_until_new_ones_are_complete():
    block = declared("exhibit")
    entries = [*block["outs"], *block["metrics"], *block["plots"]]
    found = {path: options for entry in entries for path, options in entry.items()}
    own = {f"reports/{ITEM}/{name}" for name in OWNED}
    assert set(found) == {*own, f"reports/headlines/{ITEM}.json"}
    assert all(not options["cache"] and options["persist"] for options in found.values())


def test_index_reads_the_list_of_studies_and_what_exhibit_wrote_of_each():
    assert declared("index")["params"] == ["studies"]
    data = {dep for dep in declared("index")["deps"] if not dep.startswith(CODE)}
    assert data == {"reports/headlines"}


def test_check_reads_the_whole_of_params_and_neither_it_nor_index_anything_heavy():
    assert declared("check")["params"] == [{"params.yaml": None}]
    heavy = {"pandas", "numpy", "scipy", "statsmodels", "sklearn", "linearmodels", "matplotlib"}
    for path in import_closure("stages.check") + import_closure("stages.index"):
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        at_import = {
            alias.name.split(".")[0]
            for node in tree.body
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert not at_import & heavy, path


@pytest.mark.parametrize("stage", PIPELINE)
def test_the_description_is_the_docstring(stage):
    assert declared(stage)["desc"] == ast.get_docstring(source(stage)).splitlines()[0]


@pytest.mark.parametrize("stage", STUDY_STAGES)
def test_a_stage_stays_short(stage):
    assert len(Path(ROOT / "stages" / f"{stage}.py").read_text().splitlines()) <= 90


def test_the_lock_holds_exactly_the_declared_stages_and_dependencies():
    lock = load_yaml(ROOT / "dvc.lock")["stages"]
    studies = load_yaml(ROOT / "params.yaml")["studies"]
    expected = {"check", "index"} | {
        f"{stage}@{study}" for stage in STUDY_STAGES for study in studies
    }
    assert set(lock) == expected
    for name, entry in lock.items():
        stage, _, study = name.partition("@")
        wanted = {dep.replace(ITEM, study) for dep in declared(stage)["deps"]}
        assert {dep["path"] for dep in entry["deps"]} == wanted
        assert entry["cmd"] == declared(stage)["cmd"].replace(ITEM, study)
