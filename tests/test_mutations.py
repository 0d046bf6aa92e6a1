"""Every listed mutation still applies, and the tool tells caught ones from survivors."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.mutations import Mutation, in_turn, mutations, run

ROOT = Path(__file__).parent.parent
EVERY = mutations()


@pytest.mark.parametrize("mutation", EVERY, ids=lambda mutation: mutation.name)
def test_a_mutation_applies(mutation):
    mutation.applied((ROOT / mutation.file).read_text(encoding="utf-8"))
    assert mutation.tests
    for test in mutation.tests:
        file, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8")


def test_names_are_unique_and_mutations_many():
    assert len({mutation.name for mutation in EVERY}) == len(EVERY) >= 60


def test_turns_reach_every_mutation():
    names = {m.name for turn in range(len(EVERY)) for m in in_turn(EVERY, 6, turn)}
    assert names == {mutation.name for mutation in EVERY}
    assert in_turn(EVERY[:2], 6, 1) == EVERY[:2]


@pytest.mark.parametrize(("old", "new"), [("a = 3", "a = 4"), ("a", "b"), ("a = 1", "a = 1")])
def test_text_that_is_absent_repeated_or_unchanged_is_refused(old, new):
    mutation = Mutation("m", "code.py", old, new, ["test_code"], "")
    with pytest.raises(ValueError, match="m: "):
        mutation.applied("a = 1\na = 2\n")


def test_mutants_are_judged_in_a_copy(tmp_path, capsys):
    (tmp_path / "tests").mkdir()
    (tmp_path / "mutated.py").write_text("ONE = 1\nTWO = 2\n")
    (tmp_path / "tests" / "test_code.py").write_text(
        "import mutated\n\n\ndef test_one():\n    assert mutated.ONE == 1\n"
    )
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    caught = Mutation("caught", "mutated.py", "ONE = 1", "ONE = 3", ["test_code"], "")
    survivor = replace(caught, name="survivor", old="TWO = 2", new="TWO = 3")
    broken = replace(caught, name="broken", new="ONE = absent")
    assert run([survivor, caught, broken], tmp_path) == 2
    verdicts = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert verdicts == ["SURVIVED", "caught", "BROKEN", "1"]
    assert (tmp_path / "mutated.py").read_text() == "ONE = 1\nTWO = 2\n"


def test_no_verdict_where_tests_fail_without_a_mutation(tmp_path, capsys):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_code.py").write_text("def test_fails():\n    assert False\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    mutation = Mutation("m", "tests/test_code.py", "False", "True", ["test_code"], "")
    assert run([mutation], tmp_path) == 1
    assert "fail without any mutation" in capsys.readouterr().out
