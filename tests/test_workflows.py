"""The workflow files: each line is a command of this project, and does in a clone what it says."""

import os
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from importlib import import_module

import pytest
from import_closure import ROOT

from pipeline.params.settings import load_yaml
from stages.__main__ import VERBS

FILES = {path.stem: path for path in (ROOT / ".github" / "workflows").glob("*.yml")}
WORKFLOWS = {name: load_yaml(path) for name, path in FILES.items()}
STEPS = [
    (f"{name}.{job}", step)
    for name, workflow in WORKFLOWS.items()
    for job, content in workflow["jobs"].items()
    for step in content["steps"]
]
LINES = [
    (place, line)
    for place, step in STEPS
    for line in step.get("run", "").splitlines()
    if not line.lstrip().startswith("#")
]
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

# Programs of the machine that runs workflows.
THEIRS = {"cat", "gh", "git", "head", "sudo"}

# Lines that .ci/run runs itself, and what only a machine with sudo can do.
RUN_BY_CI = ("pytest", "ruff", "mypy", "sudo", ".ci/run", "impact verify --rerun")


def commands(line: str) -> list[list[str]]:
    """Return the words of each command of a line, those inside "$(...)" among them."""
    inner = re.findall(r"\$\((.*?)\)", line)
    outer = re.sub(r"\$\(.*?\)", "REVISION", line)
    parts = [part for text in (outer, *inner) for part in text.split(" && ")]
    return [shlex.split(re.sub(r" >+ .*", "", part)) for part in parts]


def test_there_are_workflows_for_tests_verify_and_the_effect_diff():
    assert set(WORKFLOWS) == {"tests", "verify", "effect-diff"}
    assert len(LINES) >= 12


@pytest.mark.parametrize("name", FILES)
def test_a_workflow_has_the_keys_that_github_reads(name):
    workflow = WORKFLOWS[name]
    assert workflow.keys() == {"name", "on", "permissions", "jobs"}
    assert workflow["on"].keys() <= {"push", "pull_request"}
    for job in workflow["jobs"].values():
        assert job.keys() <= {"if", "runs-on", "env", "steps"}
        assert job["steps"][0]["uses"] == "actions/checkout@v4"
        for step in job["steps"]:
            assert step.keys() <= {"uses", "with", "if", "run"}
            assert ("uses" in step) != ("run" in step)


@pytest.mark.parametrize(("place", "line"), LINES)
def test_every_line_is_a_command_that_exists(place, line):
    for words in commands(line):
        program, *rest = words
        if program == "impact":
            verb, *arguments = rest
            assert verb in VERBS
            parser = ArgumentParser(exit_on_error=False)
            import_module(f"stages.{verb}")._declare(parser)
            parser.parse_args(arguments)
        elif program not in THEIRS:
            assert shlex.join(words) in {shlex.join(known) for known in known_commands()}


def known_commands() -> list[list[str]]:
    """Return the commands of the README's shell blocks and of .ci/run, and .ci/run itself."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line for text in (*blocks, CI) for line in text.splitlines() if line]
    plain = [line for line in lines if re.match(r"(python|pytest|ruff|mypy)\b", line)]
    return [[".ci/run"], *(words for line in plain for words in commands(line))]


@pytest.mark.parametrize(("place", "step"), [(p, s) for p, s in STEPS if "run" in s])
def test_every_step_is_a_script_that_a_shell_can_read(place, step):
    subprocess.run(["bash", "-n", "-c", step["run"]], check=True)


def test_the_machine_gets_the_packages_that_ci_installs():
    def packages(text: str) -> set[str]:
        lines = re.findall(r"apt-get install -y -qq(?: --[\w-]+)* ([^>\n]+)", text)
        return {name for line in lines for name in line.split()}

    assert packages(FILES["tests"].read_text(encoding="utf-8")) == packages(CI) != set()


def test_python_is_the_oldest_that_the_project_takes():
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (oldest,) = re.findall(r'requires-python = ">=([\d.]+)"', pyproject)
    asked = {step["with"]["python-version"] for _, step in STEPS if "setup-python" in str(step)}
    assert asked == {oldest}


def test_ci_is_a_program():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Return a clean clone of the last commit and an environment with nothing in it."""
    folder = tmp_path_factory.mktemp("clean")
    clone, environment = folder / "clone", folder / "environment"
    subprocess.run(["git", "clone", "-q", "--no-local", str(ROOT), str(clone)], check=True)
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    (folder / "bin").mkdir()
    gh = folder / "bin" / "gh"  # comments on no pull request, but says what it was asked
    gh.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > asked.txt\n', encoding="utf-8")
    gh.chmod(0o755)
    return clone, {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{environment / 'bin'}:{os.environ['PATH']}",
        "BASE": "HEAD~1",
        "NUMBER": "7",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }


@pytest.mark.slow
def test_every_step_runs_in_a_clean_clone(checkout):
    """But for what .ci/run runs anyway: tests, style, types and the run from nothing."""
    clone, environment = checkout
    scripts = [step["run"] for _, step in STEPS if "run" in step]
    own = [script for script in scripts if not any(part in script for part in RUN_BY_CI)]
    for script in dict.fromkeys(own):
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    asked = (clone / "asked.txt").read_text(encoding="utf-8").split()
    assert asked[:3] == ["pr", "comment", "7"]
    comment = (clone / asked[-1]).read_text(encoding="utf-8")
    summary = (clone.parent / "summary.md").read_text(encoding="utf-8")
    assert comment == summary[:65000] != ""
