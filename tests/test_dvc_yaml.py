"""dvc.yaml against the code: DVC follows no import; what it misses means stale results."""

import ast
import importlib
from pathlib import Path

import pytest
from import_closure import BY_FILE, ITEM, ROOT, aggregate_files, code_dependencies, import_closure

from pipeline.exhibits.words import language
from pipeline.params.settings import load_yaml
from pipeline.params.study import SECTIONS
from pipeline.publishing.provenance import NAME as PROVENANCE
from pipeline.publishing.swap import OWNED
from stages import run
from stages.index import INDEX

PIPELINE = load_yaml(ROOT / "dvc.yaml")["stages"]
STUDY_STAGES = [
    *("obtain", "clean", "score", "match", "balance", "estimate", "exhibit", "record"),
]
# What the last of them reads: all that the exhibit stage writes of a study.
PUBLISHED = {f"reports/${{item}}/{name}" for name in OWNED}
LIGHT = ("check", "record", "index")


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


def written_by(stage):
    """Return the folders under data/ that a stage writes: INFLUENCE, of firms, lies apart."""
    own = {"obtain": ["obtained"], "estimate": ["estimate", "influence"], "exhibit": []}
    return [f"data/{ITEM}/{name}" for name in own.get(stage, [stage])]


def test_every_stage_is_declared_and_runs_over_all_studies():
    assert list(PIPELINE) == ["check", *STUDY_STAGES, "index"]
    assert all(PIPELINE[stage]["foreach"] == "${studies}" for stage in STUDY_STAGES)


def is_code(dep):
    return dep.split("/")[0] in {"pipeline", "stages"}


def code(stage):
    return [dep for dep in declared(stage)["deps"] if is_code(dep)]


def data(stage):
    return [dep for dep in declared(stage)["deps"] if not is_code(dep)]


def stages_behind(stage):
    """Return the stages whose code a stage depends on: `record` on all those of a study."""
    return STUDY_STAGES if stage == "record" else [stage]


def inside(path, deps):
    return any(path == dep or path.startswith(f"{dep}/") for dep in deps)


@pytest.mark.parametrize("stage", PIPELINE)
def test_the_import_closure_lies_inside_the_declared_code(stage):
    listed = code(stage)
    for behind in stages_behind(stage):
        outside = [p for p in import_closure(f"stages.{behind}") if not inside(p, listed)]
        assert outside == [], "`python docs/dvc_deps.py` writes the list"


# Imports that name their module at run time, which no closure follows, and why none need be.
BY_NAME = {
    # The words of a message at the terminal, which is in no result.
    ("stages/run.py", "WORDS"),
    # The verb typed, of which each stage is declared by itself.
    ("stages/__main__.py", "f'stages.{verb}'"),
    # Every declared table, for a command that is no stage.
    ("pipeline/commands/remove.py", "module.name"),
    # A country's identifiers, in a package that is no code of ours.
    ("pipeline/panel/check_digits.py", "f'stdnum.{_MODULES[digit]}'"),
}


