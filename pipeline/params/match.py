"""Section `match`: matching designs and how balance is judged."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.settings import Settings


class Design(Settings):
    """Name the score model whose risk sets, comparison pool and support rule a design uses."""

    score: str

    @property
    def uses_score(self) -> bool:
        """Say whether the design needs the score itself, not only its risk sets."""
        return True


class CellDesign(Design):
    """Keep firms of different cells apart: `exact` names covariates whose values never cross."""

    exact: list[str]


class NearestDesign(CellDesign):
    """Match each treated firm to its nearest comparison firms on the propensity score.

    `caliper_sd` is in standard deviations (n-1, within the stack, before support and cells) of
    the distance, taken over `all` firms, `pooled` groups or the `treated`; null means none.
    Without replacement: greedy in `order`, ties in row order. With replacement: comparison firms
    tied within `tie_tolerance` share the weight.
    """

    method: Literal["nearest"]
    distance: Literal["linear", "probability"]
    ratio: int = Field(ge=1)
    replacement: bool
    caliper_sd: float | None = Field(gt=0)
    caliper_sd_of: Literal["all", "pooled", "treated"]
    order: Literal["largest", "smallest", "data"]
    tie_tolerance: float = Field(ge=0)


class OddsDesign(Design):
    """Weight comparison firms by the odds of treatment, normalised within each stack (ATT)."""

    method: Literal["odds"]


class OverlapDesign(Design):
    """Weight each firm by its probability of being in the other group.

    The effect is that on the overlap population, estimand `ato`, not on the treated.
    """

    method: Literal["overlap"]


class EntropyDesign(Design):
    """Weight comparison firms so that they share moments of the treated (entropy balancing).

    `moments`: 1 means, 2 also second and 3 also third moments of `covariates`. Among weights
    that meet them, those nearest to `base`: `equal` weights or the `odds` of treatment.
    """

    method: Literal["entropy"]
    covariates: list[str] = Field(min_length=1)
    moments: int = Field(ge=1, le=3)
    base: Literal["equal", "odds"]

    @property
    def uses_score(self) -> bool:
        """Say whether the weights start from the score."""
        return self.base == "odds"


AnyDesign = Annotated[
    NearestDesign | OddsDesign | OverlapDesign | EntropyDesign, Field(discriminator="method")
]


def covariates_named(design: Design) -> dict[str, list[str]]:
    """Return the covariates that a design names, by setting."""
    keys = ("exact", "covariates")
    return {key: list(getattr(design, key)) for key in keys if hasattr(design, key)}


def conditioning_covariates(design: Design, scored: list[str]) -> list[str]:
    """Return what a design conditions on: `scored` where it uses the score, and its own."""
    own = covariates_named(design).get("covariates", [])
    return list(dict.fromkeys([*(scored if design.uses_score else []), *own]))


class BalanceSettings(Settings):
    """Say how balance is measured and when it is called good enough."""

    denominator: Literal["pooled", "treated"]
    threshold: float = Field(gt=0)


class MatchSection(Settings):
    """Hold every design by name; the design `unmatched` always exists beside them."""

    designs: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], AnyDesign]
    balance: BalanceSettings

    @model_validator(mode="after")
    def _unmatched_is_reserved(self) -> "MatchSection":
        if "unmatched" in self.designs:
            raise ValueError("the design `unmatched` always exists and takes no settings")
        return self
