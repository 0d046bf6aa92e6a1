"""Verify the committed results: the lock, the tables, and in slow mode a run from nothing.

Each check proves another thing. `lock`: parameters, code, raw data and reports are those that
dvc.lock records, so a result edited by hand, or a parameter changed without a run, shows.
`tables`: every committed table and number is what the committed results CSV files give, so a
table edited together with its lock shows. `drawings`: every figure is drawn again and shows the
same, in its files and inside the page. `provenance`: raw data, parameters and code are those
that reports/<study>/provenance.json records, and every file, figures included, is the one that it
lists. `--rerun`: the committed code, parameters and raw data give the committed results, so a
forgery of CSV files, tables and lock together shows.
"""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.commands.audit.fault import Fault, with_remedies
from pipeline.commands.audit.lock_check import lock_faults
from pipeline.commands.audit.provenance_check import (
    Period,
    periods,
    provenance_faults,
    recorded_provenance,
    studies_without_raw_data,
)
from pipeline.commands.audit.rebuild import drawing_faults, other_versions, table_faults
from pipeline.commands.audit.rerun import rerun_faults
from pipeline.errors import EvaluationError
from pipeline.params.settings import load_yaml, study_names
from stages.command import Command, Reply, run_command
from stages.run import PARAMS

# As many characters of a hash tell it from all others.
_SHOWN = 12


class AuditError(EvaluationError):
    """Report committed results that are not what code, parameters and data give."""


def main(arguments: list[str] | None = None) -> None:
    """Run the checks; print what differs; exit 2 if anything does."""
    run_command(Command("verify", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--rerun", action="store_true", help="also run everything again in a temporary clone"
    )
    parser.add_argument(
        "--inputs",
        type=_hash,
        metavar="HASH",
        help="only name the commits whose results were made from these inputs",
    )


def _hash(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{7,64}", text):
        raise ArgumentTypeError("give seven or more of the characters 0-9, a-f")
    return text


def _reply(chosen: Namespace) -> Reply:
    content = load_yaml(PARAMS)
    if chosen.inputs:
        return _searched(study_names(content), chosen.inputs)
    found = {name: check(Path()) for name, check in _checks(chosen.rerun).items()}
    absent = sorted(studies_without_raw_data(Path(), content))
    records = [record for study in study_names(content) if (record := _record(study))]
    lines = [line for name, faults in found.items() for line in _report(name, faults)]
    lines += [f"{study}: raw data are not here, so they were not compared" for study in absent]
    lines += [line for study in study_names(content) for line in _not_drawn_again(study)]
    n_faults = sum(map(len, found.values()))
    return Reply(
        "\n".join([*lines, *map(_recorded, records)]) + "\n",
        {
            "faults": {name: [asdict(f) for f in faults] for name, faults in found.items()},
            "without_raw_data": absent,
            "inputs": records,
        },
        AuditError(_counted(n_faults)) if n_faults else None,
    )


def _checks(rerun: bool) -> dict[str, Callable[[Path], list[Fault]]]:
    checks: dict[str, Callable[[Path], list[Fault]]] = {
        "lock": lock_faults,
        "tables": table_faults,
        "drawings": drawing_faults,
        "provenance": provenance_faults,
    }
    return {**checks, "rerun": rerun_faults} if rerun else checks


def _report(check: str, faults: list[Fault]) -> list[str]:
    return [f"{check}: {_counted(len(faults))}", *(f"  {line}" for line in with_remedies(faults))]


def _not_drawn_again(study: str) -> list[str]:
    """Say which versions drew a study's figures, where they are others than here."""
    changed = other_versions(Path(), study)
    if not changed:
        return []
    then = ", ".join(f"{name} {before} (here {now})" for name, (before, now) in changed.items())
    return [
        f"{study}: figures were drawn by {then};",
        "  only what they plot was compared (figures/*.csv); install those versions to compare all",
    ]


def _counted(n_faults: int) -> str:
    return {0: "no fault", 1: "1 fault"}.get(n_faults, f"{n_faults} faults")


def _record(study: str) -> dict[str, Any] | None:
    """Return from which inputs a study's results were made, and since which commit."""
    recorded = recorded_provenance(Path(), study)
    if recorded is None:
        return None
    inputs = str(recorded["inputs"])
    now = [period.since for period in periods(Path(), study, inputs) if period.until is None]
    return {"study": study, "inputs": inputs, "since": now[-1] if now else None}


def _recorded(record: dict[str, Any]) -> str:
    since = f"in commits since {record['since']}" if record["since"] else "in no commit"
    return f"{record['study']}: inputs {record['inputs'][:_SHOWN]}, {since}"


def _searched(studies: list[str], inputs: str) -> Reply:
    """Say which commits had the inputs; one that none had is a fault."""
    found = [period for study in studies for period in periods(Path(), study, inputs)]
    fault = None if found else AuditError(f"no commit had the inputs {inputs}")
    text = "".join(f"{_in_words(period)}\n" for period in found)
    return Reply(text, {"periods": [asdict(period) for period in found]}, fault)


def _in_words(period: Period) -> str:
    until = "on" if period.until is None else f"to before {period.until}"
    return f"{period.study}: from {period.since} {until}"


if __name__ == "__main__":
    main()
