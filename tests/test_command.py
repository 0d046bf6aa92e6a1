"""The one command: its help, its exit status, its answers for programs, readers who leave."""

import ast
import json
import os
import subprocess
import sys
import tomllib
from importlib import import_module

import pytest
from import_closure import ROOT
from published import STUDY, published_project
from workspace import project, section, write_params

from stages import check, export, tex, verify
from stages.__main__ import VERBS
from stages.__main__ import main as impact

HEAVY = ("pandas", "numpy", "statsmodels", "sklearn", "linearmodels", "matplotlib", "dvc")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(project(tmp_path, {"michigan": section("michigan")}))
    return tmp_path


def answered(capsys, verb, *arguments):
    """Return the exit status and what `impact <verb> --json` says."""
    status = 0
    try:
        impact([verb, *arguments, "--json"])
    except SystemExit as stop:
        status = stop.code
    shown = capsys.readouterr()
    assert shown.err == ""
    return status, json.loads(shown.out)


def test_help_names_every_verb_on_one_line(capsys):
    impact(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 100 for line in lines)
    for verb in VERBS:
        source = (ROOT / "stages" / f"{verb}.py").read_text(encoding="utf-8")
        said = ast.get_docstring(ast.parse(source)).splitlines()[0]
        assert [line for line in lines if line.split() == [verb, *said.split()]]


def test_the_console_script_is_the_same_command():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, function = declared["project"]["scripts"]["impact"].partition(":")
    assert getattr(import_module(module), function) is impact


def test_no_arguments_ask_for_help(capsys):
    impact([])
    assert capsys.readouterr().out.startswith("usage: impact <verb>")


@pytest.mark.parametrize(("arguments", "verb"), [([], ""), (["check"], "check")])
def test_help_and_check_import_nothing_heavy(workspace, arguments, verb):
    code = (
        "import sys; from stages.__main__ import main; main(sys.argv[1:]); "
        f"print(sorted(set({HEAVY}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_of_its_own(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        impact([verb, "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: impact {verb}" in shown
    assert "--json" in shown


def test_an_unknown_verb_is_answered_with_the_nearest(capsys):
    with pytest.raises(SystemExit) as stop:
        impact(["chekc"])
    assert stop.value.code == 2
    assert "did you mean check?" in capsys.readouterr().err
    status, said = answered(capsys, "chekc")
    assert (status, said["error"]["class"]) == (2, "UsageError")


def test_check_answers_a_program_with_studies_or_faults(workspace, capsys):
    assert answered(capsys, "check") == (
        0,
        {"command": "check", "exit": 0, "error": None, "studies": ["michigan"], "raised": []}
        | {"tracked": []},
    )
    block = section("michigan")
    block["estimate"]["power"] = 2
    write_params(workspace, {"michigan": block})
    status, said = answered(capsys, "check")
    assert (status, said["exit"], said["error"]["class"]) == (2, 2, "ParamsError")
    assert "michigan.estimate.power is 2" in said["error"]["message"]


def test_check_says_which_tie_tolerance_is_raised(workspace, capsys):
    block = section("michigan")
    block["match"]["designs"]["covariates"]["tie_tolerance"] = 1e-10
    write_params(workspace, {"michigan": block})
    status, said = answered(capsys, "check")
    assert (status, said["raised"]) == (
        0,
        [
            "michigan.match.designs.covariates.tie_tolerance is 1e-10: scores are matched at 8 "
            "decimals, so 4e-08 is used; write that"
        ],
    )


def test_faulty_arguments_are_faults_like_others(workspace, capsys):
    status, said = answered(capsys, "check", "--unknown")
    assert (status, said["error"]["class"]) == (2, "UsageError")
    with pytest.raises(SystemExit) as stop:
        check.main(["--unknown"])
    assert stop.value.code == 2
    assert "usage: impact check" in capsys.readouterr().err


def test_show_gives_figures_one_by_one(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(published_project(tmp_path))
    status, said = answered(capsys, "show", STUDY, "sample_flow")
    assert (status, [table["table"] for table in said["tables"]]) == (0, ["sample_flow"])
    figures = said["tables"][0]["figures"]
    assert set(figures[0]) == {"panel", "row", "part", "column", "value", "shown"}
    status, said = answered(capsys, "show", STUDY, "nothing")
    assert (status, said["error"]["class"]) == (2, "ParamsError")


def test_verify_exits_2_with_the_faults_of_each_check(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(published_project(tmp_path, figures=["cohorts"]))
    status, said = answered(capsys, "verify")
    assert (status, said["error"]["class"]) == (2, "AuditError")
    (missing,) = said["faults"]["lock"]
    assert missing["what"] == "dvc.lock is missing"
    assert "dvc repro" in missing["todo"]
    assert len(said["faults"]["tables"]) > 10
    with pytest.raises(SystemExit) as stop:
        verify.main([])
    assert stop.value.code == 2
    assert "lock: 1 fault\n" in capsys.readouterr().out


def test_tex_answers_with_place_and_nearest_key(tmp_path, capsys, monkeypatch):
    (tmp_path / "reports" / "a").mkdir(parents=True)
    (tmp_path / "reports" / "a" / "numbers.json").write_text('{"a.sales": {}}')
    (tmp_path / "note.tex").write_text(r"\result{a.sale}")
    monkeypatch.chdir(tmp_path)
    status, said = answered(capsys, "tex", "note.tex")
    assert (status, said["error"]["class"]) == (2, "UnknownKeysError")
    place = {"file": "note.tex", "line": 1, "key": "a.sale", "nearest": "a.sales"} | {
        "quotable": False
    }
    assert (said["n_keys"], said["unknown"]) == (1, [place])


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(28, "full")])
def test_what_the_machine_refuses_is_one_line_and_status_2(workspace, capsys, monkeypatch, error):
    def refuse(*_):
        raise error

    monkeypatch.setattr(export, "_files", refuse)
    status, said = answered(capsys, "export", "michigan", "--stata")
    assert (status, said["error"]["class"]) == (2, "MachineError")
    assert said["error"]["message"].startswith(f"cannot use: {os.strerror(error.errno)}; ")


def test_a_fault_of_ours_keeps_its_traceback(workspace, monkeypatch):
    monkeypatch.setattr(check, "check_studies", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        check.main([])


def test_earlier_names_of_verbs_stay(tmp_path):
    from stages import check_tex

    assert check_tex.main is tex.main


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["--help", f"show {STUDY}"])
def test_a_reader_who_leaves_at_once_causes_no_traceback(command, unbuffered, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "stages", *command.split()],
        cwd=published_project(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered, "PYTHONPATH": str(ROOT)},
    ) as running:
        running.stdout.close()
        error = running.stderr.read().decode()
        assert running.wait() == 0
    assert error == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk_under_standard_output_is_told(workspace):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stages", "check"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("check: cannot use: No space left on device")
    assert len(done.stderr.splitlines()) == 1
