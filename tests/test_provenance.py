"""Provenance: hashes as DVC has them, whose raw data are here, and which commits had what."""

import json

import pytest
from repository import commit_all, git
from workspace import project, section

from pipeline.commands.audit.lock_check import lock_faults
from pipeline.commands.audit.provenance_check import Period, periods, studies_without_raw_data
from pipeline.params.outcomes import OutcomesSection
from pipeline.publishing.provenance import Inputs, provenance, published_hashes, study_inputs
from pipeline.publishing.swap import FOLDERS, write_exhibits
from pipeline.publishing.tree import Tree

# of `dvc add` on a folder with a.txt ("a\n") and sub/b.txt ("b\n")
DVC_FOLDER = "849835d274483dc683eb416d6e4f887d.dir"
FIRST, SECOND = "a" * 64, "b" * 64


def two_files(folder):
    (folder / "data" / "sub").mkdir(parents=True)
    (folder / "data" / "a.txt").write_text("a\n")
    (folder / "data" / "sub" / "b.txt").write_text("b\n")


def test_folders_and_files_hash_as_dvc_hashes_them(tmp_path):
    two_files(tmp_path)
    tree = Tree(tmp_path)
    assert tree.hash("data") == DVC_FOLDER
    assert tree.hash("data/a.txt") == "60b725f10c9c85c70d97880dfe8191b3"
    assert tree.hash("nowhere") is None


def test_what_dvcignore_names_is_no_part_of_a_folder(tmp_path):
    two_files(tmp_path)
    (tmp_path / ".dvcignore").write_text("# droppings\n*~\n__pycache__/\n")
    (tmp_path / "data" / "a.txt~").write_text("older")
    (tmp_path / "data" / "sub" / "__pycache__").mkdir()
    (tmp_path / "data" / "sub" / "__pycache__" / "b.pyc").write_text("b")
    tree = Tree(tmp_path)
    assert tree.hash("data") == DVC_FOLDER
    assert list(tree.files("data")) == ["a.txt", "sub/b.txt"]


def study_folder(folder):
    (folder / "data" / "raw" / "firms").mkdir(parents=True)
    (folder / "data" / "raw" / "firms" / "panel.csv").write_text("firm,year\n")
    (folder / "stages").mkdir()
    (folder / "stages" / "match.py").write_text("order = 'largest'\n")
    (folder / "dvc.yaml").write_text(
        "stages:\n  record:\n    do:\n      deps: [data/raw/firms, stages/match.py]\n"
    )
    return folder


def inputs(folder, label="Log sales"):
    outcome = {"column": "sales", "transform": "log", "unit": "US$", "label": label}
    sections = {"outcomes": OutcomesSection.model_validate({"sales_log": outcome})}
    return study_inputs(folder, "firms", sections, folder)


@pytest.mark.parametrize(
    ("place", "part"),
    [("data/raw/firms/panel.csv", "raw_data"), ("stages/match.py", "code"), (None, "parameters")],
)
def test_each_part_of_the_inputs_moves_with_what_it_covers(tmp_path, place, part):
    folder = study_folder(tmp_path)
    before = inputs(folder)
    if place is not None:
        (folder / place).write_text("another\n")
    after = inputs(folder) if place else inputs(folder, "Sales in logs")
    moved = [name for name in vars(before) if getattr(before, name) != getattr(after, name)]
    assert moved == [part]
    assert before.hash != after.hash


def test_code_is_hashed_where_it_is_imported_from(tmp_path):
    folder = study_folder(tmp_path / "here")
    elsewhere = study_folder(tmp_path / "code")
    sections = {}
    same = study_inputs(folder, "firms", sections, elsewhere)
    (folder / "stages" / "match.py").unlink()
    assert study_inputs(folder, "firms", sections, elsewhere) == same


