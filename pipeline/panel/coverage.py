"""Which share of firms is observed in each year: who is not there, or has no value."""

import numpy as np
import pandas as pd

from pipeline.datasets.panel import COVERAGE
from pipeline.panel.group_years import group_years


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
        if name not in {"firm_id", "year", "cohort"}
    ]
    found = pd.concat(parts, ignore_index=True)
    found["observed_share"] = found["n_observed"] / found["n_firms"]
    return found[list(COVERAGE.columns)]
