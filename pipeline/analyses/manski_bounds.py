"""Worst-case bounds on an effect where some outcomes are missing because firms are gone.

Each missing outcome is set to the lowest or the highest value that it could have had; nothing is
assumed on who exits. Horowitz & Manski (2000), doi:10.1080/01621459.2000.10473902.
"""

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.effects.estimated import Estimated
from pipeline.effects.sample import renormalised_weights
from pipeline.effects.stacks import Stacks
from pipeline.effects.terms import Term, event
from pipeline.estimators.group_means import (
    COMPARISON_HIGHEST,
    COMPARISON_LOWEST,
    TREATED_HIGHEST,
    TREATED_LOWEST,
    bounds_of,
    firm_influences,
    no_means,
    one_mean,
    stack_codes,
)


def manski_bounds(
    stacks: Stacks, values: Floats, gone: Flags, limits: tuple[float, float], effect: Term
) -> Estimated | None:
    """Bound the mean change since the base year, averaged equally over event times from entry on.

    `values` and `gone` have shape (u, event times), on the outcome's scale like `limits`; values
    are missing where firms are gone or not observed, and only the former are filled in. None where
    no event time has both groups.
    """
    low, high = (
        np.where(gone, limit, values) - values[:, [stacks.reference_column]] for limit in limits
    )
    weight = renormalised_weights(stacks, np.isfinite(np.where(gone, limits[0], values)))
    both = [(weight * m[:, None]).any(axis=0) for m in (stacks.treated, ~stacks.treated)]
    counts = (stacks.event_times >= 0) & both[0] & both[1]
    if not counts.any():
        return None
    used = (weight > 0) & counts
    of = no_means(stacks, used, np.append(values.ravel(), limits))
    stack = stack_codes(stacks)
    sides = (
        (TREATED_LOWEST, stacks.treated, low),
        (TREATED_HIGHEST, stacks.treated, high),
        (COMPARISON_LOWEST, ~stacks.treated, low),
        (COMPARISON_HIGHEST, ~stacks.treated, high),
    )
    means = []
    for column in np.flatnonzero(counts):
        for family, group, change in sides:
            member = (weight[:, column] > 0) & group
            share = weight[member, column] / weight[member, column].sum()
            values, firm = change[member, column], stacks.firm[member]
            influence = firm_influences(share, values, stack[member], firm, stacks.n_firms)
            term = event(int(stacks.event_times[column]), family)
            means.append(one_mean(of, term, float(share @ values), influence))
    return bounds_of(means, effect)
