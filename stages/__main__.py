"""Evaluate cluster programmes: one command for everything that is not a stage of `dvc repro`.

`impact <verb>` and `python -m stages <verb>` are the same.
"""

import ast
import sys
from argparse import Namespace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from stages.output import put

VERBS = (
    "start",
    "add",
    "remove",
    "check",
    "plan",
    "explore",
    "show",
    "diff",
    "verify",
    "export",
    "package",
    "tex",
)
_END = """
`impact <verb> --help` says what a verb takes; `--json` answers for a program. Exit status: 0, or 2
where you must act. `dvc repro` runs the studies.
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the verb that is named first, or print what there is."""
    verb, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if verb in {"-h", "--help"}:
        put(_help())
    elif verb in VERBS:
        import_module(f"stages.{verb}").main(rest)
    else:
        _refuse(verb, rest)


def _refuse(verb: str, rest: list[str]) -> None:
    """Name the verb that was meant."""
    from stages.command import Command, Reply, UsageError, run_command

    def answer(_: Namespace) -> Reply:
        near = get_close_matches(verb, VERBS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"{verb} is no verb{hint}; `impact --help` lists them")

    as_json = [word for word in rest if word == "--json"]
    run_command(Command("impact", __doc__, lambda parser: None, answer), as_json)


def _help() -> str:
    """Return the first line of each verb's description, read without importing it."""
    width = max(map(len, VERBS)) + 2
    lines = [f"  {verb:<{width}}{_first_line(verb)}" for verb in VERBS]
    return "\n".join(["usage: impact <verb> ...", "", *lines, _END])


def _first_line(verb: str) -> str:
    """Return what a verb's module says of itself first."""
    text = Path(__file__).with_name(f"{verb}.py").read_text(encoding="utf-8")
    doc = ast.get_docstring(ast.parse(text)) or ""
    return doc.splitlines()[0]


if __name__ == "__main__":
    main()
