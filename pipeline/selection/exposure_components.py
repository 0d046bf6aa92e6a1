"""Components: assignment clusters that hang together because firms of one expose those of others.

Who exposes whom shares treatment across clusters, so that errors are clustered by what exposure
joins. Clusters of which nobody exposes a firm of another, and nobody is exposed, stay alone.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.datasets.exposure import EXPOSURE_COMPONENTS
from pipeline.datasets.store import conform, empty
from pipeline.panel.panel_index import PanelIndex, of_firms
from pipeline.params.analyses import EXPOSURE_COMPONENT
from pipeline.selection.exposed_firms import ExposedFirms
from pipeline.selection.exposure_course import base_firms
from pipeline.selection.exposure_joins import connected


def with_components(panel: pd.DataFrame, components: pd.DataFrame) -> pd.DataFrame:
    """Return PANEL with a column of EXPOSURE_COMPONENTS; as it is where there are none."""
    if components.empty:
        return panel
    joined = components.set_index("firm_id")["component"]
    return panel.assign(**{EXPOSURE_COMPONENT: of_firms(joined, panel["firm_id"])})


def exposure_components(
    panel: pd.DataFrame, index: PanelIndex, exposures: Sequence[ExposedFirms]
) -> pd.DataFrame:
    """Return EXPOSURE_COMPONENTS: the component of each firm's cluster, over all exposures.

    Clusters are those of the year before anybody enters, a firm without one is alone; a component
    has the name of its first.
    """
    if not exposures:
        return empty(EXPOSURE_COMPONENTS)
    firms = base_firms(panel, index, None)
    delivered = pd.Series(panel["cluster"].array[firms.row]).astype("str")
    cluster, names = pd.factorize(delivered.fillna(pd.Series(firms.firm_id)), sort=True)
    n = len(names)
    first, second = [np.arange(n)], [np.arange(n)]
    for exposed in exposures:
        joined = exposed.joins(~np.isnan(exposed.firms.cohort), exposed.asked & exposed.known)
        node = np.concatenate([cluster, n + np.arange(joined.n_hubs)])
        first.append(node[joined.first])
        second.append(node[joined.second])
        n += joined.n_hubs
    component = connected(np.concatenate(first), np.concatenate(second), n)
    name = np.full(n, n)
    np.minimum.at(name, component, np.arange(n))
    found = names[name[component[cluster]]]
    rows = {"firm_id": firms.firm_id, "component": found}
    return conform(EXPOSURE_COMPONENTS, pd.DataFrame(rows))
