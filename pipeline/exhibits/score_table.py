"""The score table: what predicts entry, by entry year, and how well."""

import math

import pandas as pd

from pipeline.exhibits.balance_table import covariate_label
from pipeline.exhibits.design_words import capitalised
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.table import Cell, Column, Counts, Panel, Row, Table, number

_DECIMALS = 3

_FITS = {"per_stack": "fitted for each entry year", "pooled": "one fit with entry-year effects"}


def score_table(results: StudyResults) -> Table:
    """Return coefficients and standard errors of the headline design's score, a column per fit.

    The first design's score where the headline design is unmatched.
    """
    settings = results.settings
    designs = settings.match.designs
    headline = settings.estimate.headline.design
    name = designs[headline if headline in designs else next(iter(designs))].score
    fitted = results.coefficients[results.coefficients["model"] == name]
    fits = list(dict.fromkeys(fitted["fit"]))
    model = settings.score.models[name]
    return Table(
        columns=tuple(Column(fit, number=i) for i, fit in enumerate(fits, 1)),
        panels=(Panel("", tuple(_term_rows(results, fitted, fits))),),
        foot=tuple(_foot(results, fitted, fits)),
        notes=(
            f"Propensity score by {model.link}, unpenalised maximum likelihood, "
            f"{_FITS[model.fit]}. Coefficients on the index; conventional standard errors in "
            "parentheses. Pseudo-R\u00b2: McFadden's. AUC: area under the ROC curve.",
            "A good score balances covariates; its fit is no measure of that.",
        ),
        source=settings.exhibit.source,
    )


def _term_rows(results: StudyResults, fitted: pd.DataFrame, fits: list[str]) -> list[Row]:
    """Return two rows a term, coefficient and standard error; the constant comes last."""
    terms = list(dict.fromkeys(fitted["term"]))
    ordered = [*(term for term in terms if term != "const"), *(t for t in terms if t == "const")]
    rows = []
    for term in ordered:
        label = "Constant" if term == "const" else covariate_label(results.settings, term)
        rows.append(Row(label, _cells(fitted, fits, term, "estimate")))
        rows.append(Row("", _cells(fitted, fits, term, "std_error")))
    return rows


def _cells(fitted: pd.DataFrame, fits: list[str], term: str, column: str) -> tuple[Cell, ...]:
    values = fitted[fitted["term"] == term].set_index("fit")[column].to_dict()
    style = "parenthesis" if column == "std_error" else "plain"
    return tuple(number(values.get(fit, math.nan), _DECIMALS, style) for fit in fits)  # type: ignore[arg-type]


def _foot(results: StudyResults, fitted: pd.DataFrame, fits: list[str]) -> list[Row]:
    of_fit = fitted.drop_duplicates("fit").set_index("fit").loc[fits]
    firms = results.settings.exhibit.firms
    counts = ((capitalised(firms), "n_obs"), (f"treated {firms}", "n_treated"))
    return [
        Row("Pseudo-R\u00b2", tuple(number(float(v), _DECIMALS) for v in of_fit["pseudo_r2"])),
        Row("AUC", tuple(number(float(v), _DECIMALS) for v in of_fit["auc"])),
        *(
            Row(label, tuple(Counts((int(n),)) for n in of_fit[column]), indent=label[0].islower())
            for label, column in counts
        ),
    ]
