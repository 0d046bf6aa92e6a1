"""Clean raw files into a panel: one row per firm and year, and what each rule cost.

Rules run in the order of a paper's data section. A rule either stops with a message for
whoever prepares the data, or removes firm-years with a counted row in SAMPLE_FLOW. Nothing
is filled or recoded; missing values stay missing and are counted in ISSUES.
"""

from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.panel import ISSUES
from pipeline.datasets.store import empty
from pipeline.entry import firm_cohorts
from pipeline.errors import DataError
from pipeline.params.data import DataSection, NumberColumn
from pipeline.params.treatment import RegisterEntry, TreatmentSection
from pipeline.values import calendar_year, firm_identifier, number, refuse_rows, text


@dataclass(frozen=True)
class CleanPanel:
    """Hold the panel and its ledger."""

    panel: pd.DataFrame
    sample_flow: pd.DataFrame
    issues: pd.DataFrame


def clean_panel(
    raw: pd.DataFrame | None,
    register: pd.DataFrame | None,
    data: DataSection,
    treatment: TreatmentSection,
) -> CleanPanel:
    """Turn raw rows into PANEL, SAMPLE_FLOW and ISSUES.

    Raises DataError where the data break a rule that params do not relax: a firm or year
    missing, a firm-year twice, a value that is no number or below its minimum, a firm-year
    without assignment cluster, a treatment that switches off, no treated firms.
    """
    if raw is None:
        raise DataError("the raw panel was not obtained yet: run `dvc repro`, which does")
    panel = standard_columns(raw, data)
    issues = missing_values(panel, data)
    refuse_duplicates(panel)
    panel["cluster"] = assignment_cluster(panel, data.cluster)
    cohorts = firm_cohorts(panel, register, data.register_columns, treatment.entry)
    panel.insert(2, "cohort", panel["firm_id"].map(cohorts.entry_year).astype("Int64"))
    panel["cluster_entry"] = cluster_entry(panel)
    panel, flow = _apply_sample_rules(panel, treatment, cohorts.other_programme_only)
    _require_both_groups(panel, treatment)
    ledger = pd.concat([issues, cohorts.issues]) if len(cohorts.issues) else issues
    return CleanPanel(panel, flow, ledger)


def standard_columns(raw: pd.DataFrame, data: DataSection) -> pd.DataFrame:
    """Rename the raw columns to standard names and give each its declared type."""
    columns = {
        "firm_id": firm_identifier(raw[data.firm_id], data.firm_id),
        "year": calendar_year(raw[data.year], data.year),
    }
    for name, column in data.columns.items():
        values = raw[column.column]
        if isinstance(column, NumberColumn):
            columns[name] = number(values, column)
        else:
            columns[name] = text(values)
    return pd.DataFrame(columns)


def missing_values(panel: pd.DataFrame, data: DataSection) -> pd.DataFrame:
    """Count missing values per column as rows of ISSUES; they stay missing."""
    rows = [
        {
            "rule": "missing value",
            "column": name,
            "count": int(absent.sum()),
            "years": _year_range(panel.loc[absent, "year"]),
            "action": "kept as missing",
        }
        for name in data.columns
        if (absent := panel[name].isna()).any()
    ]
    return pd.DataFrame(rows, columns=list(ISSUES.columns)) if rows else empty(ISSUES)


def refuse_duplicates(panel: pd.DataFrame) -> None:
    """Raise DataError where a firm has two rows in a year."""
    repeated = panel.duplicated(["firm_id", "year"], keep=False)
    refuse_rows(
        repeated,
        "a firm has more than one row in a year",
        "keep one row per firm and year in",
        panel[["firm_id", "year"]],
    )


def assignment_cluster(panel: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Join the cluster columns into one label; raise DataError where one is missing."""
    parts = panel[columns]
    refuse_rows(
        parts.isna().any(axis=1),
        f"a firm-year has no assignment cluster ({' x '.join(columns)})",
        "every firm needs one, participant or not: fill",
        panel[["firm_id", "year"]],
    )
    label = parts.iloc[:, 0]
    for name in columns[1:]:
        label = label + " x " + parts[name]
    return label


def cluster_entry(panel: pd.DataFrame) -> pd.Series:
    """Return the first year in which a participant of each row's cluster entered, else missing.

    A participant belongs to the clusters in which it is seen from the year before its entry on.
    Every participant counts, also one that a later rule leaves out of the sample: its neighbours
    may be affected all the same.
    """
    participant = (panel["year"] >= panel["cohort"] - 1).fillna(False).astype(bool)
    first = panel[participant].groupby("cluster")["cohort"].min()
    return panel["cluster"].map(first).astype("Int64")


def _apply_sample_rules(
    panel: pd.DataFrame, treatment: TreatmentSection, other_only: pd.Index
) -> tuple[pd.DataFrame, pd.DataFrame]:
    first_year = panel["year"].min()
    keep = {
        "Firm-years delivered": pd.Series(True, index=panel.index),
        f"Not already treated when the panel starts ({first_year})": ~(
            panel["cohort"] <= first_year
        ).fillna(False),
    }
    if isinstance(treatment.entry, RegisterEntry) and treatment.entry.other_programmes == "exclude":
        keep["Not in another programme only"] = ~panel["firm_id"].isin(other_only)
    rows: list[dict[str, object]] = []
    for step, (rule, kept) in enumerate(keep.items(), start=1):
        reduced = panel[kept.reindex(panel.index)]
        rows.append({"step": step, "rule": rule, **_flow_counts(panel, reduced)})
        panel = reduced
    return panel, pd.DataFrame(rows)


def _flow_counts(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, int]:
    firms = after.drop_duplicates("firm_id")
    return {
        "firms_lost": before["firm_id"].nunique() - len(firms),
        "firm_years_lost": len(before) - len(after),
        "firms": len(firms),
        "firm_years": len(after),
        "treated_firms": int(firms["cohort"].notna().sum()),
        "comparison_firms": int(firms["cohort"].isna().sum()),
    }


def _require_both_groups(panel: pd.DataFrame, treatment: TreatmentSection) -> None:
    treated = panel["cohort"].notna()
    if not treated.any():
        raise DataError(
            "no firm enters the programme after the panel's first year: check treatment.entry and "
            "whether the register's identifiers are those of the panel"
        )
    if treatment.comparison == "never_treated" and treated.all():
        raise DataError(
            "every firm enters the programme, so there is no never-treated firm to compare with; "
            "declare treatment.comparison: not_yet_treated, or deliver firms outside the programme"
        )


def _year_range(years: pd.Series) -> str:
    first, last = years.min(), years.max()
    return str(first) if first == last else f"{first}-{last}"
