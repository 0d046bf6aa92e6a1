"""The balance table: treated and comparison means and distances before and after matching."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.datasets.matches import MATCHED
from pipeline.exhibits.inputs import StudyResults, StudySettings
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
from pipeline.exhibits.words.cautions import treated_lost
from pipeline.exhibits.words.designs import (
    capitalised,
    dated_label,
    design_pool,
    design_rule,
    score_covariates,
)
from pipeline.exhibits.words.language import say

SCORE_COVARIATE = "propensity_score"

# What one row of BALANCE is on.
_TERM = ["covariate", "category"]

_DECIMALS = 2

# Columns that need no matching: treated, comparison, difference.
_N_BEFORE = 3


def balance_table(results: StudyResults) -> Table:
    """Return the balance table of the headline design, with the other designs in the foot.

    A headline design without matching has no columns after matching.
    """
    design = results.settings.estimate.headline.design
    wide = balance_of(results, design)
    columns = [
        TableColumn(say("column.treated")),
        TableColumn(say("balance.comparison"), spanner=say("sample.before")),
        TableColumn(say("balance.std_diff"), spanner=say("sample.before")),
        TableColumn(say("balance.comparison"), spanner=say("sample.after")),
        TableColumn(say("balance.std_diff"), spanner=say("sample.after")),
        TableColumn(say("balance.variance_ratio"), spanner=say("sample.after")),
    ]
    table = Table(
        columns=tuple(columns),
        panels=_panels(results.settings, wide),
        foot=_foot(results, design, wide),
        notes=_notes(results, design, wide),
        source=results.settings.exhibit.source,
    )
    return table if design in results.settings.match.designs else _before_only(table)


def _before_only(table: Table) -> Table:
    """Return the columns of the sample before matching; rows left empty are dropped."""
    panels = (replace(panel, rows=_first_cells(panel.rows)) for panel in table.panels)
    columns = tuple(replace(column, spanner="") for column in table.columns[:_N_BEFORE])
    return replace(table, columns=columns, panels=tuple(panels), foot=_first_cells(table.foot))


def _first_cells(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    cut = (replace(row, cells=row.cells[:_N_BEFORE]) for row in rows)
    return tuple(row for row in cut if any(cell is not None for cell in row.cells))


def balance_of(results: StudyResults, design: str) -> pd.DataFrame:
    """Return a design's covariates and categories, all stacks together: `<column>_<before|after>`.

    The design without matching has no sample after; its figures before stand for both.
    """
    balance = results.balance
    chosen = balance[(balance["design"] == design) & (balance["stack"] == "all")]
    values = ["mean_treated", "mean_control", "std_diff", "variance_ratio"]
    sides = []
    for side in ("before", "after"):
        kept = [*values, "n_treated", "n_control", "ess_control", "in_score"]
        renamed = {name: f"{name}_{side}" for name in kept}
        sides.append(chosen.loc[chosen["sample"] == side, [*_TERM, *kept]].rename(columns=renamed))
    return sides[0].merge(sides[1], on=_TERM, how="left")


def covariate_label(settings: StudySettings, covariate: str, category: str | None = None) -> str:
    """Return a covariate's label with its date, and the category where it is one of a category."""
    if covariate == SCORE_COVARIATE:
        return say("score.propensity_score")
    declared = settings.score.covariates
    label = dated_label(declared[covariate]) if covariate in declared else covariate
    return label if pd.isna(category) else f"{label}: {category}"


def _panels(settings: StudySettings, wide: pd.DataFrame) -> tuple[Panel, ...]:
    position = wide["covariate"].map(lambda name: _position(settings, name))
    ordered = wide.assign(position=position).sort_values(["position", *_TERM])
    in_score = ordered["in_score_before"].astype(bool)
    used, others = ordered[in_score], ordered[~in_score]
    groups = [(say("balance.in_score"), used), (say("balance.not_in_score"), others)]
    return tuple(
        Panel(title, tuple(_rows(settings, frame))) for title, frame in groups if len(frame)
    )


def _position(settings: StudySettings, covariate: str) -> int:
    """Order covariates as params declare them, the score itself first."""
    declared = list(settings.score.covariates)
    return declared.index(covariate) if covariate in declared else -1


def _rows(settings: StudySettings, wide: pd.DataFrame) -> list[Row]:
    """Return one row a covariate; the categories of one covariate share a row."""
    return [
        _row(settings, str(name), group)
        if group["category"].isna().all()
        else _categories(settings, str(name), group)
        for name, group in wide.groupby("covariate", sort=False)
    ]


def _row(settings: StudySettings, covariate: str, group: pd.DataFrame) -> Row:
    row = group.iloc[0]
    cells = (
        _mean(row, "treated_before"),
        _mean(row, "control_before"),
        number_cell(float(row["std_diff_before"]), _DECIMALS),
        _mean(row, "control_after"),
        number_cell(float(row["std_diff_after"]), _DECIMALS),
        number_cell(float(row["variance_ratio_after"]), _DECIMALS),
    )
    return Row(covariate_label(settings, covariate), cells)


def _mean(row: pd.Series, of: str) -> Cell:
    """Return a group's mean; one of firms that exist and is missing is not published."""
    value = float(row[f"mean_{of}"])
    exists = not pd.isna(row[f"n_{of}"]) and row[f"n_{of}"] > 0
    return HIDDEN if math.isnan(value) and exists else number_cell(value, _DECIMALS)


