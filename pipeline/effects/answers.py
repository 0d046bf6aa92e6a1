"""What an estimator is asked, and answers: results, why others are missing, what leads tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.adjusted_changes import AdjustedFor
from pipeline.effects.estimated import Estimated
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.effects.terms import Term
from pipeline.errors import Reason


@dataclass(frozen=True)
class Task:
    """Hold a spec (of the estimator's own class of `params.estimate`), the outcome, its sample."""

    study: Study
    spec: Any
    outcome: str
    sample: StackedSample

    @property
    def design(self) -> str:
        """Return the design that the sample is of."""
        return self.sample.stacks.design

    @property
    def in_ratios(self) -> bool:
        """Say whether the effect is asked for in proportion to the level."""
        return self.study.outcomes[self.outcome].in_ratios

    @property
    def matched(self) -> frozenset[int]:
        """Return the event times at which the design matched on the outcome."""
        return self.study.matched_on(self.design, self.outcome)

    @property
    def adjusted(self) -> AdjustedFor:
        """Return what the spec's own covariates hold of the outcome."""
        return self.study.adjusted_for(self.spec.option("covariates"), self.outcome)


@dataclass(frozen=True)
class Leads:
    """Hold the k effects before entry of an estimator, which a pre-trend test takes together.

    They are of event times, or of cells, a cohort in a year. `years` (k,) is what a slope of one a
    year makes of each: its distance from its base year. `single` and `single_years` are the same of
    event times, as readers see them, from which slopes are told; None without. `binned` says that
    earlier effects are told as one, which has no distance and is not among them.
    """

    effects: Estimated
    years: Floats
    single: Estimated | None = None
    single_years: Floats | None = None
    binned: bool = False

    @property
    def of_cells(self) -> bool:
        """Say whether leads are of cells, each of one entry year."""
        return any(term.cohort is not None for term in self.effects.terms)

    @classmethod
    def before(cls, found: Estimated, reference: int, *, slopes: bool) -> "Leads":
        """Return the terms before a reference year that is the base of all."""
        terms = [e for e in found.terms if e.event_time is not None and e.event_time < reference]
        effects = found.where(terms)
        years = np.array([float((e.event_time or 0) - reference) for e in terms])
        return cls(effects, years, effects if slopes else None, years if slopes else None)


@dataclass(frozen=True)
class Answer:
    """Hold results, each with a covariance of its own, and the reasons of terms without any.

    `by_sample` holds answers on further samples, by the name that ESTIMATES has for them. `unused`
    counts what a fit could not use. Where results are the lower and upper bounds of an effect,
    `assumes` says of that effect whom it is for, and what the bounds need.
    """

    results: Sequence[Estimated] = ()
    reasons: Mapping[Term, Reason] = field(default_factory=dict)
    leads: Leads | None = None
    by_sample: Mapping[str, "Answer"] = field(default_factory=dict)
    unused: Mapping[str, float] = field(default_factory=dict)
    assumes: Mapping[Term, Reason] = field(default_factory=dict)

    @classmethod
    def of(cls, answers: Sequence["Answer"]) -> "Answer":
        """Return several answers as one; the first that has leads tells of pre-trends."""
        return cls(
            [result for answer in answers for result in answer.results],
            {term: why for answer in answers for term, why in answer.reasons.items()},
            next((answer.leads for answer in answers if answer.leads is not None), None),
            {name: part for answer in answers for name, part in answer.by_sample.items()},
            {name: count for answer in answers for name, count in answer.unused.items()},
        )
