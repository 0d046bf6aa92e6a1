"""Errors clustered by firm where support was given out to clusters: said, because too small.

Errors belong at the level at which treatment was assigned (Abadie, Athey, Imbens & Wooldridge
2023, doi:10.1093/qje/qjac038): firms of one cluster share its shocks.
"""

import numpy as np

from pipeline.datasets.samples import SHARED_CLUSTERS
from pipeline.effects.collected import Collected
from pipeline.effects.rows import Row
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study
from pipeline.inference.cautions import ERRORS_BY_FIRM

_PLACES = ("cohort", "year", "event_time")


def caution_errors_by_firm(collected: Collected, study: Study) -> None:
    """Say so in every average with errors by firm where treated firms share a cluster.

    Their number is a row of SHARED_CLUSTERS.
    """
    rows = [row for row in collected.estimates if _is_average_by_firm(row)]
    for design in sorted({row["design"] for row in rows}):
        sharing = _sharing(study.stacks[design])
        if not sharing:
            continue
        collected.add(SHARED_CLUSTERS, design=design, n_treated_sharing_cluster=sharing)
        for row in rows:
            if row["design"] == design:
                row["remarks"] = (*row["remarks"], ERRORS_BY_FIRM)


def _is_average_by_firm(row: Row) -> bool:
    is_average = all(row.get(place) is None for place in _PLACES)
    return is_average and row["cluster"] == "firm" and bool(row.get("std_error", np.nan) > 0)


def _sharing(stacks: Stacks) -> int:
    """Count the distinct treated firms in assignment clusters with several of them."""
    pairs = np.unique(
        np.column_stack([stacks.cluster[stacks.treated], stacks.firm[stacks.treated]]), axis=0
    )
    _, n_firms = np.unique(pairs[:, 0], return_counts=True)
    return int(n_firms[n_firms > 1].sum())
