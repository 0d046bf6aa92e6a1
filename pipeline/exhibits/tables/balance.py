"""The balance table: treated and comparison means and distances before and after matching."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.table import (
    HIDDEN,
    Cell,
    Column,
    Counts,
    Panel,
    Row,
    Table,
    Text,
    number,
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

_DECIMALS = 2

# Columns that need no matching: treated, comparison, difference.
_N_BEFORE = 3

_DENOMINATORS = {
    "pooled": "the square root of the mean of the two groups' variances",
    "treated": "the standard deviation of the treated",
}


def balance_table(results: StudyResults) -> Table:
    """Return the balance table of the headline design, with the other designs in the foot.

    A headline design without matching has no columns after matching.
    """
    design = results.settings.estimate.headline.design
    wide = balance_of(results, design)
    columns = [
        Column(say("Treated")),
        Column(say("Comp."), spanner=say("Before matching")),
        Column(say("Std. diff."), spanner=say("Before matching")),
        Column(say("Comp."), spanner=say("After matching")),
        Column(say("Std. diff."), spanner=say("After matching")),
        Column(say("Var. ratio"), spanner=say("After matching")),
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
    """Return one row per covariate of a design, all stacks together: `<column>_<before|after>`.

    The design without matching has no sample after; its figures before stand for both.
    """
    balance = results.balance
    chosen = balance[(balance["design"] == design) & (balance["stack"] == "all")]
    values = ["mean_treated", "mean_control", "std_diff", "variance_ratio"]
    sides = []
    for side in ("before", "after"):
        rows = chosen[chosen["sample"] == side].set_index("covariate")
        kept = rows[[*values, "n_treated", "n_control", "ess_control", "in_score"]]
        sides.append(kept.add_suffix(f"_{side}"))
    return sides[0].join(sides[1], how="left")


def covariate_label(settings: StudySettings, covariate: str) -> str:
    """Return a covariate's label with its date; a category keeps its value."""
    name, _, value = covariate.partition("=")
    if name == SCORE_COVARIATE:
        return say("Propensity score")
    label = (
        dated_label(settings.score.covariates[name]) if name in settings.score.covariates else name
    )
    return f"{label}: {value}" if value else label


def _panels(settings: StudySettings, wide: pd.DataFrame) -> tuple[Panel, ...]:
    in_score = wide["in_score_before"].astype(bool)
    ordered = wide.loc[sorted(wide.index, key=lambda name: _position(settings, str(name)))]
    used = ordered[in_score.reindex(ordered.index)]
    others = ordered[~in_score.reindex(ordered.index)]
    groups = [(say("In the propensity score"), used), (say("Not in the propensity score"), others)]
    return tuple(
        Panel(title, tuple(_rows(settings, frame))) for title, frame in groups if len(frame)
    )


def _position(settings: StudySettings, covariate: str) -> tuple[int, str]:
    """Order covariates as params declare them, the score itself first."""
    name = covariate.partition("=")[0]
    declared = list(settings.score.covariates)
    return (declared.index(name) if name in declared else -1, covariate)


def _rows(settings: StudySettings, wide: pd.DataFrame) -> list[Row]:
    """Return one row a covariate; the categories of one covariate share a row."""
    names = pd.Series(wide.index, index=wide.index).str.partition("=")[0]
    return [
        _row(settings, group) if "=" not in str(group.index[0]) else _categories(settings, group)
        for _, group in wide.groupby(names, sort=False)
    ]


def _row(settings: StudySettings, group: pd.DataFrame) -> Row:
    row = group.iloc[0]
    cells = (
        _mean(row, "treated_before"),
        _mean(row, "control_before"),
        number(float(row["std_diff_before"]), _DECIMALS),
        _mean(row, "control_after"),
        number(float(row["std_diff_after"]), _DECIMALS),
        number(float(row["variance_ratio_after"]), _DECIMALS),
    )
    return Row(covariate_label(settings, str(group.index[0])), cells)


def _mean(row: pd.Series, of: str) -> Cell:
    """Return a group's mean; one of firms that exist and is missing is not published."""
    value = float(row[f"mean_{of}"])
    exists = not pd.isna(row[f"n_{of}"]) and row[f"n_{of}"] > 0
    return HIDDEN if math.isnan(value) and exists else number(value, _DECIMALS)


def _categories(settings: StudySettings, group: pd.DataFrame) -> Row:
    """Return the largest differences, with their signs, over the categories of a covariate."""
    before, after = (_largest(group[f"std_diff_{side}"]) for side in ("before", "after"))
    name = str(group.index[0]).partition("=")[0]
    label = say(
        "{covariate_label}, largest of {group}",
        covariate_label=covariate_label(settings, name),
        group=len(group),
    )
    return Row(label, _sides(before, after))


def _largest(differences: "pd.Series[float]") -> Cell:
    values = differences.to_numpy()
    known = values[~np.isnan(values)]
    return number(float(known[np.abs(known).argmax()]), _DECIMALS) if len(known) else None


