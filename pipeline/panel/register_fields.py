"""Firm characteristics that the register tells: what support, in which role, how much, who applied.

The register has one row per firm and programme, PANEL one value per firm, so that what holds for
a firm with several rows is a declared rule.
"""

from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.panel import ALL_YEARS
from pipeline.panel.ledger import Issue
from pipeline.panel.values import refuse_rows, text, years_of
from pipeline.params.clean import RegisterValues
from pipeline.params.data import PARTICIPANT_NUMBERS, PARTICIPANT_TEXTS, RegisterColumns

_OF_PARTICIPANTS = {*PARTICIPANT_TEXTS, *PARTICIPANT_NUMBERS}


@dataclass(frozen=True)
class RegisterRows:
    """Hold the register with each row's firm and entry year, and what the row is.

    `entered` flags entries into the evaluated programme, `applied` also applications refused.
    """

    register: pd.DataFrame
    firm: pd.Series
    year: pd.Series
    entered: pd.Series
    applied: pd.Series


def firm_fields(
    rows: RegisterRows, columns: RegisterColumns, rule: RegisterValues
) -> tuple[pd.DataFrame, list[Issue]]:
    """Return the characteristics by firm, and issues that count firms with several or no values.

    Raises DataError where a firm has several values and params refuse that, and where a number
    is none or below zero.
    """
    fields, issues = {}, list[Issue]()
    for name, column in columns.fields("text").items():
        values = text(rows.register[column])
        fields[name], found = _by_firm(rows, name, values, rule.texts, "texts")
        issues += found
    for name, column in columns.fields("number").items():
        written = rows.register[column]
        if name == "applied_year":
            written = years_of(written, columns.date_format)
        values = _amounts(written, f"{column} (register)")
        fields[name], found = _by_firm(rows, name, values, rule.numbers, "numbers")
        issues += found
    types = dict.fromkeys(columns.fields("text"), "str")
    types |= dict.fromkeys(columns.fields("number"), "float64")
    return pd.DataFrame(fields).astype(types), issues


def _amounts(values: pd.Series, column: str) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    present = values.notna() & (values.astype("str").str.strip() != "")
    refuse_rows(present & numbers.isna(), f"column {column}: a value is no number", "correct")
    refuse_rows(numbers < 0, f"column {column}: a value is below zero", "correct")
    return numbers


def _by_firm(
    rows: RegisterRows, name: str, values: pd.Series, rule: str, kind: str
) -> tuple[pd.Series, list[Issue]]:
    """Return one value by firm, firms in order of identifiers."""
    of_kind = rows.entered if name in _OF_PARTICIPANTS else rows.applied
    table = pd.DataFrame({"firm": rows.firm, "year": rows.year, "value": values})[of_kind]
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
        *_count(f"several values of {name}", name, different.loc[several, "firm"], f"{rule} taken"),
        *_count(f"no {name} in the register", name, _without(table, known), "kept as missing"),
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


def _count(rule: str, name: str, firms: pd.Series, action: str) -> list[Issue]:
    n_firms = int(firms.nunique())
    return [Issue(rule, name, n_firms, ALL_YEARS, action)] if n_firms else []
