"""Standard names and types: delivered columns become firm_id, year and the declared ones."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.errors import DataError, Reason, told_columns
from pipeline.panel.check_digits import wrong_check_digits
from pipeline.panel.ledger import Issue, issue
from pipeline.panel.number_marks import typed_numbers
from pipeline.panel.numbers import numeric
from pipeline.panel.rules.sums import added_up
from pipeline.panel.values import (
    distinct_values,
    firm_identifier,
    is_formula,
    is_sheet_error,
    refuse_rows,
    text,
)
from pipeline.panel.years import calendar_year, refuse_two_digits
from pipeline.params.data import DataSection, NumberColumn
from pipeline.params.identifier import Identifier


def standard_names(raw: pd.DataFrame, data: DataSection, written: Identifier) -> pd.DataFrame:
    """Rename the delivered columns; type the key only. Row positions become the index."""
    delivered = raw.reset_index(drop=True)
    keys = {
        "firm_id": firm_identifier(delivered[data.firm_key], data.firm_key, written),
        "year": calendar_year(delivered[data.year], data.year, data.years),
    }
    refuse_two_digits(delivered[data.year], keys["year"], data.year)
    values = {name: delivered[column.column] for name, column in data.delivered.items()}
    return pd.DataFrame({**keys, **values}, copy=False)


def rewritten_identifiers(
    raw: pd.DataFrame, panel: pd.DataFrame, data: DataSection, written: Identifier
) -> list[Issue]:
    """Count identifiers that are not as delivered, firms of several, and wrong check digits."""
    wrong = wrong_check_digits(raw[data.firm_key], written, "panel")
    if not written.rewrites:
        return wrong
    plain = text(raw[data.firm_key].reset_index(drop=True))
    firm, action = panel["firm_id"], Reason("as_identifier_declares")
    changed = plain != firm
    ways = pd.DataFrame({"firm": firm, "way": plain}).drop_duplicates()
    several = firm.isin(ways.loc[ways["firm"].duplicated(), "firm"])
    return [
        *wrong,
        *issue(Reason("identifier_rewritten"), "firm_id", changed, panel, action),
        *issue(Reason("identifiers_made_one"), "firm_id", several, panel, action),
    ]


def blank_missing_codes(
    panel: pd.DataFrame, codes: dict[str, list[str]]
) -> tuple[pd.DataFrame, list[Issue]]:
    """Set declared codes for "missing" (-1, 999999, s/d) to missing, and count them.

    A code is compared as text and, where it is a number, as a number too: -1 is -1.0.
    """
    issues: list[Issue] = []
    blanked = {}
    for column, listed in codes.items():
        found = is_code(panel[column], listed)
        issues += issue(Reason("missing_code"), column, found, panel, Reason("set_missing"))
        blanked[column] = panel[column].mask(found)
    return panel.assign(**blanked), issues


def is_code(values: pd.Series, codes: Sequence[str]) -> pd.Series:
    """Mark values that are one of the codes, as text or as a number; 09 is no 9."""
    numeric_codes = pd.to_numeric(pd.Series(codes), errors="coerce").dropna()
    numeric = typed_numbers(values).isin(numeric_codes)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return numeric
    written = text(values)
    padded = written.str.match(r"0\d").fillna(False).astype(bool)
    return (numeric & ~padded) | written.isin(codes)


def standard_types(panel: pd.DataFrame, data: DataSection) -> pd.DataFrame:
    """Give each column its declared type; raise DataError where a value is not of it."""
    typed = {
        name: numeric(panel[name], column, data.years)
        if isinstance(column, NumberColumn)
        else _codes(panel[name], column.column)
        for name, column in data.delivered.items()
    }
    numbers = panel.assign(**typed)
    return numbers.assign(**added_up(numbers, {n: c.of for n, c in data.sums.items()}))


def _codes(values: pd.Series, column: str) -> pd.Series:
    """Return codes as text; no spreadsheet's error, nor formula, which runs where it is opened."""
    codes = text(values)
    refuse_rows(
        is_formula(codes), f"column {column}: a value is a formula", "paste it as a value, see"
    )
    refuse_rows(
        is_sheet_error(codes),
        f"column {column}: a value is an error of a spreadsheet (#N/A and its kin)",
        "correct or empty it, or list it in clean.missing_codes; see",
    )
    return codes


def converted_units(panel: pd.DataFrame, data: DataSection) -> list[Issue]:
    """Count the values of columns that were delivered in another unit in every year."""
    return [
        found
        for name, column in data.delivered.items()
        if isinstance(column, NumberColumn) and column.factor is not None
        for found in issue(
            Reason("unit_factor", {"factor": column.factor}),
            name,
            panel[name].notna(),
            panel,
            Reason("converted"),
        )
    ]


def missing_values(panel: pd.DataFrame, data: DataSection) -> list[Issue]:
    """Count missing values per column; they stay missing."""
    return [
        found
        for name in data.columns
        for found in issue(
            Reason("missing_value"), name, panel[name].isna(), panel, Reason("kept_missing")
        )
    ]


def assignment_cluster(panel: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Join the cluster columns into one label; raise DataError where one is missing."""
    parts = panel[columns]
    refuse_rows(
        parts.isna().any(axis=1),
        f"a firm-year has no assignment cluster ({' x '.join(columns)})",
        "every firm needs one, participant or not: fill",
        panel[["firm_id", "year"]],
    )
    if len(columns) == 1:
        return parts[columns[0]]
    # Each combination is written once, then looked up: there are far fewer than firm-years.
    code, labels = distinct_values(parts[columns[0]])
    for name in columns[1:]:
        other, texts = distinct_values(parts[name])
        code, pairs = pd.factorize(code * len(texts) + other)
        first, last = np.divmod(pairs, len(texts))
        labels = labels.iloc[first].reset_index(drop=True) + " x " + texts.iloc[last].array
    return pd.Series(labels.array[code], index=panel.index)


def require_columns(table: pd.DataFrame, wanted: Sequence[str], file: str) -> None:
    """Raise DataError where a rules file lacks a column."""
    absent = [name for name in wanted if name not in table.columns]
    if absent:
        raise DataError(
            f"{file} has no column {', '.join(absent)}; {told_columns(list(table.columns), wanted)}"
        )
