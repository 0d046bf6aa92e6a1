"""What minimum detectable effects are called in FACTS; exhibits read it."""

_IN_ESTIMATE = "mde"
_IN_UNIT = "mde_level"


def detectable(spec: str, treated_clusters: int | None = None) -> str:
    """Return the fact that holds a spec's detectable effect in the units of its estimates.

    With `treated_clusters`, had that many clusters been treated.
    """
    return f"{_IN_ESTIMATE}[{_which(spec, treated_clusters)}]"


def detectable_in_unit(spec: str, treated_clusters: int | None = None) -> str:
    """Return the same in the outcome's unit."""
    return f"{_IN_UNIT}[{_which(spec, treated_clusters)}]"


def _which(spec: str, treated_clusters: int | None) -> str:
    return spec if treated_clusters is None else f"{spec},treated_clusters={treated_clusters}"
