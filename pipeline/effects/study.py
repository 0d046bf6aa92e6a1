"""What every estimate of one study shares: panel, stacks by design, settings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Floats
from pipeline.datasets.panel import SAMPLING_WEIGHT
from pipeline.effects.adjusted_changes import NO_COVARIATES, AdjustedFor, changes_adjusted_for
from pipeline.effects.after_entry import after_entry_sample
from pipeline.effects.comparison_mean import with_means
from pipeline.effects.exposed_arm import OfExposed
from pipeline.effects.levels import levels_named, with_levels
from pipeline.effects.sample import StackedSample, stacked_sample
from pipeline.effects.stacks import Stacks, join_stacks
from pipeline.errors import IdentificationError, ParamsError, Reason
from pipeline.matching.matched_lags import MatchedTimes
from pipeline.panel.panel_index import NO_ROW, PanelIndex, index_panel
from pipeline.panel.scale import on_scale
from pipeline.params.arms import ONLY_ARM
from pipeline.params.cross_section_faults import assignment_faults
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.outcomes import Outcome, OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.spec_options import OfScore
from pipeline.params.treatment import TreatmentSection
from pipeline.progress import track


@dataclass(frozen=True)
class Study:
    """Hold what every estimate of a study shares: the panel, each design's stacks, settings.

    `matched_times` says at which event times a design matched on a column. `score` defines
    covariates, for estimates on firms that COVARIATES lacks; `arm` is the arm whose panel it is,
    `exposed` counts its firms where they are exposed ones.
    """

    panel: pd.DataFrame
    stacks: dict[str, Stacks]
    estimand: dict[str, str]
    outcomes: dict[str, Outcome]
    matched_times: MatchedTimes
    treatment: TreatmentSection
    estimate: EstimateSection
    covariates: pd.DataFrame | None
    score: ScoreSection | None = None
    arm: str = ONLY_ARM
    exposed: OfExposed = None

    @cached_property
    def index(self) -> PanelIndex:
        """Return the rows of each firm and year; its `firms` are the names of firm codes."""
        return index_panel(self.panel)

    @cached_property
    def sampling(self) -> Floats | None:
        """Return sampling weights by PANEL row; None where the study has none."""
        if SAMPLING_WEIGHT not in self.panel:
            return None
        return self.panel[SAMPLING_WEIGHT].to_numpy(np.float64)

    @cached_property
    def covariate_row(self) -> dict[int, Codes]:
        """Return by entry year, by firm code (F,), the row of COVARIATES, NO_ROW for none."""
        assert self.covariates is not None, "of studies with covariates"
        firm = self.index.codes(self.covariates["firm_id"])
        stack = self.covariates["stack"].to_numpy(dtype=np.int64)
        found: dict[int, Codes] = {}
        for entry in np.unique(stack).tolist():
            own = np.flatnonzero((stack == entry) & (firm >= 0))
            found[entry] = np.full(len(self.index.firms), NO_ROW, dtype=np.intp)
            found[entry][firm[own]] = own
        return found

    def matched_on(self, design: str, outcome: str) -> frozenset[int]:
        """Return the event times at which the design was matched on the outcome's column."""
        return self.matched_times.get(design, {}).get(
            self.outcomes[outcome].column or "", frozenset()
        )

    def adjusted_for(self, covariates: Sequence[str], outcome: str) -> AdjustedFor:
        """Return what covariates of a spec hold of the outcome's own column."""
        if self.score is None:
            return NO_COVARIATES
        known = self.score.covariates
        column = self.outcomes[outcome].column or ""
        return changes_adjusted_for([known[name] for name in covariates if name in known], column)


def prepare_study(
    panel: pd.DataFrame,
    matches: pd.DataFrame,
    weights: pd.DataFrame,
    *,
    outcomes: OutcomesSection,
    treatment: TreatmentSection,
    matched_times: MatchedTimes,
    estimate: EstimateSection,
    covariates: pd.DataFrame | None = None,
    score: ScoreSection | None = None,
    arm: str = ONLY_ARM,
    exposed: OfExposed = None,
) -> Study:
    """Join each design's stacks once, and check the names that specs use.

    `covariates` is COVARIATES, for specs that adjust, and `score` says how they are defined. Raises
    ParamsError where a spec names what does not exist, or needs random assignment without it.
    """
    if treatment.arm_folders.get(arm):
        estimate = estimate.of_other_arms
    designs = list(dict.fromkeys(design for spec in estimate.specs for design in spec.designs))
    _check_names(designs, weights, outcomes, estimate)
    _check_covariates(covariates, estimate)
    if faults := list(assignment_faults(estimate, treatment)):
        raise ParamsError("\n".join(faults))
    study = Study(
        panel=panel,
        stacks={},
        estimand={d: treatment.estimand_of(arm) or _estimand(weights, d) for d in designs},
        outcomes=outcomes.root,
        matched_times=matched_times,
        treatment=treatment,
        estimate=estimate,
        covariates=covariates,
        score=score,
        arm=arm,
        exposed=exposed,
    )
    for design in track(designs, "designs joined", len(designs), name=str):
        joined = join_stacks(study.index, weights, matches, design, treatment)
        study.stacks[design] = with_levels(joined, panel, levels_named(panel, estimate))
    if not any(outcome.in_percent_of_mean for outcome in outcomes.root.values()):
        return study
    compared = study.stacks[estimate.headline.design]
    return replace(study, outcomes=with_means(study.outcomes, panel, compared, estimate.missing))


