"""What the number of clusters forbids, or makes doubtful, of an interval."""

# MacKinnon & Webb (2018), doi:10.1111/ectj.12107: with fewer treated clusters the restricted
# bootstrap rejects next to never, the unrestricted far too often.
UNINFORMATIVE_BELOW = 6

# Below ten treated clusters analytic intervals are too short (MacKinnon & Webb 2017,
# doi:10.1002/jae.2508).
FEW_TREATED_CLUSTERS = 10

ONE_COMPONENT = (
    "matched sets and assignment clusters hang together in a single component; use cluster: "
    "assignment"
)

# The fact that counts a design's treated firms which share their assignment cluster with another.
SHARING_A_CLUSTER = "n_treated_sharing_cluster"
ERRORS_BY_FIRM = (
    "errors by firm, although treated firms share assignment clusters: too small where clusters "
    "have shocks of their own; compare cluster: assignment"
)

_FEW_TREATED = (
    "{} treated clusters are few: analytic intervals are too short; compare wild_bootstrap and "
    "randomisation of the stacked estimator"
)


def cluster_caution(cluster: str, n_clusters: int, n_treated_clusters: int) -> str | None:
    """Return what an average effect must say of the number of clusters behind it.

    Sets that reach across assignment clusters join them, so that components may be far fewer than
    either; every one of them is treated. With a single treated cluster there is no interval.
    """
    if cluster != "components":
        few = 1 < n_treated_clusters < FEW_TREATED_CLUSTERS
        return _FEW_TREATED.format(n_treated_clusters) if few else None
    if n_clusters >= FEW_TREATED_CLUSTERS:
        return None
    if n_clusters < 2:
        return ONE_COMPONENT
    caution = (
        f"matched sets and assignment clusters hang together in {n_clusters} components: too few "
        "for the interval, which is too short"
    )
    no_bootstrap = "; a wild bootstrap is not applicable" * (n_clusters < UNINFORMATIVE_BELOW)
    return f"{caution}{no_bootstrap}; compare cluster: assignment"
