"""Compare two folders of results: numbers at 1e-7 relative, text exactly, figures by presence.

`python -m pipeline.audit.comparison COMMITTED NEW` prints each difference and exits 1 if there is
one. Figures are compared by name only: their bytes depend on the machine's fonts.
"""

import re
import sys
from pathlib import Path

NUMBER = re.compile(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?")
RELATIVE_TOLERANCE = 1e-7
# below this a figure is rounding around zero, which the last digits of BLAS decide
ABSOLUTE_TOLERANCE = 1e-9
TEXT = {".csv", ".json", ".tex"}


def differences(committed: Path, new: Path) -> list[str]:
    """Return one line per file that is missing, unexpected or different."""
    before, after = _files(committed), _files(new)
    found = [f"{path}: only in the committed results" for path in sorted(before - after)]
    found += [f"{path}: only in the new results" for path in sorted(after - before)]
    for path in sorted(before & after):
        if Path(path).suffix in TEXT:
            found += _compare(path, (committed / path).read_text(), (new / path).read_text())
    return found


def _files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def _compare(path: str, before: str, after: str) -> list[str]:
    old, new = before.splitlines(), after.splitlines()
    if len(old) != len(new):
        return [f"{path}: {len(old)} lines committed, {len(new)} now"]
    return [
        f"{path}:{number}\n  committed: {a}\n  now:       {b}"
        for number, (a, b) in enumerate(zip(old, new, strict=True), start=1)
        if not same_line(a, b)
    ]


def same_line(before: str, after: str) -> bool:
    """Say whether two lines have the same text and the same numbers within tolerance."""
    if before == after:
        return True
    if NUMBER.sub("#", before) != NUMBER.sub("#", after):
        return False
    pairs = zip(NUMBER.findall(before), NUMBER.findall(after), strict=True)
    return all(same_number(float(a), float(b)) for a, b in pairs)


def same_number(a: float, b: float) -> bool:
    """Say whether two figures differ by no more than the last digits of a machine."""
    return abs(a - b) <= max(ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE * max(abs(a), abs(b)))


if __name__ == "__main__":
    lines = differences(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(lines) or "the results are those committed")
    raise SystemExit(1 if lines else 0)
