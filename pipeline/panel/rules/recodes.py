"""Codes that changed: sectors and places in one classification for all years."""

import pandas as pd

from pipeline.errors import Reason
from pipeline.panel.ledger import Issue, Ruled, issue
from pipeline.panel.origin import located
from pipeline.panel.rules.standard import require_columns
from pipeline.panel.values import refuse_rows, text
from pipeline.panel.years import calendar_year
from pipeline.params.clean import Recode

_YEARS = ("first_year", "last_year")


def recode(panel: pd.DataFrame, table: pd.DataFrame, rule: Recode) -> Ruled:
    """Replace codes of a text column by those that the concordance gives for the year.

    Raises DataError where a code becomes several, or is not in the table, and params refuse it.
    """
    require_columns(table, ("from", "to"), rule.file)
    concordance = _concordance(table, rule)
    cells = panel[[rule.column, "year"]].drop_duplicates().dropna()
    found = cells.merge(concordance, left_on=rule.column, right_on="from")
    found = found[found["year"].between(found["first_year"], found["last_year"])]
    several = found.drop_duplicates([rule.column, "year", "to"]).duplicated(
        [rule.column, "year"], keep=False
    )
    ambiguous = found.loc[several[several].index, [rule.column, "year"]].drop_duplicates()
    new = found.drop_duplicates([rule.column, "year"])[[rule.column, "year", "to"]]
    code = panel[[rule.column, "year"]].merge(new, on=[rule.column, "year"], how="left")["to"]
    code.index = panel.index
    unknown = code.isna() & panel[rule.column].notna()
    _refuse(panel, _rows_in(panel, ambiguous, rule.column), unknown, rule)
    recoded = code.where(code.notna(), panel[rule.column]).astype("str")
    issues = _issues(panel, recoded, unknown, ambiguous, rule)
    return Ruled(panel.assign(**{rule.column: recoded}), tuple([*issues, *_joined(new, rule)]))


@located(())
def _concordance(table: pd.DataFrame, rule: Recode) -> pd.DataFrame:
    """Return from, to, first_year, last_year; open ends reach over all years."""
    rows = pd.DataFrame({name: text(table[name]) for name in ("from", "to")})
    refuse_rows(rows.isna().any(axis=1), f"{rule.file}: a code is empty", "fill")
    for name, open_end in zip(_YEARS, (0, 9999), strict=True):
        given = table[name] if name in table.columns else pd.Series(open_end, index=table.index)
        rows[name] = calendar_year(given.fillna(open_end), f"{name} of {rule.file}")
    return rows


def _rows_in(panel: pd.DataFrame, cells: pd.DataFrame, column: str) -> pd.Series:
    marked = panel[[column, "year"]].merge(cells, how="left", indicator=True)["_merge"] == "both"
    marked.index = panel.index
    return marked


def _refuse(panel: pd.DataFrame, ambiguous: pd.Series, unknown: pd.Series, rule: Recode) -> None:
    if rule.one_to_many == "refuse":
        refuse_rows(
            ambiguous,
            f"{rule.file} turns a code of {rule.column} into several",
            "delete all but one, bound them by first_year and last_year, or declare one_to_many: "
            "first; see",
            panel[["firm_id", "year", rule.column]],
        )
    if rule.unknown == "refuse":
        refuse_rows(
            unknown,
            f"{rule.file} lacks a code of {rule.column}",
            "add it, or declare unknown: keep; see",
            panel[["firm_id", "year", rule.column]],
        )


def _issues(
    panel: pd.DataFrame,
    recoded: pd.Series,
    unknown: pd.Series,
    ambiguous: pd.DataFrame,
    rule: Recode,
) -> list[Issue]:
    column, file = rule.column, {"file": rule.file}
    changed = (recoded != panel[column]) & panel[column].notna()
    return [
        *issue(Reason("recoded", file), column, changed, panel, Reason("code_replaced")),
        *issue(Reason("code_not_in_file", file), column, unknown, panel, Reason("kept")),
        *issue(
            Reason("code_becomes_several", file),
            column,
            _rows_in(panel, ambiguous, column),
            panel,
            Reason("first_row_taken"),
        ),
    ]


def _joined(new: pd.DataFrame, rule: Recode) -> list[Issue]:
    """Count codes that several earlier ones join."""
    pairs = new.drop_duplicates([rule.column, "to"])
    joined = pairs.duplicated("to", keep=False)
    rule_found = Reason("codes_joined", {"file": rule.file})
    return issue(rule_found, rule.column, joined, pairs, Reason("code_replaced"))
