"""Codes that stand for firms that never enter: read where declared, refused where not."""

from collections.abc import Collection

import pandas as pd

from pipeline.errors import LEAST_FIRMS_NAMED
from pipeline.panel.values import refuse_rows, text
from pipeline.panel.years import years_of

# An entry year this far outside the panel is taken for a code of firms that never enter.
FARTHEST_ENTRY_YEARS = 50

_SHOWN = 5


def is_never(values: pd.Series, codes: Collection[float | str]) -> pd.Series:
    """Flag values that are one of the codes, as text, number or year: 9999 is 9999.0."""
    if not codes:
        return pd.Series(False, index=values.index)
    numbers = pd.to_numeric(pd.Series([str(code) for code in codes]), errors="coerce").dropna()
    words = {str(code).strip() for code in codes}
    years = pd.to_numeric(years_of(values), errors="coerce")
    return text(values).isin(words) | years.isin(numbers)


def refuse_codes(
    given: pd.Series,
    firm: pd.Series,
    panel_years: tuple[int, int],
    column: str,
    keys: pd.DataFrame | None = None,
) -> None:
    """Raise DataError where an entry year cannot be one beside the years of the panel."""
    first, last = panel_years
    below = (given < min(1, first)).fillna(False).astype(bool)
    near = given.between(first - FARTHEST_ENTRY_YEARS, last + FARTHEST_ENTRY_YEARS)
    far = ~near.fillna(False).astype(bool) & given.notna()
    for faulty, rule in (
        (below, f"{column} is 0 or less, which is no year"),
        (far, f"{column} lies more than {FARTHEST_ENTRY_YEARS} years outside the panel"),
    ):
        remedy = (
            "list a code of firms that never enter in treatment.entry.never"
            f"{_codes(given[faulty], firm)}, or correct"
        )
        refuse_rows(faulty, rule, remedy, keys)


def _codes(values: pd.Series, firm: pd.Series) -> str:
    """Return the values that so many firms share that they tell of none, as params hold them."""
    n_firms = firm[values.index].groupby(values).nunique()
    shared = n_firms[n_firms >= LEAST_FIRMS_NAMED].index
    listed = ", ".join(f"{float(code):g}" for code in shared[:_SHOWN])
    return f" ([{listed}] here)" if listed else ""
