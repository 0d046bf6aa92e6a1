"""Which columns say whose row it is, and of which year or other period."""

from dataclasses import dataclass, field
from typing import get_args

import pandas as pd

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.numbers import is_flag, is_year, numbers
from pipeline.commands.start.roles import name_words, role_of
from pipeline.errors import DataError
from pipeline.panel.values import text
from pipeline.panel.years import years_of
from pipeline.params.exhibit import PeriodName

# Words for a period, by the name that the languages know it by.
_PERIODS: dict[str, PeriodName] = {
    "wave": "wave", "ola": "wave", "onda": "wave", "vague": "wave",
    "round": "round", "ronda": "round", "rodada": "round",
    "quarter": "quarter", "qtr": "quarter", "trimestre": "quarter", "trim": "quarter",
    "semestre": "half_year", "semester": "half_year",
    "month": "month", "mes": "month", "mois": "month",
    "week": "week", "semana": "week", "semaine": "week",
}  # fmt: skip
# More rows than this share twice under one firm and year, and the pair is no key.
_MOST_REPEATED = 0.2
_MOST_CANDIDATES = 8
_PART_OF_YEAR = (
    r"(?:19|20)\d{2}[ ./_-]?(?:[QTSMqtsm]\d{1,2}|0[1-9]|1[0-2])"
    r"|(?:[QTSMqtsm]\d{1,2}|0?[1-9]|1[0-2])[ ./_-](?:19|20)\d{2}"
)
# A key with fewer rows a value numbers rows, not firms.
_FEWEST_ROWS = 1.2


@dataclass(frozen=True)
class Keys:
    """Hold the columns of firm and year, why, what the period is called, and questions."""

    firm_id: str
    year: str
    why: dict[str, str]
    period: PeriodName
    questions: dict[str, str] = field(default_factory=dict)


def guess_keys(table: pd.DataFrame, asked: ToldColumns) -> Keys:
    """Return firm and year: the pair that repeats least, names before other columns.

    Where a column says `year` and another looks like one, what the name means goes first.
    """
    names = [str(name) for name in table.columns]
    years = {asked.year: 0} if asked.year else _years(table, names)
    if not years:
        _refuse_parts_of_years(table, names)
    firms = {asked.firm_id: 0} if asked.firm_id else _firms(table, names)
    pairs = {
        (firm, year): (_kind_of_pair(table, firm, year), rank, firm_rank)
        for year, rank in years.items()
        for firm, firm_rank in firms.items()
        if firm != year
    }
    fallback = (asked.firm_id or names[0], asked.year or names[min(1, len(names) - 1)])
    firm_id, year = min(pairs, key=lambda pair: _order(*pairs[pair])) if pairs else fallback
    period, unsure = _period(table, year)
    return Keys(firm_id, year, _why(asked, firm_id, year), period,
                _questions(table, asked, firm_id, year, bool(years)) | unsure)  # fmt: skip


def _order(kind: tuple[bool, bool, float], year: int, firm: int) -> tuple[float, ...]:
    repeats_much, numbers_rows, repeated = kind
    return (repeats_much, year, numbers_rows, firm, repeated)


def _kind_of_pair(table: pd.DataFrame, firm: str, year: str) -> tuple[bool, bool, float]:
    repeated = float(table.duplicated([firm, year]).mean())
    per_firm = len(table) / max(1, table[firm].nunique())
    return repeated > _MOST_REPEATED, per_firm < _FEWEST_ROWS, repeated


def _years(table: pd.DataFrame, names: list[str]) -> dict[str, int]:
    """Return columns that may be the year, the more likely with the lower number."""
    found = {}
    for name in names:
        role, calendar = role_of(name), is_year(years_of(table[name]))
        values = numbers(years_of(table[name]))
        if values.isna().any() or (values % 1 != 0).any() or values.nunique() < 2:
            continue
        if _is_part_of_year(table[name]):
            continue
        if calendar and role in {"year", "period", None}:
            found[name] = {"year": 0, "period": 1}.get(role or "", 2)
        elif role in {"year", "period"} and not is_flag(table[name]):
            found[name] = 3
    return found


def _is_part_of_year(values: pd.Series) -> bool:
    """Say whether every cell is a year with its quarter, half or month: 2010Q1, 201003, T1 2010."""
    written = text(values)
    return bool(written.notna().all() and written.str.fullmatch(_PART_OF_YEAR).all())


def _refuse_parts_of_years(table: pd.DataFrame, names: list[str]) -> None:
    """Raise DataError where periods are written as a year with its quarter or month."""
    found = [name for name in names if _is_part_of_year(table[name])]
    if found:
        raise DataError(
            f"{found[0]} writes a year and a part of it in one (2010Q1 or 201003): number the "
            "periods 1, 2, 3 and so on in a column, and entry in the same count, and start again; "
            "or deliver one row a firm and year"
        )


def _firms(table: pd.DataFrame, names: list[str]) -> dict[str, int]:
    """Return columns that may name firms; those whose name says so, where there are any."""
    named = [name for name in names if role_of(name) == "firm_id"]
    free = [n for n in names if role_of(n) in {None, "person", "place"} and _may_name(table[n])]
    free.sort(key=lambda name: -table[name].nunique())
    chosen = named or free[:_MOST_CANDIDATES] or names
    return dict.fromkeys(chosen, 0) | {n: 1 for n in free[:_MOST_CANDIDATES] if n not in chosen}


def _may_name(values: pd.Series) -> bool:
    """Say whether values may be names or numbers of firms: no flags, no fractions."""
    fractions = (numbers(values).dropna() % 1 != 0).any()
    return not is_flag(values) and not fractions


def _period(table: pd.DataFrame, year: str) -> tuple[PeriodName, dict[str, str]]:
    """Return what the period is called; asked where no column of calendar years is the key."""
    said = next((_PERIODS[word] for word in name_words(year).split() if word in _PERIODS), None)
    if said is None and is_year(years_of(table[year])):
        return "year", {}
    allowed = ", ".join(get_args(PeriodName))
    return said or "wave", {
        "exhibit.period": f"what does {year} count? Tables and notes then speak of it: {allowed}"
    }


def _why(asked: ToldColumns, firm_id: str, year: str) -> dict[str, str]:
    def reason(column: str, given: str | None, roles: set[str]) -> str:
        if given is not None:
            return "as you say"
        return "by name" if role_of(column) in roles else "by values: the pair that repeats least"

    return {
        firm_id: reason(firm_id, asked.firm_id, {"firm_id"}),
        year: reason(year, asked.year, {"year", "period"}),
    }


def _questions(
    table: pd.DataFrame, asked: ToldColumns, firm_id: str, year: str, year_found: bool
) -> dict[str, str]:
    columns, found = ", ".join(map(str, table.columns)), {}
    if asked.year is None and not year_found:
        found["data.year"] = f"is {year} the year? No column looks like one; columns: {columns}"
    if asked.firm_id is None and role_of(firm_id) != "firm_id":
        found["data.firm_id"] = f"does {firm_id} name the firm? columns: {columns}"
    if table.duplicated([firm_id, year]).any():
        finer = [n for n in map(str, table.columns) if role_of(n) == "period" and n != year]
        told = f" ({finer[0]} is finer: number the periods in one column)" if finer else ""
        found["clean.duplicates"] = (
            f"{firm_id} and {year} repeat: which rows are right?{told} identical: collapse or "
            "refuse; conflicting: refuse, first, last, or largest with by: a column"
        )
    return found
