"""Section `estimate`: which effects are estimated, on which designs, with which errors."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.params.analyses import (
    Analyses,
    Cluster,
    SpecCluster,
    StackedCluster,
    without_clusters,
)
from pipeline.params.cohort_specs import ExtendedTwowaySpec, ImputationSpec, SunAbrahamSpec
from pipeline.params.cross_section_spec import CrossSectionSpec
from pipeline.params.flat_spec import FlatSpec
from pipeline.params.group_time_spec import GroupTimeSpec
from pipeline.params.inference import (
    ASKED_ELSEWHERE,
    Bands,
    Randomisation,
    RomanoWolf,
    WildBootstrap,
)
from pipeline.params.inference_methods import METHODS
from pipeline.params.settings import Settings
from pipeline.params.spec_options import EstimatesAsked, OfPanel, OfScore


class EventBin(Settings):
    """Ask for the equal-weight mean of the effects from one event time to another."""

    first_event_time: int
    last_event_time: int

    @model_validator(mode="after")
    def _ordered(self) -> "EventBin":
        if self.last_event_time < self.first_event_time:
            raise ValueError("last_event_time comes before first_event_time")
        return self


class StackedSpec(EstimatesAsked):
    """Define stacked difference-in-differences.

    `terms`: `att` is the average effect, `event` one effect per event time. `average` says what
    `att` is: `event`, the equal-weight mean over event times from entry on, each against the
    reference year; `pooled`, treated x post against all years before entry. `cluster` may, after
    matching without replacement, also be `set_and_assignment` (two-way) or `components` (sets and
    clusters that hang together). `inference: cluster_bootstrap` adds, for smooth weights,
    intervals from `draws` samples of assignment clusters in which score, weights and effect are
    redone. `year_effects_by` names a PANEL text column whose base-year value the year effects
    vary by (sector x year x stack effects); null means year x stack.

    For few clusters `bias_reduced` adds rows with CR2 errors and Satterthwaite degrees of freedom,
    `wild_bootstrap` and `randomisation` a row for the average effect. `covariates` names some of
    score.covariates whose slopes may differ by year and stack (regression adjustment); effects
    before entry that they fit, growth from that year on, leave the pre-trend test.
    `event_bins` adds means over ranges of event times. `placebo_entry_years` adds the average
    effect of an entry that many years too early, on years before entry only. `bands: true`
    adds simultaneous bands of the event terms. `weight_by` names a covariate that weights firms (a
    sampling weight, jobs at base) in the effects of the design `unmatched`.
    """

    gives = "effects"
    in_logs_only = False
    own = frozenset({"average"})

    estimator: Literal["stacked"]
    terms: list[Literal["att", "event"]] = Field(min_length=1)
    average: Literal["event", "pooled"]
    cluster: StackedCluster
    inference: Literal["analytic", "cluster_bootstrap"] = "analytic"
    draws: int | None = Field(default=None, ge=50)
    seed: int | None = Field(default=None, ge=0)
    year_effects_by: Annotated[str | None, OfPanel()] = None
    bias_reduced: bool = False
    wild_bootstrap: WildBootstrap | None = None
    randomisation: Randomisation | None = None
    covariates: Annotated[list[str], OfScore(numeric=False)] = Field(default_factory=list)
    event_bins: list[EventBin] = Field(default_factory=list)
    placebo_entry_years: int | None = Field(default=None, ge=1)
    bands: Bands = False
    weight_by: Annotated[str | None, OfScore(numeric=True)] = None

    @model_validator(mode="after")
    def _weights_fit(self) -> "StackedSpec":
        if self.weight_by is None:
            return self
        if self.designs != ["unmatched"]:
            raise ValueError(
                "weight_by is for designs: [unmatched]: matches and their weights are made without "
                "it; a survey's sampling weight is data.weight, which weights them, too"
            )
        if self.inference == "cluster_bootstrap" or self.randomisation is not None:
            raise ValueError(
                "weight_by does not go with cluster_bootstrap or randomisation, which make the "
                "design again without it; use wild_bootstrap or bias_reduced"
            )
        return self

    @field_validator("inference", mode="before")
    @classmethod
    def _errors_asked_elsewhere(cls, inference: object) -> object:
        if inference in ASKED_ELSEWHERE:
            raise ValueError(ASKED_ELSEWHERE[str(inference)])
        return inference

    @model_validator(mode="after")
    def _bootstrap_is_complete(self) -> "StackedSpec":
        asked = self.inference == "cluster_bootstrap"
        if any((value is not None) != asked for value in (self.draws, self.seed)):
            raise ValueError("inference: cluster_bootstrap needs draws and seed; analytic neither")
        if asked and self.cluster != "assignment":
            raise ValueError(
                "inference: cluster_bootstrap draws assignment clusters; use cluster: assignment"
            )
        return self

    @model_validator(mode="after")
    def _few_clusters_fit(self) -> "StackedSpec":
        for name in self.asked_beside_analytic:
            if (why := without_clusters(self.cluster)) is not None:
                raise ValueError(f"{name} {why}")
            if METHODS[name].average_only and "att" not in self.terms:
                raise ValueError(f"{name} tests the average effect; add att to terms")
        if self.bands and "event" not in self.terms:
            raise ValueError("bands are of event terms; add event to terms")
        if self.event_bins and "event" not in self.terms:
            raise ValueError("event_bins are means of event terms; add event to terms")
        return self


class MatchedDifferenceSpec(EstimatesAsked):
    """Define matching on one difference per firm, with the variance of Abadie & Imbens.

    For designs `nearest` and `mahalanobis` with replacement, whose rules (score or covariates,
    ratio, cells, caliper, ties) match the firms that have the difference. `att`: the mean over
    event times from entry on minus the reference year; `event`: one difference per event time.
    Firms are independent (`cluster: firm`), each in one entry year. On a score the variance is
    corrected for its estimation. `variance`: `robust` measures a firm's variance among
    `variance_neighbours` firms of its group (as vce(robust, nn()) of Stata's teffects),
    `homoskedastic` takes one for all. `bias_adjustment` names covariates whose remaining
    differences within matches a regression removes.
    """

    gives = "effects"
    in_logs_only = False
    own = frozenset()

    estimator: Literal["matched_difference"]
    terms: list[Literal["att", "event"]] = Field(min_length=1)
    cluster: Cluster
    inference: Literal["abadie_imbens"]
    variance: Literal["robust", "homoskedastic"] = "robust"
    variance_neighbours: int = Field(default=2, ge=2)
    bias_adjustment: Annotated[list[str], OfScore(numeric=False)] = Field(default_factory=list)


class TwowaySpec(FlatSpec):
    """Define flat two-way fixed effects, for comparability; `bias_reduced` as for stacked.

    `event`, for `firms: panel`, is the event study with binned end points (Schmidheiny & Siegloch):
    one effect for all entry years at each event time, contaminated where these differ.
    """

    own = frozenset({"end_bins"})
    has_leads = True

    estimator: Literal["twoway"]
    cluster: SpecCluster
    bias_reduced: bool = False

    @property
    def bins(self) -> bool:
        """Say whether the event study is asked for; the average has no event times."""
        return self.firms == "panel" and "event" in self.terms

    @model_validator(mode="after")
    def _bias_reduced_in_one_direction(self) -> "TwowaySpec":
        if self.bias_reduced and (why := without_clusters(self.cluster)) is not None:
            raise ValueError(f"bias_reduced {why}")
        return self

    @model_validator(mode="after")
    def _event_terms_of_every_firm(self) -> "TwowaySpec":
        if "event" in self.terms and self.firms != "panel":
            raise ValueError(
                "two-way leads and lags are contaminated under staggered entry; "
                "ask for event terms from the stacked estimator, or, for comparability, with "
                "firms: panel, designs: [unmatched]"
            )
        if self.end_bins == "averaged" and "event" not in self.terms:
            raise ValueError(
                "end_bins: averaged is of event terms, and att takes all treated firm-years: add "
                "event to terms, or leave end_bins out"
            )
        return self


class LeeBoundsSpec(EstimatesAsked):
    """Define bounds on the effect on the log of a level among firms above zero at base (Lee).

    Outcomes are `log` or `proportional`.
    """

    gives = "bounds"
    in_logs_only = True
    own = frozenset()

    estimator: Literal["lee_bounds"]
    cluster: SpecCluster
    terms: list[Literal["att"]] = Field(min_length=1)


Spec = Annotated[
    StackedSpec
    | MatchedDifferenceSpec
    | TwowaySpec
    | GroupTimeSpec
    | SunAbrahamSpec
    | ExtendedTwowaySpec
    | ImputationSpec
    | CrossSectionSpec
    | LeeBoundsSpec,
    Field(discriminator="estimator"),
]


class Headline(Settings):
    """Name the estimate that a report quotes first."""

    spec: str
    design: str
    term: Literal["att"]


class EstimateSection(Settings):
    """Hold the confidence level, the rule for missing outcomes, the headline, specs and analyses.

    `missing` applies per outcome, stack and year. `drop_set` keeps a matched set in a year only
    if all its firms are observed; `renormalise` keeps whoever is observed and scales comparison
    weights to the observed treated. `romano_wolf` adds p-values that hold over each family of
    outcomes beside the q-values. Where matching is greedy the headline's effect is estimated again
    over `match_orders` random orders of rows and of who chooses. `other_arms` are the specs, the
    headline's among them, by which arms other than its own are estimated, without analyses and
    other orders of matching beside; null is by all, with these.

    `specs` are keyed by name; a list of specs that each have `name` says the same.
    """

    conf_level: float = Field(gt=0.5, lt=1)
    power: float = Field(gt=0.5, lt=1)
    missing: Literal["drop_set", "renormalise"]
    match_orders: int = Field(default=50, ge=1)
    romano_wolf: RomanoWolf | None = None
    headline: Headline
    specs: list[Spec] = Field(min_length=1)
    analyses: Analyses = Analyses()
    other_arms: list[str] | None = None

    @field_validator("specs", mode="before")
    @classmethod
    def _names_from_keys(cls, specs: object) -> object:
        """Read specs keyed by name as a list of specs with names."""
        if not isinstance(specs, dict):
            return specs
        twice = [key for key, spec in specs.items() if isinstance(spec, dict) and "name" in spec]
        if twice:
            raise ValueError(f"{twice[0]}: the key is the spec's name; leave `name` out below it")
        return [{"name": k, **s} if isinstance(s, dict) else s for k, s in specs.items()]

    @model_validator(mode="after")
    def _consistent(self) -> "EstimateSection":
        names = [spec.name for spec in self.specs]
        if repeated := [name for i, name in enumerate(names) if name in names[:i]]:
            raise ValueError(
                f"two specs share the name {repeated[0]}; names label the estimates and must differ"
            )
        by_name = {spec.name: spec for spec in self.specs}
        chosen = by_name.get(self.headline.spec)
        if chosen is None:
            raise ValueError(f"headline.spec {self.headline.spec} is not one of {', '.join(names)}")
        if self.headline.design not in chosen.designs:
            raise ValueError(
                f"headline.design {self.headline.design} is not a design of spec {chosen.name}"
            )
        if self.other_arms is not None and not {chosen.name} <= set(self.other_arms) <= {*names}:
            raise ValueError(
                f"other_arms is {', '.join(self.other_arms) or 'empty'}: list specs, that of the "
                f"headline ({chosen.name}) and any of {', '.join(names)}"
            )
        return self

    @property
    def of_other_arms(self) -> "EstimateSection":
        """Return the section as it holds for arms other than the headline's."""
        if self.other_arms is None:
            return self
        kept = [spec for spec in self.specs if spec.name in self.other_arms]
        beside = {"analyses": Analyses(), "match_orders": 0}
        return self.model_copy(update={"specs": kept, **beside})

    @model_validator(mode="after")
    def _romano_wolf_has_clusters(self) -> "EstimateSection":
        reasons = [without_clusters(spec.cluster) for spec in self.specs]
        if self.romano_wolf is not None and all(reasons):
            raise ValueError(f"romano_wolf {reasons[0]}")
        return self

    @model_validator(mode="after")
    def _analyses_fit_specs(self) -> "EstimateSection":
        named = {spec.name for spec in self.specs}
        designs = {design for spec in self.specs for design in spec.designs}
        for name, analysis in self.analyses.asked().items():
            if name in named:
                raise ValueError(f"a spec is called {name}, as an analysis is; rename the spec")
            unknown = [design for design in analysis.designs if design not in designs]
            if unknown:
                raise ValueError(
                    f"analyses.{name}.designs: {', '.join(unknown)} is not a design of any spec"
                )
        return self
