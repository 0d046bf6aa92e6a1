"""How balanced each design is, in one line: differences, percent bias, Rubin's B and R, ESS."""

import math

from pipeline.datasets.balance import BALANCE_SUMMARY, INDEX_CONSTANT
from pipeline.datasets.matches import MATCHED
from pipeline.exhibits.design_balance import differences_together
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import balance_rule, matching_designs, picking
from pipeline.exhibits.render.rounding import general
from pipeline.exhibits.tables.balance import share_above
from pipeline.exhibits.tables.table import (
    DASH,
    HIDDEN,
    Cell,
    Magnitude,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
)
from pipeline.exhibits.words.in_full import either
from pipeline.exhibits.words.language import say


def balance_summary(results: StudyResults) -> list[Table]:
    """Return one row a matched design before and after matching; none without such designs."""
    designs = matching_designs(results)
    if not designs:
        return []
    kind = picking(results, designs)
    panels = [
        Panel(
            say(f"sample.{side}_{kind}"), tuple(_row(results, design, side) for design in designs)
        )
        for side in ("before", "after")
    ]
    return [
        Table(
            columns=(
                TableColumn(say("balance_summary.mean_std_diff")),
                TableColumn(say("balance_summary.largest_std_diff")),
                TableColumn(say("balance_summary.above_threshold", threshold=_threshold(results))),
                TableColumn(say("balance_summary.mean_bias")),
                TableColumn(say("balance_summary.rubin_b"), say("unit.percent")),
                TableColumn(say("balance_summary.rubin_r"), say("unit.ratio")),
                TableColumn(say("balance_summary.effective_comparison")),
            ),
            panels=tuple(panels),
            notes=_notes(results),
            source=results.settings.exhibit.source,
        )
    ]


def _threshold(results: StudyResults) -> str:
    return general(balance_rule(results).value("threshold"))


def _row(results: StudyResults, design: str, side: str) -> Row:
    differences = differences_together(results, design, side)
    of_side = {"design": design, "sample": side}
    rubin = [
        results.details.figure(BALANCE_SUMMARY, name, **of_side).value
        for name in ("rubin_b", "rubin_r")
    ]
    ess = results.details.figure(MATCHED, "ess", design=design, stack="all")
    cells = (
        HIDDEN if differences.hidden else _number(differences.mean, 3),
        HIDDEN if differences.hidden else _number(differences.largest, 3),
        share_above(differences) or DASH,
        HIDDEN if differences.hidden else _number(differences.mean_bias, 1),
        _number(rubin[0], 1),
        _number(rubin[1], 2),
        Magnitude(ess.value) if side == "after" and ess.known else None,
    )
    return Row(results.settings.design_label(design), cells)


def _number(value: float, decimals: int) -> Cell:
    return DASH if math.isnan(value) else Number(value, decimals)


def _notes(results: StudyResults) -> tuple[str, ...]:
    return (
        *either(
            results,
            full=[say("balance_summary.measures")],
            short=[say("short_notes.balance_measures")],
        ),
        *_without_ratio(results),
        *_verdicts(results),
    )


def _without_ratio(results: StudyResults) -> list[str]:
    """Say why designs that leave nothing to tell the groups apart by have no ratio."""
    summary = results.details.of(BALANCE_SUMMARY)
    constant = set(summary.loc[summary["reason"] == INDEX_CONSTANT, "design"])
    named = [results.settings.design_label(d) for d in matching_designs(results) if d in constant]
    return [say("balance_summary.index_constant", designs="; ".join(named))] if named else []


def _verdicts(results: StudyResults) -> list[str]:
    """Say which designs meet the declared threshold, and which do not, where it may be told."""
    threshold = balance_rule(results).value("threshold")
    labels: dict[bool, list[str]] = {True: [], False: []}
    for design in matching_designs(results):
        after = differences_together(results, design, "after")
        if not after.hidden:
            labels[after.largest <= threshold].append(results.settings.design_label(design))
    given = general(threshold)
    met, missed = "; ".join(labels[True]), "; ".join(labels[False])
    is_met = say("balance_summary.threshold_met", threshold=given, met=met)
    is_not = say("balance_summary.threshold_missed", threshold=given, missed=missed)
    return [*([is_met] if met else []), *([is_not] if missed else [])]
