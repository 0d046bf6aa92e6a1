"""Rules that several matching designs share: comparison pool, cells, caliper, who chooses first."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.settings import Settings


@dataclass(frozen=True)
class OfDesign:
    """Mark a setting that names covariates of score.covariates, `conditions` if matched on them."""

    conditions: bool


class Design(Settings):
    """Name the score model whose risk sets, comparison pool and support rule a design uses.

    `estimand` may be said and is checked: the effect on the treated (`att`).
    """

    score: str
    estimand: Literal["att", "atc", "ate", "ato"] | None = None

    @model_validator(mode="after")
    def _estimand_is_identified(self) -> "Design":
        if self.estimand not in (None, self.own_estimand):
            raise ValueError(
                f"estimand {self.estimand} is not what this method estimates, which is "
                f"{self.own_estimand}: parallel trends of untreated outcomes tell what treated "
                "firms would have had without the programme, and nothing of what comparison "
                "firms would have gained (atc, ate); method: overlap gives ato, the effect where "
                "both groups are likely"
            )
        return self

    @property
    def own_estimand(self) -> str:
        """Return whom the design's weights stand for."""
        return "att"

    def named(self, *, conditions_only: bool = False) -> dict[str, list[str]]:
        """Return the covariates that settings marked so name, by setting."""
        found: dict[str, list[str]] = {}
        for setting, field in type(self).model_fields.items():
            for mark in (mark for mark in field.metadata if isinstance(mark, OfDesign)):
                value = getattr(self, setting)
                if value is not None and (mark.conditions or not conditions_only):
                    found[setting] = [value] if isinstance(value, str) else list(value)
        return found

    @property
    def uses_score(self) -> bool:
        """Say whether the design needs the score itself, not only its risk sets."""
        return True


class Bins(Settings):
    """Cut a continuous covariate into bins; exactly one of the three.

    `edges` are inner cut points, ascending; `equal_width` and `quantiles` count the bins, within
    each stack.
    """

    edges: list[float] | None = Field(default=None, min_length=1)
    equal_width: int | None = Field(default=None, ge=2)
    quantiles: int | None = Field(default=None, ge=2)

    @model_validator(mode="after")
    def _one_rule(self) -> "Bins":
        if sum(rule is not None for rule in (self.edges, self.equal_width, self.quantiles)) != 1:
            raise ValueError("give exactly one of edges, equal_width, quantiles")
        if self.edges is not None and sorted(set(self.edges)) != self.edges:
            raise ValueError("edges must ascend, none twice")
        return self


class CellDesign(Design):
    """Keep firms of different cells apart: `exact` names covariates whose values never cross.

    `bins` cuts continuous ones of them into bins first (coarsened exact matching).
    """

    exact: Annotated[list[str], OfDesign(conditions=False)]
    bins: dict[str, Bins] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _bins_are_exact(self) -> "CellDesign":
        idle = [name for name in self.bins if name not in self.exact]
        if idle:
            raise ValueError(f"bins names {', '.join(idle)}, which exact does not")
        return self


class CaliperDesign(CellDesign):
    """Bound the distance of matched firms on the score.

    `caliper_sd` is in standard deviations (n-1, within the stack, before support and cells) of
    the distance, taken over `all` firms, `pooled` groups or the `treated`, or over the firms that
    the support rule keeps (`on_support`, as MatchIt does); `caliper` is in the units of the
    distance itself. Null means none; at most one of the two. `caliper_sd_of` is asked for with
    `caliper_sd` alone.
    """

    distance: Literal["linear", "probability"]
    caliper_sd: float | None = Field(gt=0)
    caliper_sd_of: Literal["all", "pooled", "treated", "on_support"] = "all"
    caliper: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_caliper(self) -> "CaliperDesign":
        if self.caliper is not None and self.caliper_sd is not None:
            raise ValueError("give caliper or caliper_sd, and null for the other")
        if self.caliper_sd is not None and "caliper_sd_of" not in self.model_fields_set:
            raise ValueError(
                "caliper_sd_of is missing: whose standard deviations caliper_sd is in (all, "
                "pooled, treated, on_support)"
            )
        return self

    @property
    def has_caliper(self) -> bool:
        """Say whether there is a caliper at all."""
        return self.caliper is not None or self.caliper_sd is not None


class TurnsDesign(CaliperDesign):
    """Say how many comparison firms each treated firm gets, and who chooses first.

    Without replacement: greedy in `order`, ties in row order; `random` needs `order_seed`. With
    replacement: comparison firms tied within `tie_tolerance` share the weight. Each is asked for
    where it means something.
    """

    ratio: int = Field(ge=1)
    replacement: bool
    order: Literal["largest", "smallest", "closest", "data", "random"] = "data"
    order_seed: int | None = Field(default=None, ge=0)
    tie_tolerance: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _random_needs_a_seed(self) -> "TurnsDesign":
        if (self.order == "random") != (self.order_seed is not None):
            raise ValueError("order: random needs order_seed, a whole number; other orders none")
        return self

    @model_validator(mode="after")
    def _what_decides_is_said(self) -> "TurnsDesign":
        if self.replacement and "tie_tolerance" not in self.model_fields_set:
            raise ValueError(
                "tie_tolerance is missing: with replacement it says which firms are as near"
            )
        if not self.replacement and "order" not in self.model_fields_set:
            raise ValueError(
                "order is missing: without replacement it says who chooses first (largest, "
                "smallest, closest, data, random)"
            )
        return self
