"""Specs of estimators on flat firm-years, each once: which of them they run on."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from pipeline.params.spec_options import EstimatesAsked


class FlatSpec(EstimatesAsked):
    """Hold on which firm-years these estimators run.

    `firms: risk_sets` takes those of the design's stacks inside the event window. `panel` takes
    every firm of the panel in every year in which it is observed, also firms with gaps and those
    not active in the base year or at entry; it goes with the design `unmatched`. Left out are entry
    years without a year before entry to start from, counted. Event times at or below the
    window's first, and at or above its last, are then told as one effect each, `k or earlier` and
    `k or later`; an average over event times goes without the latter (`end_bins: shown`), unless
    `averaged` counts it as an event time like others. An estimator `has_leads` where it estimates
    effects before entry.
    """

    gives = "effects"
    in_logs_only = False
    own = frozenset({"end_bins"})
    has_leads: ClassVar[bool] = False

    terms: list[Literal["att", "event"]] = Field(min_length=1)
    firms: Literal["risk_sets", "panel"] = "risk_sets"
    end_bins: Literal["shown", "averaged"] = "shown"

    @property
    def bins(self) -> bool:
        """Say whether effects by event time are estimated, of which some may be open-ended."""
        return self.firms == "panel"

    @property
    def bins_leads(self) -> bool:
        """Say whether there are effects before entry, of which the earliest is open-ended."""
        return self.bins and self.has_leads

    @model_validator(mode="after")
    def _firms_fit_design(self) -> "FlatSpec":
        if self.firms == "panel" and self.designs != ["unmatched"]:
            raise ValueError(
                "firms: panel takes every firm-year, for designs: [unmatched] only; a matched "
                "design has its own firms: use firms: risk_sets there"
            )
        if self.firms != "panel" and self.end_bins != "shown":
            raise ValueError(
                "end_bins: averaged is for firms: panel; with firms: risk_sets no firm-year lies "
                "outside the event window"
            )
        return self
