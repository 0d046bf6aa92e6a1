"""What the columns of a panel are for: outcomes, covariates, sector, cluster, or nothing."""

import re
from dataclasses import dataclass, field, replace
from typing import Literal

import pandas as pd

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.entered import Entered
from pipeline.commands.start.keys import Keys
from pipeline.commands.start.left_out import left_out
from pipeline.commands.start.made import decided_columns
from pipeline.commands.start.numbers import is_flag, is_number, numbers, text_codes
from pipeline.commands.start.roles import (
    OUTCOMES,
    Role,
    breadth,
    in_logs,
    is_told_by_label,
    name_words,
    plain,
    role_of,
)
from pipeline.panel.years import years_of

_RESERVED = {
    "firm_id", "year", "cohort", "cluster", "cluster_entry", "stack", "treated", "applicant",
    "other_programme", "component", "role", "amount", "own_contribution", "register_cluster",
}  # fmt: skip
# Columns of text with more classes than this are names or codes of their own; CNAE has 1,332.
_MOST_CLASSES = 1500
# Outcomes proposed by values alone.
_MOST_PROPOSED = 3
# A covariate loses the firms that lack it; from this share on missing exports may well be none.
_MOST_MISSING_COVARIATE = 0.05
# Rank correlation from which on one column tells what another does, in so many rows.
_SAME = 0.999
_COMPARED_ROWS = 20_000


@dataclass(frozen=True)
class StartColumn:
    """Hold one delivered column: what it is, and what its values are like.

    `digits` and `code_digits` are of a class that the first digits of a code tell.
    """

    name: str
    kind: Literal["number", "text"]
    role: Role | None
    why: str
    missing: float
    minimum: float | None = None
    flag: bool = False
    logs: bool = False
    changes: bool = False
    unit: str = "QUESTION"
    codes: list[str] = field(default_factory=list)
    digits: int | None = None
    code_digits: int | None = None

    @property
    def label(self) -> str:
        """Return what the column is called: its name, and the digits that it takes of it."""
        called = " ".join(self.name.split())
        return called if self.digits is None else f"{called} ({self.digits})"


@dataclass(frozen=True)
class Columns:
    """Hold the columns that a section uses, by standard name, what each is for, what is left out.

    `outcomes` and `covariates` are standard names; `left_out` gives the reason by delivered name.
    `fitting` lists, by standard outcome, the delivered columns of levels that fit it, taken first.
    `exports_in_doubt` says that missing exports may mean none; they are no covariate then.
    """

    used: dict[str, StartColumn]
    outcomes: list[str]
    covariates: list[str]
    sectors: list[str]
    places: list[str]
    left_out: dict[str, str]
    fitting: dict[str, list[str]]
    exports_in_doubt: bool

    def only(self, compared: set[str]) -> "Columns":
        """Return the columns without numbers that are neither outcomes nor compared on."""
        idle = {n for n in self.covariates if n not in {*self.outcomes, *compared}}
        left = {self.used[name].name: "not needed" for name in idle}
        return replace(
            self,
            used={name: column for name, column in self.used.items() if name not in idle},
            covariates=[name for name in self.covariates if name not in idle],
            left_out=self.left_out | left,
        )

    @property
    def standard(self) -> dict[str, str]:
        """Return the standard name of each delivered column."""
        return {column.name: n for n, column in self.used.items() if column.digits is None}


