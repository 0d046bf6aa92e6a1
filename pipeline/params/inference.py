"""What `estimate` specs may ask for beside analytic errors: draws, and the seeds that fix them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from pipeline.params.settings import Settings

ONE_DIRECTION = (
    "clusters in one direction: it redraws or decomposes whole clusters, and two that cross are no "
    "such parts; ask for it in a spec with one cluster, as cluster: assignment"
)
NO_CLUSTERS = (
    "redraws or decomposes whole clusters, and firms that share shocks within a distance make "
    "none; ask for it in a spec with cluster: assignment or exposure_component"
)

# Errors that the stacked estimator has not by this name, and how to ask for them.
ASKED_ELSEWHERE = {
    "hc3": (
        "hc3 is for one value per firm: use estimator: cross_section, with base_value: "
        "subtracted for one difference; stacked takes analytic or cluster_bootstrap"
    ),
    "abadie_imbens": (
        "abadie_imbens is for one difference per firm: use estimator: matched_difference; "
        "stacked takes analytic or cluster_bootstrap"
    ),
    "conley": (
        "spatial errors are what a spec clusters by: write cluster: distance, with conley: "
        "{cutoff_km: 50, kernel: uniform, latitude: lat, longitude: lon}"
    ),
}


class WildBootstrap(Settings):
    """Ask for a restricted wild cluster bootstrap beside the t test of the average effect.

    Rademacher weights, all 2^G patterns where `draws` allows, Webb's six points up to 12 clusters.
    Draws whose statistic is as large as the data's, which all patterns hold at least two of, are
    `counted` in p-value and interval, or `left_out` as in Stata's boottest.
    """

    draws: int = Field(ge=99)
    seed: int = Field(ge=0)
    ties: Literal["counted", "left_out"] = "counted"


class Randomisation(Settings):
    """Ask for a randomisation test of the average effect that re-assigns entry among clusters.

    Every assignment is used where there are no more than `draws`; score, matching and effect are
    redone in each.
    """

    draws: int = Field(ge=99)
    seed: int = Field(ge=0)


class _Draws(Settings):
    """Hold what bands took while they were drawn."""

    draws: int = Field(ge=99)
    seed: int = Field(ge=0)


def _asked_for(bands: object) -> object:
    """Read null as false and draws with a seed, which change nothing any more, as true."""
    if isinstance(bands, dict):
        return bool(_Draws.model_validate(bands))
    return False if bands is None else bands


# Simultaneous bands, or none: their critical value takes no draws.
Bands = Annotated[bool, BeforeValidator(_asked_for)]


class RomanoWolf(Settings):
    """Ask for Romano-Wolf p-values over each family of outcomes, by multiplier draws."""

    draws: int = Field(ge=99)
    seed: int = Field(ge=0)


class Conley(Settings):
    """Ask for spatial errors: firms within `cutoff_km` of each other may share shocks.

    All pairs within it count alike (`uniform`), or less the farther they are (`bartlett`). With 0
    only firms at the same place do.
    """

    cutoff_km: float = Field(ge=0, allow_inf_nan=False)
    kernel: Literal["uniform", "bartlett"] = "uniform"


class SpatialErrors(Conley):
    """Ask for spatial errors of a spec: `cluster: distance`.

    Places of firms are the PANEL columns `latitude` and `longitude`, in decimal degrees, of the
    year in which a firm's assignment cluster is taken. Errors of one firm, and of firms at most
    `cutoff_km` apart, may be correlated over any number of years.
    """

    latitude: str
    longitude: str

    @property
    def level(self) -> str:
        """Return by what name results hold the places: that of the two columns."""
        return ", ".join(self.columns)

    @property
    def columns(self) -> tuple[str, str]:
        """Return the columns of PANEL that say where firms are."""
        return self.latitude, self.longitude
