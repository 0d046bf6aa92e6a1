"""Entry into the programme: each firm's cohort from an indicator or from a register."""

from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.panel import ISSUES
from pipeline.datasets.store import empty
from pipeline.errors import DataError
from pipeline.params.data import RegisterColumns
from pipeline.params.treatment import Entry, IndicatorEntry, RegisterEntry
from pipeline.values import calendar_year, firm_identifier, text


@dataclass(frozen=True)
class Cohorts:
    """Hold entry years by firm (never-treated firms absent) and what the register cost.

    `other_programme_only` lists firms that the register names only under other programmes.
    """

    entry_year: pd.Series
    other_programme_only: pd.Index
    issues: pd.DataFrame


def firm_cohorts(
    panel: pd.DataFrame,
    register: pd.DataFrame | None,
    columns: RegisterColumns | None,
    entry: Entry,
) -> Cohorts:
    """Return the first treated year of each participant, by the declared source.

    Raises DataError where the indicator is not 0/1 or switches off although params refuse
    that, or where the register is absent or an entry year is missing.
    """
    if isinstance(entry, IndicatorEntry):
        entry_year = cohorts_from_indicator(panel, entry)
        return Cohorts(entry_year, pd.Index([]), _entry_after_gap(panel, entry_year, entry))
    if register is None or columns is None:
        raise DataError("treatment.entry.source is register, but the study has no register")
    return cohorts_from_register(panel, register, columns, entry)


def cohorts_from_indicator(panel: pd.DataFrame, entry: IndicatorEntry) -> pd.Series:
    """Return the first year in which the indicator is 1, by firm.

    Raises DataError where a firm-year's indicator is missing or neither 0 nor 1, and where it
    switches off although params refuse that.
    """
    indicator = panel[entry.column]
    faulty = ~indicator.isin([0.0, 1.0])
    if faulty.any():
        raise DataError(
            f"treatment indicator {entry.column}: {int(faulty.sum())} firm-years are neither 0 "
            "nor 1; correct them",
            panel.loc[faulty, ["firm_id", "year"]],
        )
    treated = panel.loc[indicator == 1.0]
    entry_year = treated.groupby("firm_id")["year"].min()
    if entry.switches_off == "refuse":
        _refuse_switching_off(panel, indicator, entry_year, entry.column)
    return entry_year


def _entry_after_gap(
    panel: pd.DataFrame, entry_year: pd.Series, entry: IndicatorEntry
) -> pd.DataFrame:
    """Count entrants whose year before is not observed: they may have entered in the gap."""
    entrants = panel[panel["year"] < panel["firm_id"].map(entry_year).astype("Int64")]
    last_before = entrants.groupby("firm_id")["year"].max()
    gap = entry_year.loc[last_before.index] - last_before > 1
    if not gap.any():
        return empty(ISSUES)
    years = entry_year[gap.index[gap]]
    row = {
        "rule": "year before entry not observed",
        "column": entry.column,
        "count": int(gap.sum()),
        "years": f"{years.min()}-{years.max()}",
        "action": "the first treated year observed is taken as entry",
    }
    return pd.DataFrame([row])


def _refuse_switching_off(
    panel: pd.DataFrame, indicator: pd.Series, entry_year: pd.Series, column: str
) -> None:
    after_entry = panel["year"] > panel["firm_id"].map(entry_year).astype("Int64")
    off = after_entry.fillna(False) & (indicator == 0.0)
    if off.any():
        firms = panel.loc[off, "firm_id"].nunique()
        raise DataError(
            f"treatment indicator {column} returns to 0 after entry in {int(off.sum())} firm-years "
            f"of {firms} firms; effects assume that a firm stays treated. Declare "
            "treatment.entry.switches_off: absorbing if the first year of support is the entry",
            panel.loc[off, ["firm_id", "year"]],
        )


def cohorts_from_register(
    panel: pd.DataFrame, register: pd.DataFrame, columns: RegisterColumns, entry: RegisterEntry
) -> Cohorts:
    """Return the first entry year of each firm under the evaluated programme.

    Beneficiaries that the panel lacks are counted in ISSUES.
    """
    rows = pd.DataFrame(
        {
            "firm_id": firm_identifier(register[columns.firm_id], f"{columns.firm_id} (register)"),
            "year": calendar_year(register[columns.entry_year], f"{columns.entry_year} (register)"),
        }
    )
    evaluated = _evaluated(register, columns, entry)
    entry_year = rows[evaluated].groupby("firm_id")["year"].min()
    others = pd.Index(rows.loc[~evaluated, "firm_id"].unique()).difference(entry_year.index)
    return Cohorts(entry_year, others, _unknown_beneficiaries(panel, entry_year))


def _evaluated(register: pd.DataFrame, columns: RegisterColumns, entry: RegisterEntry) -> pd.Series:
    """Mark the register's rows of the evaluated programme; refuse to guess among several."""
    if columns.programme is None:
        return pd.Series(True, index=register.index)
    programme = text(register[columns.programme])
    named = ", ".join(sorted(programme.dropna().unique()))
    if entry.programme is None:
        if programme.nunique() > 1:
            raise DataError(
                f"the register has several programmes ({named}); name the one that is evaluated "
                "in treatment.entry.programme"
            )
        return pd.Series(True, index=register.index)
    evaluated = programme == entry.programme
    if not evaluated.any():
        raise DataError(
            f"the register has no row of programme {entry.programme}: its programmes are {named}"
        )
    return evaluated


def _unknown_beneficiaries(panel: pd.DataFrame, entry_year: pd.Series) -> pd.DataFrame:
    unknown = ~entry_year.index.isin(panel["firm_id"].unique())
    if not unknown.any():
        return empty(ISSUES)
    share = unknown.mean()
    row = {
        "rule": "beneficiary not in the panel",
        "column": "firm_id",
        "count": int(unknown.sum()),
        "years": f"{entry_year[unknown].min()}-{entry_year[unknown].max()}",
        "action": f"not evaluated ({share:.1%} of beneficiaries)",
    }
    return pd.DataFrame([row])
