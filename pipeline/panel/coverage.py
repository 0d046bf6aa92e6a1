"""Which share of firms is observed in each year: who is not there, or has no value."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.datasets.panel import COVERAGE
from pipeline.panel.by_source import cells_of, coverage_by_source, firm_flows
from pipeline.panel.gaps import file_issues, firm_issues, look_at_years, presence
from pipeline.panel.group_years import group_years
from pipeline.panel.ledger import Ledger
from pipeline.panel.origin import Origin
from pipeline.panel.panel_index import index_panel
from pipeline.panel.rules.absences import sizes, zero_rows
from pipeline.panel.unobserved import column_issues, refuse_unobserved
from pipeline.panel.used_columns import UsedColumn
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.gaps import CoverageGaps
from pipeline.params.treatment import EntryYearEntry, TreatmentSection

_PLACES = ("firm_id", "year", "cohort")


def with_coverage(
    ledger: Ledger,
    *,
    data: DataSection,
    clean: CleanSection,
    treatment: TreatmentSection,
    origin: Origin,
    used: Sequence[UsedColumn],
) -> Ledger:
    """Return the ledger with COVERAGE_BY_SOURCE, FIRM_FLOWS, and an issue for each gap found.

    `used` is what outcomes and covariates read. Raises DataError at gaps that params do not accept.
    """
    panel, index = ledger.panel, index_panel(ledger.panel)
    present, cells = presence(panel, index), cells_of(panel, origin)
    entry_years = panel["cohort"].dropna().unique().tolist()
    accepted = (clean.coverage or CoverageGaps()).accept
    # where years are asked of firms, that they are whole was looked at before
    years = [] if clean.window.asks_for_years else look_at_years(panel, clean, treatment)
    by_source = coverage_by_source(panel, cells)
    known = refuse_unobserved(by_source, used, entry_years, accepted)
    zeros = zero_rows(panel, sizes(data, treatment.entry, clean.absent), index)
    flows = firm_flows(cells, index, zeros.every)
    told = treatment.entry.column if isinstance(treatment.entry, EntryYearEntry) else None
    found = [
        *years,
        *file_issues(flows),
        *firm_issues(panel, index, present),
        *column_issues(by_source, set(data.columns) - {told}, known),
    ]
    return replace(ledger.with_issues(found), by_source=by_source, flows=flows)


def require_observed(panel: pd.DataFrame, clean: CleanSection, used: Sequence[UsedColumn]) -> None:
    """Raise DataError as `clean` does where a column that is read has no value in a year or group.

    For settings that read other columns of PANEL than those that `clean` was asked about.
    """
    columns = dict.fromkeys(one.column for one in used if one.column in panel.columns)
    own = panel[[*_PLACES, *(name for name in columns if name not in _PLACES)]]
    if own.shape[1] == len(_PLACES):
        return
    by_source = coverage_by_source(own, cells_of(own, ()))
    entry_years = own["cohort"].dropna().unique().tolist()
    refuse_unobserved(by_source, used, entry_years, (clean.coverage or CoverageGaps()).accept)


def measure_coverage(panel: pd.DataFrame) -> pd.DataFrame:
    """Return COVERAGE: every column of PANEL, by year and group, before disclosure control.

    Shares are of the group's firms in the whole panel, so that a firm counts in every year, before
    it was founded and after it is gone.
    """
    groups = group_years(panel)
    treated = panel["cohort"].notna()
    n_firms = [panel.loc[of, "firm_id"].nunique() for of in (~treated, treated)]
    # every group in every year in which anybody has a row
    own, any_row = groups.occurs.any(axis=1), groups.occurs.any(axis=0)
    group, year = np.nonzero(np.outer(own, any_row))
    parts = [
        pd.DataFrame(
            {
                "column": name,
                "year": groups.years[year],
                "treated": group == 1,
                "n_firms": np.array(n_firms)[group],
                "n_observed": groups.counts(panel[name].notna().to_numpy())[group, year],
            }
        )
        for name in panel.columns
        if name not in _PLACES
    ]
    found = pd.concat(parts, ignore_index=True)
    found["observed_share"] = found["n_observed"] / found["n_firms"]
    return found[list(COVERAGE.columns)]
