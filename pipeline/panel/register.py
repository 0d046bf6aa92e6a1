"""The participation register: one row per firm and programme, as entries into the programme."""

from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.panel import CODED_NEVER, LEAVES_PROGRAMME
from pipeline.errors import DataError, Reason, told_codes
from pipeline.panel.arm_entries import arm_entries
from pipeline.panel.check_digits import wrong_check_digits
from pipeline.panel.entry_codes import is_never, refuse_codes
from pipeline.panel.ledger import Issue, issue
from pipeline.panel.register_fields import RegisterRows, firm_fields
from pipeline.panel.rules.links import link
from pipeline.panel.unread_rejections import unread_rejections
from pipeline.panel.values import (
    firm_identifier,
    refuse_other_spellings,
    refuse_rows,
    register_words,
    text,
)
from pipeline.panel.years import calendar_year, dates_of, years_of
from pipeline.params.arms import Arms
from pipeline.params.clean import CleanSection
from pipeline.params.data import RegisterColumns
from pipeline.params.treatment import RegisterEntry
from pipeline.params.written import YearsWritten


@dataclass(frozen=True)
class Entries:
    """Hold first entries by firm, evaluated and other programmes apart, and who applied.

    `applicants` lists every firm of the register under the evaluated programme, whatever the
    decision; None where the register does not tell decisions. `fields` has a row for each firm
    and a column for each characteristic that params name; `names` are first names by firm, where
    params compare them; `arms` is ARM_ENTRIES, where params name arms.
    """

    evaluated: pd.Series
    other: pd.Series
    applicants: pd.Index | None
    fields: pd.DataFrame
    issues: list[Issue]
    names: pd.Series | None = None
    arms: pd.DataFrame | None = None


def read_entries(
    register: pd.DataFrame,
    columns: RegisterColumns,
    entry: RegisterEntry,
    clean: CleanSection,
    links: pd.Series | None,
    *,
    panel_years: tuple[int, int],
    arms: Arms | None = None,
) -> Entries:
    """Return who entered which programme when, under panel identifiers.

    Of other programmes nothing is read that does not matter: no row where params keep their firms,
    no date but where they are a covariate.
    Raises DataError where the evaluated programme has no row, an entry date is missing or far from
    the panel, a decision is unknown, or a firm leaves although params refuse that.
    """
    listed = register.reset_index(drop=True)
    evaluated = _of_programme(listed, columns, entry)
    if entry.other_programmes == "keep":
        listed, evaluated = listed[evaluated], evaluated[evaluated]
    delivered, name = listed[columns.firm_key], f"{columns.firm_key} (register)"
    firm = link(firm_identifier(delivered, name, clean.identifier, "register"), links)
    decided = _accepted(listed, columns, entry)
    never = is_never(_dated(listed, columns, entry), entry.never)
    accepted = decided & ~never
    of_date = accepted if entry.other_programmes == "covariate" else accepted & evaluated
    year = _entry_years(listed, of_date, columns, entry)
    refuse_codes(year, firm, panel_years, str(year.name))
    rows = RegisterRows(listed, firm, year, accepted).where(evaluated)
    fields, several = firm_fields(rows, columns, clean.register_values)
    return Entries(
        evaluated=_first(rows.firm, rows.year, rows.entered),
        other=_first(firm, year, accepted & ~evaluated),
        applicants=None if columns.decision is None else pd.Index(rows.firm.unique()),
        fields=fields,
        issues=[
            *wrong_check_digits(delivered, clean.identifier, "register"),
            *several,
            *_several(listed, columns, entry),
            *_not_entered("applicant_not_accepted", firm, evaluated & ~decided),
            *_not_entered(CODED_NEVER, firm, evaluated & decided & never),
            *_exits(rows, columns, entry),
            *unread_rejections(rows, columns),
        ],
        names=None if columns.name is None else text(listed[columns.name]).groupby(firm).first(),
        arms=None if arms is None else arm_entries(rows, columns, arms),
    )


def _of_programme(
    register: pd.DataFrame, columns: RegisterColumns, entry: RegisterEntry
) -> pd.Series:
    """Flag the rows of the evaluated programme; all where params name none."""
    if entry.programme is None or columns.programme is None:
        return pd.Series(True, index=register.index)
    programme = register_words(register[columns.programme])
    column = f"{columns.programme} (register)"
    refuse_rows(programme.isna(), f"column {column}: no programme", "fill")
    refuse_other_spellings(programme, [entry.programme], column, "treatment.entry.programme")
    evaluated = (programme == entry.programme).fillna(False).astype(bool)
    if not evaluated.any():
        raise DataError(
            f"the register has no row of programme {entry.programme}; it has "
            f"{told_codes(_firms_by(programme, register[columns.firm_key]))}"
        )
    return evaluated


