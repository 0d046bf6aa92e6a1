"""Guess what the columns of a participation register are."""

from collections.abc import Iterable
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
    "own_contribution": (
        "own ", "propi", "propri", "contrapart", "cofinan", "aporte empresa",
        "aporte de la empresa", "aporte da empresa", "aporte privad", "aporte benef",
    ),
    "eligible": ("elig", "eleg", "inelig"),
}  # fmt: skip
# Words for what was decided on an application, the plainest first; `estado` may be a place.
_DECISION = ("decis", "result", "dictam", "situac", "situation", "status", "statut", "estatus",
             "estado ", "etat ", "admis", "elig", "eleg", "inelig")  # fmt: skip
# Classes up to which numbers or what may be a place can be decisions, and any column may be one.
_MOST_DECISIONS, _MOST_CLASSES = 10, 6
# Codes of decisions in fewer rows may tell of a firm, and params.yaml is public.
_FEWEST_ROWS = 5


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

    def decisions(self) -> list[str]:
        """Return the values of the decision; none where they are many or some stand in few rows."""
        if "decision" not in self.columns:
            return []
        counts = text(self.table[self.columns["decision"]]).value_counts()
        few = len(counts) <= _MOST_DECISIONS and (counts >= _FEWEST_ROWS).all()
        return sorted(map(str, counts.index)) if few else []


def guess_register(table: pd.DataFrame, asked: ToldColumns, panel_id: str) -> RegisterGuess:
    """Guess firm, entry and what else the register tells; `panel_id` is the panel's column."""
    names = [str(name) for name in table.columns]
    formats = {name: date_format(table[name]) for name in names}
    entry = _entry(table, names, formats, asked)
    others = [name for name in names if name != entry]
    firm_id = _firm(table, others, panel_id)
    columns = {"firm_id": firm_id, "entry_year": entry}
    free = [name for name in others if name != firm_id]
    classes = [n for n in free if formats[n] is None and not is_year(table[n])]
    columns |= _fields(table, free, classes)
    questions = _asked_of_classes(table, classes, columns.values())
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


def _fields(table: pd.DataFrame, names: list[str], classes: list[str]) -> dict[str, str]:
    """Return the columns of decision, programme, component, role and amounts, by their setting."""
    decision = _decision(table, classes)
    found = {} if decision is None else {"decision": decision}
    for setting, hints in _WORDS.items():
        fitting = [n for n in names if any(f" {hint}" in name_words(n) for hint in hints)]
        if fitting and fitting[0] not in found.values():
            found[setting] = fitting[0]
    amounts = [n for n in names if role_of(n) in {"amount", "treated"} and n not in found.values()
               and _is_amount(table, n)]  # fmt: skip
    return found | ({"amount": amounts[0]} if amounts else {})


def _is_amount(table: pd.DataFrame, name: str) -> bool:
    """Say whether a column holds numbers, and others than 0 and 1."""
    return is_number(table, name) and not numbers(table[name]).dropna().isin([0, 1]).all()


def _decision(table: pd.DataFrame, names: list[str]) -> str | None:
    """Return the column whose name tells of a decision, and that does not hold one value alone."""
    fitting = [name for name in names if _may_decide(table, name)]
    for hint in _DECISION:
        for name in fitting:
            if f" {hint}" in name_words(name):
                return name
    return None


def _may_decide(table: pd.DataFrame, name: str) -> bool:
    n_classes = table[name].nunique(dropna=False)
    doubtful = is_number(table, name) or role_of(name) == "place"
    return n_classes > 1 and (n_classes <= _MOST_DECISIONS or not doubtful)


def _asked_of_classes(table: pd.DataFrame, names: list[str], used: Iterable[str]) -> dict[str, str]:
    """Ask of columns of few classes that nothing uses whether they say who was accepted."""
    free = [n for n in names if n not in {*used} and _has_few_classes(table, n)]
    if not free:
        return {}
    return {
        "treatment.entry": f"does a column of the register say who was accepted: "
        f"{', '.join(free)}? Then name it at data.register_columns.decision and list its values "
        "that count as entry at treatment.entry.accepted; as it stands it rejects nobody"
    }


def _has_few_classes(table: pd.DataFrame, name: str) -> bool:
    """Say whether a column of words, or of 0 and 1, has two to six classes, blanks being one."""
    n_classes = table[name].nunique(dropna=False)
    few = 1 < n_classes <= min(_MOST_CLASSES, len(table) - 1)
    return few and not _is_amount(table, name) and role_of(name) != "person"
