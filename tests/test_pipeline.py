"""One small study through DVC: what runs, what is skipped, and what a failure leaves behind."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from repository import commit_all, git
from workspace import contents, project, section, write_params

from pipeline.commands.attribute.answers import answers
from pipeline.commands.attribute.headlines_computed import question
from pipeline.commands.audit.fault import Fault
from pipeline.commands.audit.lock_check import lock_faults
from pipeline.commands.audit.provenance_check import provenance_faults
from pipeline.commands.audit.rebuild import drawing_faults, published_results, table_faults
from pipeline.commands.audit.rerun import rerun_faults
from pipeline.commands.audit.revisions import Revision, commit
from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.page import index_page
from pipeline.params.settings import load_yaml
from pipeline.publishing.provenance import published_hashes
from pipeline.publishing.study import build_texts
from pipeline.publishing.tree import ignored_names

TABLE = "reports/michigan/tables/main_effects.tex"
STAGES = [
    *("check", "obtain", "clean", "score", "match", "balance", "estimate", "exhibit", "record"),
    "index",
]
PROVENANCE = "reports/michigan/provenance.json"


def small_section() -> dict:
    """Return the Michigan study with two outcomes and one matched design, to save time."""
    block = section("michigan")
    block["outcomes"] = {name: block["outcomes"][name] for name in ("sales_log", "employment_log")}
    block["match"]["designs"] = {"covariates": block["match"]["designs"]["covariates"]}
    for spec in block["estimate"]["specs"].values():
        spec["designs"] = [d for d in spec["designs"] if d in {"unmatched", "covariates"}]
    panels = block["exhibit"]["panels"]
    block["exhibit"]["panels"] = [p for p in panels if p["design"] in {"unmatched", "covariates"}]
    return block


def dvc(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run DVC in the folder with this interpreter first on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def stages_run(folder: Path, *arguments: str) -> list[str]:
    """Reproduce; return the verbs of the stages that ran, in the order in which STAGES has them."""
    done = dvc(folder, "repro", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    ran = [line.split("'")[1] for line in lines if line.startswith("Running stage")]
    return sorted((name.split("@")[0] for name in ran), key=STAGES.index)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Run the Michigan study once from nothing."""
    folder = project(tmp_path_factory.mktemp("project"), {"michigan": small_section()})
    assert dvc(folder, "init", "--no-scm", "--quiet").returncode == 0
    assert stages_run(folder) == STAGES
    return folder


def test_nothing_runs_when_nothing_changed(study):
    assert stages_run(study) == []


@pytest.mark.slow
def test_the_same_inputs_give_the_same_bytes(study):
    before = contents(study / "reports")
    assert stages_run(study, "--force") == STAGES
    assert contents(study / "reports") == before


def said(faults: list[Fault]) -> list[str]:
    return [fault.what for fault in faults]


def forge(study: Path) -> bytes:
    """Edit the headline of a committed table by hand; return the table as it was."""
    table = study / TABLE
    before = table.read_bytes()
    assert b" 7.9 " in before
    table.write_bytes(before.replace(b" 7.9 ", b" 9.7 ", 1))
    return before


def test_a_table_edited_by_hand_is_not_what_the_lock_records(study):
    assert (lock_faults(study), table_faults(study), provenance_faults(study)) == ([], [], [])
    before = forge(study)
    assert said(lock_faults(study)) == [
        "exhibit@michigan: reports/michigan/tables is not what the stage wrote"
    ]
    (study / TABLE).write_bytes(before)


def test_a_table_edited_together_with_its_lock_is_not_what_the_results_give(study):
    before = forge(study)
    assert dvc(study, "commit", "--force", "exhibit@michigan", "record@michigan").returncode == 0
    assert "up to date" in dvc(study, "status").stdout
    assert lock_faults(study) == []
    (fault,) = table_faults(study)
    assert said(provenance_faults(study)) == [f"{TABLE}: not the file that provenance.json lists"]
    assert fault.what.startswith(f"{TABLE}:")
    assert "9.7" in fault.what
    (study / TABLE).write_bytes(before)
    assert dvc(study, "commit", "--force", "exhibit@michigan", "record@michigan").returncode == 0


