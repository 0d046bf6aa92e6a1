"""Guess what the columns of delivered files are, from names and values; what is unsure is asked."""

import re
from dataclasses import dataclass, field

import pandas as pd

from pipeline.values import text

# Words for the same thing in English, Spanish and Portuguese, as they begin column names.
_HINTS = {
    "firm_id": ("firm", "id", "rut", "nit", "ruc", "cuit", "cnpj", "nif", "empresa", "plant"),
    "year": ("year", "anio", "ano", "año", "yr", "ejercicio", "wave", "period"),
    "sales": ("sales", "ventas", "vendas", "turnover", "receita", "ingresos", "factur", "revenue"),
    "employment": ("employ", "empleo", "emprego", "jobs", "workers", "trabaj", "pessoal"),
    "exports": ("export",),
    "entry_year": ("entry", "ingreso", "entrada", "start", "inicio", "año_apoyo", "aprob"),
    "programme": ("program", "prog"),
}
_CODES = ("sector", "ciiu", "isic", "cnae", "nace", "sic", "muni", "region", "cod", "state",
          "depart", "district", "comuna", "uf", "province", "legal", "type", "name")  # fmt: skip
_FLAGS = ("treat", "support", "grant", "benefi", "apoyo", "program")


@dataclass(frozen=True)
class PanelGuess:
    """Hold what each column of the panel seems to be; `questions` are for the user."""

    firm_id: str
    year: str
    numbers: dict[str, str]
    texts: dict[str, str]
    minimum: dict[str, int | None]
    indicator: str | None
    questions: list[str] = field(default_factory=list)


def guess_panel(table: pd.DataFrame) -> PanelGuess:
    """Guess id, year, numbers and codes of a panel; standard names are keys, columns values."""
    years = [name for name in table.columns if _is_year(table[name])]
    year = _best(years, "year") or str(table.columns[min(1, len(table.columns) - 1)])
    others = [str(name) for name in table.columns if name != year]
    firm_id = _best_key(table, others, year)
    values = [name for name in others if name != firm_id]
    numeric = [name for name in values if _is_number(table, name)]
    numbers = _named(numeric)
    flags = [std for std, name in numbers.items() if _is_flag(table[name])]
    unique = not table.duplicated([firm_id, year]).any()
    questions = [] if year in years else [f"is {year} the year? No column looks like one"]
    questions += [] if unique else [f"{firm_id} and {year} repeat: which rows are right?"]
    return PanelGuess(
        firm_id=firm_id,
        year=year,
        numbers=numbers,
        texts=_named([name for name in values if name not in numeric]),
        minimum={std: 0 if _numbers(table[name]).min() >= 0 else None
                 for std, name in numbers.items()},
        indicator=_best(flags, None, _FLAGS),
        questions=questions,
    )  # fmt: skip


def guess_register(table: pd.DataFrame) -> tuple[str, str, str | None]:
    """Guess firm_id, entry_year and programme of a register."""
    names = [str(name) for name in table.columns]
    years = [name for name in names if _is_year(table[name])]
    entry = _best(years, "entry_year") or (years or names)[-1]
    firm_id = _best([name for name in names if name != entry], "firm_id") or names[0]
    programme = [name for name in names if _hinted(name, _HINTS["programme"])]
    return firm_id, entry, programme[0] if programme else None


def _best_key(table: pd.DataFrame, names: list[str], year: str) -> str:
    """Return the column that, with the year, repeats least; a hinted name wins a tie."""
    hinted = [name for name in names if _hinted(name, _HINTS["firm_id"])] or names
    repeats = {name: int(table.duplicated([name, year]).sum()) for name in hinted}
    return min(hinted, key=lambda name: repeats[name])


def _named(columns: list[str]) -> dict[str, str]:
    """Return columns by standard name: sales, employment, exports where hinted, else a slug."""
    named: dict[str, str] = {}
    for standard in ("sales", "employment", "exports"):
        found = _best([c for c in columns if c not in named.values()], standard)
        if found is not None and _hinted(found, _HINTS[standard]):
            named[standard] = found
    for column in columns:
        if column not in named.values():
            named[_slug(column, named)] = column
    return named


def _slug(column: str, taken: dict[str, str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_") or "column"
    slug = slug if slug[0].isalpha() else f"c_{slug}"
    reserved = {"firm_id", "year", "cohort", "cluster", "stack", "treated", "applicant"}
    while slug in taken or slug in reserved:
        slug += "_x"
    return slug


def _best(names: list[str], kind: str | None, hints: tuple[str, ...] = ()) -> str | None:
    wanted = _HINTS[kind] if kind else hints
    hinted = [name for name in names if _hinted(name, wanted)]
    candidates = hinted or ([] if kind is None else names)
    return candidates[0] if candidates else None


def _hinted(name: str, hints: tuple[str, ...]) -> bool:
    return any(name.lower().startswith(hint) for hint in hints)


def _numbers(values: pd.Series) -> pd.Series:
    return pd.Series(pd.to_numeric(values, errors="coerce"))


def _is_year(values: pd.Series) -> bool:
    years = _numbers(values).dropna()
    return bool(len(years) and years.between(1900, 2100).all() and (years % 1 == 0).all())


def _is_number(table: pd.DataFrame, name: str) -> bool:
    """Say whether nearly all cells are numbers and nothing hints at codes."""
    present = table[name].dropna()
    zeros = text(present).str.match(r"0\d").fillna(False).any()
    code = any(hint in name.lower() for hint in _CODES)
    return not code and not zeros and len(present) > 0 and _numbers(present).notna().mean() > 0.95


def _is_flag(values: pd.Series) -> bool:
    found = _numbers(values)
    return bool(found.notna().all() and found.isin([0, 1]).all() and found.nunique() == 2)
