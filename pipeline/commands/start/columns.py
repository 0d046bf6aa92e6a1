"""Guess what the columns of delivered files are, from names and values; what is unsure is asked."""

import re
import unicodedata
from dataclasses import dataclass, field

import pandas as pd

from pipeline.commands.start.numbers import (
    date_format,
    is_flag,
    is_number,
    is_year,
    numbers,
    text_codes,
)
from pipeline.panel.years import years_of
from pipeline.params.written import YearsWritten

# Words for the same thing in English, Spanish and Portuguese, as they begin column names.
_HINTS = {
    "firm_id": ("firm", "id", "rut", "nit", "ruc", "cuit", "cnpj", "nif", "empresa", "plant"),
    "year": ("year", "anio", "ano", "yr", "ejercicio", "wave", "period"),
    "sales": ("sales", "ventas", "vendas", "turnover", "receita", "ingresos", "factur", "revenue"),
    "employment": ("employ", "empleo", "emplead", "emprego", "jobs", "workers", "trabaj", "pessoal",
                   "ocupad", "personal"),
    "exports": ("export",),
}  # fmt: skip
# "Número de empleados" is about empleados.
_COUNTED = re.compile(r"^(?:(?:n|no|nro|num|numero|number|qtd|total|de|of)[^a-z0-9]+)+")
_FLAGS = ("treat", "support", "grant", "benefi", "apoyo", "program")
# What names a firm or person has no use in an evaluation.
_NAMES = ("name", "nombre", "nome", "razon", "razao", "address", "direcc", "enderec", "email",
          "correo", "telef", "phone")  # fmt: skip

# What stands for "never" where a year is expected.
_NEVER = (0.0, 9999.0, 10000.0)
# How its name begins where every firm enters, or all in the panel's first year.
_NAMED = ("first_treat", "first.treat", "entry", "cohort", "gvar", "treat", "ingreso", "entrada")
_WIDE = re.compile(r"^(.*?)[ _.-]?((?:19|20)\d{2})$")

_FIRM = ("firm", "id", "rut", "nit", "ruc", "cuit", "cnpj", "nif", "empresa", "plant")
_ENTRY = ("entry", "ingreso", "entrada", "start", "inicio", "ano_apoyo", "anio", "aprob",
          "fecha_aprob", "fecha aprob", "fecha")  # fmt: skip
# Columns that need no decision of the user beyond what holds for firms with several rows.
_FIELDS = {
    "programme": ("program", "prog"),
    "component": ("compon",),
    "role": ("role", "rol"),
    "amount": ("amount", "monto", "valor", "importe", "subsid"),
    "own_contribution": ("own", "aporte", "contrapart", "cofinan"),
}


@dataclass(frozen=True)
class EntryColumn:
    """Hold the column, the codes in it that mean never, and the first entry year."""

    column: str
    never: list[float]
    first_entry: int


@dataclass(frozen=True)
class PanelGuess:
    """Hold what each column of the panel seems to be; `questions` are for the user.

    `codes` gives, by number column, the words in it that are no numbers; `flags` the 0/1 columns
    that may tell who was treated, `changing` the number columns that differ between a firm's years;
    `left_out` the columns that name somebody.
    """

    firm_id: str
    year: str
    numbers: dict[str, str]
    texts: dict[str, str]
    minimum: dict[str, int | None]
    codes: dict[str, list[str]]
    flags: list[str]
    entry: EntryColumn | None
    changing: list[str]
    left_out: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    @property
    def indicator(self) -> str | None:
        """Return the column that says who is treated when, None where an entry year does."""
        return self.flags[0] if self.flags and self.entry is None else None

    @property
    def indicator_is_named(self) -> bool:
        """Say whether the indicator's name says that it tells of support."""
        return self.indicator is not None and hinted(self.numbers[self.indicator], _FLAGS)


