"""Section `match`: matching designs and how balance is judged."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.settings import Settings


class NearestDesign(Settings):
    """Match each treated firm to its nearest comparison firms on the propensity score.

    `caliper_sd` is in standard deviations (n-1, within the stack, before support and cells) of
    the distance, taken over `all` firms, `pooled` groups or the `treated`; null means none.
    Without replacement: greedy in `order`, ties in row order. With replacement: comparison firms
    tied within `tie_tolerance` share the weight.
    """

    score: str
    method: Literal["nearest"]
    distance: Literal["linear", "probability"]
    ratio: int = Field(ge=1)
    replacement: bool
    caliper_sd: float | None = Field(gt=0)
    caliper_sd_of: Literal["all", "pooled", "treated"]
    exact: list[str]
    order: Literal["largest", "smallest", "data"]
    tie_tolerance: float = Field(ge=0)


class BalanceSettings(Settings):
    """Say how balance is measured and when it is called good enough."""

    denominator: Literal["pooled", "treated"]
    threshold: float = Field(gt=0)


class MatchSection(Settings):
    """Hold every design by name; the design `unmatched` always exists beside them."""

    designs: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], NearestDesign]
    balance: BalanceSettings

    @model_validator(mode="after")
    def _unmatched_is_reserved(self) -> "MatchSection":
        if "unmatched" in self.designs:
            raise ValueError("the design `unmatched` always exists and takes no settings")
        return self
