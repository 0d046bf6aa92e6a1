"""One small study through DVC: what runs, what is skipped, and what a failure leaves behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from workspace import contents, project, section, write_params

STAGES = ["check", "obtain", "clean", "score", "match", "balance", "estimate", "exhibit"]


def small_section() -> dict:
    """Return the Michigan study with two outcomes and one matched design, to save time."""
    block = section("michigan")
    block["outcomes"] = {name: block["outcomes"][name] for name in ("sales_log", "employment_log")}
    block["match"]["designs"] = {"covariates": block["match"]["designs"]["covariates"]}
    for spec in block["estimate"]["specs"]:
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
    """Reproduce; return the verbs of the stages that ran."""
    done = dvc(folder, "repro", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    ran = [line.split("'")[1] for line in lines if line.startswith("Running stage")]
    return [name.split("@")[0] for name in ran]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Run the Michigan study once from nothing."""
    folder = project(tmp_path_factory.mktemp("project"), {"michigan": small_section()})
    assert dvc(folder, "init", "--no-scm", "--quiet").returncode == 0
    assert stages_run(folder) == STAGES
    return folder


def test_nothing_runs_when_nothing_changed(study):
    assert stages_run(study) == []


def test_the_same_inputs_give_the_same_bytes(study):
    before = contents(study / "reports")
    assert stages_run(study, "--force") == STAGES
    assert contents(study / "reports") == before


def test_a_change_reruns_the_stages_that_read_it_and_what_follows(study):
    """One change after the other, each on top of the last, to save returning to the start."""
    changed = small_section()
    changed["match"]["designs"]["covariates"]["caliper_sd"] = 0.3
    write_params(study, {"michigan": changed})
    assert stages_run(study) == ["check", "match", "balance", "estimate", "exhibit"]

    changed["outcomes"]["salary_log"] = {
        "column": "salary",
        "transform": "log",
        "unit": "US$",
        "label": "Log average salary",
    }
    write_params(study, {"michigan": changed})
    assert stages_run(study) == ["check", "estimate", "exhibit"]

    module = study / "pipeline" / "params" / "estimate.py"
    text = module.read_text()
    module.write_text(text.replace("    power: float", "    draws: int = 0\n    power: float"))
    assert "draws" in module.read_text()
    assert stages_run(study) == ["check", "estimate", "exhibit"]


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
            found = {name for name in identifiers if name.encode() in content}
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