def _accepted(register: pd.DataFrame, columns: RegisterColumns, entry: RegisterEntry) -> pd.Series:
    """Flag the rows whose decision counts as entry; all where the register tells none."""
    if columns.decision is None:
        return pd.Series(True, index=register.index)
    decision = register_words(register[columns.decision])
    refuse_rows(decision.isna(), f"column {columns.decision} (register): no decision", "fill")
    accepted, column = decision.isin(entry.accepted or []), f"{columns.decision} (register)"
    refuse_other_spellings(decision, entry.accepted or [], column, "treatment.entry.accepted")
    if not accepted.any():
        raise DataError(
            "no decision of the register is among treatment.entry.accepted; it has "
            f"{told_codes(_firms_by(decision, register[columns.firm_key]))}"
        )
    return accepted


def _firms_by(codes: pd.Series, firm: pd.Series) -> dict[str, int]:
    return {str(code): int(n) for code, n in firm.groupby(codes).nunique().items()}


def _dated(register: pd.DataFrame, columns: RegisterColumns, entry: RegisterEntry) -> pd.Series:
    """Return what dates the entry, under the name that messages have for it."""
    column = columns.dates[entry.dated_by] if entry.dated_by else columns.entry_year
    return register[column].rename(f"{column} (register)")


def _entry_years(
    register: pd.DataFrame, rows: pd.Series, columns: RegisterColumns, entry: RegisterEntry
) -> pd.Series:
    """Return the first treated year of some rows by what dates the entry; missing elsewhere.

    An entry in `late_entry_month` or later counts from the next year: too little of its first
    year is treated.
    """
    values = _dated(register, columns, entry)[rows]
    name = str(values.name)
    if entry.late_entry_month is None:
        return calendar_year(values, name, columns.years).reindex(register.index).rename(name)
    date = _dates(values, name, columns.years)
    year = date.dt.year + (date.dt.month >= entry.late_entry_month)
    return pd.Series(year.astype("Int64")).reindex(register.index).rename(name)


def _dates(values: pd.Series, name: str, written: YearsWritten) -> pd.Series:
    dates = dates_of(values, written)
    short = values.astype("str").str.strip().str.len() < len("2000-01")
    refuse_rows(
        dates.isna() | (short & (written.date_format is None)),
        f"column {name}: a date is missing or not written as {written.date_format or '2009-10-31'}",
        "late_entry_month needs dates: correct, or declare data.register_columns.date_format; see",
    )
    return dates


def _first(firm: pd.Series, year: pd.Series, rows: pd.Series) -> pd.Series:
    return pd.Series(year[rows].groupby(firm[rows]).min())


def _several(register: pd.DataFrame, columns: RegisterColumns, entry: RegisterEntry) -> list[Issue]:
    """Count the programmes where the first entry into any of several is taken."""
    if entry.programme is not None or columns.programme is None:
        return []
    count = text(register[columns.programme]).nunique()
    if count < 2:
        return []
    action = Reason("first_entry_taken")
    return [Issue(Reason("several_programmes"), "programme", action, int(count))]


def _not_entered(code: str, firm: pd.Series, rows: pd.Series) -> list[Issue]:
    """Count rows of firms that the register lists and that did not enter."""
    firms = pd.DataFrame({"firm_id": firm})
    return issue(Reason(code), "firm_id", rows, firms, Reason("kept_as_applicants"))


def _exits(rows: RegisterRows, columns: RegisterColumns, entry: RegisterEntry) -> list[Issue]:
    """Count firms that leave the programme; raise DataError where params refuse that."""
    if columns.exit_year is None:
        return []
    given = years_of(rows.register[columns.exit_year], columns.years)
    exits = pd.to_numeric(given, errors="coerce")
    filled = given.notna() & (given.astype("str").str.strip() != "")
    refuse_rows(
        rows.entered & filled & (exits.isna() | (exits % 1 != 0)),
        f"column {columns.exit_year} (register): an exit is no year, nor a date that can be read",
        "declare data.register_columns.date_format ('%d/%m/%Y' is 31/10/2009), or correct",
    )
    exits = exits.where(rows.entered).astype("Int64")
    leaves = rows.entered & exits.notna()
    refuse_rows(
        leaves & (exits < rows.year).fillna(False).astype(bool),
        f"column {columns.exit_year} (register): an exit lies before entry",
        "correct",
    )
    if entry.switches_off == "refuse":
        refuse_rows(
            leaves,
            "a firm leaves the programme; effects assume that it stays treated",
            "declare treatment.entry.switches_off: absorbing if entry counts for good; see",
        )
    rule, action = Reason(LEAVES_PROGRAMME), Reason("treated_from_entry_on")
    firms = pd.DataFrame({"firm_id": rows.firm, "year": exits})
    return issue(rule, "firm_id", leaves, firms, action)