def test_what_changed_after_a_run_is_named(study):
    changed = small_section()
    changed["match"]["designs"]["covariates"]["caliper_sd"] = 0.3
    write_params(study, {"michigan": changed})
    assert "match@michigan: michigan.match changed in params.yaml since the stage ran" in (
        said(lock_faults(study))
    )
    write_params(study, {"michigan": small_section()})
    code = study / "pipeline" / "estimators" / "stacked.py"
    text = code.read_text()
    code.write_text(text + "\n")
    # `exhibit` runs some of it too, to say what is estimated
    assert sorted(said(lock_faults(study))) == [
        f"{stage}@michigan: pipeline/estimators changed since the stage ran"
        for stage in ("estimate", "exhibit", "record")
    ]
    assert said(provenance_faults(study)) == [f"{PROVENANCE}: made from other code than those here"]
    code.write_text(text)


def test_changed_raw_data_are_named(study):
    note = study / "data" / "raw" / "michigan" / "README.md"
    text = note.read_text()
    note.write_text(text + "Delivered again.\n")
    assert said(provenance_faults(study)) == [
        f"{PROVENANCE}: made from other raw data than those here"
    ]
    note.write_text(text)


def test_no_exhibit_holds_what_changes_without_its_figures(study):
    recorded = json.loads((study / PROVENANCE).read_text())
    hashes = {recorded[key].encode() for key in ("inputs", "raw_data", "parameters", "code")}
    hashes |= {digest.encode() for digest in recorded["files"].values()}
    for path, content in contents(study / "reports").items():
        if not path.endswith("provenance.json"):
            assert not any(digest[:12] in content for digest in hashes), path
    published = contents(study / "reports" / "michigan")
    assert set(recorded["files"]) == set(published) - {"provenance.json"}


def test_a_change_of_code_only_changes_no_exhibit(study):
    before = contents(study / "reports")
    code = study / "stages" / "match.py"
    text = code.read_text()
    code.write_text(text + "\n# said more clearly\n")
    assert stages_run(study) == ["match", "record"]
    after = contents(study / "reports")
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed == {"michigan/provenance.json"}
    code.write_text(text)
    assert stages_run(study) == ["record"]
    assert contents(study / "reports") == before


DROPPINGS = (
    *(".DS_Store", "._panel.csv", "Thumbs.db", "desktop.ini", ".directory", ".nfs0001"),
    *("nearest.py~", "#nearest.py#", ".#nearest.py", ".nearest.py.swp", "nearest.py.bak"),
    *("nearest.py.orig", "nearest.py.rej", ".nearest.py.un~", "~$panel.xlsx", ".~lock.panel.csv#"),
    *(".ipynb_checkpoints/a-checkpoint.ipynb", "__pycache__/nearest.cpython-313.pyc"),
    *(".idea/workspace.xml", ".vscode/settings.json", ".Rhistory", ".new-panel.csv"),
)


def dependency_folders(study: Path) -> list[Path]:
    """Return every folder on which a stage depends, private ones aside."""
    lock = load_yaml(study / "dvc.lock")["stages"].values()
    paths = {dep["path"] for entry in lock for dep in entry["deps"]}
    return [study / path for path in sorted(paths) if (study / path).is_dir()]


def test_what_editors_and_systems_drop_reruns_nothing(study):
    folders = dependency_folders(study)
    names = {folder.relative_to(study).as_posix() for folder in folders}
    assert {"data/raw", "pipeline/matching", "pipeline/params", "reports/headlines"} <= names
    dropped = [folder / name for folder in folders for name in DROPPINGS]
    for path in dropped:
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    assert "up to date" in dvc(study, "status").stdout
    assert (lock_faults(study), table_faults(study), provenance_faults(study)) == ([], [], [])
    real = study / "pipeline" / "matching" / "swp.py"
    real.write_text("x = 1\n")
    assert "pipeline/matching" in dvc(study, "status").stdout
    for path in [*dropped, real]:
        path.unlink()


def test_every_line_of_dvcignore_is_a_name_and_nothing_else(study):
    """`verify` hashes folders by the same list, and knows names only."""
    assert not [name for name in ignored_names(study) if "/" in name or name.startswith("!")]


