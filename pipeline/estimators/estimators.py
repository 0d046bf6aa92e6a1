"""Every estimator that params can name: a new one is registered here, in one line.

An estimator is a function that adds its rows, tests and facts for one spec, design and outcome. It
takes the estimation sample of the design and raises IdentificationError where nothing can be
estimated; the reason then stands in a row per term.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.effects.ledger import Ledger
from pipeline.effects.rows import STACKED_ONLY, Label
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError
from pipeline.estimators.cohort_rows import add_cohorts
from pipeline.estimators.group_time.group_time_rows import add_group_time
from pipeline.estimators.lee_rows import add_lee_bounds
from pipeline.estimators.poisson_rows import add_ratios
from pipeline.estimators.stacked_rows import add_stacked
from pipeline.estimators.twoway_rows import add_twoway

# The spec is the estimator's own class of `pipeline.params.estimate`.
Adder = Callable[[Ledger, Study, Any, Label, StackedSample], None]


@dataclass(frozen=True)
class Estimator:
    """Hold what adds a spec's results: `add`, and `add_ratios` where the outcome is proportional.

    Without `add_ratios` such outcomes are rows with the reason.
    """

    add: Adder
    add_ratios: Adder | None = None

    def adder(self, in_ratios: bool) -> Adder:
        """Return what adds the results; raise IdentificationError where there is nothing."""
        if not in_ratios:
            return self.add
        if self.add_ratios is None:
            raise IdentificationError(STACKED_ONLY)
        return self.add_ratios


ESTIMATORS = {
    "stacked": Estimator(add_stacked, add_ratios),
    "twoway": Estimator(add_twoway),
    "group_time": Estimator(add_group_time),
    "sun_abraham": Estimator(add_cohorts),
    "extended_twoway": Estimator(add_cohorts),
    "imputation": Estimator(add_cohorts),
    "lee_bounds": Estimator(add_lee_bounds, add_lee_bounds),
}
# Matches the firms that have a difference, not a sample's: see `matched_difference`.
MATCHED_ANEW = ("matched_difference",)
