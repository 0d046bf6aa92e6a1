"""What the settings of a spec come to on one design and outcome: what SPECS says ran."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.datasets.specs import NONE
from pipeline.effects.study import Study


@dataclass(frozen=True)
class Asked:
    """Hold a spec or analysis (of its own class of `params`), a design, an outcome.

    The outcome may be one that params do not define: survival.
    """

    study: Study
    spec: Any
    design: str
    outcome: str

    @property
    def in_ratios(self) -> bool:
        """Say whether the effect is asked for in proportion to the level."""
        outcome = self.study.outcomes.get(self.outcome)
        return outcome is not None and outcome.in_ratios

    @property
    def gaps(self) -> Literal["drop_set", "renormalise"]:
        """Return the rule for missing outcomes; designs without sets renormalise."""
        in_sets = self.study.stacks[self.design].sets is not None
        return self.study.estimate.missing if in_sets else "renormalise"


@dataclass(frozen=True)
class Resolved:
    """Hold what only the estimator knows of how a spec runs; the words are those of SPECS.

    Analyses of several parts have several methods, and rules for gaps. `firm_years` follows from
    the trait `pools` of its row in the registry.
    """

    method: tuple[str, ...]
    average: str
    base: Literal["reference_year", "every_year_before", "covariate", "none"]
    event_base: Literal["universal", "varying", "none"]
    gaps: tuple[str, ...]
    weights: str
    firm_effects: str
    year_effects: str
    firm_years: Literal["per_entry_year", "once"] = "per_entry_year"
    firms: Literal["risk_sets", "panel"] = "risk_sets"
    end_bins: str = NONE
    untreated_categories: str = NONE


def on_stacks(asked: Asked, method: str) -> Resolved:
    """Return how a regression runs on stacked rows, each entry year with effects of its own."""
    pooled = asked.spec.average == "pooled" and "att" in asked.spec.terms
    return Resolved(
        method=(method,),
        average=asked.spec.average if "att" in asked.spec.terms else NONE,
        base="every_year_before" if pooled else "reference_year",
        event_base="universal" if "event" in asked.spec.terms else "none",
        gaps=(asked.gaps,),
        weights="scaled_to_treated" if asked.design == "unmatched" else "matching",
        firm_effects="firm_by_entry_year",
        year_effects="year_by_entry_year",
    )


def on_flat_panel(asked: Asked, method: str, average: str, firm_effects: str) -> Resolved:
    """Return how a regression runs on firm-years, each once, with all years before as its base.

    Without matching they have no weights that could be scaled where some are not observed. Where
    every firm of PANEL enters, `end_bins` says which ends of event time are open, and whether the
    later one enters averages.
    """
    spec = asked.spec
    ends = "both" if spec.bins_leads else "last"
    return Resolved(
        method=(method,),
        average=average if "att" in asked.spec.terms else NONE,
        base="every_year_before",
        event_base="none",
        gaps=("observed",) if asked.design == "unmatched" else (asked.gaps,),
        weights="one" if asked.design == "unmatched" else "matching_summed",
        firm_effects=firm_effects,
        year_effects="year",
        firms=spec.firms,
        end_bins=f"{ends}_{spec.end_bins}" if spec.bins else NONE,
    )


def on_changes(asked: Asked, method: str) -> Resolved:
    """Return how changes since the reference year are compared, entry year by entry year."""
    events = "event" in asked.spec.terms
    return Resolved(
        method=(method,),
        average="event" if "att" in asked.spec.terms else NONE,
        base="reference_year",
        event_base="universal" if events else "none",
        gaps=("renormalise",),
        weights="scaled_to_treated" if asked.design == "unmatched" else "matching",
        firm_effects="differenced",
        year_effects="differenced",
    )


def on_cells(asked: Asked) -> Resolved:
    """Return how group-time effects compare: within stacks, or among every firm of PANEL."""
    spec = asked.spec
    alike = "one" if asked.study.sampling is None else "sampling"
    every_firm = spec.firms == "panel"
    whole_sets = not every_firm and asked.gaps == "drop_set"
    return replace(
        on_changes(asked, spec.method),
        average=spec.average if "att" in spec.terms else NONE,
        event_base=spec.base,
        gaps=("drop_set" if whole_sets else spec.gaps,),
        weights=alike if asked.design == "unmatched" else "matching",
        firms=spec.firms,
        untreated_categories="leave_out" if spec.untreated_categories == "leave_out" else NONE,
    )
