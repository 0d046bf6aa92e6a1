"""The balance table: treated and comparison means and distances before and after matching."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.datasets.matches import MATCHED
from pipeline.exhibits.beneficiaries import treated_lost
from pipeline.exhibits.design_balance import (
    TERM,
    DifferencesTogether,
    balance_of,
    differences_together,
)
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import (
    balance_rule,
    covariate_ran,
    covariates_ran,
    matching_designs,
    picking,
)
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.table import (
    HIDDEN,
    Cell,
    Panel,
    Row,
    Table,
    TableColumn,
    Text,
    WholeNumbers,
    number_cell,
)
from pipeline.exhibits.words.balance_notes import balance_notes
from pipeline.exhibits.words.covariates import dated_label
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.language import say

SCORE_COVARIATE = "propensity_score"

_DECIMALS = 2

# Columns that need no matching: treated, comparison, difference.
_N_BEFORE = 3


def balance_table(results: StudyResults) -> Table:
    """Return the balance table of the headline design, with the other designs in the foot.

    A headline design without matching has no columns after matching.
    """
    design = results.settings.estimate.headline.design
    wide = balance_of(results, design)
    kind = picking(results, [design])
    before = say(f"sample.before_{kind}")
    after = "" if kind == "unmatched" else say(f"sample.after_{kind}")
    columns = [
        TableColumn(say("column.treated")),
        TableColumn(say("balance.comparison"), spanner=before),
        TableColumn(say("balance.std_diff"), spanner=before),
        TableColumn(say("balance.comparison"), spanner=after),
        TableColumn(say("balance.std_diff"), spanner=after),
        TableColumn(say("balance.variance_ratio"), spanner=after),
    ]
    table = Table(
        columns=tuple(columns),
        panels=_panels(results, wide),
        foot=_foot(results, design, wide),
        notes=balance_notes(results, design),
        source=results.settings.exhibit.source,
    )
    return table if design in matching_designs(results) else _before_only(table)


def _before_only(table: Table) -> Table:
    """Return the columns of the sample before matching; rows left empty are dropped."""
    panels = (replace(panel, rows=_first_cells(panel.rows)) for panel in table.panels)
    columns = tuple(replace(column, spanner="") for column in table.columns[:_N_BEFORE])
    return replace(table, columns=columns, panels=tuple(panels), foot=_first_cells(table.foot))


def _first_cells(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    cut = (replace(row, cells=row.cells[:_N_BEFORE]) for row in rows)
    return tuple(row for row in cut if any(cell is not None for cell in row.cells))


def covariate_label(results: StudyResults, covariate: str, category: str | None = None) -> str:
    """Return a covariate's label with its date, and the category where it is one of a category."""
    if covariate == SCORE_COVARIATE:
        return say("score.propensity_score")
    declared = covariates_ran(results)
    known = covariate in declared
    label = dated_label(covariate_ran(results, covariate)) if known else covariate
    return label if pd.isna(category) else f"{label}: {category}"


def _panels(results: StudyResults, wide: pd.DataFrame) -> tuple[Panel, ...]:
    position = wide["covariate"].map(lambda name: _position(results, name))
    ordered = wide.assign(position=position).sort_values(["position", *TERM])
    in_score = ordered["in_score_before"].astype(bool)
    used, others = ordered[in_score], ordered[~in_score]
    groups = [(say("balance.in_score"), used), (say("balance.not_in_score"), others)]
    return tuple(
        Panel(title, tuple(_rows(results, frame))) for title, frame in groups if len(frame)
    )


def _position(results: StudyResults, covariate: str) -> int:
    """Order covariates as params declare them, the score itself first."""
    declared = covariates_ran(results)
    return declared.index(covariate) if covariate in declared else -1


def _rows(results: StudyResults, wide: pd.DataFrame) -> list[Row]:
    """Return one row a covariate; the categories of one covariate share a row."""
    return [
        _row(results, str(name), group)
        if group["category"].isna().all()
        else _categories(results, str(name), group)
        for name, group in wide.groupby("covariate", sort=False)
    ]


def _row(results: StudyResults, covariate: str, group: pd.DataFrame) -> Row:
    row = group.iloc[0]
    cells = (
        _mean(row, "treated_before"),
        _mean(row, "control_before"),
        number_cell(float(row["std_diff_before"]), _DECIMALS),
        _mean(row, "control_after"),
        number_cell(float(row["std_diff_after"]), _DECIMALS),
        number_cell(float(row["variance_ratio_after"]), _DECIMALS),
    )
    return Row(covariate_label(results, covariate), cells)


