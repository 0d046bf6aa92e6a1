"""What of the effects under pools may be published.

Under each pool other firms are behind the effect of the same spec. Two effects that differ by few
firms tell of these, so that a pool is shown only where it differs from each one shown by none, or
by as many treated and comparison firms as a cell must have. The clean pool's effect is the
headline's: where that is hidden, all are.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.pools import POOLS
from pipeline.datasets.reasons import packed
from pipeline.datasets.small_counts import small
from pipeline.datasets.store import columns_that_tell
from pipeline.errors import Reason
from pipeline.exhibits.details import known_or_nan
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.params.exhibit import Disclosure
from pipeline.params.pools import CLEAN_POOL
from pipeline.publishing.disclosure.dominance import dominates_effect

_Row = Mapping[Hashable, Any]

_COUNTS = ["n_pool", "n_treated", "n_control"]
_FIGURES = [
    name
    for what in ("count", "other_count", "share", "effect", "statistic")
    for name in columns_that_tell(POOLS, what)
]


def vet_pools(results: StudyResults, vetted: StudyResults) -> pd.DataFrame | None:
    """Return POOLS with everything hidden that may not be told; `vetted` are the other results."""
    if results.pools is None:
        return None
    shown = results.pools.copy()
    for outcome, rows in results.pools.groupby("outcome", sort=False):
        hidden = _hidden(results, vetted, str(outcome), rows.sort_values("position"))
        for row, reason in hidden.items():
            shown.loc[row, _FIGURES] = np.nan
            shown.loc[row, ["reason", "reason_fields"]] = list(packed(reason).values())
    return _without_near_sizes(shown, results.settings.exhibit.disclosure.min_cell_firms)


def _hidden(
    results: StudyResults, vetted: StudyResults, outcome: str, rows: pd.DataFrame
) -> dict[Hashable, Reason]:
    """Return why each row of one outcome that is hidden is."""
    headline = results.settings.estimate.headline
    effect = find_effect(vetted, outcome, headline.design, headline.spec)
    if effect is not None and effect.hidden:
        return dict.fromkeys(rows.index, Reason("tells_hidden_effect"))
    shown: list[str] = []
    found = dict[Hashable, Reason]()
    for place, row in zip(rows.index, rows.to_dict("records"), strict=True):
        reason = _why_hidden(results, row, shown)
        if reason is None:
            shown.append(row["pool"])
        elif row["pool"] == CLEAN_POOL:
            return dict.fromkeys(rows.index, Reason("tells_hidden_effect"))
        else:
            found[place] = reason
    return found


def _why_hidden(results: StudyResults, row: _Row, shown: Sequence[str]) -> Reason | None:
    rule = results.settings.exhibit.disclosure
    counts = np.array([known_or_nan(row[name]) for name in _COUNTS])
    if small(counts, rule.min_cell_firms).any():
        return Reason("few_firms_in_group", {"least": rule.min_cell_firms})
    if results.pool_firms is None or pd.isna(row["estimate"]):
        return None
    firms = results.pool_firms[results.pool_firms["outcome"] == row["outcome"]]
    own = firms[firms["pool"] == row["pool"]]
    if dominates_effect(results, str(row["outcome"]), float(own["largest_percent"].max())):
        return Reason("one_firm_dominates", {"percent": rule.dominance_percent})
    others = firms[(firms["other"] == row["pool"]) & firms["pool"].isin(shown)]
    if _few_apart(pd.concat([own[own["other"].isin(shown)], others]), rule):
        return Reason("tells_hidden_effect")
    return None


def _few_apart(pairs: pd.DataFrame, rule: Disclosure) -> bool:
    """Say whether two pools differ by few firms of a group."""
    apart = pairs[["n_treated_only", "n_control_only"]].to_numpy(np.float64)
    return bool(small(apart, rule.min_cell_firms).any())


def _without_near_sizes(pools: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Hide the size of a pool that differs by few firms from one whose size is shown."""
    sizes: list[float] = []
    by_pool = pools.sort_values("position").groupby("pool", sort=False)["n_pool"].max()
    for pool, size in by_pool.dropna().items():
        if small(np.abs(np.array(sizes) - float(size)), minimum).any():
            pools.loc[pools["pool"] == pool, "n_pool"] = pd.NA
        else:
            sizes.append(float(size))
    return pools
