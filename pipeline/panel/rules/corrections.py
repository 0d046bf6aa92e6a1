"""Point corrections: single values replaced, each with old value, reason and source."""

import pandas as pd

from pipeline.errors import Reason
from pipeline.panel.ledger import Issue, issue
from pipeline.panel.origin import located
from pipeline.panel.rules.standard import require_columns
from pipeline.panel.values import firm_identifier, refuse_rows, text
from pipeline.panel.years import calendar_year
from pipeline.params.identifier import Identifier

_COLUMNS = ("firm_id", "year", "column", "old", "new", "reason", "source")


def correct_points(
    panel: pd.DataFrame, table: pd.DataFrame, file: str, written: Identifier
) -> tuple[pd.DataFrame, list[Issue], pd.DataFrame]:
    """Replace the listed values; return the panel, one issue per column, and CORRECTIONS.

    Raises DataError where a correction names a column that is not declared or a firm-year that
    is absent or there twice, where the value found is not the old one, or where a reason or
    source is empty. Both may name a firm: they stay in CORRECTIONS, which is private.
    """
    require_columns(table, _COLUMNS, file)
    listed = _listed(table, file, written)
    _refuse_unknown_columns(listed, panel, file)
    row = _rows_of(listed, panel, file)
    corrected = panel.copy(deep=False)
    for column, points in listed.groupby("column", sort=True):
        at = row[points.index]
        values = panel[str(column)]
        _refuse_unexpected(points, values[at], f"{file}, column {column}")
        corrected[column] = _replaced(values, at, points["new"])
    return corrected, _issues(listed, file), listed


@located(())
def _listed(table: pd.DataFrame, file: str, written: Identifier) -> pd.DataFrame:
    listed = table.reset_index(drop=True)
    keys = {
        "firm_id": firm_identifier(listed["firm_id"], f"firm_id of {file}", written),
        "year": calendar_year(listed["year"], f"year of {file}"),
    }
    words = {name: text(listed[name]) for name in _COLUMNS[2:]}
    listed = pd.DataFrame({**keys, **words})
    for name in ("reason", "source"):
        refuse_rows(listed[name].isna(), f"{file}: a correction has no {name}", "fill")
    refuse_rows(
        listed.duplicated(["firm_id", "year", "column"], keep=False),
        f"{file}: a value is corrected twice",
        "keep one of",
    )
    return listed


@located(())
def _refuse_unknown_columns(listed: pd.DataFrame, panel: pd.DataFrame, file: str) -> None:
    names = list(panel.columns[2:])
    refuse_rows(
        ~listed["column"].isin(names),
        f"{file}: a column is not in data.columns",
        f"use standard names ({', '.join(names)}) in",
        listed[["column"]],
    )


def _rows_of(listed: pd.DataFrame, panel: pd.DataFrame, file: str) -> pd.Series:
    """Return the panel row of each correction."""
    key = ["firm_id", "year"]
    candidates = panel.loc[panel["firm_id"].isin(listed["firm_id"]), key]
    refuse_rows(
        candidates.duplicated(key, keep=False)
        & pd.MultiIndex.from_frame(candidates).isin(pd.MultiIndex.from_frame(listed[key])),
        f"{file} corrects a firm-year that has several rows",
        "settle the duplicates in the delivered file; see",
        candidates,
    )
    found = candidates.reset_index(names="row").drop_duplicates(key)
    row = listed[key].merge(found, on=key, how="left")["row"]
    _refuse_absent(row.isna(), listed, file)
    return row.astype("int64")


@located(())
def _refuse_absent(absent: pd.Series, listed: pd.DataFrame, file: str) -> None:
    refuse_rows(absent, f"{file}: a correction's firm-year is not in the panel", "check", listed)


@located(())
def _refuse_unexpected(points: pd.DataFrame, found: pd.Series, where: str) -> None:
    present, expected = text(found.reset_index(drop=True)), points["old"].reset_index(drop=True)
    same_text = (present == expected) | (present.isna() & expected.isna())
    same_number = pd.to_numeric(present, errors="coerce") == pd.to_numeric(
        expected, errors="coerce"
    )
    unexpected = ~(same_text.fillna(False) | same_number)
    unexpected.index = points.index
    refuse_rows(
        unexpected,
        f"{where}: the value found is not the old value expected",
        "the source changed, or another rule: compare, then update or delete",
        points[["firm_id", "year", "old"]],
    )


def _replaced(values: pd.Series, at: pd.Series, new: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = pd.to_numeric(new, errors="coerce").astype("float64")
        return values.astype("float64").where(~values.index.isin(at), numbers.set_axis(at))
    return values.astype(object).where(~values.index.isin(at), new.astype(object).set_axis(at))


def _issues(listed: pd.DataFrame, file: str) -> list[Issue]:
    rule = Reason("point_correction", {"file": file})
    return [
        found
        for column, points in listed.groupby("column", sort=True)
        for found in issue(rule, str(column), points["column"].notna(), points, Reason("replaced"))
    ]
