"""The assignment cluster of each firm-year, from codes that are already recoded."""

import pandas as pd

from pipeline.panel.ledger import Ruled
from pipeline.panel.rules.standard import assignment_cluster
from pipeline.panel.treated_clusters import cluster_entry


def add_cluster(panel: pd.DataFrame, columns: list[str]) -> Ruled:
    """Add the assignment cluster and its first entry."""
    clustered = panel.copy(deep=False)
    clustered.insert(3, "cluster", assignment_cluster(panel, columns))
    clustered.insert(4, "cluster_entry", cluster_entry(clustered))
    return Ruled(clustered)
