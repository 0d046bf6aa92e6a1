"""What `estimate` specs may ask for beside analytic errors: draws, and the seeds that fix them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from pipeline.params.settings import Settings

ONE_DIRECTION = (
    "clusters in one direction: it redraws or decomposes whole clusters, and two that cross are no "
    "such parts; ask for it in a spec with one cluster, as cluster: assignment"
)


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