def _foot(results: StudyResults, design: str, wide: pd.DataFrame) -> tuple[Row, ...]:
    threshold = results.settings.match.balance.threshold
    before, after = wide["std_diff_before"].abs(), wide["std_diff_after"].abs()
    lost = treated_lost(results, design)
    firms = results.settings.exhibit.firms
    rows = [
        Row(
            say("Mean absolute std. diff."),
            _sides(*(number(s.mean(), _DECIMALS) for s in (before, after))),
        ),
        Row(
            say("Largest absolute std. diff."),
            _sides(*(number(s.max(), _DECIMALS) for s in (before, after))),
        ),
        Row(
            say(
                "Covariates with |std. diff.| > {threshold}", threshold=rounding.general(threshold)
            ),
            _sides(*(_share_above(side, threshold) for side in (before, after))),
        ),
        Row(
            say("{firms} \u00d7 entry years", firms=capitalised(firms)),
            _firms(wide, "n_treated_before", "n_control_before", "n_control_after"),
        ),
        Row(say("distinct {firms}", firms=firms), _distinct(results, design), True),
        Row(say("effective number"), _firms(wide, None, None, "ess_control_after"), True),
    ]
    if lost > 0:
        rows.append(Row(say("treated left out"), (Counts((int(lost),)), *[None] * 5), True))
    return (*rows, *_other_designs(results, design))


def _distinct(results: StudyResults, design: str) -> tuple[Cell, ...]:
    """Return the distinct comparison firms, before matching only where all of them are used."""
    known = results.fact(design, "all", "n_comparison_distinct")
    count = None if math.isnan(known) else Counts((int(known),))
    if design in results.settings.match.designs:
        return (None, None, None, count, None, None)
    return (None, count, None, None, None, None)


def _sides(before: Cell, after: Cell) -> tuple[Cell, ...]:
    return (None, None, before, None, after, None)


def _share_above(differences: "pd.Series[float]", threshold: float) -> Cell:
    known = differences.dropna()
    return (
        Text(say("{above} of {known}", above=(known > threshold).sum(), known=len(known)))
        if len(known)
        else None
    )


def _firms(wide: pd.DataFrame, *columns: str | None) -> tuple[Cell, ...]:
    # A sample that does not exist has missing counts.
    largest = [math.nan if name is None else wide[name].max() for name in columns]
    cells = [None if pd.isna(n) else Counts((round(float(n)),)) for n in largest]
    return (cells[0], cells[1], None, cells[2], None, None)


def _other_designs(results: StudyResults, design: str) -> list[Row]:
    rows = []
    for other in results.settings.match.designs:
        after = balance_of(results, other)["std_diff_after"].abs()
        if other != design and after.notna().any():
            label = say(
                "Largest, {design_label}", design_label=results.settings.design_label(other)
            )
            rows.append(Row(label, _sides(None, number(float(after.max()), _DECIMALS))))
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
    return say("Other designs' covariates, {others}.", others="; ".join(others)) if others else ""


def _more_than(own: list[str], covariates: list[str]) -> str:
    """Return a list of covariates, as additions to `own` where it holds all of them."""
    if own and set(own) < set(covariates):
        return say(
            "also {covariates}",
            covariates=", ".join(label for label in covariates if label not in own),
        )
    return ", ".join(covariates)


def _design_words(settings: StudySettings, design: str) -> str:
    covariates = score_covariates(settings, design)
    on = say(" on {covariates}", covariates=", ".join(covariates)) if covariates else ""
    return say(
        "Design {design_label}: {design_rule}{on}; pool: {design_pool}.",
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
            "Standardised difference: difference in means over {denominators}, before "
            "matching in both columns; sqrt(p(1\u2212p)) for shares. Categories of a covariate "
            "share a row with their largest difference; counts take each.",
            denominators=say(_DENOMINATORS[settings.match.balance.denominator]),
        ),
        say("Treated: treated {firms} with the score's covariates, before matching", firms=firms)
        + (
            say(
                "; differences after matching are of the matched treated. Comp.: comparison, "
                "weighted after matching. Variance ratio: treated over comparison. Effective "
                "number: (sum of weights) squared over sum of squared weights."
            )
            if matched
            else say(". Comp.: comparison.")
        ),
        _verdict(settings, wide) if matched else "",
        say("No significance tests: they measure sample size, not balance."),
    )
    return tuple(note for note in notes if note)


def _verdict(settings: StudySettings, wide: pd.DataFrame) -> str:
    threshold = settings.match.balance.threshold
    worst = float(wide["std_diff_after"].abs().max())
    if math.isnan(worst):
        return say("There is no sample after matching.")
    verdict = say("is met") if worst <= threshold else say("is not met")
    return say(
        "The declared threshold of {threshold} {verdict}: the largest absolute "
        "difference after matching is {worst}.",
        threshold=rounding.general(threshold),
        verdict=verdict,
        worst=rounding.fixed(worst, 3),
    )
