"""The balance table: treated and comparison means and distances before and after matching."""

import math

import pandas as pd

from pipeline.exhibits import rounding
from pipeline.exhibits.cautions import treated_lost
from pipeline.exhibits.design_words import (
    capitalised,
    dated_label,
    design_pool,
    design_rule,
    score_covariates,
)
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.table import Cell, Column, Counts, Panel, Row, Table, Text, number

SCORE_COVARIATE = "propensity_score"

_DECIMALS = 2

_DENOMINATORS = {
    "pooled": "the square root of the mean of the two groups' variances",
    "treated": "the standard deviation of the treated",
}


def balance_table(results: StudyResults) -> Table:
    """Return the balance table of the headline design, with the other designs in the foot."""
    design = results.settings.estimate.headline.design
    wide = balance_of(results, design)
    return Table(
        columns=(
            Column("Treated"),
            Column("Comparison", spanner="Before matching"),
            Column("Std. diff.", spanner="Before matching"),
            Column("Comparison", spanner="After matching"),
            Column("Std. diff.", spanner="After matching"),
            Column("Var. ratio", spanner="After matching"),
        ),
        panels=_panels(results.settings, wide),
        foot=_foot(results, design, wide),
        notes=_notes(results, design, wide),
        source=results.settings.exhibit.source,
    )


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
        return "Propensity score"
    label = (
        dated_label(settings.score.covariates[name]) if name in settings.score.covariates else name
    )
    return f"{label}: {value}" if value else label


def _panels(settings: StudySettings, wide: pd.DataFrame) -> tuple[Panel, ...]:
    in_score = wide["in_score_before"].astype(bool)
    ordered = wide.loc[sorted(wide.index, key=lambda name: _position(settings, str(name)))]
    used = ordered[in_score.reindex(ordered.index)]
    others = ordered[~in_score.reindex(ordered.index)]
    groups = [("In the propensity score", used), ("Not in the propensity score", others)]
    return tuple(
        Panel(title, tuple(_row(settings, name, row) for name, row in frame.iterrows()))
        for title, frame in groups
        if len(frame)
    )


def _position(settings: StudySettings, covariate: str) -> tuple[int, str]:
    """Order covariates as params declare them, the score itself first."""
    name = covariate.partition("=")[0]
    declared = list(settings.score.covariates)
    return (declared.index(name) if name in declared else -1, covariate)


def _row(settings: StudySettings, name: object, row: "pd.Series[float]") -> Row:
    figures = [
        row["mean_treated_before"],
        row["mean_control_before"],
        row["std_diff_before"],
        row["mean_control_after"],
        row["std_diff_after"],
        row["variance_ratio_after"],
    ]
    cells = tuple(number(float(value), _DECIMALS) for value in figures)
    return Row(covariate_label(settings, str(name)), cells)


def _foot(results: StudyResults, design: str, wide: pd.DataFrame) -> tuple[Row, ...]:
    threshold = results.settings.match.balance.threshold
    before, after = wide["std_diff_before"].abs(), wide["std_diff_after"].abs()
    lost = treated_lost(results, design)
    firms = results.settings.exhibit.firms
    rows = [
        Row(
            "Mean absolute std. diff.",
            _sides(*(number(s.mean(), _DECIMALS) for s in (before, after))),
        ),
        Row(
            "Largest absolute std. diff.",
            _sides(*(number(s.max(), _DECIMALS) for s in (before, after))),
        ),
        Row(
            f"Covariates with |std. diff.| > {threshold:g}",
            _sides(*(_share_above(side, threshold) for side in (before, after))),
        ),
        Row(
            capitalised(firms),
            _firms(wide, "n_treated_before", "n_control_before", "n_control_after"),
        ),
        Row("effective number", _firms(wide, None, None, "ess_control_after"), True),
    ]
    if lost > 0:
        rows.append(Row("treated left out", (Counts((int(lost),)), *[None] * 5), True))
    return (*rows, *_other_designs(results, design))


def _sides(before: Cell, after: Cell) -> tuple[Cell, ...]:
    return (None, None, before, None, after, None)


def _share_above(differences: "pd.Series[float]", threshold: float) -> Cell:
    known = differences.dropna()
    return Text(f"{(known > threshold).sum()} of {len(known)}") if len(known) else None


def _firms(wide: pd.DataFrame, *columns: str | None) -> tuple[Cell, ...]:
    largest = [math.nan if name is None else float(wide[name].max()) for name in columns]
    cells = [None if math.isnan(n) else Counts((round(n),)) for n in largest]
    return (cells[0], cells[1], None, cells[2], None, None)


def _other_designs(results: StudyResults, design: str) -> list[Row]:
    rows = []
    for other in results.settings.match.designs:
        after = balance_of(results, other)["std_diff_after"].abs()
        if other != design and after.notna().any():
            label = f"Largest, {results.settings.design_label(other)}"
            rows.append(Row(label, _sides(None, number(float(after.max()), _DECIMALS))))
    return rows


def _design_words(settings: StudySettings, design: str) -> str:
    covariates = score_covariates(settings, design)
    on = f" on {', '.join(covariates)}" if covariates else ""
    return (
        f"Design {settings.design_label(design)}: {design_rule(settings, design)}{on}; pool: "
        f"{design_pool(settings, design)}."
    )


def _notes(results: StudyResults, design: str, wide: pd.DataFrame) -> tuple[str, ...]:
    settings = results.settings
    threshold = settings.match.balance.threshold
    worst = wide["std_diff_after"].abs().max()
    verdict = "is met" if worst <= threshold else "is not met"
    return (
        _design_words(settings, design),
        "Standardised difference: difference in means divided by "
        f"{_DENOMINATORS[settings.match.balance.denominator]}, taken before matching, so that both "
        "columns share one denominator; sqrt(p(1\u2212p)) for shares.",
        "The treated column shows all treated before matching; differences after matching are of "
        "the matched treated. Variance ratio: treated over weighted comparison.",
        "Effective number: (sum of weights) squared over sum of squared weights.",
        f"The declared threshold of {threshold:g} {verdict}: the largest absolute difference after "
        f"matching is {rounding.fixed(float(worst), 3)}."
        if not math.isnan(worst)
        else "There is no sample after matching.",
        "No significance tests: they measure sample size, not balance.",
    )
