"""The score table: coefficients of the headline design's propensity score, one column a fit."""

import math
from typing import Any

import pandas as pd

from pipeline.datasets.selection import CONSTANT, COVARIATE, POOLED, STACK_LEVEL
from pipeline.exhibits.details import known_or_nan
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import covariates_ran, design_ran, score_ran
from pipeline.exhibits.tables.balance import covariate_label
from pipeline.exhibits.tables.parts import side_by_side
from pipeline.exhibits.tables.table import (
    DASH,
    HIDDEN,
    Cell,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
)
from pipeline.exhibits.words.language import say

_DECIMALS = 3
# What one row of SCORE_COEFFICIENTS is on; empty here where missing there.
_KEY = ["term", "covariate", "category"]
_Key = tuple[str, str, str]


def score_table(results: StudyResults) -> list[Table]:
    """Return the table; none where the headline design has no score or no fit is published."""
    design = design_ran(results, results.settings.estimate.headline.design)
    if not design.has("uses_score"):
        return []
    model = design.code("score_model")
    chosen = results.coefficients[results.coefficients["model"] == model]
    fits = sorted(chosen["fit"].unique())
    return side_by_side(fits, lambda part: _table(results, chosen, part))


def _table(results: StudyResults, fitted: pd.DataFrame, numbered: dict[int, str]) -> Table:
    fits = list(numbered.values())
    keyed = fitted.fillna(dict.fromkeys(_KEY, ""))
    keys: list[_Key] = list(keyed[_KEY].itertuples(index=False, name=None))
    figures = [_figures(row) for _, row in keyed.iterrows()]
    cells = dict(zip(zip(keys, keyed["fit"], strict=True), figures, strict=True))
    ordered = sorted(set(keys), key=lambda key: _position(results, key))
    return Table(
        columns=tuple(
            TableColumn(
                say("row.all_entry_years") if fit == POOLED else say("row.entry_in", fit=fit), "", n
            )
            for n, fit in numbered.items()
        ),
        panels=(
            Panel("", tuple(row for key in ordered for row in _rows(results, cells, key, fits))),
        ),
        foot=_foot(results, fitted, fits),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )


def _position(results: StudyResults, key: _Key) -> tuple[int, int, str]:
    """Order terms as params declare covariates, then the constant, then entry years."""
    term, covariate, category = key
    declared = covariates_ran(results)
    place = declared.index(covariate) if covariate in declared else len(declared)
    return ((COVARIATE, CONSTANT, STACK_LEVEL).index(term), place, category)


def _rows(
    results: StudyResults,
    cells: dict[tuple[_Key, str], dict[str, float]],
    key: _Key,
    fits: list[str],
) -> tuple[Row, Row]:
    """Return a term's coefficients and, below, their standard errors; a dash where it is absent."""
    found = [cells.get((key, fit)) for fit in fits]
    estimates = [DASH if f is None else Number(f["estimate"], _DECIMALS) for f in found]
    errors = [
        None if f is None else Number(f["std_error"], _DECIMALS, "parenthesis") for f in found
    ]
    return Row(_label(results, key), tuple(estimates)), Row("", tuple(errors))


def _label(results: StudyResults, key: _Key) -> str:
    term, covariate, category = key
    if term == CONSTANT:
        return say("score.constant")
    if term == STACK_LEVEL:
        return say("row.entry_in", fit=category)
    return covariate_label(results, covariate, category or None)


def _foot(results: StudyResults, fitted: pd.DataFrame, names: list[str]) -> tuple[Row, ...]:
    firms = results.settings.exhibit.firms
    fit_of = {fit: _figures(rows.iloc[0]) for fit, rows in fitted.groupby("fit")}
    fits = [fit_of[name] for name in names]
    return (
        Row(
            say("score.treated_firms", firms=firms),
            tuple(_count(fit["n_treated"]) for fit in fits),
        ),
        Row(
            say("score.comparison_firms", firms=firms),
            tuple(_count(fit["n_obs"] - fit["n_treated"]) for fit in fits),
        ),
        Row(say("score.pseudo_r2"), tuple(Number(fit["pseudo_r2"], _DECIMALS) for fit in fits)),
        Row(say("score.auc"), tuple(Number(fit["auc"], _DECIMALS) for fit in fits)),
    )


def _count(firms: float) -> Cell:
    return HIDDEN if math.isnan(firms) else WholeNumbers((int(firms),))


def _figures(row: "pd.Series[Any]") -> dict[str, float]:
    """Return the figures of one row of SCORE_COEFFICIENTS by name."""
    names = ("estimate", "std_error", "n_obs", "n_treated", "pseudo_r2", "auc")
    return {name: known_or_nan(row[name]) for name in names}


def _notes(results: StudyResults) -> tuple[str, ...]:
    settings = results.settings
    design = settings.estimate.headline.design
    model = score_ran(results, design)
    return (
        say(
            "score.what_is_shown",
            link=model.code("link"),
            design_label=settings.design_label(design),
            errors=say(f"score_errors.{model.code('errors')}"),
        ),
        say("score.measures"),
    )
