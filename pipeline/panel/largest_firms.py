"""The largest firm in what the profile of the panel publishes."""

import pandas as pd

from pipeline.datasets.dominance import PANEL_DOMINANCE, largest_share


def panel_dominance(panel: pd.DataFrame) -> pd.DataFrame:
    """Return PANEL_DOMINANCE: every numeric column by year and group."""
    treated = panel["cohort"].notna().rename("treated")
    parts = [
        largest_share(panel[name].fillna(0.0), [panel["year"], treated])
        .rename("share")
        .reset_index()
        .assign(column=name)
        for name in panel.columns
        if panel[name].dtype.kind == "f"
    ]
    columns = list(PANEL_DOMINANCE.columns)
    return pd.concat([pd.DataFrame(columns=columns), *parts])[columns]
