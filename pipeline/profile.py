"""A profile of the panel that may leave the office: no firm can be read from it.

Counts of one to `minimum - 1` are suppressed, and so is any statistic that rests on fewer
values than that. A percentile needs `minimum` values beyond it on its thinner side; figures are
rounded to three significant digits, since a percentile is some firm's value.
"""

import numpy as np
import pandas as pd

from pipeline.datasets.panel import PROFILE

_PERCENTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
_GROUP = ["year", "treated"]


def profile_panel(panel: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Return PROFILE: each column by year and group, then the size of each cohort."""
    groups = panel.assign(treated=panel["cohort"].notna())
    columns = [name for name in panel.columns if name not in {"firm_id", "year", "cohort"}]
    parts = [_column_profile(groups, name, minimum) for name in columns]
    return pd.concat([*parts, _cohort_sizes(panel, minimum)], ignore_index=True)


def _column_profile(groups: pd.DataFrame, name: str, minimum: int) -> pd.DataFrame:
    by_group = groups.groupby(_GROUP)[name]
    rows, observed = by_group.size(), by_group.count()
    table = pd.DataFrame(
        {
            "n_rows": suppressed(rows, minimum),
            "n_missing": suppressed(rows - observed, minimum),
            "n_values": by_group.nunique().astype("Int64").where(observed >= minimum),
        }
    )
    if pd.api.types.is_numeric_dtype(groups[name].dtype):
        table["mean"] = three_digits(by_group.mean().where(observed >= minimum))
        for label, share in _PERCENTILES.items():
            enough = observed * min(share, 1 - share) >= minimum
            table[label] = three_digits(by_group.quantile(share).where(enough))
    return _complete(table.reset_index().assign(column=name))


def _cohort_sizes(panel: pd.DataFrame, minimum: int) -> pd.DataFrame:
    entrants = panel.drop_duplicates("firm_id").groupby("cohort").size()
    table = pd.DataFrame({"n_rows": suppressed(entrants, minimum)}).reset_index(names="year")
    return _complete(table.assign(column="entrants of the cohort", treated=True))


def suppressed(counts: pd.Series, minimum: int) -> pd.Series:
    """Return counts without those of one to `minimum - 1`; zero tells of nobody."""
    return counts.astype("Int64").where((counts == 0) | (counts >= minimum))


def three_digits(values: pd.Series) -> pd.Series:
    """Round to three significant digits; missing values stay missing."""
    size = np.floor(np.log10(values.abs().where(values != 0))).fillna(0)
    unit = 10.0 ** (size - 2)
    return pd.Series((values / unit).round() * unit)


def _complete(table: pd.DataFrame) -> pd.DataFrame:
    return table.reindex(columns=list(PROFILE.columns))
