"""Levels that errors are clustered by beside the assignment cluster: text columns of PANEL, places.

A firm lies in the cluster of its base year, as in its assignment cluster, whatever it becomes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes
from pipeline.effects.stacks import Stacks, own_units
from pipeline.errors import DataError
from pipeline.panel.panel_index import NO_ROW
from pipeline.params.analyses import EXPOSURE_COMPONENT, OWN_LEVELS
from pipeline.params.estimate import EstimateSection
from pipeline.params.inference import SpatialErrors
from pipeline.selection.exposure_rings import distinct_places


@dataclass(frozen=True)
class ClusterLevels:
    """Hold by level the cluster of each firm, (F,), and the names of cluster codes in PANEL.

    Names of places are pairs of latitude and longitude, in degrees.
    """

    codes: dict[str, Codes]
    names: dict[str, NDArray[np.object_]]


# The columns of PANEL that a level is made of: one, or latitude and longitude.
LevelColumns = tuple[str, ...]


def levels_named(panel: pd.DataFrame, estimate: EstimateSection) -> list[LevelColumns]:
    """Return the columns of PANEL that specs cluster by, once, and those that exposure joins."""
    pairs = [spec.cluster for spec in estimate.specs if not isinstance(spec.cluster, str)]
    found = [(name,) for pair in pairs for name in pair if name not in OWN_LEVELS]
    found += [(EXPOSURE_COMPONENT,)] if EXPOSURE_COMPONENT in panel else []
    asked: list[SpatialErrors | None] = [spec.option("conley") for spec in estimate.specs]
    return list(dict.fromkeys([*found, *(near.columns for near in asked if near is not None)]))


def levels_at(panel: pd.DataFrame, row: Codes, named: Sequence[LevelColumns]) -> ClusterLevels:
    """Return the clusters of columns in the firms' rows; a firm without one (NO_ROW) has the first.

    Raises DataError where a firm with a row has no value.
    """
    found = ClusterLevels({}, {})
    for columns in named:
        known, name = row != NO_ROW, ", ".join(columns)
        values = panel[list(columns)].iloc[row[known]]
        missing = int(values.isna().any(axis=1).sum())
        if missing:
            raise DataError(
                f"estimate.specs clusters by {name}, which {missing} firms lack in their base "
                "year; fill the column in `clean`, or cluster by a level that every firm has"
            )
        codes = np.zeros(len(row), dtype=np.intp)
        codes[known], called = _coded(values)
        found.codes[name], found.names[name] = codes, called
    return found


def _coded(values: pd.DataFrame) -> tuple[Codes, NDArray[np.object_]]:
    """Return the code of each row (n,), and the names of codes: texts, or pairs of coordinates."""
    if values.shape[1] == 1:
        code, texts = pd.factorize(values.iloc[:, 0])
        return np.asarray(code, dtype=np.intp), np.asarray(texts, dtype=np.object_)
    places = distinct_places(values.to_numpy(np.float64))
    names = np.empty(len(places.at), dtype=np.object_)
    names[:] = [(latitude, longitude) for latitude, longitude in places.at.tolist()]
    return places.of_firm, names


def with_levels(stacks: Stacks, panel: pd.DataFrame, named: Sequence[LevelColumns]) -> Stacks:
    """Return a design's stacks with the clusters of its firms at further levels, at base years.

    A firm of several stacks is dated as its assignment cluster is. One without weight needs no
    value.
    """
    unit = own_units(stacks.firm, stacks.stack, stacks.treated)
    weight = np.bincount(stacks.firm, stacks.weight, minlength=stacks.n_firms)
    unit = unit[weight[stacks.firm[unit]] > 0]
    row = np.full(stacks.n_firms, NO_ROW, dtype=np.intp)
    row[stacks.firm[unit]] = stacks.base_row[unit]
    found = levels_at(panel, row, named)
    return replace(stacks, levels=found.codes, names={**stacks.names, **found.names})