def guess_columns(table: pd.DataFrame, keys: Keys, entered: Entered, asked: ToldColumns) -> Columns:
    """Return what each column is for, by name, values and timing."""
    taken = {keys.firm_id, keys.year, *entered.columns}
    names = [str(n) for n in table.columns if n not in taken]
    numeric = [n for n in names if is_number(table, n)]
    decided = decided_columns(table, numeric, keys, entered)
    changing = _changing(table, keys.firm_id, numeric)
    described = {n: _number(table, n, n in changing) for n in numeric
                 if n not in decided or n in asked.outcomes or role_of(n) in OUTCOMES}  # fmt: skip
    measured = {n: c for n, c in described.items() if c.role not in {"year", "period", "firm_id"}}
    fitting = _standard_outcomes(measured, {*decided})
    chosen = {standard: columns[0] for standard, columns in fitting.items()}
    named = {**chosen, **_asked_outcomes(asked, described, chosen)}
    outcomes = [*named] if asked.outcomes else [*chosen]
    if asked.outcomes:
        outcomes = [n for n, column in named.items() if column.name in asked.outcomes]
    if not outcomes:
        named |= _proposed(measured, named)
        outcomes = list(named)
    covariates = _covariates(table, measured, named)
    texts = _texts(table, [n for n in names if n not in numeric], asked)
    sectors, places = _classes(table, texts, "sector"), _classes(table, texts, "place")
    used = named | covariates | _entry_columns(table, entered, {*named, *covariates})
    kept = {*sectors, *places, *asked.cluster} - {keys.firm_id}
    used |= {slug(n, {*used}): texts[n] for n in texts if n in kept}
    standard = {column.name: name for name, column in used.items()}
    in_doubt = "exports" in used and _may_mean_none(table, used["exports"])
    free = [n for n, c in (named | covariates).items() if c.name not in decided]
    return Columns(
        used=used,
        outcomes=outcomes,
        covariates=[n for n in free if not in_doubt or n != "exports"],
        sectors=[standard[n] for n in sectors],
        places=[standard[n] for n in places],
        left_out=left_out(names, standard, decided, table),
        fitting={standard: [c.name for c in columns] for standard, columns in fitting.items()},
        exports_in_doubt=in_doubt,
    )


def _may_mean_none(table: pd.DataFrame, exports: StartColumn) -> bool:
    """Say whether many exports are missing, or some where none is zero."""
    never_zero = not (numbers(table[exports.name]) == 0).any()
    return exports.missing > (0 if never_zero else _MOST_MISSING_COVARIATE)


def transform_of(name: str, column: StartColumn) -> str:
    """Return how an outcome is measured: logs of the standard ones, any of flags and exports."""
    return "any" if column.flag else OUTCOMES.get(name, "level")


def _number(table: pd.DataFrame, name: str, changes: bool) -> StartColumn:
    values, role = numbers(table[name]), role_of(name)
    flag = is_flag(table[name].dropna()) if values.notna().any() else False
    unit = {"employment": "jobs", "age": "years", "founded": "year"}.get(role or "", "QUESTION")
    return StartColumn(
        name=name, kind="number", role=role,
        why=_why(name, role),
        missing=float(values.isna().mean()),
        minimum=0 if values.min() >= 0 else None,
        flag=flag, logs=in_logs(name), changes=changes,
        unit="share" if flag else unit,
        codes=text_codes(table[name]) if not flag else [],
    )  # fmt: skip


def _why(name: str, role: Role | None) -> str:
    if role not in OUTCOMES:
        return "by values"
    return "by label" if is_told_by_label(name) else "by name"


def _changing(table: pd.DataFrame, firm_id: str, names: list[str]) -> set[str]:
    """Return the number columns that differ between the years of some firm."""
    values = pd.DataFrame({name: numbers(table[name]) for name in names}, index=table.index)
    by_firm = values.groupby(table[firm_id])
    differs = (by_firm.max() > by_firm.min()).any()
    return {name for name in names if differs[name]}


def _standard_outcomes(
    columns: dict[str, StartColumn], decided: set[str]
) -> dict[str, list[StartColumn]]:
    """Return what fits sales, employment and exports: levels that change, wholes before parts."""

    def kind(column: StartColumn) -> tuple[bool, bool, bool]:
        return column.flag, not column.changes, column.name in decided

    found: dict[str, list[StartColumn]] = {}
    for standard in OUTCOMES:
        fitting = [c for c in columns.values() if c.role == standard and not c.logs]
        fitting.sort(key=lambda c: (*kind(c), breadth(c.name), len(name_words(c.name).split())))
        if fitting:
            found[standard] = [c for c in fitting if kind(c) == kind(fitting[0])]
    return found


