"""Faults of arms that only other sections can show."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.params.arms import Arms, ExposureArm
from pipeline.params.design_rules import Design
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import ExternalDesign, MatchSection
from pipeline.params.score import ScoreSection
from pipeline.params.settings import nearest_known
from pipeline.params.treatment import TreatmentSection

_PATH = "treatment.arms"


@dataclass(frozen=True)
class ArmSections:
    """Hold the sections that every arm is compared and estimated by."""

    treatment: TreatmentSection
    score: ScoreSection
    match: MatchSection
    estimate: EstimateSection

    @property
    def places_within(self) -> dict[str, set[tuple[str, str]]]:
        """Return by covariate of triple differences the specs and designs that compare within."""
        arms = self.treatment.arms
        covariates = set() if arms is None else set(arms.triple_differences.values())
        own = (self.score, self.match, self.estimate)
        return {covariate: compared_within(covariate, *own) for covariate in covariates}


def arm_faults_of_study(
    treatment: TreatmentSection, score: ScoreSection, match: MatchSection, estimate: EstimateSection
) -> Iterator[str]:
    """Yield one line for each design that cannot be had by arm, and each triple difference."""
    if treatment.arms is None:
        return
    for name, design in match.designs.items():
        if isinstance(design, ExternalDesign):
            yield (
                f"match.designs.{name} comes from a file, which does not say whom each of "
                f"{_PATH} is compared with: leave it out, or give each arm a study of its own"
            )
    for name, covariate in treatment.arms.triple_differences.items():
        path = f"{_PATH}.triple_differences.{name}"
        yield from _triple_faults(path, name, treatment.arms, treatment)
        yield from _within_faults(path, covariate, score, match, estimate)


def compared_within(
    covariate: str, score: ScoreSection, match: MatchSection, estimate: EstimateSection
) -> set[tuple[str, str]]:
    """Return the specs and designs that compare firms within values of a covariate, and only so.

    Designs of exact cells of it, and specs whose year effects are by its column. With further
    covariates each of the two differences would average over those of its own firms, and their
    difference is no triple one (Ortiz-Villavicencio & Sant'Anna 2025, arXiv:2505.09942, section 3).
    """
    column = score.covariates[covariate].column
    cells = {name for name, design in match.designs.items() if _only_cells(design, covariate)}
    return {
        (spec.name, design)
        for spec in estimate.specs
        for design in spec.designs
        if not spec.option("covariates")
        if design in cells
        or (design == "unmatched" and column and spec.option("year_effects_by") == column)
    }


def _only_cells(design: Design, covariate: str) -> bool:
    named = {name for listed in design.named().values() for name in listed}
    return named == {covariate} and not design.uses_score


def _triple_faults(path: str, name: str, arms: Arms, treatment: TreatmentSection) -> Iterator[str]:
    if treatment.comparison != "never_treated":
        yield (
            f"{path}: with firms not yet treated a triple difference is not the difference of two "
            "differences, for cohorts that wait do not weigh alike in both; use "
            "treatment.comparison: never_treated"
        )
    others = (arms.named[arm] for arm, weight in arms.contrasts[name].items() if weight < 0)
    for arm in others:
        if isinstance(arm, ExposureArm) and treatment.exposure[arm.exposure].among is None:
            yield (
                f"{path}: treatment.exposure.{arm.exposure} takes firms of every sector; say by "
                "`among` which the other sectors are"
            )


def _within_faults(
    path: str, covariate: str, score: ScoreSection, match: MatchSection, estimate: EstimateSection
) -> Iterator[str]:
    if covariate not in score.covariates:
        near = nearest_known(covariate, list(score.covariates))
        yield f"{path}: {covariate} is not defined in score.covariates{near}"
    elif not score.is_category(covariate):
        yield f"{path}: {covariate} is no category; give it transform: category"
    elif not compared_within(covariate, score, match, estimate):
        yield (
            f"{path}: no spec compares firms within {covariate} and by nothing else: name it alone "
            "in `exact` of a design with method: cells, or its column in year_effects_by of a "
            "stacked spec on the unmatched design"
        )
