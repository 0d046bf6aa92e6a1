"""Entry into the programme: each firm's cohort from the panel's columns or from a register."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.datasets.panel import NEAR_A_BENEFICIARY, SWITCHED_OFF
from pipeline.errors import DataError, Reason
from pipeline.panel.entry_codes import refuse_codes
from pipeline.panel.ledger import Issue, issue
from pipeline.panel.origin import Origin, located
from pipeline.panel.panel_index import NO_ROW, of_firms, places_in
from pipeline.panel.register import Entries, read_entries
from pipeline.panel.unfound import Listed, settle_unfound
from pipeline.panel.values import refuse_other_spellings, refuse_rows
from pipeline.params.clean import CleanSection
from pipeline.params.data import RegisterColumns
from pipeline.params.treatment import (
    EntryYearEntry,
    GroupEntry,
    IndicatorEntry,
    RegisterEntry,
    TreatmentSection,
)


@dataclass(frozen=True)
class Cohorts:
    """Hold entry years by firm (never-treated firms absent) and what the register cost.

    `excluded` lists firms that leave the sample, by the code of the step that takes them;
    `derived` holds PANEL columns that the register gives, one value per row; `unknown` are
    beneficiaries that the panel lacks, with their entry years; `arms` is ARM_ENTRIES, where a study
    has arms.
    """

    entry_year: pd.Series
    excluded: dict[str, pd.Index] = field(default_factory=dict)
    derived: dict[str, pd.Series] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    unknown: pd.Series = field(default_factory=lambda: pd.Series([], dtype="Int64"))
    arms: pd.DataFrame | None = None


@dataclass(frozen=True)
class Register:
    """Hold the register as delivered, what its columns are, and where its rows come from."""

    table: pd.DataFrame | None
    columns: RegisterColumns | None
    origin: Origin


def firm_cohorts(
    panel: pd.DataFrame,
    register: Register,
    *,
    treatment: TreatmentSection,
    clean: CleanSection,
    links: pd.Series | None,
) -> Cohorts:
    """Return the first treated year of each participant, by the declared source.

    Raises DataError where the indicator is not 0/1 or switches off although params refuse
    that, where a firm changes its group or entry year or has one that is no year, where the
    register is absent or cannot be used, or where its beneficiaries are nearly those of the panel.
    """
    entry = treatment.entry
    if isinstance(entry, IndicatorEntry):
        entry_year = cohorts_from_indicator(panel, entry)
        after_gap = _entry_after_gap(panel, entry_year, entry)
        return Cohorts(entry_year, issues=[*after_gap, *_switched_off(panel, entry_year, entry)])
    if isinstance(entry, EntryYearEntry):
        return Cohorts(cohorts_from_entry_year(panel, entry))
    if isinstance(entry, GroupEntry):
        return Cohorts(cohorts_from_group(panel, entry))
    table, columns = register.table, register.columns
    if table is None or columns is None:
        raise DataError("treatment.entry.source is register, but the study has no register")
    with located(register.origin):
        entries = read_entries(
            table,
            columns,
            entry,
            clean,
            links,
            panel_years=_years(panel),
            arms=treatment.arms,
        )
    return cohorts_from_register(panel, entries, entry, clean, treatment.unfound)


def _years(panel: pd.DataFrame) -> tuple[int, int]:
    """Return the panel's first and last year."""
    return int(panel["year"].min()), int(panel["year"].max())


def cohorts_from_group(panel: pd.DataFrame, entry: GroupEntry) -> pd.Series:
    """Return the declared entry year for each firm of the treated group.

    Raises DataError where a firm is seen in several groups, or in none.
    """
    group = panel.groupby("firm_id")[entry.column].agg(["nunique", "first"])
    refuse_rows(
        panel["firm_id"].isin(group.index[group["nunique"] != 1]),
        f"a firm is in no group of {entry.column}, or in several (two firms under one identifier?)",
        "correct",
        panel[["firm_id", "year", entry.column]],
    )
    refuse_other_spellings(
        panel[entry.column], [entry.treated], entry.column, "treatment.entry.treated"
    )
    treated = group.index[group["first"] == entry.treated]
    return pd.Series(entry.entry_year, index=treated, dtype="Int64")


def cohorts_from_entry_year(panel: pd.DataFrame, entry: EntryYearEntry) -> pd.Series:
    """Return the entry year that a column holds, by firm; codes of `never` and missing are absent.

    Raises DataError where a value is no whole year, lies more than FARTHEST_ENTRY_YEARS outside
    the panel, or differs between the rows of a firm.
    """
    column, keys = panel[entry.column], panel[["firm_id", "year"]]
    given = column.mask(column.isin(entry.never))
    refuse_rows(
        (given % 1 != 0) & given.notna(), f"{entry.column} is no whole year", "correct", keys
    )
    refuse_codes(given, panel["firm_id"], _years(panel), entry.column, keys)
    by_firm = given.groupby(panel["firm_id"])
    refuse_rows(
        panel["firm_id"].map(by_firm.nunique(dropna=False)) > 1,
        f"{entry.column} differs between the rows of a firm",
        "correct",
        keys,
    )
    return by_firm.first().dropna().astype("Int64")


