"""Specs of estimators on the flat panel that let effects differ by cohort."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pipeline.params.analyses import SpecCluster, without_clusters
from pipeline.params.flat_spec import FlatSpec
from pipeline.params.spec_options import OfScore


class CohortSpec(FlatSpec):
    """Hold what specs of these estimators share; `estimator` says which.

    `average` is what the term `att` shows: event times equally (`event`), or all treated firm-years
    (`simple`). An estimator that `adjusts` takes some of score.covariates and absorbs `effects` of
    each firm, or of each cohort; `one_direction` says why one clusters in one direction only, empty
    where it does not.
    """

    own = frozenset({"average", "effects", "end_bins"})
    adjusts: ClassVar[bool]
    one_direction: ClassVar[str]

    cluster: SpecCluster
    average: Literal["event", "simple"]
    covariates: Annotated[list[str], OfScore(numeric=True)] = Field(default_factory=list)
    effects: Literal["firm", "cohort"] = "firm"

    @model_validator(mode="after")
    def _asks_for_what_the_estimator_does(self) -> "CohortSpec":
        plain = not self.covariates and self.effects == "firm"
        if not self.adjusts and not plain:
            raise ValueError("only extended_twoway takes covariates and cohort effects")
        if self.firms == "panel" and self.covariates:
            raise ValueError(
                "covariates go with firms: risk_sets, where each firm has an entry year to date "
                "them by; with firms: panel leave them out, or use estimator: group_time"
            )
        if self.one_direction and without_clusters(self.cluster) is not None:
            raise ValueError(self.one_direction)
        return self


class SunAbrahamSpec(CohortSpec):
    """Define the interaction-weighted estimator (Sun & Abraham)."""

    adjusts = False
    one_direction = ""
    has_leads = True

    estimator: Literal["sun_abraham"]


class ExtendedTwowaySpec(CohortSpec):
    """Define the extended two-way regression (Wooldridge)."""

    adjusts = True
    one_direction = ""

    estimator: Literal["extended_twoway"]


class ImputationSpec(CohortSpec):
    """Define imputation of untreated outcomes (Borusyak, Jaravel & Spiess)."""

    adjusts = False
    one_direction = (
        "imputation clusters in one direction: its influences are deviations from means "
        "that its variance takes over the clusters themselves; use cluster: assignment, or "
        "sun_abraham or extended_twoway"
    )

    estimator: Literal["imputation"]
