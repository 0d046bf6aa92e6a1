"""What the number of clusters forbids, or makes doubtful, of an interval."""

from pipeline.datasets.arrays import Codes
from pipeline.effects.estimated import Seen
from pipeline.errors import Reason
from pipeline.panel.panel_index import is_nested, n_groups
from pipeline.params.analyses import EXPOSURE_COMPONENT, Clustering, TwoWay
from pipeline.params.inference import SpatialErrors

# MacKinnon & Webb (2018), doi:10.1111/ectj.12107: with fewer treated clusters the restricted
# bootstrap rejects next to never, the unrestricted far too often.
UNINFORMATIVE_BELOW = 6

# Below about twenty treated clusters analytic intervals are too short (MacKinnon & Webb 2017,
# doi:10.1002/jae.2508; `benchmarks.blind_programmes` measures by how much).
FEW_TREATED_CLUSTERS = 20

# Fewer components than these, into which exposure joins clusters, are too few for errors by them.
LEAST_COMPONENTS = 20

ERRORS_BY_FIRM = Reason("errors_by_firm")


def cluster_caution(cluster: Clustering, n_clusters: int, n_treated_clusters: int) -> Reason | None:
    """Return what an average effect must say of the number of clusters behind it.

    Sets that reach across assignment clusters join them, so that components may be far fewer than
    either; every one of them is treated. With a single treated cluster there is no interval.
    """
    if isinstance(cluster, SpatialErrors):
        return _few("places", n_treated_clusters)
    if not isinstance(cluster, str):
        return _few_of_a_pair(cluster, n_treated_clusters)
    if cluster != "components":
        return _few("clusters", n_treated_clusters)
    if n_clusters >= FEW_TREATED_CLUSTERS:
        return None
    if n_clusters < 2:
        return Reason("one_component")
    no_bootstrap = "_no_bootstrap" * (n_clusters < UNINFORMATIVE_BELOW)
    return Reason(f"few_components{no_bootstrap}", {"n_components": n_clusters})


def pair_cautions(cluster: Clustering, clusters: tuple[Codes, ...], seen: Seen) -> list[Reason]:
    """Return what a pair of levels comes to, by the clusters of firms with rows.

    Where one level lies within the other, errors are those by the other alone. Where assignment
    clusters are parts of neither, their shocks are not held.
    """
    if not isinstance(cluster, tuple):
        return []
    first, second = (code[seen.firm] for code in clusters)
    said = []
    for inner, outer, is_inside in (
        (*cluster, is_nested(first, second)),
        (*reversed(cluster), is_nested(second, first)),
    ):
        if is_inside:
            said.append(Reason("two_way_nested", {"inner_level": inner, "outer_level": outer}))
    if seen.assignment is None:
        return said[:1]
    assigned = seen.assignment[seen.firm]
    if not (is_nested(assigned, first) or is_nested(assigned, second)):
        said.append(Reason("two_way_splits_assignment", _levels(cluster)))
    return said


def narrow_caution(cluster: Clustering, clusters: tuple[Codes, ...], seen: Seen) -> list[Reason]:
    """Return that exposure reaches across clusters, of firms with rows, in every direction.

    Firms that expose others, and those others, share treatment: errors go with what joins them.
    """
    if isinstance(cluster, SpatialErrors) or EXPOSURE_COMPONENT not in seen.levels:
        return []
    component = seen.levels[EXPOSURE_COMPONENT][seen.firm]
    levels = [code[seen.firm] for code in clusters]
    if any(is_nested(component, level) for level in levels):
        return []
    counts = {"n_clusters": min(map(n_groups, levels)), "n_components": n_groups(component)}
    return [Reason("errors_narrower_than_exposure", counts)]


def _few(what: str, n_treated: int) -> Reason | None:
    few = 1 < n_treated < FEW_TREATED_CLUSTERS
    return Reason(f"few_treated_{what}", {f"n_treated_{what}": n_treated}) if few else None


def _few_of_a_pair(cluster: TwoWay, n_treated_clusters: int) -> Reason | None:
    if not 1 < n_treated_clusters < FEW_TREATED_CLUSTERS:
        return None
    count = {"n_treated_clusters": n_treated_clusters}
    return Reason("few_treated_clusters_two_way", count | _levels(cluster))


def _levels(cluster: TwoWay) -> dict[str, str]:
    return {"first_level": cluster[0], "second_level": cluster[1]}
