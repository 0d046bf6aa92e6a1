"""Freeze the results of the shipped studies, or compare those under data/ with the frozen ones.

python -m benchmarks.freeze compare [study ...]   exit 1 where anything differs, 2 where
                                                  a stage has not run
python -m benchmarks.freeze write [study ...]     only to freeze a new state on purpose
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from benchmarks.freeze.allowed import reason
from benchmarks.freeze.comparison import Comparison, compare
from benchmarks.freeze.keys import TABLES
from benchmarks.freeze.storage import read, studies, write

SHOWN = 20


def main(arguments: list[str] | None = None) -> int:
    """Run one of the two commands."""
    options = _parser().parse_args(arguments)
    chosen = options.study or studies()
    if options.command == "write":
        for study in chosen:
            for table in TABLES:
                write(table, table.of(options.data / study), study)
        return 0
    differing = 0
    print(f"{'study':<12}{'table':<12}{'frozen':>8}{'now':>8}{'allowed':>9}{'differ':>8}")
    for study in chosen:
        for table in TABLES:
            try:
                now = table.of(options.data / study)
            except FileNotFoundError as error:
                print(f"no {table.name} of {study}, run `dvc repro` first: {error}")
                return 2
            found = compare(table, study, read(table, study), now)
            differing += report(found, options.all)
    print("no difference" if not differing else f"{differing} differences")
    return 1 if differing else 0


def report(found: Comparison, everything: bool) -> int:
    """Print one table's line and its differences; return how many are not allowed."""
    why = [reason(difference) for difference in found.differences]
    faults = [d for d, allowed in zip(found.differences, why, strict=True) if allowed is None]
    allowed = Counter(entry for entry in why if entry is not None)
    counts = f"{found.n_frozen:>8}{found.n_now:>8}{allowed.total():>9}{len(faults):>8}"
    print(f"{found.study:<12}{found.table:<12}{counts}")
    for text, n in allowed.items():
        print(f"  allowed, {n}: {text}")
    if found.not_compared:
        names = ", ".join(f"{name} ({n})" for name, n in found.not_compared.items())
        print(f"  not compared, {sum(found.not_compared.values())} facts without a place: {names}")
    for fault in faults if everything else faults[:SHOWN]:
        print(f"  {fault}")
    if len(faults) > SHOWN and not everything:
        print(f"  and {len(faults) - SHOWN} more: --all shows them")
    return len(faults)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.freeze",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=("compare", "write"))
    parser.add_argument("study", nargs="*", help="studies; all frozen ones if none is named")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the studies")
    parser.add_argument("--all", action="store_true", help="show every difference")
    return parser


if __name__ == "__main__":
    sys.exit(main())
