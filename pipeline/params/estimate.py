"""Section `estimate`: which effects are estimated, on which designs, with which errors."""

from typing import Literal

from pydantic import Field, model_validator

from pipeline.params.settings import Settings


class Spec(Settings):
    """Define one family of estimates: an estimator on designs and outcomes.

    `terms`: `att` is treated x post, `event` one effect per event time. `cluster`: the
    `assignment` cluster, or `firm`; after matching without replacement also
    `set_and_assignment` (two-way) or `components` (sets and clusters that hang together).
    `inference: cluster_bootstrap` adds, for smooth weights, intervals from `draws` samples of
    assignment clusters in which score, weights and effect are redone. `year_effects_by` names a
    PANEL text column whose base-year value the year effects vary by (sector x year x stack
    effects); null means year x stack.
    """

    name: str = Field(pattern="^[a-z][a-z0-9_]*$")
    estimator: Literal["stacked", "twoway"]
    designs: list[str] = Field(min_length=1)
    outcomes: list[str] | Literal["all"]
    terms: list[Literal["att", "event"]] = Field(min_length=1)
    cluster: Literal["assignment", "firm", "set_and_assignment", "components"]
    inference: Literal["analytic", "cluster_bootstrap"] = "analytic"
    draws: int | None = Field(default=None, ge=50)
    seed: int | None = Field(default=None, ge=0)
    year_effects_by: str | None = None

    @model_validator(mode="after")
    def _terms_fit(self) -> "Spec":
        if self.estimator == "twoway" and "event" in self.terms:
            raise ValueError(
                "two-way leads and lags are contaminated under staggered entry; "
                "ask for event terms from the stacked estimator"
            )
        if self.estimator == "twoway" and self.cluster in ("set_and_assignment", "components"):
            raise ValueError("flat two-way effects know no matched sets; cluster by assignment")
        return self

    @model_validator(mode="after")
    def _bootstrap_is_complete(self) -> "Spec":
        asked = self.inference == "cluster_bootstrap"
        if any((value is not None) != asked for value in (self.draws, self.seed)):
            raise ValueError("inference: cluster_bootstrap needs draws and seed; analytic neither")
        if asked and (self.estimator, self.cluster) != ("stacked", "assignment"):
            raise ValueError(
                "inference: cluster_bootstrap draws assignment clusters for the stacked estimator"
            )
        return self


class Headline(Settings):
    """Name the estimate that a report quotes first."""

    spec: str
    design: str
    term: Literal["att"]


class EstimateSection(Settings):
    """Hold the confidence level, the rule for missing outcomes, the headline and the specs.

    `missing` applies per outcome, stack and year. `drop_set` keeps a matched set in a year only
    if all its firms are observed; `renormalise` keeps whoever is observed and scales comparison
    weights to the observed treated.
    """

    conf_level: float = Field(gt=0.5, lt=1)
    power: float = Field(gt=0.5, lt=1)
    missing: Literal["drop_set", "renormalise"]
    headline: Headline
    specs: list[Spec] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "EstimateSection":
        names = [spec.name for spec in self.specs]
        if len(set(names)) < len(names):
            raise ValueError("two specs share a name; names label the estimates and must differ")
        by_name = {spec.name: spec for spec in self.specs}
        chosen = by_name.get(self.headline.spec)
        if chosen is None:
            raise ValueError(f"headline.spec {self.headline.spec} is not one of {', '.join(names)}")
        if self.headline.design not in chosen.designs:
            raise ValueError(
                f"headline.design {self.headline.design} is not a design of spec {chosen.name}"
            )
        return self