def _mean(row: pd.Series, of: str) -> Cell:
    """Return a group's mean; one of firms that exist and is missing is not published."""
    value, n = float(row[f"mean_{of}"]), row[f"n_{of}"]
    # without a number, which may be hidden too, the difference tells that there are firms
    differs = not pd.isna(row[f"std_diff_{of.rpartition('_')[2]}"])
    exists = differs if pd.isna(n) else n > 0
    return HIDDEN if math.isnan(value) and exists else number_cell(value, _DECIMALS)


def _categories(results: StudyResults, covariate: str, group: pd.DataFrame) -> Row:
    """Return the largest differences, with their signs, over the categories of a covariate."""
    before, after = (_largest(group[f"std_diff_{side}"]) for side in ("before", "after"))
    label = say(
        "balance.largest_category",
        covariate_label=covariate_label(results, covariate),
        group=len(group),
    )
    return Row(label, _sides(before, after))


def _largest(differences: "pd.Series[float]") -> Cell:
    values = differences.to_numpy()
    known = values[~np.isnan(values)]
    return number_cell(float(known[np.abs(known).argmax()]), _DECIMALS) if len(known) else None


def _foot(results: StudyResults, design: str, wide: pd.DataFrame) -> tuple[Row, ...]:
    threshold = balance_rule(results).value("threshold")
    sides = [differences_together(results, design, side) for side in ("before", "after")]
    lost = treated_lost(results, design)
    firms = results.settings.exhibit.firms
    rows = [
        Row(say("balance.mean_std_diff"), _sides(*(_number(side, side.mean) for side in sides))),
        Row(
            say("balance.largest_std_diff"),
            _sides(*(_number(side, side.largest) for side in sides)),
        ),
        Row(
            say("balance.above_threshold", threshold=rounding.general(threshold)),
            _sides(*(share_above(side) for side in sides)),
        ),
        Row(
            say("balance.firms_by_entry_year", firms=capitalised(firms)),
            _firms(wide, "n_treated_before", "n_control_before", "n_control_after"),
        ),
        Row(say("balance.distinct_firms", firms=firms), _distinct(results, design), True),
        Row(say("balance.effective_number"), _firms(wide, None, None, "ess_control_after"), True),
    ]
    if lost > 0:
        rows.append(
            Row(say("balance.treated_left_out"), (WholeNumbers((int(lost),)), *[None] * 5), True)
        )
    return (*rows, *_other_designs(results, design))


def _distinct(results: StudyResults, design: str) -> tuple[Cell, ...]:
    """Return the distinct comparison firms, before matching only where all of them are used."""
    known = results.details.figure(MATCHED, "n_comparison_distinct", design=design, stack="all")
    count = WholeNumbers((int(known.value),)) if known.known else None
    if design in matching_designs(results):
        return (None, None, None, count, None, None)
    return (None, count, None, None, None, None)


def _sides(before: Cell, after: Cell) -> tuple[Cell, ...]:
    return (None, None, before, None, after, None)


def _number(side: DifferencesTogether, value: float) -> Cell:
    return HIDDEN if side.hidden else number_cell(value, _DECIMALS)


def share_above(side: DifferencesTogether) -> Cell:
    """Return how many differences are above the threshold, of how many; empty without any."""
    if side.hidden or not side.n_known:
        return HIDDEN if side.hidden else None
    above, known = int(side.n_above), int(side.n_known)
    return Text(say("balance.above_of_known", above=above, known=known))


def _firms(wide: pd.DataFrame, *columns: str | None) -> tuple[Cell, ...]:
    in_score = wide["in_score_before"].astype(bool)
    own = wide[in_score] if in_score.any() else wide  # who is scored has the score's covariates
    cells = [None if name is None else _largest_number(own[name]) for name in columns]
    return (cells[0], cells[1], None, cells[2], None, None)


def _largest_number(counts: pd.Series) -> Cell:
    """Return the largest of counts, hidden where one is; a sample that does not exist has none."""
    if counts.isna().all():
        return None
    return HIDDEN if counts.isna().any() else WholeNumbers((round(float(counts.max())),))


def _other_designs(results: StudyResults, design: str) -> list[Row]:
    rows = []
    for other in matching_designs(results):
        after = differences_together(results, other, "after")
        if other != design and (after.hidden or after.n_known):
            label = say(
                "balance.largest_of_design", design_label=results.settings.design_label(other)
            )
            rows.append(Row(label, _sides(None, _number(after, after.largest))))
    return rows