def guess_panel(table: pd.DataFrame) -> PanelGuess:
    """Guess id, year, numbers and codes of a panel; standard names are keys, columns values."""
    years = [str(name) for name in table.columns if is_year(table[name])]
    year = best(years, _HINTS["year"]) or str(table.columns[min(1, len(table.columns) - 1)])
    others = [str(name) for name in table.columns if name != year]
    firm_id = _best_key(table, others, year)
    values = [name for name in others if name != firm_id]
    numeric = [name for name in values if is_number(table, name)]
    named = _named(numeric, ("sales", "employment", "exports"))
    naming = [name for name in values if name not in numeric and hinted(name, _NAMES)]
    texts = [name for name in values if name not in {*numeric, *naming}]
    flags = [name for name in numeric if is_flag(table[name])]
    entry = guess_entry_column(table, [n for n in numeric if n not in flags], firm_id, year)
    supported = [name for name in flags if hinted(name, _FLAGS)]
    unnamed = [] if supported or entry else _rising(table, flags, firm_id, year)
    changing = _changing(table, firm_id, numeric)
    return PanelGuess(
        firm_id=firm_id,
        year=year,
        numbers=named,
        texts=_named(texts, (), taken=named),
        minimum={std: 0 if numbers(table[name]).min() >= 0 else None
                 for std, name in named.items()},
        codes={std: found for std, name in named.items() if (found := text_codes(table[name]))},
        flags=[std for std, name in named.items() if name in supported or [name] == unnamed],
        entry=entry,
        changing=[std for std, name in named.items() if name in changing],
        left_out=naming,
        questions=[
            *_questions(table, firm_id, year, year in years),
            *([] if entry is None else [f"is {entry.column} the year of entry?"]),
        ],
    )  # fmt: skip


def _changing(table: pd.DataFrame, firm_id: str, names: list[str]) -> list[str]:
    values = table[[firm_id]].assign(**{name: numbers(table[name]) for name in names})
    differs = values.groupby(firm_id)[names].nunique().gt(1).any()
    return [name for name in names if differs[name]]


def _rising(table: pd.DataFrame, names: list[str], firm_id: str, year: str) -> list[str]:
    """Return the 0/1 columns that rise from 0 to 1 in some firms and fall in none."""
    order = numbers(table[year]).sort_values(kind="stable").index
    by_firm = table[firm_id].loc[order]
    steps = {name: numbers(table[name]).loc[order].groupby(by_firm).diff() for name in names}
    return [name for name, step in steps.items() if step.max() > 0 and step.min() >= 0]


def _questions(table: pd.DataFrame, firm_id: str, year: str, known: bool) -> list[str]:
    questions = [] if known else [f"is {year} the year? No column looks like one"]
    if table.duplicated([firm_id, year]).any():
        questions.append(f"{firm_id} and {year} repeat: which rows are right? clean.duplicates")
    return questions


def _best_key(table: pd.DataFrame, names: list[str], year: str) -> str:
    """Return the column that, with the year, repeats least; a hinted name wins a tie."""
    candidates = [name for name in names if hinted(name, _HINTS["firm_id"])] or names
    repeats = {name: int(table.duplicated([name, year]).sum()) for name in candidates}
    return min(candidates, key=lambda name: repeats[name])


def _named(
    columns: list[str], standards: tuple[str, ...], taken: dict[str, str] | None = None
) -> dict[str, str]:
    """Return columns by standard name: sales, employment, exports where hinted, else a slug."""
    named: dict[str, str] = {}
    for standard in standards:
        free = [name for name in columns if name not in named.values()]
        found = next((name for name in free if hinted(name, _HINTS[standard])), None)
        if found is not None:
            named[standard] = found
    for column in columns:
        if column not in named.values():
            named[slug(column, {*named, *(taken or {})})] = column
    return named


