"""What the register tells of firms beside their entry: one value a firm, by a declared rule."""

from dataclasses import dataclass

import pandas as pd

from pipeline.errors import Reason
from pipeline.panel.ledger import Issue
from pipeline.panel.number_marks import typed_numbers
from pipeline.panel.values import refuse_rows, register_words
from pipeline.panel.years import years_of
from pipeline.params.clean import RegisterValues
from pipeline.params.data import PARTICIPANT_NUMBERS, PARTICIPANT_TEXTS, RegisterColumns

# What holds for a firm with several values, by the rule of clean.register_values; `refuse` stops.
_TAKEN = {
    "refuse": Reason("kept"),
    "first": Reason("first_taken"),
    "join": Reason("values_joined"),
    "sum": Reason("values_summed"),
    "largest": Reason("largest_taken"),
}
_OF_PARTICIPANTS = {*PARTICIPANT_TEXTS, *PARTICIPANT_NUMBERS}


@dataclass(frozen=True)
class RegisterRows:
    """Hold the register with each row's firm and entry year, and what the row is.

    `entered` flags entries; other rows of a programme are applications that were refused.
    """

    register: pd.DataFrame
    firm: pd.Series
    year: pd.Series
    entered: pd.Series

    def where(self, rows: pd.Series) -> "RegisterRows":
        """Return those of some rows."""
        firm, year, entered = self.firm[rows], self.year[rows], self.entered[rows]
        return RegisterRows(self.register[rows], firm, year, entered)


def firm_fields(
    rows: RegisterRows, columns: RegisterColumns, rule: RegisterValues
) -> tuple[pd.DataFrame, list[Issue]]:
    """Return the characteristics by firm, and issues that count firms with several or no values.

    The register has one row per firm and programme, PANEL one value per firm, so that what holds
    for a firm with several rows is a declared rule.
    Raises DataError where a firm has several values and params refuse that, and where a number
    is none or below zero.
    """
    fields, issues = {}, list[Issue]()
    for name, column in columns.fields("text").items():
        values = register_words(rows.register[column])
        fields[name], found = _by_firm(rows, name, values, rule.texts, "texts")
        issues += found
    for name, column in columns.fields("number").items():
        written = rows.register[column]
        if name == "applied_year":
            written = years_of(written, columns.years)
        values = amounts(written, f"{column} (register)")
        fields[name], found = _by_firm(rows, name, values, rule.numbers, "numbers")
        issues += found
    types = dict.fromkeys(columns.fields("text"), "str")
    types |= dict.fromkeys(columns.fields("number"), "float64")
    return pd.DataFrame(fields).astype(types), issues


def amounts(values: pd.Series, column: str) -> pd.Series:
    """Return numbers of the register; raise DataError where one is none or below zero."""
    numbers = typed_numbers(values)
    present = values.notna() & (values.astype("str").str.strip() != "")
    refuse_rows(present & numbers.isna(), f"column {column}: a value is no number", "correct")
    refuse_rows(numbers < 0, f"column {column}: a value is below zero", "correct")
    return numbers


def _by_firm(
    rows: RegisterRows, name: str, values: pd.Series, rule: str, kind: str
) -> tuple[pd.Series, list[Issue]]:
    """Return one value by firm, firms in order of identifiers."""
    table = pd.DataFrame({"firm": rows.firm, "year": rows.year, "value": values})
    if name in _OF_PARTICIPANTS:
        table = table[rows.entered]
    known = table.dropna(subset="value")
    different = known.drop_duplicates(["firm", "value"]) if kind == "texts" else known
    several = different.duplicated("firm", keep=False)
    if rule == "refuse":
        flagged = several[several].index
        refuse_rows(
            pd.Series(table.index.isin(flagged), index=table.index),
            f"the register has several values of {name} for a firm",
            f"declare clean.register_values.{kind}, or keep one; see",
        )
    earliest = known.sort_values("year", kind="stable", na_position="last")
    return _combined(earliest, rule), [
        *_count(Reason("several_values"), name, different.loc[several, "firm"], _TAKEN[rule]),
        *_count(Reason("no_value"), name, _without(table, known), Reason("kept_missing")),
    ]


def _combined(earliest: pd.DataFrame, rule: str) -> pd.Series:
    """Return the value of each firm; rows come earliest entry first."""
    by_firm = earliest.groupby("firm")["value"]
    if rule == "join":
        return by_firm.agg(lambda values: " + ".join(sorted(set(values)))).astype("str")
    methods = {"refuse": "first", "first": "first", "sum": "sum", "largest": "max"}
    return pd.Series(by_firm.agg(methods[rule]))


def _without(table: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    return table.loc[~table["firm"].isin(known["firm"]), "firm"]


def _count(rule: Reason, name: str, firms: pd.Series, action: Reason) -> list[Issue]:
    n_firms = int(firms.nunique())
    return [Issue(rule, name, action, n_firms, n_firms)] if n_firms else []
