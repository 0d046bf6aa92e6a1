"""Guess what the columns of a participation register are."""

from dataclasses import dataclass

import pandas as pd

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.numbers import date_format, is_number, is_year, numbers
from pipeline.commands.start.roles import Role, name_words, role_of
from pipeline.panel.values import text
from pipeline.panel.years import years_of
from pipeline.params.written import YearsWritten

# Columns that need no decision of the user beyond what holds for firms with several rows.
_WORDS = {
    "programme": ("program", "prog "),
    "component": ("compon", "composante"),
    "role": ("role", "rol ", "papel"),
    "own_contribution": ("own ", "aporte", "contrapart", "cofinan"),
}


@dataclass(frozen=True)
class RegisterGuess:
    """Hold the register, its columns by setting, and questions.

    `several` says whether a firm has more than one row.
    """

    table: pd.DataFrame
    columns: dict[str, str]
    several: bool
    questions: dict[str, str]

    def entries(self) -> pd.Series:
        """Return the first entry year of each firm, as far as years can be read."""
        written = YearsWritten(self.columns.get("date_format"))
        years = numbers(years_of(self.table[self.columns["entry_year"]], written))
        return years.groupby(text(self.table[self.columns["firm_id"]])).min()


def guess_register(table: pd.DataFrame, asked: ToldColumns, panel_id: str) -> RegisterGuess:
    """Guess firm, entry and what else the register tells; `panel_id` is the panel's column."""
    names = [str(name) for name in table.columns]
    formats = {name: date_format(table[name]) for name in names}
    entry = _entry(table, names, formats, asked)
    others = [name for name in names if name != entry]
    firm_id = _firm(table, others, panel_id)
    columns = {"firm_id": firm_id, "entry_year": entry}
    free = [name for name in others if name != firm_id]
    columns |= _fields(table, free)
    questions = {}
    if formats[entry]:
        columns["date_format"] = str(formats[entry])
        questions["data.register_columns.date_format"] = (
            f"is {entry} written {formats[entry]} (d day, m month)?"
        )
    return RegisterGuess(table, columns, bool(table[firm_id].duplicated().any()), questions)


def _entry(
    table: pd.DataFrame, names: list[str], formats: dict[str, str | None], asked: ToldColumns
) -> str:
    """Return the column of entry: years or dates whose name says so, never of an application."""
    if asked.entry in names:
        return str(asked.entry)
    dated = [n for n in names if is_year(table[n]) or formats[n] is not None]
    order: list[Role | None] = ["entry", "treated", "year", None, "period"]
    for role in order:
        for name in dated:
            if role_of(name) == role:
                return name
    return next((n for n in names if role_of(n) == "entry"), (dated or names)[-1])


def _firm(table: pd.DataFrame, names: list[str], panel_id: str) -> str:
    if panel_id in names:
        return panel_id
    named = [name for name in names if role_of(name) == "firm_id"]
    return max(named, key=lambda name: table[name].nunique()) if named else names[0]


def _fields(table: pd.DataFrame, names: list[str]) -> dict[str, str]:
    """Return the columns of programme, component, role and amounts, by their setting."""
    found: dict[str, str] = {}
    for setting, hints in _WORDS.items():
        fitting = [n for n in names if any(f" {hint}" in name_words(n) for hint in hints)]
        if fitting and fitting[0] not in found.values():
            found[setting] = fitting[0]
    amounts = [n for n in names if role_of(n) in {"amount", "treated"}
               and n not in found.values() and is_number(table, n)]  # fmt: skip
    return found | ({"amount": amounts[0]} if amounts else {})
