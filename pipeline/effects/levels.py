"""Levels that errors are clustered by beside the assignment cluster: text columns of PANEL.

A firm lies in the cluster of its base year, as in its assignment cluster, whatever it becomes.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes
from pipeline.effects.stacks import Stacks, own_units
from pipeline.errors import DataError
from pipeline.panel.panel_index import NO_ROW
from pipeline.params.analyses import OWN_LEVELS
from pipeline.params.estimate import EstimateSection


@dataclass(frozen=True)
class ClusterLevels:
    """Hold by level the cluster of each firm, (F,), and the names of cluster codes in PANEL."""

    codes: dict[str, Codes]
    names: dict[str, NDArray[np.object_]]


def levels_named(estimate: EstimateSection) -> list[str]:
    """Return the columns of PANEL that specs cluster by, once."""
    pairs = [spec.cluster for spec in estimate.specs if not isinstance(spec.cluster, str)]
    return list(dict.fromkeys(n for pair in pairs for n in pair if n not in OWN_LEVELS))


def levels_at(panel: pd.DataFrame, row: Codes, names: list[str]) -> ClusterLevels:
    """Return the clusters of columns in the firms' rows; a firm without one (NO_ROW) has the first.

    Raises DataError where a firm with a row has no value.
    """
    found = ClusterLevels({}, {})
    for name in names:
        known = row != NO_ROW
        values = panel[name].iloc[row[known]]
        missing = int(values.isna().sum())
        if missing:
            raise DataError(
                f"estimate.specs clusters by {name}, which {missing} firms lack in their base "
                "year; fill the column in `clean`, or cluster by a level that every firm has"
            )
        codes = np.zeros(len(row), dtype=np.intp)
        codes[known], called = pd.factorize(values)
        found.codes[name], found.names[name] = codes, np.asarray(called, dtype=np.object_)
    return found


def with_levels(stacks: Stacks, panel: pd.DataFrame, names: list[str]) -> Stacks:
    """Return a design's stacks with the clusters of its firms at further levels, at base years.

    A firm of several stacks is dated as its assignment cluster is. One without weight needs no
    value.
    """
    unit = own_units(stacks.firm, stacks.stack, stacks.treated)
    weight = np.bincount(stacks.firm, stacks.weight, minlength=stacks.n_firms)
    unit = unit[weight[stacks.firm[unit]] > 0]
    row = np.full(stacks.n_firms, NO_ROW, dtype=np.intp)
    row[stacks.firm[unit]] = stacks.base_row[unit]
    found = levels_at(panel, row, names)
    return replace(stacks, levels=found.codes, names={**stacks.names, **found.names})
