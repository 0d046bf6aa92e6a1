"""Specs of group-time effects: what may be asked of them, and what fits together."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.analyses import SpecCluster
from pipeline.params.inference import Bands
from pipeline.params.spec_options import EstimatesAsked, OfScore

GroupTimeTerm = Literal["att", "att_gt", "event", "event_balanced", "simple", "cohort", "year"]


class GroupTimeSpec(EstimatesAsked):
    """Define group-time effects (Callaway & Sant'Anna).

    `method`: `difference` without covariates; `outcome_regression`, `ipw`, `doubly_robust` or
    `doubly_robust_improved` with some of score.covariates, which take effects before entry that
    they fit out of the pre-trend test. `base`: years before entry are compared
    with the last year before entry (`universal`) or with the year before (`varying`). `average` is
    the aggregation that the term `att` shows. `balanced_last_event_time` bounds `event_balanced`.
    Weighting by the score on top of matching weights needs `weight_matched_again: true`.
    `weight_by` names a covariate (jobs at base, say) that weights firms, for the effect on totals.
    `untreated_categories: leave_out` leaves comparison firms out that a covariate puts in a
    category without a treated firm of the entry year, which no score can weight; they are counted.

    `firms: risk_sets` compares within the design's stacks, whose comparison firms stay untreated
    through the last outcome year used. `panel` is R's did: every firm of the panel, also those not
    active in the base year or at entry; not-yet-treated firms are chosen anew for each entry year
    and year. It goes with the design `unmatched`. `gaps` then says which firms a pair of years
    uses: `pairs` those observed in both, `balanced` only firms observed in every year (what did
    does unless told otherwise), `every_row` all firm-years of both, as repeated cross-sections
    (did's allow_unbalanced_panel, Stata's csdid).
    """

    gives = "effects"
    in_logs_only = False
    own = frozenset({"average", "method", "base", "gaps", "untreated_categories"})

    estimator: Literal["group_time"]
    terms: list[GroupTimeTerm] = Field(min_length=1)
    cluster: SpecCluster
    average: Literal["event", "simple", "cohort", "year"]
    method: Literal[
        "difference", "outcome_regression", "ipw", "doubly_robust", "doubly_robust_improved"
    ]
    covariates: Annotated[list[str], OfScore(numeric=False)]
    base: Literal["varying", "universal"]
    bands: Bands
    balanced_last_event_time: int | None = Field(default=None, ge=0)
    weight_matched_again: bool = False
    weight_by: Annotated[str | None, OfScore(numeric=True)] = None
    firms: Literal["risk_sets", "panel"] = "risk_sets"
    gaps: Literal["pairs", "balanced", "every_row"] = "pairs"
    untreated_categories: Literal["refuse", "leave_out"] = "refuse"

    @model_validator(mode="after")
    def _covariates_fit_method(self) -> "GroupTimeSpec":
        if (self.method == "difference") != (not self.covariates):
            raise ValueError("method `difference` takes no covariates; every other needs some")
        if ("event_balanced" in self.terms) != (self.balanced_last_event_time is not None):
            raise ValueError("event_balanced and balanced_last_event_time go together")
        return self

    @property
    def weighs(self) -> bool:
        """Say whether the method weights comparison firms by a score."""
        return self.method in ("ipw", "doubly_robust", "doubly_robust_improved")

    @model_validator(mode="after")
    def _categories_of_a_score(self) -> "GroupTimeSpec":
        if self.untreated_categories == "leave_out" and not self.weighs:
            raise ValueError(
                "untreated_categories: leave_out is for methods that weight by a score (ipw, "
                f"doubly_robust, doubly_robust_improved); {self.method} has none"
            )
        return self

    @model_validator(mode="after")
    def _firms_fit_design(self) -> "GroupTimeSpec":
        if self.firms == "panel" and self.designs != ["unmatched"]:
            raise ValueError(
                "firms: panel compares every firm, for designs: [unmatched] only; a matched design "
                "has its own firms"
            )
        if self.firms != "panel" and self.gaps != "pairs":
            raise ValueError(
                "gaps is for firms: panel; within risk sets estimate.missing says what missing "
                "outcomes do"
            )
        return self

    @model_validator(mode="after")
    def _weighted_once(self) -> "GroupTimeSpec":
        matched = [design for design in self.designs if design != "unmatched"]
        if matched and self.weight_by is not None:
            raise ValueError("weight_by is for the unmatched design: matched sets have own weights")
        if matched and self.weighs and not self.weight_matched_again:
            raise ValueError(
                f"{self.method} would weight the matched firms of {', '.join(matched)} again; use "
                "difference or outcome_regression there, or say weight_matched_again: true"
            )
        return self