def test_the_file_lists_every_published_file_but_itself(tmp_path):
    reports = tmp_path / "reports" / "firms"
    (reports / "tables").mkdir(parents=True)
    (reports / "tables" / "b.tex").write_bytes(b"b\n")
    (reports / "a.json").write_bytes(b"a\n")
    (reports / "provenance.json").write_bytes(b"{}")
    hashes = published_hashes(tmp_path, "firms")
    assert list(hashes) == ["a.json", "tables/b.tex"]
    made_from = Inputs("raw", "parameters", "code")
    content = json.loads(provenance(made_from, hashes))
    assert content["files"] == hashes
    assert content["inputs"] == made_from.hash
    assert {"numpy", "pandas", "statsmodels", "linearmodels"} <= set(content["packages"])


def record(folder, inputs_hash):
    place = folder / "reports" / "firms" / "provenance.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"inputs": inputs_hash, "files": {}}, indent=2))


def test_git_tells_from_which_commit_to_which_the_inputs_were_the_same(tmp_path):
    git(tmp_path, "init", "--quiet")
    commits = []
    for message, hashed in enumerate([FIRST, FIRST, SECOND, FIRST]):
        record(tmp_path, hashed)
        (tmp_path / "note.txt").write_text(str(message))
        commit_all(tmp_path, str(message))
        commits.append(git(tmp_path, "log", "-1", "--format=%h").strip())
    one, _, three, four = commits
    assert periods(tmp_path, "firms", FIRST[:12]) == [
        Period("firms", one, three),
        Period("firms", four, None),
    ]
    assert periods(tmp_path, "firms", SECOND) == [Period("firms", three, four)]
    assert periods(tmp_path, "firms", "c" * 12) == []


def of_lock(folder):
    return [fault.what for fault in lock_faults(folder)]


def test_raw_data_that_are_not_here_are_not_compared(tmp_path):
    private = section("michigan")
    private["data"]["source"] = {"kind": "files", "panel": "firms_*.csv"}
    content = {"studies": ["private"], "private": private}
    folder = project(tmp_path, {"private": private})
    entry = "    cmd: x\n    deps:\n    - path: data/raw/private\n      md5: '0'\n"
    (folder / "dvc.lock").write_text(f"stages:\n  obtain@private:\n{entry}")
    assert studies_without_raw_data(folder, content) == {"private"}
    changed = "obtain@private: data/raw/private changed since the stage ran"
    assert changed not in of_lock(folder)
    (folder / "data" / "raw" / "private" / "firms_1987.csv").write_text("here\n")
    assert studies_without_raw_data(folder, content) == set()
    assert changed in of_lock(folder)


def test_private_files_that_a_stage_made_need_not_be_here(tmp_path):
    folder = project(tmp_path, {"michigan": section("michigan")})
    made = "data/michigan/clean"
    entry = f"    cmd: x\n    deps:\n    - path: {made}/coverage.parquet\n      md5: '0'\n"
    clean = f"    cmd: x\n    deps: []\n    outs:\n    - path: {made}\n      md5: 1.dir\n"
    lock = f"stages:\n  clean@michigan:\n{clean}  exhibit@michigan:\n{entry}"
    (folder / "dvc.lock").write_text(lock)
    of_file = f"exhibit@michigan: {made}/coverage.parquet"
    assert not [fault for fault in of_lock(folder) if fault.startswith(f"{of_file} is missing")]
    (folder / made).mkdir(parents=True)
    (folder / made / "coverage.parquet").write_text("here\n")
    assert f"{of_file} changed since the stage ran" in of_lock(folder)


def test_files_are_swapped_from_a_folder_in_which_a_killed_run_left_something(tmp_path):
    reports, fresh = tmp_path / "reports" / "firms", tmp_path / "data" / "firms" / ".new-reports"
    (fresh / "tables").mkdir(parents=True)
    (fresh / "tables" / "stale.tex").write_text("of a run that was killed")
    write_exhibits({"tables/new.tex": b"new"}, reports, fresh)
    files = [path.relative_to(reports).as_posix() for path in reports.rglob("*") if path.is_file()]
    assert files == ["tables/new.tex"]
    assert {path.name for path in reports.iterdir()} == set(FOLDERS)
    assert not fresh.exists()
