"""What the number of clusters forbids, or makes doubtful, of an interval."""

from pipeline.errors import Reason

# MacKinnon & Webb (2018), doi:10.1111/ectj.12107: with fewer treated clusters the restricted
# bootstrap rejects next to never, the unrestricted far too often.
UNINFORMATIVE_BELOW = 6

# Below ten treated clusters analytic intervals are too short (MacKinnon & Webb 2017,
# doi:10.1002/jae.2508).
FEW_TREATED_CLUSTERS = 10

ERRORS_BY_FIRM = Reason("errors_by_firm")


def cluster_caution(cluster: str, n_clusters: int, n_treated_clusters: int) -> Reason | None:
    """Return what an average effect must say of the number of clusters behind it.

    Sets that reach across assignment clusters join them, so that components may be far fewer than
    either; every one of them is treated. With a single treated cluster there is no interval.
    """
    if cluster != "components":
        few = 1 < n_treated_clusters < FEW_TREATED_CLUSTERS
        count = {"n_treated_clusters": n_treated_clusters}
        return Reason("few_treated_clusters", count) if few else None
    if n_clusters >= FEW_TREATED_CLUSTERS:
        return None
    if n_clusters < 2:
        return Reason("one_component")
    no_bootstrap = "_no_bootstrap" * (n_clusters < UNINFORMATIVE_BELOW)
    return Reason(f"few_components{no_bootstrap}", {"n_components": n_clusters})
