"""How balanced each design is, in one line: differences, percent bias, Rubin's B and R, ESS."""

import math

import pandas as pd

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render.rounding import general
from pipeline.exhibits.tables.table import (
    DASH,
    Cell,
    Column,
    Magnitude,
    Number,
    Panel,
    Row,
    Table,
    Text,
)
from pipeline.exhibits.words.language import say

_SIDES = {"before": "Before matching", "after": "After matching"}


def balance_summary(results: StudyResults) -> list[Table]:
    """Return one row a matched design before and after matching; none without such designs."""
    designs = list(results.settings.match.designs)
    if not designs:
        return []
    panels = [
        Panel(say(title), tuple(_row(results, design, side) for design in designs))
        for side, title in _SIDES.items()
    ]
    return [
        Table(
            columns=(
                Column(say("Mean |std. diff.|")),
                Column(say("Largest |std. diff.|")),
                Column(say("Above {threshold}", threshold=_threshold(results))),
                Column(say("Mean |% bias|")),
                Column(say("Rubin's B"), say("percent")),
                Column(say("Rubin's R"), say("ratio")),
                Column(say("Effective comp.")),
            ),
            panels=tuple(panels),
            notes=_notes(results),
            source=results.settings.exhibit.source,
        )
    ]


def _threshold(results: StudyResults) -> str:
    return general(results.settings.match.balance.threshold)


def _row(results: StudyResults, design: str, side: str) -> Row:
    chosen = _sample(results, design, side)
    differences, bias = chosen["std_diff"].abs(), chosen["percent_bias"].abs()
    rubin = [results.fact(design, "all", f"rubin_{name}_{side}") for name in ("b", "r")]
    ess = results.fact(design, "all", "ess") if side == "after" else math.nan
    cells = (
        _number(differences.mean(), 3),
        _number(differences.max(), 3),
        _share_above(differences, results.settings.match.balance.threshold),
        _number(bias.mean(), 1),
        _number(rubin[0], 1),
        _number(rubin[1], 2),
        None if math.isnan(ess) else Magnitude(ess),
    )
    return Row(results.settings.design_label(design), cells)


def _sample(results: StudyResults, design: str, side: str) -> pd.DataFrame:
    balance = results.balance
    together = (balance["design"] == design) & (balance["stack"] == "all")
    return balance[together & (balance["sample"] == side)]


def _number(value: float, decimals: int) -> Cell:
    return DASH if math.isnan(value) else Number(value, decimals)


def _share_above(differences: "pd.Series[float]", threshold: float) -> Cell:
    known = differences.dropna()
    if known.empty:
        return DASH
    return Text(say("{above} of {known}", above=(known > threshold).sum(), known=len(known)))


def _notes(results: StudyResults) -> tuple[str, ...]:
    return (
        say(
            "Over all covariates, in the score and out of it; entry years together. % bias: "
            "difference in means over the square root of the mean of the two groups' variances, "
            "of each sample. Rubin's B: distance of the mean linear scores in percent of their "
            "standard deviation, R: ratio of their variances, score fitted again by probit; B "
            "under 25 and R between 0.5 and 2 are usual limits (Rubin 2001). Effective comp.: "
            "(sum of weights) squared over sum of squared weights."
        ),
        *_verdicts(results),
    )


def _verdicts(results: StudyResults) -> list[str]:
    """Say which designs meet the declared threshold, and which do not."""
    threshold = results.settings.match.balance.threshold
    labels: dict[bool, list[str]] = {True: [], False: []}
    for design in results.settings.match.designs:
        largest = _sample(results, design, "after")["std_diff"].abs().max()
        labels[bool(largest <= threshold)].append(results.settings.design_label(design))
    given = general(threshold)
    met, missed = "; ".join(labels[True]), "; ".join(labels[False])
    is_met = say(
        "The declared threshold of {threshold} is met by: {met}.", threshold=given, met=met
    )
    is_not = say(
        "The declared threshold of {threshold} is not met by: {missed}.",
        threshold=given,
        missed=missed,
    )
    return [*([is_met] if met else []), *([is_not] if missed else [])]
