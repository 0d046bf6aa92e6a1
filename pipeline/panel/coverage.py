"""Which share of firms is observed in each year: who is not there, or has no value."""

import pandas as pd

from pipeline.datasets.panel import COVERAGE


def measure_coverage(panel: pd.DataFrame) -> pd.DataFrame:
    """Return COVERAGE: every column of PANEL, by year and group, before disclosure control.

    Shares are of the group's firms in the whole panel, so that a firm counts in every year, before
    it was founded and after it is gone.
    """
    treated = panel["cohort"].notna().rename("treated")
    names = [name for name in panel.columns if name not in {"firm_id", "year", "cohort"}]
    firms = panel.groupby(treated)["firm_id"].nunique()
    observed = panel[names].notna().groupby([treated, panel["year"]]).sum()
    every = pd.MultiIndex.from_product(
        [firms.index, sorted(panel["year"].unique())], names=["treated", "year"]
    )
    wide = observed.reindex(every, fill_value=0).reset_index()
    table = wide.melt(["treated", "year"], names, "column", "n_observed")
    n_firms = table["treated"].map(firms)
    found = table.assign(n_firms=n_firms, observed_share=table["n_observed"] / n_firms)
    return found[list(COVERAGE.columns)]
