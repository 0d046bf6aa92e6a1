"""The score table: coefficients of the headline design's propensity score, one column a fit."""

from typing import Any

import pandas as pd

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.balance import covariate_label
from pipeline.exhibits.tables.parts import side_by_side
from pipeline.exhibits.tables.table import (
    DASH,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
)
from pipeline.exhibits.words.language import say

_DECIMALS = 3
_CONSTANT = "const"


def score_table(results: StudyResults) -> list[Table]:
    """Return the table; none where the headline design has no score or no fit is published."""
    design = results.settings.match.designs.get(results.settings.estimate.headline.design)
    if design is None or not design.uses_score:
        return []
    chosen = results.coefficients[results.coefficients["model"] == design.score]
    fits = sorted(chosen["fit"].unique())
    return side_by_side(fits, lambda part: _table(results, chosen, part))


def _table(results: StudyResults, fitted: pd.DataFrame, numbered: dict[int, str]) -> Table:
    fits = list(numbered.values())
    cells = {(row["term"], row["fit"]): _figures(row) for _, row in fitted.iterrows()}
    ordered = sorted(fitted["term"].unique(), key=lambda term: _position(results, term))
    return Table(
        columns=tuple(
            TableColumn(
                say("row.entry_in", fit=fit) if fit.isdigit() else say("row.all_entry_years"), "", n
            )
            for n, fit in numbered.items()
        ),
        panels=(Panel("", tuple(row for t in ordered for row in _rows(results, cells, t, fits))),),
        foot=_foot(results, fitted, fits),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )


def _position(results: StudyResults, term: str) -> tuple[int, str]:
    """Order terms as params declare covariates, the constant last."""
    declared = list(results.settings.score.covariates)
    name = term.partition("=")[0]
    return (declared.index(name) if name in declared else len(declared), term)


def _rows(
    results: StudyResults,
    cells: dict[tuple[str, str], dict[str, float]],
    term: str,
    fits: list[str],
) -> tuple[Row, Row]:
    """Return a term's coefficients and, below, their standard errors; a dash where it is absent."""
    label = say("score.constant") if term == _CONSTANT else covariate_label(results.settings, term)
    found = [cells.get((term, fit)) for fit in fits]
    estimates = [DASH if f is None else Number(f["estimate"], _DECIMALS) for f in found]
    errors = [
        None if f is None else Number(f["std_error"], _DECIMALS, "parenthesis") for f in found
    ]
    return Row(label, tuple(estimates)), Row("", tuple(errors))


def _foot(results: StudyResults, fitted: pd.DataFrame, names: list[str]) -> tuple[Row, ...]:
    firms = results.settings.exhibit.firms
    fit_of = {fit: _figures(rows.iloc[0]) for fit, rows in fitted.groupby("fit")}
    fits = [fit_of[name] for name in names]
    return (
        Row(
            say("score.treated_firms", firms=firms),
            tuple(WholeNumbers((int(fit["n_treated"]),)) for fit in fits),
        ),
        Row(
            say("score.comparison_firms", firms=firms),
            tuple(WholeNumbers((int(fit["n_obs"] - fit["n_treated"]),)) for fit in fits),
        ),
        Row(say("score.pseudo_r2"), tuple(Number(fit["pseudo_r2"], _DECIMALS) for fit in fits)),
        Row(say("score.auc"), tuple(Number(fit["auc"], _DECIMALS) for fit in fits)),
    )


def _figures(row: "pd.Series[Any]") -> dict[str, float]:
    """Return the figures of one row of SCORE_COEFFICIENTS by name."""
    names = ("estimate", "std_error", "n_obs", "n_treated", "pseudo_r2", "auc")
    return {name: float(row[name]) for name in names}


def _notes(results: StudyResults) -> tuple[str, ...]:
    settings = results.settings
    design = settings.estimate.headline.design
    link = settings.score.models[settings.match.designs[design].score].link
    return (
        say("score.what_is_shown", link=link, design_label=settings.design_label(design)),
        say("score.measures"),
    )
