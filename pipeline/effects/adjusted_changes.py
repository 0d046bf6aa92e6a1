"""Changes of an outcome that a spec's own covariates fit: effects on them are zero by construction.

A regression on firms' growth from three years before entry to the year before leaves no difference
in that growth, whatever the firms' trends: such a lead is no evidence on trends.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.params.score import Covariate

# The change of the outcome from one event time to another: the later named first, then its base.
Change = tuple[int, int]


@dataclass(frozen=True)
class AdjustedFor:
    """Hold the covariates of the outcome's own column, those in one form (logs, levels) together.

    Each is a sum of weights x values over event times.
    """

    forms: tuple[tuple[Covariate, ...], ...] = ()

    def spans(self, change: Change, given: Sequence[Change] = ()) -> bool:
        """Say whether covariates in one form, and changes `given`, add up to a change.

        They do where it is a sum of multiples of them, as of values in both years.
        """
        return any(_adds_up(form, change, given) for form in self.forms)


NO_COVARIATES = AdjustedFor()


def changes_adjusted_for(covariates: Iterable[Covariate], column: str) -> AdjustedFor:
    """Return what covariates of a spec hold of a PANEL column; products add up to no change."""
    own = [c for c in covariates if c.column == column and c.event_times]
    forms = dict.fromkeys(c.transform for c in own)
    return AdjustedFor(tuple(tuple(c for c in own if c.transform == form) for form in forms))


def _adds_up(covariates: Sequence[Covariate], change: Change, given: Sequence[Change]) -> bool:
    read = [time for covariate in covariates for time in covariate.event_times]
    times = np.unique([*read, *change, *(time for other in given for time in other)])
    known = [_weights(covariate, times) for covariate in covariates]
    known += [_difference(other, times) for other in given]
    whole = [*known, _difference(change, times)]
    return bool(np.linalg.matrix_rank(whole) == np.linalg.matrix_rank(known))


def _difference(change: Change, times: Floats) -> Floats:
    return np.subtract(*(np.equal(times, time).astype(np.float64) for time in change))


def _weights(covariate: Covariate, times: Floats) -> Floats:
    """Return the weight (T,) that a covariate gives the column at each event time."""
    read = np.array(covariate.event_times, dtype=np.float64)
    if covariate.change is not None:
        own = np.array([-1.0, 1.0])
    elif covariate.trend is not None:
        own = (read - read.mean()) / ((read - read.mean()) ** 2).sum()
    else:
        own = np.full(len(read), 1 / len(read))
    weights = np.zeros(len(times))
    weights[np.searchsorted(times, read)] = own
    return weights