def slug(column: str, taken: set[str]) -> str:
    """Return a standard name for a column: letters, digits and _, no name of PANEL's own."""
    name = re.sub(r"[^a-z0-9]+", "_", plain(column)).strip("_") or "column"
    name = name if name[0].isalpha() else f"c_{name}"
    reserved = {"firm_id", "year", "cohort", "cluster", "cluster_entry", "stack", "treated",
                "applicant", "other_programme", "component", "role", "amount",
                "own_contribution", "register_cluster"}  # fmt: skip
    while name in taken or name in reserved:
        name += "_x"
    return name


def best(names: list[str], hints: tuple[str, ...]) -> str | None:
    """Return the first hinted name, else the first."""
    return next((name for name in names if hinted(name, hints)), names[0] if names else None)


def hinted(name: str, hints: tuple[str, ...]) -> bool:
    """Say whether a column's name begins with one of the words, accents and "number of" apart."""
    words = _COUNTED.sub("", plain(name))
    return any(words.startswith(hint) for hint in hints)


def plain(name: str) -> str:
    """Return a name in lower case without accents."""
    parts = unicodedata.normalize("NFKD", name.strip().lower())
    return "".join(mark for mark in parts if not unicodedata.combining(mark))


def guess_entry_column(
    table: pd.DataFrame, names: list[str], firm_id: str, year: str
) -> EntryColumn | None:
    """Return the first of `names` that is a firm's entry year by its values, None where none is.

    It is the same in all rows of a firm, a year after the panel's first and not after its last in
    some firms, and missing or one code in others. Where the name says so, all firms may enter.
    """
    years = numbers(table[year])
    first, last = years.min(), years.max()
    for name in names:
        values = numbers(table[name])
        code = [never for never in _NEVER if (values == never).any()]
        given = values.mask(values.isin(code)).dropna()
        if len(code) > 1 or not given.between(first, last).all() or (given % 1 != 0).any():
            continue
        telling = len(given) < len(values) and given.gt(first).any()
        if not telling and not (len(given) and name.lower().startswith(_NAMED)):
            continue
        if (table.assign(value=values).groupby(firm_id)["value"].nunique(dropna=False) > 1).any():
            continue
        return EntryColumn(name, code, int(given[given > first].min() if telling else given.min()))
    return None


def wide_columns(table: pd.DataFrame) -> dict[str, dict[int, str]]:
    """Return, by name without its year, the columns of each year; at least two years."""
    found: dict[str, dict[int, str]] = {}
    for column in map(str, table.columns):
        parts = _WIDE.match(column)
        if parts and parts[1]:
            found.setdefault(parts[1], {})[int(parts[2])] = column
    return {name: by_year for name, by_year in found.items() if len(by_year) > 1}


@dataclass(frozen=True)
class RegisterGuess:
    """Hold the register's columns by setting, its first entry year, and questions.

    `several` says whether a firm has more than one row.
    """

    columns: dict[str, str]
    first_entry: int | None
    several: bool
    questions: list[str]


def guess_register(table: pd.DataFrame) -> RegisterGuess:
    """Guess firm, entry and what else the register tells."""
    names = [str(name) for name in table.columns]
    formats = {name: date_format(table[name]) for name in names}
    dated = [name for name in names if is_year(table[name]) or formats[name] is not None]
    entry = best(dated or names[::-1], _ENTRY) or names[-1]
    others = [name for name in names if name != entry]
    firm_id = best(others, _FIRM) or names[0]
    columns = {"firm_id": firm_id, "entry_year": entry}
    for setting, hints in _FIELDS.items():
        found = next((n for n in others if n != firm_id and hinted(n, hints)), None)
        if found is not None:
            columns[setting] = found
    questions = []
    if formats[entry]:
        columns["date_format"] = str(formats[entry])
        questions.append(f"is {entry} written {formats[entry]} (d day, m month)?")
    written = YearsWritten(formats[entry] or None)
    first = pd.to_numeric(years_of(table[entry], written), errors="coerce").min()
    return RegisterGuess(
        columns,
        None if pd.isna(first) else int(first),
        bool(table[firm_id].duplicated().any()),
        questions,
    )
