"""Change one line at a time and see that the tests named beside it fail.

python -m benchmarks.mutations --all              every mutation of mutations.yaml
python -m benchmarks.mutations --next 6 --turn N  six of them, others at every turn
python -m benchmarks.mutations name ...           those named

Changes are made in a copy of the tree. Exit 1 where a mutation survives, or cannot be judged
because the tests fail without it or do not even start with it.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
LIST = Path(__file__).with_suffix(".yaml")

# A mutant that loops is stopped, and counts as caught.
LONGEST_SECONDS = 900

# Exit codes of pytest.
PASSED, FAILED = 0, 1


@dataclass(frozen=True)
class Mutation:
    """Hold one change: the text that occurs once in a file, its replacement, who must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: list[str]
    why: str

    def applied(self, source: str) -> str:
        """Return the changed source; raise ValueError unless it is one line that occurs once."""
        found = source.count(self.old)
        if found != 1:
            raise ValueError(f"{self.name}: text occurs {found} times in {self.file}, not once")
        if "\n" in self.old + self.new or self.old == self.new:
            raise ValueError(f"{self.name}: a mutation changes one line")
        changed = source.replace(self.old, self.new)
        ast.parse(changed, self.file)
        return changed


def mutations() -> list[Mutation]:
    """Read the list."""
    return [Mutation(**entry) for entry in YAML(typ="safe").load(LIST.read_text("utf-8"))]


def in_turn(every: Sequence[Mutation], number: int, turn: int) -> list[Mutation]:
    """Return `number` mutations; those of one turn follow those of the turn before, round."""
    return [every[(turn * number + i) % len(every)] for i in range(min(number, len(every)))]


def copy_of(root: Path, folder: Path) -> Path:
    """Copy what git knows, or would add, of a working tree."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listed, cwd=root, capture_output=True, text=True, check=True).stdout
    for name in filter(None, found.split("\0")):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, folder / name)
    return folder


def place(test: str) -> str:
    """Return what pytest calls a file of tests, or one test of a file (`file::test`)."""
    file, separator, name = test.partition("::")
    return f"tests/{file}.py{separator}{name}"


def run_tests(tree: Path, tests: Sequence[str], *, mutated: bool) -> tuple[int, str]:
    """Run tests; return pytest's exit code (`FAILED` after too long) and what it printed.

    Those of a mutant stop at the first failure, and leave no bytecode, which could be taken for
    that of the next one.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line"]
    command += ["-x"] * mutated + [place(name) for name in tests]
    # plugins that the tests do not ask for take longer to load than many tests to run
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if mutated:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    try:
        found = subprocess.run(
            command,
            check=False,
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return FAILED, f"stopped after {LONGEST_SECONDS} s"
    return found.returncode, found.stdout


def judge(tree: Path, mutation: Mutation) -> str:
    """Return whether a mutation is caught, survives, or stops the tests from starting."""
    path = tree / mutation.file
    source, stat = path.read_text("utf-8"), path.stat()
    path.write_text(mutation.applied(source), "utf-8")
    # another time than the source's, whose bytecode would else be taken for the mutant's
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**10))
    code, _ = run_tests(tree, mutation.tests, mutated=True)
    path.write_text(source, "utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return {PASSED: "SURVIVED", FAILED: "caught"}.get(code, "BROKEN")


def run(chosen: Sequence[Mutation], root: Path = ROOT) -> int:
    """Judge mutations one after the other, print each; return the number not caught."""
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_of(root, Path(folder))
        tests = sorted({name for mutation in chosen for name in mutation.tests})
        code, shown = run_tests(tree, tests, mutated=False)
        if code != PASSED:
            print(f"{shown}\nno verdict: these tests fail without any mutation")
            return len(chosen)
        missed, began = 0, time.monotonic()
        for mutation in chosen:
            start = time.monotonic()
            verdict = judge(tree, mutation)
            missed += verdict != "caught"
            seconds = time.monotonic() - start
            print(f"{verdict:<9}{seconds:6.1f} s  {mutation.name}: {mutation.why}", flush=True)
    n, seconds = len(chosen), time.monotonic() - began
    print(f"{n - missed} of {n} mutations caught in {seconds:.0f} s")
    return missed


def main(arguments: list[str] | None = None) -> int:
    """Run the mutations asked for."""
    options = _parser().parse_args(arguments)
    every = mutations()
    chosen = [mutation for mutation in every if mutation.name in options.name]
    absent = set(options.name) - {mutation.name for mutation in chosen}
    if absent:
        print(f"no mutation is called {', '.join(sorted(absent))}")
        return 2
    if options.next:
        chosen = in_turn(every, options.next, options.turn)
    return 1 if run(every if options.all else chosen) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="*", help="names of mutations")
    parser.add_argument("--all", action="store_true", help="run every mutation")
    parser.add_argument("--next", type=int, default=0, help="run so many")
    parser.add_argument("--turn", type=int, default=0, help="the turn whose mutations run")
    return parser


if __name__ == "__main__":
    sys.exit(main())