HEAVY = ("statsmodels", "sklearn", "linearmodels")
ASKED = f"""
import runpy, sys
try:
    runpy.run_module(sys.argv[0].removesuffix(".py"), run_name="__main__")
finally:
    print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize(
    "command",
    (["stages.check"], ["stages.exhibit", "michigan"], ["stages.record", "michigan"], ["stages"]),
)
def test_commands_that_estimate_nothing_import_no_heavy_package(study, command):
    code = f"import sys; sys.argv = {command}\n{ASKED}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=study, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_a_figure_replaced_with_page_provenance_and_lock_is_not_what_the_results_give(study):
    """The point of an effect is moved in the figure and in the page, and all else made to agree."""
    reports = study / "reports" / "michigan"
    before = contents(reports)
    assert drawing_faults(study) == []
    for name in ("figures/event_study.svg", "report.html"):
        text = re.sub(rb' x="[0-9.]+" y="[0-9.]+"', b' x="90" y="90"', before[name], count=1)
        assert text != before[name]
        (reports / name).write_bytes(text)
    recorded = json.loads(before["provenance.json"])
    recorded["files"] = published_hashes(study, "michigan")
    (reports / "provenance.json").write_text(json.dumps(recorded, indent=2) + "\n")
    done = dvc(study, "commit", "--force", "exhibit@michigan", "record@michigan")
    assert done.returncode == 0, done.stderr
    assert (lock_faults(study), table_faults(study), provenance_faults(study)) == ([], [], [])
    found = sorted(fault.what.split(":")[0] for fault in drawing_faults(study))
    assert found == ["reports/michigan/figures/event_study.svg", "reports/michigan/report.html"]
    for name, content in before.items():
        (reports / name).write_bytes(content)
    assert dvc(study, "commit", "--force", "exhibit@michigan", "record@michigan").returncode == 0


@pytest.mark.slow
def test_what_moved_headlines_is_told_from_what_ran_and_what_is_computed(study, tmp_path):
    """Of two settings that changed, three combinations ran before; only the fourth is computed."""
    place = tmp_path / "project"
    shutil.copytree(study, place, ignore=shutil.ignore_patterns("tmp"))
    (place / ".gitignore").write_text("/data/*\n!/data/raw/\n!/data/rules/\n__pycache__/\n/.dvc/\n")
    git(place, "init", "--quiet")
    commit_all(place, "Before")
    changed = small_section()
    changed["match"]["designs"]["covariates"]["caliper_sd"] = 0.1
    write_params(place, {"michigan": changed})
    assert "estimate" in stages_run(place)
    changed["treatment"]["window"]["last_event_time"] = 0
    write_params(place, {"michigan": changed})
    (stale,) = answers(place, commit(place, "HEAD"), Revision(place), lambda _: None)
    assert "results were not made again: run `dvc repro`" in stale.sentences[0]
    assert "estimate" in stages_run(place)
    commit_all(place, "After")
    files = contents(place)
    old, new = commit(place, "HEAD~1"), commit(place, "HEAD")
    asked = question(place, old, new, "michigan")
    assert (len(asked.combinations), asked.n_runs) == (4, 1)
    told: list[str] = []
    (answer,) = answers(place, old, new, told.append)
    assert contents(place) == files
    assert answer.sentences == []
    found = answer.found
    assert set(found.computed) == set(stale.found.computed)
    for name in ("sales_log", "employment_log"):
        assert found.other_causes(name) == 0
        for chosen, computed in stale.found.computed.items():
            both = (computed.of(name).estimate, found.computed[chosen].of(name).estimate)
            assert both[0] == pytest.approx(both[1], rel=1e-7)
        whole = found.end(name).estimate - found.start(name).estimate
        assert found.moves(name).together == pytest.approx(whole)
    assert answer.text().count("\n1  ") == 1


@pytest.mark.slow
def test_results_tables_and_lock_forged_together_are_caught_by_a_run_from_nothing(study, tmp_path):
    """Every file that the other checks read is made to agree: only the run shows the forgery."""
    place = tmp_path / "forged"
    shutil.copytree(study, place, ignore=shutil.ignore_patterns("cache", "tmp"))
    (place / ".gitignore").write_text("/data/*\n!/data/raw/\n!/data/rules/\n__pycache__/\n")
    estimates = place / "reports" / "michigan" / "results" / "estimates.csv"
    estimates.write_bytes(estimates.read_bytes().replace(b"0.0763068", b"0.1763068"))
    shutil.copytree(study / "data", place / "data", dirs_exist_ok=True)
    for path, text in build_texts(published_results(place, "michigan")).items():
        (place / "reports" / "michigan" / path).write_bytes(text)
    found = headlines(published_results(place, "michigan"))
    (place / "reports" / "headlines" / "michigan.json").write_bytes(found)
    page = index_page({"michigan": json.loads(found)})
    (place / "reports" / "index.html").write_bytes(page)
    assert (
        dvc(place, "commit", "--force", "exhibit@michigan", "record@michigan", "index").returncode
        == 0
    )
    git(place, "init", "--quiet")
    commit_all(place, "Forged")
    assert (lock_faults(place), table_faults(place)) == ([], [])
    faults = said(rerun_faults(place))
    assert any("results/estimates.csv" in fault and "0.1763068" in fault for fault in faults)
    assert any(TABLE.removeprefix("reports/") in fault for fault in faults)


@pytest.mark.slow
def test_a_change_reruns_the_stages_that_read_it_and_what_follows(study):
    """One change after the other, each on top of the last, to save returning to the start."""
    changed = small_section()
    changed["match"]["designs"]["covariates"]["caliper_sd"] = 0.3
    write_params(study, {"michigan": changed})
    # no headline moves, so the index stays as it is
    assert stages_run(study) == ["check", "match", "balance", "estimate", "exhibit", "record"]

    changed["outcomes"]["salary_log"] = {
        "column": "salary",
        "transform": "log",
        "unit": "US$",
        "label": "Log average salary",
    }
    write_params(study, {"michigan": changed})
    # clean looks for gaps in what outcomes read, and writes the same tables again
    assert stages_run(study) == ["check", "clean", "estimate", "exhibit", "record", "index"]

    module = study / "pipeline" / "params" / "estimate.py"
    text = module.read_text()
    module.write_text(text.replace("    power: float", "    draws: int = 0\n    power: float"))
    assert "draws" in module.read_text()
    assert stages_run(study) == ["check", "estimate", "exhibit", "record"]


def test_a_failing_stage_leaves_reports_and_raw_data_as_they_were(study):
    before = contents(study / "reports"), contents(study / "data" / "raw")
    changed = small_section()
    changed["match"]["designs"]["covariates"]["caliper_sd"] = 1e-9
    write_params(study, {"michigan": changed})
    failed = dvc(study, "repro")
    assert failed.returncode != 0
    output = failed.stdout + failed.stderr
    assert "match michigan: SupportError" in output
    assert "Traceback" not in output
    assert (contents(study / "reports"), contents(study / "data" / "raw")) == before


def test_no_firm_identifier_reaches_the_reports(study):
    import pandas as pd

    panel = pd.read_parquet(study / "data" / "michigan" / "clean" / "panel.parquet")
    identifiers = set(panel["firm_id"])
    for path, content in contents(study / "reports").items():
        if not path.endswith((".png", ".pdf", ".svg")):
            # six digits of an identifier may stand in a hash by chance; tests/test_package.py runs
            # the study with identifiers that cannot
            text = re.sub(rb"\b[0-9a-f]{64}\b", b"", content)
            found = {name for name in identifiers if name.encode() in text}
            assert not found, path


def test_a_stage_under_another_interpreter_says_what_to_do(study):
    """`-S` hides site-packages, as an environment that is not activated does."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "stages.score", "michigan"],
        cwd=study,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Activate that environment first" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_changed_corrections_file_reruns_from_clean_and_the_ledger_names_it(study):
    import pandas as pd

    raw = pd.read_parquet(study / "data" / "michigan" / "obtained" / "panel.parquet")
    known = raw[raw["sales"].notna()].head(2)
    listed = pd.DataFrame(
        {"firm_id": known["fcode"], "year": known["year"], "column": "sales", "old": known["sales"],
         "new": 1000000, "reason": ["typing error", "wrong unit"], "source": "annual report"}
    )  # fmt: skip
    file = study / "data" / "rules" / "michigan" / "corrections.csv"
    listed.head(1).to_csv(file, index=False)
    changed = small_section()
    changed["clean"]["corrections"] = "corrections.csv"
    write_params(study, {"michigan": changed})
    assert stages_run(study)[:2] == ["check", "clean"]
    listed.to_csv(file, index=False)
    ran = stages_run(study)
    assert ran[:2] == ["check", "clean"] and "exhibit" in ran and "obtain" not in ran
    published = (study / "reports" / "michigan" / "results" / "issues.csv").read_text()
    assert "point_correction" in published and "wrong unit" not in published
    issues = pd.read_parquet(study / "data" / "michigan" / "clean" / "issues.parquet")
    assert issues.set_index("rule").loc["point_correction", "count"] == 2
    private = pd.read_parquet(study / "data" / "michigan" / "clean" / "corrections.parquet")
    assert set(private["reason"]) == {"typing error", "wrong unit"}
    file.unlink()
    write_params(study, {"michigan": small_section()})
    stages_run(study)