def _categories(settings: StudySettings, covariate: str, group: pd.DataFrame) -> Row:
    """Return the largest differences, with their signs, over the categories of a covariate."""
    before, after = (_largest(group[f"std_diff_{side}"]) for side in ("before", "after"))
    label = say(
        "balance.largest_category",
        covariate_label=covariate_label(settings, covariate),
        group=len(group),
    )
    return Row(label, _sides(before, after))


def _largest(differences: "pd.Series[float]") -> Cell:
    values = differences.to_numpy()
    known = values[~np.isnan(values)]
    return number_cell(float(known[np.abs(known).argmax()]), _DECIMALS) if len(known) else None


def _foot(results: StudyResults, design: str, wide: pd.DataFrame) -> tuple[Row, ...]:
    threshold = results.settings.match.balance.threshold
    before, after = wide["std_diff_before"].abs(), wide["std_diff_after"].abs()
    lost = treated_lost(results, design)
    firms = results.settings.exhibit.firms
    rows = [
        Row(
            say("balance.mean_std_diff"),
            _sides(*(number_cell(s.mean(), _DECIMALS) for s in (before, after))),
        ),
        Row(
            say("balance.largest_std_diff"),
            _sides(*(number_cell(s.max(), _DECIMALS) for s in (before, after))),
        ),
        Row(
            say("balance.above_threshold", threshold=rounding.general(threshold)),
            _sides(*(_share_above(side, threshold) for side in (before, after))),
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
    if design in results.settings.match.designs:
        return (None, None, None, count, None, None)
    return (None, count, None, None, None, None)


def _sides(before: Cell, after: Cell) -> tuple[Cell, ...]:
    return (None, None, before, None, after, None)


def _share_above(differences: "pd.Series[float]", threshold: float) -> Cell:
    known = differences.dropna()
    return (
        Text(say("balance.above_of_known", above=(known > threshold).sum(), known=len(known)))
        if len(known)
        else None
    )


def _firms(wide: pd.DataFrame, *columns: str | None) -> tuple[Cell, ...]:
    # A sample that does not exist has missing counts.
    largest = [math.nan if name is None else wide[name].max() for name in columns]
    cells = [None if pd.isna(n) else WholeNumbers((round(float(n)),)) for n in largest]
    return (cells[0], cells[1], None, cells[2], None, None)


def _other_designs(results: StudyResults, design: str) -> list[Row]:
    rows = []
    for other in results.settings.match.designs:
        after = balance_of(results, other)["std_diff_after"].abs()
        if other != design and after.notna().any():
            label = say(
                "balance.largest_of_design", design_label=results.settings.design_label(other)
            )
            rows.append(Row(label, _sides(None, number_cell(float(after.max()), _DECIMALS))))
    return rows


def _score_words(settings: StudySettings, headline: str) -> str:
    """List what each design conditions on, the headline design's covariates first."""
    own = score_covariates(settings, headline)
    lists = {design: score_covariates(settings, design) for design in settings.match.designs}
    others = [
        f"{settings.design_label(design)}: {_more_than(own, covariates)}"
        for design, covariates in lists.items()
        if covariates and set(covariates) != set(own)
    ]
    return say("balance.other_covariates", others="; ".join(others)) if others else ""


def _more_than(own: list[str], covariates: list[str]) -> str:
    """Return a list of covariates, as additions to `own` where it holds all of them."""
    if own and set(own) < set(covariates):
        return say(
            "balance.also_covariates",
            covariates=", ".join(label for label in covariates if label not in own),
        )
    return ", ".join(covariates)


def _design_words(settings: StudySettings, design: str) -> str:
    covariates = score_covariates(settings, design)
    on = say("balance.on_covariates", covariates=", ".join(covariates)) if covariates else ""
    return say(
        "balance.design",
        design_label=settings.design_label(design),
        design_rule=design_rule(settings, design),
        on=on,
        design_pool=design_pool(settings, design),
    )


def _notes(results: StudyResults, design: str, wide: pd.DataFrame) -> tuple[str, ...]:
    settings = results.settings
    firms = settings.exhibit.firms
    matched = design in settings.match.designs
    notes = (
        _design_words(settings, design),
        _score_words(settings, design),
        say(
            "balance.standardised_difference",
            denominators=say(f"balance.{settings.match.balance.denominator}_denominator"),
        ),
        say("balance.treated_before_matching", firms=firms)
        + (say("balance.after_matching_note") if matched else say("balance.comparison_note")),
        _verdict(settings, wide) if matched else "",
        say("balance.no_tests"),
    )
    return tuple(note for note in notes if note)


def _verdict(settings: StudySettings, wide: pd.DataFrame) -> str:
    threshold = settings.match.balance.threshold
    worst = float(wide["std_diff_after"].abs().max())
    if math.isnan(worst):
        return say("balance.no_sample")
    verdict = say("balance.met") if worst <= threshold else say("balance.not_met")
    return say(
        "balance.verdict",
        threshold=rounding.general(threshold),
        verdict=verdict,
        worst=rounding.fixed(worst, 3),
    )
