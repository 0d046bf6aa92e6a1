"""Faults of cross-sections after entry, and of outcomes that they alone can compare.

The base value as a covariate (ANCOVA) takes more of what the groups differed in than is due where
they were not assigned at random: Lord's paradox. There a change since the base year is measured.
"""

from collections.abc import Iterator

from pipeline.params.analysis_faults import Sections
from pipeline.params.cross_section_spec import CrossSectionSpec
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.treatment import TreatmentSection


def cross_section_faults(study: Sections) -> Iterator[str]:
    """Yield one line for each fault of params that no section can know alone."""
    yield from _post_only_faults(study)
    yield from assignment_faults(study.estimate, study.treatment)


def assignment_faults(estimate: EstimateSection, treatment: TreatmentSection) -> Iterator[str]:
    """Yield one line for each spec with the base value as a covariate without a random draw."""
    for spec in estimate.specs:
        asks = isinstance(spec, CrossSectionSpec) and spec.base_value == "covariate"
        if asks and treatment.assignment != "random":
            yield (
                f"estimate.specs.{spec.name}.base_value: covariate (ANCOVA) is for support that "
                "was assigned at random: declare treatment.assignment: random if it was, or "
                "measure changes since the reference year with estimator: stacked"
            )


def _post_only_faults(study: Sections) -> Iterator[str]:
    """Yield one line for each outcome first observed after entry that a spec cannot compare."""
    for name, outcome in study.outcomes.root.items():
        if not outcome.post_only:
            continue
        asked = [spec for spec in study.estimate.specs if _asks(spec, name)]
        for spec in asked:
            if spec.outcomes != "all" and not compares_levels(spec):
                yield (
                    f"estimate.specs.{spec.name}.outcomes: {name} is observed after entry only, so "
                    "that no change can be measured: leave it out here, and ask for it in a spec "
                    "with estimator: cross_section, base_value: unused"
                )
        if not any(compares_levels(spec) for spec in asked):
            yield (
                f"outcomes.{name}.post_only: no spec compares levels after entry; add one with "
                "estimator: cross_section, base_value: unused, or set observed to false with a "
                "reason"
            )


def compares_levels(spec: Spec) -> bool:
    """Say whether a spec compares outcomes after entry whatever they were before."""
    return isinstance(spec, CrossSectionSpec) and spec.base_value == "unused"


def _asks(spec: Spec, outcome: str) -> bool:
    return spec.outcomes == "all" or outcome in spec.outcomes
