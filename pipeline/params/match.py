"""Section `match`: matching designs and how balance is judged."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from pipeline.params.design_rules import CaliperDesign, CellDesign, Design, OfDesign, TurnsDesign
from pipeline.params.settings import IntegerPair, Settings
from pipeline.params.written import FileFormat

# Scores have 8 decimals: rounding moves a distance by up to 1e-8, and two apart by twice that.
LEAST_TIE_TOLERANCE = 4e-8


def beyond_rounding(tie_tolerance: float) -> float:
    """Return a tolerance at which rounding of scores parts no ties; `check` says what it raises."""
    return max(tie_tolerance, LEAST_TIE_TOLERANCE)


class NearestDesign(TurnsDesign):
    """Match each treated firm to its nearest comparison firms on the propensity score.

    A `tie_tolerance` below `LEAST_TIE_TOLERANCE` counts as that: less would part ties at random.
    `ratio_range` varies the ratio between two bounds, `ratio` on average, without replacement
    (extremal matching: Ming & Rosenbaum 2000).
    """

    method: Literal["nearest"]
    tie_tolerance: Annotated[float, AfterValidator(beyond_rounding)] = Field(
        default=LEAST_TIE_TOLERANCE, ge=0
    )
    ratio_range: IntegerPair | None = None

    @model_validator(mode="after")
    def _range_around_ratio(self) -> "NearestDesign":
        if self.ratio_range is None:
            return self
        least, most = self.ratio_range
        if not 1 <= least < self.ratio < most or self.replacement:
            raise ValueError(
                "ratio_range needs 1 <= least < ratio < most, and matching without replacement"
            )
        return self


class RadiusDesign(CaliperDesign):
    """Match each treated firm to all comparison firms within the caliper, equally weighted."""

    method: Literal["radius"]

    @model_validator(mode="after")
    def _needs_a_caliper(self) -> "RadiusDesign":
        if not self.has_caliper:
            raise ValueError("method: radius needs caliper or caliper_sd")
        return self


class KernelDesign(CellDesign):
    """Weight comparison firms within the bandwidth by the Epanechnikov kernel of their distance.

    `bandwidth` is in the units of the distance; psmatch2 takes 0.06 on the probability.
    """

    method: Literal["kernel"]
    distance: Literal["linear", "probability"]
    bandwidth: float = Field(gt=0)


class MahalanobisDesign(TurnsDesign):
    """Match each treated firm to its nearest comparison firms on several covariates.

    The Mahalanobis distance over `covariates`, with the covariance of `all` firms or `pooled`
    within groups. A caliper, where there is one, is on the score.
    """

    method: Literal["mahalanobis"]
    covariates: Annotated[list[str], OfDesign(conditions=True)] = Field(min_length=1)
    covariance_of: Literal["all", "pooled"]

    @property
    def uses_score(self) -> bool:
        """Say whether a caliper, or the order of choice, looks at the score."""
        by_score = not self.replacement and self.order in ("largest", "smallest")
        return self.has_caliper or by_score


class CellOnlyDesign(CellDesign):
    """Compare within exact cells, all firms of a cell that has both groups."""

    method: Literal["cells"]
    exact: Annotated[list[str], OfDesign(conditions=False)] = Field(min_length=1)

    @property
    def uses_score(self) -> bool:
        """Say that cells need no score."""
        return False


class OddsDesign(Design):
    """Weight comparison firms by the odds of treatment, normalised within each stack (ATT)."""

    method: Literal["odds"]


class OverlapDesign(Design):
    """Weight each firm by its probability of being in the other group.

    The effect is that on the overlap population, estimand `ato`, not on the treated.
    """

    method: Literal["overlap"]

    @property
    def own_estimand(self) -> str:
        """Return that the weights stand for the overlap population."""
        return "ato"


class EntropyDesign(Design):
    """Weight comparison firms so that they share moments of the treated (entropy balancing).

    `moments`: 1 means, 2 also second and 3 also third moments of `covariates`. Among weights
    that meet them, those nearest to `base`: `equal` weights, the `odds` of treatment, or the
    weights that the covariate `base_covariate` holds (sampling weights, say).
    """

    method: Literal["entropy"]
    covariates: Annotated[list[str], OfDesign(conditions=True)] = Field(min_length=1)
    moments: int = Field(ge=1, le=3)
    base: Literal["equal", "odds", "covariate"]
    base_covariate: Annotated[str | None, OfDesign(conditions=False)] = None

    @model_validator(mode="after")
    def _base_has_its_covariate(self) -> "EntropyDesign":
        if (self.base == "covariate") != (self.base_covariate is not None):
            raise ValueError("base: covariate needs base_covariate, and other bases have none")
        return self

    @property
    def uses_score(self) -> bool:
        """Say whether the weights start from the score."""
        return self.base == "odds"


class ExternalDesign(Design):
    """Adopt pairs or weights made elsewhere (psmatch2, kmatch, MatchIt), from a file.

    `file` lies in data/raw/<study>/. `content: weights` needs the columns named by `firm_id` and
    `weight`, one row per firm; `content: pairs` those named by `firm_id` (the treated firm) and
    `control_id`, one row per pair, shared equally unless `weight` names a column. `stack` names
    the column with the entry year, null where the study has one entry year only. `format` says how
    the file is written, as data.source.format does of the panel; identifiers are written as
    clean.identifier says.
    """

    method: Literal["external"]
    file: str
    content: Literal["weights", "pairs"]
    firm_id: str
    control_id: str | None
    weight: str | None
    stack: str | None
    format: FileFormat = FileFormat()

    @model_validator(mode="after")
    def _columns_fit(self) -> "ExternalDesign":
        if self.content == "weights" and (self.weight is None or self.control_id is not None):
            raise ValueError("content: weights needs weight, and has control_id: null")
        if self.content == "pairs" and self.control_id is None:
            raise ValueError("content: pairs needs control_id")
        return self

    @property
    def uses_score(self) -> bool:
        """Say that weights brought along need no score."""
        return False


AnyDesign = Annotated[
    NearestDesign
    | RadiusDesign
    | KernelDesign
    | MahalanobisDesign
    | CellOnlyDesign
    | OddsDesign
    | OverlapDesign
    | EntropyDesign
    | ExternalDesign,
    Field(discriminator="method"),
]


def conditioning_covariates(design: Design, scored: list[str]) -> list[str]:
    """Return what a design conditions on: `scored` where it uses the score, and its own."""
    own = [name for names in design.named(conditions_only=True).values() for name in names]
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