def asked(study: Study) -> Iterator[tuple[str, str, list[Spec]]]:
    """Yield each design and outcome that some spec asks for, once, with those specs."""
    for design in study.stacks:
        for name in study.outcomes:
            specs = [
                spec
                for spec in study.estimate.specs
                if design in spec.designs and (spec.outcomes == "all" or name in spec.outcomes)
            ]
            if specs:
                yield design, name, specs


def outcome_sample(study: Study, design: str, name: str) -> StackedSample:
    """Return the estimation sample of one observed outcome under one design.

    Raises ParamsError where PANEL lacks the column, IdentificationError where the outcome is
    never observed before entry.
    """
    outcome = study.outcomes[name]
    if outcome.column not in study.panel.columns:
        raise ParamsError(f"outcomes.{name}.column is {outcome.column}, which the panel lacks")
    values = on_scale(study.panel[outcome.column], outcome)
    if outcome.post_only:
        return after_entry_sample(study.stacks[design], values, study.estimate.missing)
    _check_observed_before_entry(study, values, name)
    return stacked_sample(study.stacks[design], values, study.estimate.missing)


def _check_observed_before_entry(study: Study, values: Floats, name: str) -> None:
    """Raise IdentificationError unless some firm of some design has the outcome before entry."""
    years: set[int] = set()
    for stacks in study.stacks.values():
        before = stacks.event_times <= stacks.reference
        rows = stacks.panel_row[:, before]
        if np.isfinite(values[rows[rows != NO_ROW]]).any():
            return
        calendar = stacks.stack[:, None] + stacks.event_times[before]
        years |= {int(year) for year in np.unique(calendar[stacks.covered[:, before]])}
    span = f"{min(years)}-{max(years)}" if years else "none of which the panel covers"
    raise IdentificationError(
        f"outcomes.{name} is never observed in the years before entry ({span}), so no change "
        f"since then can be measured; set outcomes.{name}.post_only to true and compare it by "
        "estimator: cross_section, or observed to false with a reason",
        reason=Reason("never_observed_before_entry", {"outcome": name}),
    )


def _check_names(
    designs: list[str], weights: pd.DataFrame, outcomes: OutcomesSection, estimate: EstimateSection
) -> None:
    produced = sorted(weights["design"].unique())
    unknown = [d for d in designs if d not in produced]
    if unknown:
        raise ParamsError(
            f"estimate.specs names the design {', '.join(unknown)}, which match did not produce; "
            f"it produced {', '.join(produced)}"
        )
    for spec in estimate.specs:
        absent = [o for o in spec.outcomes if o not in outcomes.root]
        if spec.outcomes != "all" and absent:
            raise ParamsError(
                f"estimate.specs.{spec.name} names the outcome {', '.join(absent)}, which "
                f"outcomes does not define; it defines {', '.join(outcomes.root)}"
            )


def _check_covariates(covariates: pd.DataFrame | None, estimate: EstimateSection) -> None:
    known = [] if covariates is None else list(covariates.columns)
    for spec in estimate.specs:
        named = [(name, mark) for _, name, mark in spec.marked(OfScore)]
        absent = [name for name, _ in named if name not in known]
        if absent:
            raise ParamsError(
                f"estimate.specs.{spec.name} names the covariate {', '.join(absent)}, which "
                "score.covariates does not define"
            )
        _check_numeric(covariates, spec.name, [name for name, mark in named if mark.numeric])


def _check_numeric(covariates: pd.DataFrame | None, spec: str, names: list[str]) -> None:
    """Raise ParamsError where a covariate that must be a number is a category."""
    for name in names:
        if covariates is not None and not pd.api.types.is_numeric_dtype(covariates[name]):
            raise ParamsError(
                f"estimate.specs.{spec}: {name} is a category, and this needs a number; define a "
                "covariate with transform: indicator for each category but one"
            )


def _estimand(weights: pd.DataFrame, design: str) -> str:
    """Return `att` if the design keeps every treated firm of the risk sets, else `att_matched`.

    Weights that stand for the overlap population estimate its effect, `ato`, whoever is lost.
    """
    if (weights.loc[weights["design"] == design, "estimand"] == "ato").any():
        return "ato"
    treated = weights.loc[weights["treated"], "design"]
    every = int((treated == design).sum()) >= int((treated == "unmatched").sum())
    return "att" if every else "att_matched"
