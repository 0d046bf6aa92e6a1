"""How much of a published mean is one firm's: private tables that disclosure control reads.

The (1, k) rule looks at the largest firm's contribution to a total of magnitudes. Hundepool et al.
(2012), doi:10.1002/9781118348239, section 4.2. Each table is made where the firms behind the means
are at hand, so that who publishes the means opens no table of firms.
"""

import pandas as pd

from pipeline.datasets.store import Column, Dataset

_TREATED = Column("flag", "treated firms, or comparison firms")
_SHARE = Column(
    "number", "the largest absolute contribution in percent of their sum", missing="all are zero"
)

OUTCOME_DOMINANCE = Dataset(
    name="OUTCOME_DOMINANCE",
    row="the largest firm in one mean of OUTCOME_PATHS, in levels, or in the weights of a spec",
    key=("outcome", "design", "estimator", "treated", "event_time"),
    columns={
        "outcome": Column("string", "outcome as named in params"),
        "design": Column("string", "matching design"),
        "estimator": Column(
            "string",
            "name of the spec whose own weights, or levels by these where more, the share is of",
            missing="it is of the mean",
        ),
        "treated": _TREATED,
        "event_time": Column("integer", "years since entry"),
        "share": _SHARE,
    },
)

COVARIATE_DOMINANCE = Dataset(
    name="COVARIATE_DOMINANCE",
    row="the largest firm in one mean of BALANCE or SUPPORT, of a covariate in levels",
    key=("design", "stack", "covariate", "sample", "treated"),
    columns={
        "design": Column("string", "name of the design"),
        "stack": Column("string", "entry year, or `all`"),
        "covariate": Column("string", "numeric covariate"),
        "sample": Column("string", "before, on_support, after; or a fate of the treated"),
        "treated": _TREATED,
        "share": _SHARE,
    },
)

PANEL_DOMINANCE = Dataset(
    name="PANEL_DOMINANCE",
    row="the largest firm in one mean of PROFILE",
    key=("column", "scope", "first_year", "treated"),
    columns={
        "column": Column("string", "standard name"),
        "scope": Column("string", "as in PROFILE"),
        "first_year": Column("integer", "first year of the scope"),
        "treated": Column("flag", "ever-treated firms, else never-treated"),
        "share": _SHARE,
    },
)


def largest_share(contributions: "pd.Series[float]", by: list[pd.Series]) -> "pd.Series[float]":
    """Return, in percent, the largest absolute contribution over their sum, by group."""
    groups = contributions.abs().groupby(by)
    total = groups.sum()
    return 100 * groups.max() / total.where(total > 0)