def imports_by_name():
    """Yield the file and the argument of every call of `import_module` and `__import__`."""
    for path in (p for room in ("pipeline", "stages") for p in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = getattr(node, "func", None)
            name = getattr(called, "attr", getattr(called, "id", ""))
            if name in {"import_module", "__import__"}:
                yield path.relative_to(ROOT).as_posix(), ast.unparse(node.args[0])


def test_what_is_imported_by_name_is_listed_with_the_reason():
    assert set(imports_by_name()) == BY_NAME
    assert language.__name__ == run.WORDS


@pytest.mark.parametrize("stage", PIPELINE)
def test_every_room_and_file_that_is_declared_is_entered(stage):
    closure = [p for behind in stages_behind(stage) for p in import_closure(f"stages.{behind}")]
    assert [dep for dep in code(stage) if not any(inside(p, [dep]) for p in closure)] == []


@pytest.mark.parametrize("stage", PIPELINE)
def test_code_is_declared_by_rooms(stage):
    """Files are listed of params/ and datasets/ only, and of what lies outside rooms."""
    assert code(stage) == code_dependencies(*stages_behind(stage))
    for dep in code(stage):
        single = dep.count("/") == 1 or dep.startswith(tuple(BY_FILE))
        assert (ROOT / dep).is_dir() or single, dep


def test_no_room_lies_beside_those_of_the_stages_but_commands():
    """A new room that no stage enters is a command, or dead."""
    rooms = {p.name for p in (ROOT / "pipeline").iterdir() if (p / "__init__.py").is_file()}
    entered = {dep.split("/")[1] for stage in PIPELINE for dep in code(stage)}
    assert rooms - entered == {"commands"}


def test_dvc_yaml_can_be_read_at_once():
    assert len((ROOT / "dvc.yaml").read_text(encoding="utf-8").splitlines()) < 200


@pytest.mark.parametrize("stage", STUDY_STAGES[:-1])
def test_data_dependencies_are_the_folders_read(stage):
    written = {path.split("/")[-1] for path in written_by(stage)}
    expected = {f"data/{ITEM}/{name}" for name in folders_named(stage) - written}
    if stage == "exhibit":
        expected = set(aggregate_files())
    if "raw" in attributes_named(stage):
        expected.add(f"data/raw/{ITEM}")
    if "rules" in attributes_named(stage):
        expected.add(f"data/rules/{ITEM}")
    if stage in {"obtain", "clean"}:
        expected.add("data/checked")
    assert set(data(stage)) == expected


def test_record_reads_what_the_study_is_made_from_and_all_that_exhibit_writes():
    raw = {f"data/raw/{ITEM}", f"data/rules/{ITEM}"}
    assert set(data("record")) == raw | PUBLISHED


@pytest.mark.parametrize("stage", STUDY_STAGES)
def test_parameters_are_the_sections_read(stage):
    sections = importlib.import_module(f"stages.{stage}").SECTIONS
    assert declared(stage)["params"] == [f"{ITEM}.{name}" for name in sections]
    assert all(SECTIONS[name] is model for name, model in sections.items())


@pytest.mark.parametrize("stage", STUDY_STAGES[:-2])
def test_a_stage_writes_its_own_folders_into_the_cache(stage):
    assert declared(stage)["outs"] == written_by(stage)


def test_exhibit_owns_its_results_and_keeps_them_until_new_ones_are_complete():
    block = declared("exhibit")
    entries = [*block["outs"], *block["metrics"], *block["plots"]]
    found = {path: options for entry in entries for path, options in entry.items()}
    assert set(found) == {*PUBLISHED, f"reports/headlines/{ITEM}.json"}
    assert all(not options["cache"] and options["persist"] for options in found.values())


def test_record_and_index_write_one_file_each_outside_the_cache():
    options = {"cache": False, "persist": True}
    assert declared("record")["outs"] == [{f"reports/{ITEM}/{PROVENANCE}": options}]
    assert declared("index")["outs"] == [{INDEX.as_posix(): options}]


def test_index_reads_the_list_of_studies_and_what_exhibit_wrote_of_each():
    assert declared("index")["params"] == ["studies"]
    assert data("index") == ["reports/headlines"]


def test_check_reads_the_whole_of_params_and_no_light_stage_anything_heavy():
    assert declared("check")["params"] == [{"params.yaml": None}]
    heavy = {"pandas", "numpy", "scipy", "statsmodels", "sklearn", "linearmodels", "matplotlib"}
    closure = [path for stage in LIGHT for path in import_closure(f"stages.{stage}")]
    for path in [path for path in closure if path.endswith(".py")]:
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
    assert len(Path(ROOT / "stages" / f"{stage}.py").read_text().splitlines()) <= 130


def of_study(names, study):
    """Return what a stage lists, of outs the path only, for one study."""
    paths = [path for name in names for path in (name if isinstance(name, dict) else [name])]
    return {path.replace(ITEM, study) for path in paths}


def test_the_lock_holds_what_is_declared_for_studies_that_are_listed():
    """Whether every study was run is for `impact verify` to say."""
    lock = load_yaml(ROOT / "dvc.lock")["stages"]
    studies = load_yaml(ROOT / "params.yaml")["studies"] or []
    of_studies = {f"{stage}@{study}" for stage in STUDY_STAGES for study in studies}
    assert set(lock) <= {"check", "index"} | of_studies
    for name, entry in lock.items():
        stage, _, study = name.partition("@")
        block = declared(stage)
        written = [*block["outs"], *block.get("metrics", []), *block.get("plots", [])]
        assert {dep["path"] for dep in entry["deps"]} == of_study(block["deps"], study)
        assert {out["path"] for out in entry["outs"]} == of_study(written, study)
        assert entry["cmd"] == block["cmd"].replace(ITEM, study)
        if stage != "check":  # it reads all
            recorded = entry["params"]["params.yaml"]
            assert set(recorded) == of_study(block["params"], study)


def test_the_lock_stays_readable():
    n_studies = len(load_yaml(ROOT / "params.yaml")["studies"] or [])
    assert (ROOT / "dvc.lock").stat().st_size < 110_000 * max(1, n_studies)


def test_a_reworded_sentence_runs_what_follows_estimation_only():
    told = {stage for stage in STUDY_STAGES if "pipeline/exhibits" in declared(stage)["deps"]}
    assert told == {"exhibit", "record"}
    assert "pipeline/exhibits" not in declared("check")["deps"]
