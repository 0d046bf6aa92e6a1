"""Errors clustered by firm where support was given out to clusters: said, because too small.

Errors belong at the level at which treatment was assigned (Abadie, Athey, Imbens & Wooldridge
2023, doi:10.1093/qje/qjac038): firms of one cluster share its shocks.
"""

import numpy as np

from pipeline.datasets.arrays import Codes
from pipeline.datasets.fits import FITS
from pipeline.datasets.samples import SHARED_CLUSTERS
from pipeline.effects.collected import Collected
from pipeline.effects.panel_firms import panel_clusters, panel_firms
from pipeline.effects.rows import Row
from pipeline.effects.study import Study
from pipeline.inference.cautions import ERRORS_BY_FIRM

_PLACES = ("cohort", "year", "event_time")


def caution_errors_by_firm(collected: Collected, study: Study) -> None:
    """Say so in every average with errors by firm where treated firms share a cluster.

    Their number is a row of SHARED_CLUSTERS, and of specs on every firm of PANEL one of FITS.
    """
    whole = {spec.name for spec in study.estimate.specs if spec.option("firms") == "panel"}
    by_firm = [row for row in collected.estimates if row["cluster"] == "firm"]
    _caution_of_panel(collected, study, [row for row in by_firm if row["estimator"] in whole])
    rows = [r for r in by_firm if r["estimator"] not in whole and _is_average_with_error(r)]
    for design in sorted({row["design"] for row in rows}):
        stacks = study.stacks[design]
        sharing = _sharing(stacks.cluster[stacks.treated], stacks.firm[stacks.treated])
        if not sharing:
            continue
        collected.add(SHARED_CLUSTERS, design=design, n_treated_sharing_cluster=sharing)
        for row in rows:
            if row["design"] == design:
                row["remarks"] = (*row["remarks"], ERRORS_BY_FIRM)


def _caution_of_panel(collected: Collected, study: Study, rows: list[Row]) -> None:
    """Say so of averages on every firm of PANEL, and count firms for all rows' specs."""
    if not rows:
        return
    firms = panel_firms(study)
    treated = np.flatnonzero(np.isfinite(firms.cohort))
    sharing = _sharing(panel_clusters(study, firms).codes["assignment"][treated], treated)
    for row in rows:
        key = {name: row[name] for name in FITS.key}
        collected.add(FITS, **key, n_treated_sharing_cluster=sharing)
        if sharing and _is_average_with_error(row):
            row["remarks"] = (*row["remarks"], ERRORS_BY_FIRM)


def _is_average_with_error(row: Row) -> bool:
    is_average = all(row.get(place) is None for place in _PLACES)
    return is_average and bool(row.get("std_error", np.nan) > 0)


def _sharing(cluster: Codes, firm: Codes) -> int:
    """Count the distinct firms (n,), treated, in assignment clusters with several of them."""
    pairs = np.unique(np.column_stack([cluster, firm]), axis=0)
    _, n_firms = np.unique(pairs[:, 0], return_counts=True)
    return int(n_firms[n_firms > 1].sum())