def cohorts_from_indicator(panel: pd.DataFrame, entry: IndicatorEntry) -> pd.Series:
    """Return the first year in which the indicator is 1, by firm.

    Raises DataError where a firm-year's indicator is missing or neither 0 nor 1, and where it
    switches off although params refuse that.
    """
    indicator = panel[entry.column]
    refuse_rows(
        ~indicator.isin([0.0, 1.0]),
        f"treatment indicator {entry.column} is neither 0 nor 1",
        "correct",
        panel[["firm_id", "year"]],
    )
    treated = panel.loc[indicator == 1.0]
    entry_year = treated.groupby("firm_id")["year"].min()
    if entry.switches_off == "refuse":
        _refuse_switching_off(panel, entry_year, entry.column)
    return entry_year


def _entry_after_gap(
    panel: pd.DataFrame, entry_year: pd.Series, entry: IndicatorEntry
) -> list[Issue]:
    """Count entrants whose year before is not observed: they may have entered in the gap."""
    before = panel[panel["year"] < of_firms(entry_year.astype("Int64"), panel["firm_id"])]
    last_before = before.groupby("firm_id")["year"].max()
    gap = entry_year.loc[last_before.index] - last_before > 1
    rule, action = Reason("year_before_entry_not_observed"), Reason("first_treated_year_taken")
    return issue(rule, entry.column, gap, _firms_and_years(entry_year[gap.index]), action)


def _switched_off(panel: pd.DataFrame, entry_year: pd.Series, entry: IndicatorEntry) -> list[Issue]:
    """Count the rows of treated firms in which the indicator has returned to 0."""
    if entry.switches_off == "refuse":
        return []
    off, keys = _is_off(panel, entry_year, entry.column), panel[["firm_id", "year"]]
    return issue(Reason(SWITCHED_OFF), entry.column, off, keys, Reason("treated_from_entry_on"))


def _is_off(panel: pd.DataFrame, entry_year: pd.Series, column: str) -> pd.Series:
    after_entry = panel["year"] > of_firms(entry_year.astype("Int64"), panel["firm_id"])
    return after_entry.fillna(False).astype(bool) & (panel[column] == 0.0)


def _refuse_switching_off(panel: pd.DataFrame, entry_year: pd.Series, column: str) -> None:
    refuse_rows(
        _is_off(panel, entry_year, column),
        f"treatment indicator {column} returns to 0 after entry; effects assume that a firm stays "
        "treated",
        "declare treatment.entry.switches_off: absorbing if the first year of support is the "
        "entry; see",
        panel[["firm_id", "year"]],
    )


def cohorts_from_register(
    panel: pd.DataFrame,
    entries: Entries,
    entry: RegisterEntry,
    clean: CleanSection,
    why_unfound: str | None = None,
) -> Cohorts:
    """Return cohorts of the evaluated programme, and what other programmes mean for the sample.

    Beneficiaries that the panel lacks are counted in ISSUES; firms that they nearly are leave the
    sample. Raises DataError where params do not say what to do about either.
    """
    firm, other = panel["firm_id"], entries.other.index
    excluded = {
        "keep": {},
        "covariate": {},
        "exclude": {"not_in_another_programme_only": other.difference(entries.evaluated.index)},
        "exclude_all": {"not_in_another_programme": other},
    }[entry.other_programmes]
    derived = {}
    if entry.other_programmes == "covariate":
        derived["other_programme"] = _entered(panel, entries.other)
    if entries.applicants is not None:
        applied = places_in(entries.applicants, firm) != NO_ROW
        derived["applicant"] = pd.Series(applied.astype(np.float64), index=firm.index)
    derived |= {str(name): of_firms(values, firm) for name, values in entries.fields.items()}
    matter = other if entry.other_programmes != "keep" else other[:0]
    listed = Listed(entries.evaluated, matter, entries.fields.get("amount"), entries.names)
    firms = _firms(panel, clean.identifier.name_column)
    unfound = settle_unfound(listed, firms, clean, why_unfound)
    if len(unfound.nearly):
        excluded = {**excluded, NEAR_A_BENEFICIARY: unfound.nearly}
    issues = [*entries.issues, *unfound.issues]
    unknown = unfound.beneficiaries
    return Cohorts(entries.evaluated, excluded, derived, issues, unknown, entries.arms)


def _firms(panel: pd.DataFrame, name_column: str | None) -> pd.DataFrame:
    """Return the firms of the panel, once for each name where names are compared."""
    named = {} if name_column is None else {"name": panel[name_column]}
    return pd.DataFrame({"firm_id": panel["firm_id"], **named}).drop_duplicates()


def _entered(panel: pd.DataFrame, entry_year: pd.Series) -> pd.Series:
    """Return 1 from the year of entry on, else 0."""
    entered = of_firms(entry_year.astype("Int64"), panel["firm_id"]) <= panel["year"]
    return entered.fillna(False).astype("float64")


def _firms_and_years(entry_year: pd.Series) -> pd.DataFrame:
    """Return firms with their entry years as the rows that an issue counts."""
    return pd.DataFrame(
        {"firm_id": entry_year.index, "year": entry_year.to_numpy()}, index=entry_year.index
    )
