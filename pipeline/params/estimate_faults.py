"""Specs and analyses that give nothing whatever the data hold, as sections together show.

What is asked for and cannot be is refused before anything runs; estimates would be rows that say
why there is none.
"""

from collections.abc import Iterator

from pipeline.params.analyses import GroupsSection, SizeWeighted
from pipeline.params.analysis_faults import PATH, Sections
from pipeline.params.estimate import Spec
from pipeline.params.inference_faults import remade
from pipeline.params.match import ExternalDesign, MatchSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection

# Estimators of effects in proportion to a level, as the registry of estimators has them.
OF_RATIOS = ("stacked", "lee_bounds")
# Those of which p-values over a family of outcomes are drawn, as the registry has them too.
JOINTLY = ("stacked", "twoway", "cross_section")


def estimate_faults(study: Sections, match: MatchSection, score: ScoreSection) -> Iterator[str]:
    """Yield one line for each spec, analysis or option that can give no estimate."""
    for spec in study.estimate.specs:
        yield from _redone_faults(spec, match)
        yield from _time_faults(spec, study.treatment)
        yield from _ratio_faults(spec, study)
    jointly = any(spec.estimator in JOINTLY for spec in study.estimate.specs)
    if study.estimate.romano_wolf is not None and not jointly:
        yield (
            f"estimate.romano_wolf draws over effects of estimator: {' or '.join(JOINTLY)}, and no "
            "spec has one: add such a spec, or leave romano_wolf out"
        )
    analyses = study.estimate.analyses
    if analyses.groups is not None:
        yield from _group_faults(analyses.groups, match)
    if analyses.size_weighted is not None:
        yield from _size_faults(analyses.size_weighted, study, match, score)


def undecomposed(study: Sections) -> Iterator[str]:
    """Yield a line for each flat two-way figure that will not be decomposed; it stands itself."""
    years = study.treatment.anticipation_years
    for spec in study.estimate.specs:
        if spec.estimator == "twoway" and years:
            yield (
                f"estimate.specs.{spec.name}: no Goodman-Bacon decomposition will be made, since "
                f"treatment.anticipation_years is {years} and these years have an effect of their "
                "own; the effect itself stands"
            )


def _redone_faults(spec: Spec, match: MatchSection) -> Iterator[str]:
    """Yield designs from files that a randomisation test would have to make again."""
    if spec.option("randomisation") is None:
        return
    for design in spec.designs:
        if isinstance(match.designs.get(design), ExternalDesign):
            yield (
                f"estimate.specs.{spec.name}.randomisation makes each design again, and {design} "
                "comes from a file: ask for it in a spec without that design, or use "
                "wild_bootstrap or bias_reduced here"
            )


def _time_faults(spec: Spec, treatment: TreatmentSection) -> Iterator[str]:
    """Yield event times that a spec asks for and treatment.window has not."""
    path, window = f"estimate.specs.{spec.name}", treatment.window
    first, last = window.first_event_time, window.last_event_time
    span = f"treatment.window goes from {first} to {last}"
    least, most = 1 + treatment.anticipation_years, -1 - first
    years = spec.option("placebo_entry_years")
    if years is not None and not least <= years <= most:
        known = f"give {least} to {most}" if least <= most else "leave it out or widen the window"
        yield (
            f"{path}.placebo_entry_years: {years} needs the year before that entry, and years from "
            f"it on before entry and anticipation; {span}: {known}"
        )
    for part in spec.option("event_bins"):
        if part.last_event_time < first or part.first_event_time > last:
            ends = f"{part.first_event_time} to {part.last_event_time}"
            yield f"{path}.event_bins: {ends} has no event time; {span}"
    balanced = spec.option("balanced_last_event_time")
    if balanced is not None and balanced > last:
        yield f"{path}.balanced_last_event_time: {balanced} is never seen; {span}"


def _ratio_faults(spec: Spec, study: Sections) -> Iterator[str]:
    """Yield proportional outcomes that a spec names and its estimator has no effect on."""
    if spec.outcomes == "all" or spec.estimator in OF_RATIOS:
        return
    for name in spec.outcomes:
        outcome = study.outcomes.root.get(name)
        if outcome is not None and outcome.in_ratios:
            yield (
                f"estimate.specs.{spec.name}.outcomes: {name} is proportional, which estimator: "
                "stacked estimates; name it there, or declare an outcome of the column with "
                "transform: log or level for this spec"
            )


def _group_faults(groups: GroupsSection, match: MatchSection) -> Iterator[str]:
    """Yield what cannot be matched again within groups."""
    if groups.match != "within":
        return
    for design in groups.designs:
        if isinstance(match.designs.get(design), ExternalDesign):
            yield (
                f"{PATH}.groups.designs: {design} comes from a file and cannot be matched again "
                "within groups; use match: common"
            )


def _size_faults(
    asked: SizeWeighted, study: Sections, match: MatchSection, score: ScoreSection
) -> Iterator[str]:
    """Yield designs without the sets that sizes are taken over in, and effects that have sizes."""
    known = ["unmatched", *match.designs]
    for design in asked.designs if asked.comparison == "treated_size" else []:
        is_known = design in known and (
            design == "unmatched" or match.designs[design].score in score.models
        )
        if is_known and not remade(design, match, score).sets:
            yield (
                f"{PATH}.size_weighted.comparison: treated_size needs matched sets, and {design} "
                "has none; use own_size, or leave the design out"
            )
    for name in asked.outcomes:
        outcome = study.outcomes.root.get(name)
        if outcome is not None and outcome.in_ratios:
            yield (
                f"{PATH}.size_weighted.outcomes: {name} is proportional, which weights firms by "
                "the level already: name an outcome with transform: log or level"
            )
