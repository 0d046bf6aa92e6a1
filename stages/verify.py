"""Verify the committed results: the lock, the tables, and in slow mode a run from nothing.

Each check proves another thing. `lock`: parameters, code, raw data and reports are those that
dvc.lock records, so a result edited by hand, or a parameter changed without a run, shows.
`tables`: every committed table and number is what the committed results CSV files give, so a
table edited together with its lock shows. `manifest`: every file is the one that the export
manifest lists, figures included. `--rerun`: the committed code, parameters and raw data
give the committed results, so a forgery of CSV files, tables and lock together shows.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.commands.audit.history import Stamped, stamped_inputs
from pipeline.commands.audit.lock_check import lock_faults
from pipeline.commands.audit.manifest_check import manifest_faults
from pipeline.commands.audit.rebuild import table_faults
from pipeline.commands.audit.rerun import rerun_faults
from pipeline.errors import EvaluationError
from stages.output import printing
from stages.run import report


def main() -> None:
    """Run the checks; print what differs; exit 1 if anything does."""
    chosen = _arguments()
    checks: dict[str, Callable[[Path], list[str]]] = {
        "lock": lock_faults,
        "tables": table_faults,
        "manifest": manifest_faults,
    }
    if chosen.rerun:
        checks["rerun"] = rerun_faults
    try:
        found = sum([_report(name, check(Path())) for name, check in checks.items()])
        for stamped in stamped_inputs(Path()):
            print(_in_words(stamped))
    except EvaluationError as error:
        raise SystemExit(report(error, "verify")) from None
    sys.exit(1 if found else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stages.verify", description=__doc__)
    parser.add_argument(
        "--rerun", action="store_true", help="also run everything again in a temporary clone"
    )
    return parser.parse_args()


def _report(check: str, faults: list[str]) -> int:
    count = {0: "no fault", 1: "1 fault"}.get(len(faults), f"{len(faults)} faults")
    print(f"{check}: {count}")
    for fault in faults:
        print("\n".join(f"  {line}" for line in fault.splitlines()))
    return len(faults)


def _in_words(found: Stamped) -> str:
    commits = ", ".join(found.commits[:5]) or "no commit"
    more = f" and {len(found.commits) - 5} earlier" if len(found.commits) > 5 else ""
    now = {None: "", True: "; the inputs of now", False: "; not the inputs of now"}[found.current]
    return (
        f"inputs {found.inputs}: {found.n_exhibits} exhibits of {found.study}; in {commits}{more}"
        f"{now}"
    )


if __name__ == "__main__":
    with printing():
        main()
