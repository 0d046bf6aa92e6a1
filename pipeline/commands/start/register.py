"""Guess what the columns of a participation register are."""

from dataclasses import dataclass

import pandas as pd

from pipeline.commands.start.columns import best, hinted
from pipeline.commands.start.numbers import date_format, is_year
from pipeline.panel.values import years_of

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
    first = pd.to_numeric(years_of(table[entry], formats[entry] or None), errors="coerce").min()
    return RegisterGuess(
        columns,
        None if pd.isna(first) else int(first),
        bool(table[firm_id].duplicated().any()),
        questions,
    )
