"""Bounds on a mean change as sums: the lowest and the highest mean of each group at event times.

At an event time the lower bound is the treated firms' lowest mean less the comparison firms'
highest, the upper bound the other way round; over event times from entry on they are averaged as
every effect is.
"""

from dataclasses import replace

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.estimated import Estimated, Seen, combined, joined
from pipeline.effects.event_averages import mean_from_entry
from pipeline.effects.stacks import Stacks
from pipeline.effects.terms import Term, bounds_on, event

TREATED_LOWEST, TREATED_HIGHEST = "treated_lowest", "treated_highest"
COMPARISON_LOWEST, COMPARISON_HIGHEST = "comparison_lowest", "comparison_highest"
# What a bound is the difference of: the lower one, and the upper one.
_DIFFERENCES = ((TREATED_LOWEST, COMPARISON_HIGHEST), (TREATED_HIGHEST, COMPARISON_LOWEST))


def no_means(stacks: Stacks, used: Flags, values: Floats) -> Estimated:
    """Return no mean yet, of the units x event times `used`; `values` are all outcomes."""
    unit = np.nonzero(used)[0]
    return Estimated(
        terms=(),
        estimates=np.zeros(0),
        influence=np.zeros((stacks.n_firms, 0)),
        seen=Seen(
            firm=stacks.firm[unit],
            treated=stacks.treated[unit],
            entry=stacks.stack[unit],
            assignment=stacks.assignment,
            levels=stacks.levels,
            names=stacks.names,
        ),
        largest=float(np.fmax.reduce(np.abs(values), axis=None, initial=0.0)),
        loadings=np.zeros((1, 0)),
    )


def one_mean(of: Estimated, term: Term, estimate: float, influence: Floats) -> Estimated:
    """Return one mean with each firm's influence (F,), of the units that `of` holds."""
    return replace(
        of,
        terms=(term,),
        estimates=np.array([estimate]),
        influence=influence[:, None],
        loadings=np.eye(1),
    )


def bounds_of(means: list[Estimated], term: Term) -> Estimated:
    """Return both bounds on an effect, averaged equally over event times from entry on.

    `means` are those of both groups, lowest and highest, at every event time that counts.
    """
    found = joined(means)
    times = sorted({t.event_time for t in found.terms if t.event_time is not None})
    sides = []
    for bound, (plus, minus) in zip(bounds_on(term), _DIFFERENCES, strict=True):
        weights = np.zeros((len(found.terms), len(times)))
        for column, time in enumerate(times):
            weights[found.terms.index(event(time, plus)), column] = 1.0
            weights[found.terms.index(event(time, minus)), column] = -1.0
        events = combined(found, [event(time) for time in times], weights)
        sides.append(mean_from_entry(events, bound))
    return joined(sides)


def stack_codes(stacks: Stacks) -> Codes:
    """Return the code of each unit's entry year, shape (u,)."""
    return np.asarray(np.unique(stacks.stack, return_inverse=True)[1], dtype=np.intp)


def firm_influences(
    weight: Floats, values: Floats, stack: Codes, firm: Codes, n_firms: int
) -> Floats:
    """Return each firm's influence (F,) on a weighted mean of values (n,), weights summing to 1.

    sum_i w_i (x_i - mean of x in i's entry year): entry years' shares are given, as in the stacked
    estimator, so that what a year did to all firms of an entry year, which cancels between treated
    and comparison firms, is no sampling error of either.
    """
    mass = np.bincount(stack, weight)
    of_stack = np.bincount(stack, weight * values) / np.where(mass > 0, mass, 1.0)
    left = weight * (values - of_stack[stack])
    return np.bincount(firm, left, n_firms).astype(np.float64)
