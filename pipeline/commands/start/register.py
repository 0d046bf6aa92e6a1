"""Guess what the columns of a participation register are."""

import re
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
    "component": ("compon", "composante"),
    "role": ("role", "rol ", "papel"),
    "own_contribution": (
        "own ", "propi", "propri", "contrapart", "cofinan", "aporte empresa",
        "aporte de la empresa", "aporte da empresa", "aporte privad", "aporte benef",
    ),
    "eligible": ("elig", "eleg", "inelig"),
}  # fmt: skip
# Words for the programme of a row, the plainest first; others than the first two also mean calls,
# funds and lines that programmes have, and count where rows differ in them.
_PROGRAMME = ("program", "prog ")
_LINES = ("instrument", "dispositiv", "dispositif", "scheme", "fondo", "fundo", "fonds", "modalid",
          "linea ", "linha ", "ligne ", "convocatoria", "edital", "concurso", "ventanilla",
          "iniciativa", "esquema")  # fmt: skip
# Words for what was decided on an application, the plainest first; `estado` may be a place.
_DECISION = ("decis", "result", "dictam", "situac", "situation", "status", "statut", "estatus",
             "estado ", "etat ", "admis", "elig", "eleg", "inelig")  # fmt: skip
# Classes up to which numbers or what may be a place can be decisions, and any column may be one.
_MOST_DECISIONS, _MOST_CLASSES = 10, 6
# Words for a decision among the values of a column, whatever its name.
_DECIDED = re.compile(
    r" (?:(?:des|re)?apro[bv]\w*|approv\w*|approuv\w*|rechaz\w*|rejeit\w*|rejec?t\w*"
    r"|refus\w*|recus\w*|deneg\w*|denie\w*|(?:in)?defer\w*|(?:in)?admi[st]\w*|acept\w*|aceit\w*|accept\w*"
    r"|adjudic\w*|otorgad\w*|conced\w*|award\w*|(?:in)?el[ei]g\w*|sele[ct]\w*|beneficia\w*|desestim\w*"
    r"|favora\w*|ganador\w*|vencedor\w*|winner\w*) "
)
# Columns of these meanings tell no programme.
_NO_PROGRAMME: set[Role | None] = {"person", "place", "sector", "broad_sector", "entry", "exit",
                                   "application", "firm_id"}  # fmt: skip
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
    questions = _asked_of_classes(table, classes, columns)
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
    programme = _programme(table, names, [n for n in classes if n != decision])
    found |= {} if programme is None else {"programme": programme}
    for setting, hints in _WORDS.items():
        fitting = [n for n in names if any(f" {hint}" in name_words(n) for hint in hints)]
        if fitting and fitting[0] not in found.values():
            found[setting] = fitting[0]
    amounts = [n for n in names if role_of(n) in {"amount", "treated"} and n not in found.values()
               and _is_amount(table, n)]  # fmt: skip
    return found | ({"amount": amounts[0]} if amounts else {})


def _programme(table: pd.DataFrame, names: list[str], classes: list[str]) -> str | None:
    """Return the column of programmes by its name: of text with several of them, else of one."""
    several = [n for n in classes if not is_number(table, n) and table[n].nunique() > 1]
    usual = [n for n in names if _named(n, _PROGRAMME)]
    order = [n for n in usual if n in several] + [
        n for hint in _LINES for n in several if _named(n, (hint,)) and _repeats(table, n)
    ]
    return next(iter([*order, *usual]), None)


def _named(name: str, hints: Iterable[str]) -> bool:
    return any(f" {hint}" in name_words(name) for hint in hints)


def _repeats(table: pd.DataFrame, name: str) -> bool:
    """Say whether a column has few classes, and says nothing of decisions or persons."""
    few = table[name].nunique(dropna=False) <= min(_MOST_DECISIONS, len(table) - 1)
    return few and not _tells_decisions(table[name]) and role_of(name) != "person"


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


def _asked_of_classes(
    table: pd.DataFrame, names: list[str], columns: dict[str, str]
) -> dict[str, str]:
    """Ask of columns of few classes that nothing uses who was accepted, and into what.

    Only what register and section leave open: decisions where values read like some and no column
    tells them yet; programmes of other columns, where none tells these.
    """
    free = [n for n in names if n not in columns.values() and _has_few_classes(table, n)]
    deciding = [n for n in free if _tells_decisions(table[n])]
    differing = [n for n in free if n not in deciding and role_of(n) not in _NO_PROGRAMME]
    found = dict[str, str]()
    if deciding and "decision" not in columns:
        found["treatment.entry"] = (
            f"does a column of the register say who was accepted: {', '.join(deciding)}? Then name "
            "it at data.register_columns.decision and list its values that count as entry at "
            "treatment.entry.accepted; as it stands it rejects nobody"
        )
    differ = f"rows of the register differ in {', '.join(differing)}" if differing else ""
    if "programme" in columns:
        found["treatment.entry.programme"] = (
            f"which programme is evaluated? Its value in {columns['programme']}, or null for entry "
            "into any; other_programmes: keep, exclude, exclude_all or covariate"
            + (f". As well {differ}" if differ else "")
        )
    elif differ:
        found["treatment.entry.programme"] = (
            f"{differ}: does one tell programmes, of which one is evaluated? Then name it at "
            "data.register_columns.programme and its value here; as it stands all count as entry"
        )
    return found


def _tells_decisions(values: pd.Series) -> bool:
    """Say whether values read like decisions: yes and no, 0 and 1, approved and rejected."""
    given = values.dropna()
    if numbers(given).isin([0, 1]).all():
        return True
    return any(_DECIDED.search(name_words(str(value))) for value in given.unique())


def _has_few_classes(table: pd.DataFrame, name: str) -> bool:
    """Say whether a column of words, or of 0 and 1, has two to six classes, blanks being one."""
    n_classes = table[name].nunique(dropna=False)
    few = 1 < n_classes <= min(_MOST_CLASSES, len(table) - 1)
    return few and not _is_amount(table, name) and role_of(name) != "person"