def _asked_outcomes(
    asked: ToldColumns, columns: dict[str, StartColumn], chosen: dict[str, StartColumn]
) -> dict[str, StartColumn]:
    """Return the outcomes of the command line that are none of the standard ones."""
    found: dict[str, StartColumn] = {}
    known = {column.name for column in chosen.values()}
    for name in asked.outcomes:
        if name in columns and name not in known:
            found[slug(name, {*chosen, *found})] = columns[name]
    return found


def _proposed(
    columns: dict[str, StartColumn], named: dict[str, StartColumn]
) -> dict[str, StartColumn]:
    """Return numbers that change from year to year, where no name tells of an outcome."""
    free = [c for c in columns.values() if c.role not in {"age", "founded", "weight"}]
    free = [c for c in free if c.changes] or free
    free.sort(key=lambda c: c.flag)
    found: dict[str, StartColumn] = {}
    for column in free[:_MOST_PROPOSED]:
        found[slug(column.name, {*named, *found})] = column
    return found


def _covariates(
    table: pd.DataFrame, columns: dict[str, StartColumn], named: dict[str, StartColumn]
) -> dict[str, StartColumn]:
    """Return further numbers by which firms may compare: age first, then size, then others.

    One that tells the same as an earlier one (its logarithm, say), or a second age, adds nothing.
    """
    order: list[Role | None] = ["age", "founded", "wages", "assets", "ratio", None]
    outcomes = {column.name for column in named.values()}
    fitting = [
        c for c in columns.values()
        if c.name not in outcomes and c.missing <= _MOST_MISSING_COVARIATE and c.role in order
    ]  # fmt: skip
    fitting.sort(key=lambda c: order.index(c.role))
    ages = [c for c in fitting if c.role in {"age", "founded"}][1:]
    ranks = {c.name: numbers(table[c.name]).head(_COMPARED_ROWS).rank()
             for c in [*named.values(), *fitting]}  # fmt: skip
    kept, found = list(outcomes), dict[str, StartColumn]()
    for column in (c for c in fitting if c not in ages):
        if not any(abs(ranks[column.name].corr(ranks[name])) > _SAME for name in kept):
            kept.append(column.name)
            found[slug(column.name, {*named, *found})] = column
    return found


def _texts(table: pd.DataFrame, names: list[str], asked: ToldColumns) -> dict[str, StartColumn]:
    return {
        n: StartColumn(n, "text", role_of(n), "by name", float(table[n].isna().mean()))
        for n in names
        if n in asked.cluster or (role_of(n) != "person" and table[n].nunique() <= _MOST_CLASSES)
    } | {n: StartColumn(n, "text", None, "as you say", float(table[n].isna().mean()))
         for n in asked.cluster if n in table.columns and n not in names}  # fmt: skip


def _classes(table: pd.DataFrame, texts: dict[str, StartColumn], kind: Role) -> list[str]:
    """Return the columns of sectors, or of places, that every row has, the finest first."""
    roles = {"sector": {"sector", "broad_sector"}, "place": {"place"}}[kind]
    fitting = [n for n, c in texts.items() if c.role in roles and c.missing == 0]
    return sorted(fitting, key=lambda n: -table[n].nunique())


def _entry_columns(
    table: pd.DataFrame, entered: Entered, taken: set[str]
) -> dict[str, StartColumn]:
    """Return the column that tells entry, as treatment.entry reads it."""
    found: dict[str, StartColumn] = {}
    for name in entered.columns:
        grouped = entered.settings["source"] == "group"
        unit = "share" if entered.settings["source"] == "indicator" else "year"
        missing = float(table[name].isna().mean())
        found[slug(name, taken)] = StartColumn(
            name, "text" if grouped else "number", role_of(name), entered.why, missing, unit=unit,
            codes=text_codes(years_of(table[name])) if unit == "year" and not grouped else [],
        )  # fmt: skip
    return found


def slug(column: str, taken: set[str]) -> str:
    """Return a standard name for a column: letters, digits and _, no name of PANEL's own."""
    name = re.sub(r"[^a-z0-9]+", "_", plain(column)).strip("_") or "column"
    name = name if name[0].isalpha() else f"c_{name}"
    while name in taken or name in _RESERVED:
        name += "_x"
    return name
