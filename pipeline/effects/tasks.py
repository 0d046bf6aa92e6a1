"""One spec on one design and outcome: what an estimator is asked."""

from dataclasses import dataclass
from typing import Any

from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study


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
