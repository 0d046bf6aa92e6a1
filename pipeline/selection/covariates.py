"""Covariates dated relative to entry: what was known of a firm before it could be treated."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Floats
from pipeline.errors import DataError
from pipeline.panel.panel_index import NO_ROW, PanelIndex, index_panel
from pipeline.panel.scale import transform
from pipeline.params.score import Covariate


def dated_covariates(
    panel: pd.DataFrame,
    firms: pd.DataFrame,
    covariates: dict[str, Covariate],
    index: PanelIndex | None = None,
) -> pd.DataFrame:
    """Return COVARIATES: one row per stack and firm of `firms`, one column per covariate.

    `panel` is PANEL, `index` its index where there is one, `firms` has stack and firm_id. Raises as
    `covariates_by_code`.
    """
    index = index_panel(panel) if index is None else index
    keys = firms[["stack", "firm_id"]].reset_index(drop=True)
    firm, stack = index.codes(keys["firm_id"]), keys["stack"].to_numpy(np.int64)
    return pd.concat([keys, covariates_by_code(panel, index, firm, stack, covariates)], axis=1)


def covariates_by_code(
    panel: pd.DataFrame,
    index: PanelIndex,
    firm: Codes,
    stack: NDArray[np.int64],
    covariates: dict[str, Covariate],
) -> pd.DataFrame:
    """Return the columns of COVARIATES of firm codes (n,) in entry years (n,).

    A value that is not observed in its year is missing; the log of zero is missing. Raises
    DataError where `log` or `any` meets a negative value, a `constant` covariate changes within a
    firm, or categories are firm identifiers.
    """
    columns = {}
    for name, covariate in covariates.items():
        if covariate.product_of is None:
            if covariate.transform == "category":
                _refuse_identifiers(panel, str(covariate.column))
            years = stack[:, None] + np.array(covariate.event_times or [0])
            if covariate.constant:
                rows = _any_rows(panel, index, firm, str(covariate.column))
            else:
                rows = index.rows(firm, years)
            columns[name] = _values(panel[covariate.column], rows, years, covariate)
    for name, covariate in covariates.items():
        if covariate.product_of is not None:
            columns[name] = _product([columns[factor] for factor in covariate.product_of])
    return pd.DataFrame(columns, index=range(len(firm)))[list(covariates)]


def with_categories(covariates: pd.DataFrame) -> pd.DataFrame:
    """Return covariates with text as categories, whose codes are compared in place of it."""
    text = [
        name for name, column in covariates.items() if not pd.api.types.is_numeric_dtype(column)
    ]
    return covariates.astype(dict.fromkeys(text, "category"))


def _any_rows(panel: pd.DataFrame, index: PanelIndex, firm: Codes, column: str) -> Codes:
    """Return the first PANEL row with a value of a constant column, of firm codes (n,), (n, 1).

    Raises DataError where a firm has two values.
    """
    known = np.flatnonzero(panel[column].notna())
    owner = index.codes(panel["firm_id"])[known]
    first = np.full(len(index.firms), NO_ROW, dtype=np.intp)
    first[owner[::-1]] = known[::-1]
    values = panel[column].to_numpy()
    changed = np.asarray(values[known] != values[first[owner]], dtype=np.bool_)
    if changed.any():
        raise DataError(
            f"covariates that read `{column}` are declared constant, and it changes within "
            f"{len(np.unique(owner[changed]))} firms: date them by `at`"
        )
    return np.where(firm >= 0, first[firm], NO_ROW)[:, None]


def _refuse_identifiers(panel: pd.DataFrame, column: str) -> None:
    """Raise DataError where a category is the identifier of its only firm: reports name it."""
    text, firm_id = panel[column].astype("str"), panel["firm_id"].astype("str")
    own = text.isin(text[text == firm_id].unique())
    n_alone = int((firm_id[own].groupby(text[own]).nunique() == 1).sum())
    if n_alone:
        raise DataError(
            f"column {column}: {n_alone} of its categories are identifiers of the only firm in "
            "them, and reports name categories; name another column, or recode it (clean.recodes)"
        )


def _product(factors: list[pd.Series]) -> pd.Series:
    """Multiply numbers; combine categories, missing where one is."""
    if all(pd.api.types.is_numeric_dtype(factor) for factor in factors):
        return pd.Series(np.prod([factor.to_numpy(np.float64) for factor in factors], axis=0))
    return factors[0].str.cat(pd.concat(factors[1:], axis=1), sep=" x ")


def _values(
    column: pd.Series, rows: Codes, years: NDArray[np.int64], covariate: Covariate
) -> pd.Series:
    """Return one covariate from the PANEL rows (n, k) of the years (n, k) that it reads."""
    if covariate.transform == "category":
        return _text(column, rows[:, 0])
    if covariate.transform == "indicator":
        text = _text(column, rows[:, 0])
        return (text == covariate.value).astype(np.float64).where(text.notna())
    if covariate.transform == "years_since":
        return pd.Series(years[:, 0] - _dated(transform(column, "level"), rows)[:, 0])
    assert covariate.transform is not None, "a product has no column of its own"
    dated = _dated(transform(column, covariate.transform), rows)
    return pd.Series(_combined(dated, covariate))


def _dated(levels: Floats, rows: Codes) -> Floats:
    return np.where(rows != NO_ROW, levels[rows], np.nan)


def _combined(dated: Floats, covariate: Covariate) -> Floats:
    """Return the value of the year, the change between two, the slope or average over all.

    Over years in which a firm is only partly observed it would compare different years across
    firms, so it is missing unless every year is observed.
    """
    if covariate.change is not None:
        return dated[:, 1] - dated[:, 0]
    if covariate.trend is not None:
        return _slope(dated, np.array(covariate.event_times, dtype=np.float64))
    return np.asarray(dated.mean(axis=1))


def _slope(dated: Floats, years: Floats) -> Floats:
    """Return least-squares slopes per year (n,) of values (n, k); missing if a year is."""
    centred = years - years.mean()
    return np.asarray(dated @ centred / np.square(centred).sum())


def _text(column: pd.Series, rows: Codes) -> pd.Series:
    return column.iloc[rows].reset_index(drop=True).where(rows != NO_ROW, None).astype("str")
