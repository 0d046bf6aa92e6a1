"""The participation register: one row per firm and programme, as entries into the programme."""

from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.panel import LEAVES_PROGRAMME
from pipeline.errors import DataError, Reason, told_codes
from pipeline.panel.check_digits import wrong_check_digits
from pipeline.panel.entry_codes import is_never, refuse_codes
from pipeline.panel.ledger import Issue, issue
from pipeline.panel.rules.links import link
from pipeline.panel.values import (
    firm_identifier,
    is_sheet_error,
    refuse_other_spellings,
    refuse_rows,
    text,
)
from pipeline.panel.years import calendar_year, dates_of, years_of
from pipeline.params.clean import CleanSection, RegisterValues
from pipeline.params.data import (
    PARTICIPANT_NUMBERS,
    PARTICIPANT_TEXTS,
    RegisterColumns,
)
from pipeline.params.treatment import RegisterEntry
from pipeline.params.written import YearsWritten

# What holds for a firm with several values, by the rule of clean.register_values; `refuse` stops.
_TAKEN = {
    "refuse": Reason("kept"),
    "first": Reason("first_taken"),
    "join": Reason("values_joined"),
    "sum": Reason("values_summed"),
    "largest": Reason("largest_taken"),
}
_OF_PARTICIPANTS = {*PARTICIPANT_TEXTS, *PARTICIPANT_NUMBERS}


@dataclass(frozen=True)
class Entries:
    """Hold first entries by firm, evaluated and other programmes apart, and who applied.

    `applicants` lists every firm of the register under the evaluated programme, whatever the
    decision; None where the register does not tell decisions. `fields` has a row for each firm
    and a column for each characteristic that params name; `names` are first names by firm, where
    params compare them.
    """

    evaluated: pd.Series
    other: pd.Series
    applicants: pd.Index | None
    fields: pd.DataFrame
    issues: list[Issue]
    names: pd.Series | None = None


def read_entries(
    register: pd.DataFrame,
    columns: RegisterColumns,
    entry: RegisterEntry,
    clean: CleanSection,
    links: pd.Series | None,
    *,
    panel_years: tuple[int, int],
) -> Entries:
    """Return who entered which programme when, under panel identifiers.

    Raises DataError where the evaluated programme has no row, an entry date is missing or far from
    the panel, a decision is unknown, or a firm leaves although params refuse that.
    """
    listed = register.reset_index(drop=True)
    name = f"{columns.firm_key} (register)"
    delivered = listed[columns.firm_key]
    firm = link(firm_identifier(delivered, name, clean.identifier, "register"), links)
    evaluated = _of_programme(listed, columns, entry)
    dated = _dated(listed, columns, entry)
    accepted = _accepted(listed, columns, entry) & ~is_never(dated, entry.never)
    year = _entry_year(dated[accepted], columns, entry).reindex(listed.index)
    refuse_codes(year, firm, panel_years, str(dated.name))
    entered = evaluated & accepted
    rows = RegisterRows(listed, firm, year, entered, evaluated)
    fields, several = firm_fields(rows, columns, clean.register_values)
    return Entries(
        evaluated=_first(firm, year, entered),
        other=_first(firm, year, accepted & ~evaluated),
        applicants=None if columns.decision is None else pd.Index(firm[evaluated].unique()),
        fields=fields,
        issues=[
            *wrong_check_digits(delivered, clean.identifier, "register"),
            *several,
            *_several(listed, columns, entry),
            *_rejected(firm, evaluated & ~accepted),
            *_exits(rows, columns, entry),
        ],
        names=None if columns.name is None else text(listed[columns.name]).groupby(firm).first(),
    )


def _of_programme(
    register: pd.DataFrame, columns: RegisterColumns, entry: RegisterEntry
) -> pd.Series:
    """Flag the rows of the evaluated programme; all where params name none."""
    if entry.programme is None or columns.programme is None:
        return pd.Series(True, index=register.index)
    programme, column = _words(register[columns.programme]), f"{columns.programme} (register)"
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
    decision = _words(register[columns.decision])
    refuse_rows(decision.isna(), f"column {columns.decision} (register): no decision", "fill")
    accepted, column = decision.isin(entry.accepted or []), f"{columns.decision} (register)"
    refuse_other_spellings(decision, entry.accepted or [], column, "treatment.entry.accepted")
    if not accepted.any():
        raise DataError(
            "no decision of the register is among treatment.entry.accepted; it has "
            f"{told_codes(_firms_by(decision, register[columns.firm_key]))}"
        )
    return accepted


def _words(values: pd.Series) -> pd.Series:
    """Return words of the register; raise DataError where a spreadsheet failed to make them."""
    words = text(values)
    refuse_rows(
        is_sheet_error(words),
        f"column {values.name} (register): a value is an error of a spreadsheet (#N/A and its kin)",
        "correct or empty it in",
    )
    return words


def _firms_by(codes: pd.Series, firm: pd.Series) -> dict[str, int]:
    return {str(code): int(n) for code, n in firm.groupby(codes).nunique().items()}


def _dated(register: pd.DataFrame, columns: RegisterColumns, entry: RegisterEntry) -> pd.Series:
    """Return what dates the entry, under the name that messages have for it."""
    column = columns.dates[entry.dated_by] if entry.dated_by else columns.entry_year
    return register[column].rename(f"{column} (register)")


def _entry_year(values: pd.Series, columns: RegisterColumns, entry: RegisterEntry) -> pd.Series:
    """Return the first treated year by what dates the entry.

    An entry in `late_entry_month` or later counts from the next year: too little of its first
    year is treated.
    """
    name = str(values.name)
    if entry.late_entry_month is None:
        return calendar_year(values, name, columns.years)
    date = _dates(values, name, columns.years)
    year = date.dt.year + (date.dt.month >= entry.late_entry_month)
    return pd.Series(year.astype("Int64"))


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


def _rejected(firm: pd.Series, rejected: pd.Series) -> list[Issue]:
    rule, action = Reason("applicant_not_accepted"), Reason("kept_as_applicants")
    return issue(rule, "firm_id", rejected, pd.DataFrame({"firm_id": firm}), action)


def _exits(rows: "RegisterRows", columns: RegisterColumns, entry: RegisterEntry) -> list[Issue]:
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

    The register has one row per firm and programme, PANEL one value per firm, so that what holds
    for a firm with several rows is a declared rule.
    Raises DataError where a firm has several values and params refuse that, and where a number
    is none or below zero.
    """
    fields, issues = {}, list[Issue]()
    for name, column in columns.fields("text").items():
        values = _words(rows.register[column])
        fields[name], found = _by_firm(rows, name, values, rule.texts, "texts")
        issues += found
    for name, column in columns.fields("number").items():
        written = rows.register[column]
        if name == "applied_year":
            written = years_of(written, columns.years)
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
        *_count(Reason("several_values"), name, different.loc[several, "firm"], _TAKEN[rule]),
        *_count(Reason("no_value"), name, _without(table, known), Reason("kept_missing")),
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


def _count(rule: Reason, name: str, firms: pd.Series, action: Reason) -> list[Issue]:
    n_firms = int(firms.nunique())
    return [Issue(rule, name, action, n_firms, n_firms)] if n_firms else []
