"""Verify the committed results: the lock, the tables, and in slow mode a run from nothing.

Each check proves another thing. `lock`: parameters, code, raw data and reports are those that
dvc.lock records, so a result edited by hand, or a parameter changed without a run, shows.
`tables`: every committed table and number is what the committed results CSV files give, so a
table edited together with its lock shows. `manifest`: every file is the one that the export
manifest lists, figures included. `--rerun`: the committed code, parameters and raw data
give the committed results, so a forgery of CSV files, tables and lock together shows.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from pipeline.commands.audit.history import Stamped, stamped_inputs
from pipeline.commands.audit.lock_check import lock_faults
from pipeline.commands.audit.manifest_check import manifest_faults
from pipeline.commands.audit.rebuild import table_faults
from pipeline.commands.audit.rerun import rerun_faults
from pipeline.errors import EvaluationError
from stages.command import Answer, Command, run_command


class AuditError(EvaluationError):
    """Report committed results that are not what code, parameters and data give."""


def main(arguments: list[str] | None = None) -> None:
    """Run the checks; print what differs; exit 2 if anything does."""
    run_command(Command("verify", __doc__, _declare, _answer), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--rerun", action="store_true", help="also run everything again in a temporary clone"
    )


def _answer(chosen: Namespace) -> Answer:
    checks: dict[str, Callable[[Path], list[str]]] = {
        "lock": lock_faults,
        "tables": table_faults,
        "manifest": manifest_faults,
    }
    if chosen.rerun:
        checks["rerun"] = rerun_faults
    found = {name: check(Path()) for name, check in checks.items()}
    stamps = stamped_inputs(Path())
    lines = [line for name, faults in found.items() for line in _report(name, faults)]
    n_faults = sum(map(len, found.values()))
    return Answer(
        "\n".join([*lines, *map(_in_words, stamps)]) + "\n",
        {"faults": found, "inputs": [asdict(stamp) for stamp in stamps]},
        AuditError(_counted(n_faults)) if n_faults else None,
    )


def _report(check: str, faults: list[str]) -> list[str]:
    lines = [f"  {line}" for fault in faults for line in fault.splitlines()]
    return [f"{check}: {_counted(len(faults))}", *lines]


def _counted(n_faults: int) -> str:
    return {0: "no fault", 1: "1 fault"}.get(n_faults, f"{n_faults} faults")


def _in_words(found: Stamped) -> str:
    commits = ", ".join(found.commits[:5]) or "no commit"
    more = f" and {len(found.commits) - 5} earlier" if len(found.commits) > 5 else ""
    now = {None: "", True: "; the inputs of now", False: "; not the inputs of now"}[found.current]
    return (
        f"inputs {found.inputs}: {found.n_exhibits} exhibits of {found.study}; in {commits}{more}"
        f"{now}"
    )


if __name__ == "__main__":
    main()
