"""What a .do file says about our own figures: a heading, and asserts that Stata stops at."""

import math
from collections.abc import Callable, Iterator

from pipeline.commands.stata.matched_panel import MatchedPanel
from pipeline.datasets.reasons import unpacked
from pipeline.effects.rows import Row
from pipeline.exhibits.words.language import tell

# reldif(x, y) is |x - y| / (|y| + 1)
TOLERANCE = "1e-6"


def repeated(
    panel: MatchedPanel,
    spec: str,
    estimates: dict[str, Row],
    why_not: Callable[[str, Row], str],
    commands: Callable[[str, Row], Iterator[str]],
) -> Iterator[str]:
    """Yield, for every outcome of a spec, its heading and commands, or why it is not repeated.

    `estimates` are the rows of ESTIMATES of the spec and design, term `att`, by outcome.
    """
    for name in panel.outcomes:
        if name not in estimates:
            continue
        row = estimates[name]
        yield from heading(panel.design, name, spec, row)
        reason = why_not(name, row)
        if reason:
            yield f"* not repeated here: {reason}"
        else:
            yield from commands(name, row)


def heading(design: str, outcome: str, spec: str, row: Row) -> Iterator[str]:
    """Yield what an estimate is, and what we found."""
    yield ""
    yield f"* design {design}, outcome {outcome}, spec {spec}"
    if not math.isnan(row["estimate"]):
        yield f"* ours: {figure(row['estimate'])}, standard error {figure(row['std_error'])}"


def asserted(row: Row, result: str = "r(estimate)", error: str = "r(se)") -> Iterator[str]:
    """Yield asserts of an estimate and, where it has one, of its standard error."""
    yield f"assert reldif({result}, {figure(row['estimate'])}) < {TOLERANCE}"
    if math.isnan(row["std_error"]):
        yield f"* no standard error here: {told(row)}"
    else:
        yield f"assert reldif({error}, {figure(row['std_error'])}) < {TOLERANCE}"


def told(row: Row) -> str:
    """Say why a row of ESTIMATES has no estimate or no standard error."""
    reason = unpacked(row["reason"], row["reason_fields"])
    return "" if reason is None else tell(reason)


def figure(value: float) -> str:
    """Return a number with all its digits, Stata's `.` where it is missing."""
    return "." if math.isnan(value) else f"{value:.17g}"
