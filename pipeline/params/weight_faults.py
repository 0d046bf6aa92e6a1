"""What cannot carry sampling weights: refused before anything runs, so that all else does.

Nothing unweighted may stand beside effects that are weighted by `data.weight`.
"""

from collections.abc import Iterator

from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.match import EntropyDesign, ExternalDesign, MatchSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.params.treatment_faults import column_fault

# Estimators whose effects, and all that stands beside them, are weighted.
WEIGHTED = ("stacked", "group_time")

# Support rules that count firms.
_COUNTING = ("trim", "density")


def weight_faults(
    data: DataSection,
    treatment: TreatmentSection,
    score: ScoreSection,
    match: MatchSection,
    estimate: EstimateSection,
) -> Iterator[str]:
    """Yield one line for each part of a study with sampling weights that cannot carry them."""
    if data.weight is None:
        return
    yield from column_fault(data, treatment, "data.weight", data.weight, "number")
    yield from _score_faults(score)
    yield from _design_faults(match)
    for spec in estimate.specs:
        yield from _spec_faults(spec)
    if estimate.analyses.size_weighted is not None:
        yield (
            "estimate.analyses.size_weighted does not carry data.weight: firms would weigh by both "
            "weight and size; leave it out, or data.weight"
        )


def _score_faults(score: ScoreSection) -> Iterator[str]:
    for name, model in score.models.items():
        path = f"score.models.{name}"
        if model.errors == "conventional":
            yield (
                f"{path}.errors: conventional errors are not those of a score with data.weight; "
                "use errors: robust, or clustered"
            )
        if model.support in _COUNTING:
            yield (
                f"{path}.support: {model.support} takes a share of firms and does not carry "
                "data.weight; use min_max, comparison_maximum, comparison_range, treated_range, "
                "bound or none"
            )


def _design_faults(match: MatchSection) -> Iterator[str]:
    for name, design in match.designs.items():
        path = f"match.designs.{name}"
        if isinstance(design, ExternalDesign):
            yield (
                f"{path}.method: external weights do not carry data.weight, which may be in them "
                "or not; match here, or leave data.weight out and bring weights that hold it"
            )
        if isinstance(design, EntropyDesign) and design.base == "covariate":
            yield (
                f"{path}.base: covariate would weight beside data.weight, from which entropy "
                "balancing then starts; use base: equal, or odds"
            )


def _spec_faults(spec: Spec) -> Iterator[str]:
    path = f"estimate.specs.{spec.name}"
    if spec.estimator not in WEIGHTED:
        yield (
            f"{path}.estimator: {spec.estimator} does not carry data.weight; use "
            f"{' or '.join(WEIGHTED)}, or leave data.weight out"
        )
        return
    if spec.option("weight_by") is not None:
        yield (
            f"{path}.weight_by: data.weight weights every effect already; leave weight_by out, or "
            "data.weight"
        )
