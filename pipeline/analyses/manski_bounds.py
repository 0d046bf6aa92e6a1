"""Worst-case bounds on an effect where some outcomes are missing because firms are gone.

Each missing outcome is set to the lowest or the highest value that it could have had; nothing is
assumed on who exits. Horowitz & Manski (2000), doi:10.1080/01621459.2000.10473902.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.sample import renormalised_weights
from pipeline.effects.stacks import Stacks
from pipeline.estimators.lee_bounds import (
    Bound,
    difference,
    firm_influences,
    mean_bound,
    stack_codes,
)


@dataclass(frozen=True)
class WorstCase:
    """Hold both bounds and the units x event times that stand behind them."""

    lower: Bound
    upper: Bound
    used: Flags


def manski_bounds(
    stacks: Stacks, values: Floats, gone: Flags, limits: tuple[float, float]
) -> WorstCase | None:
    """Bound the mean change since the base year, averaged equally over event times from entry on.

    `values` and `gone` have shape (u, event times), on the outcome's scale like `limits`; values
    are missing where firms are gone or not observed, and only the former are filled in. None where
    no event time has both groups.
    """
    filled = [np.where(gone, limit, values) for limit in limits]
    weight = renormalised_weights(stacks, np.isfinite(filled[0]))
    used = np.zeros(weight.shape, dtype=np.bool_)
    stack = stack_codes(stacks)
    cells: list[tuple[Bound, Bound]] = []
    for column in np.flatnonzero(stacks.event_times >= 0):
        treated = weight[:, column] * stacks.treated
        control = weight[:, column] * ~stacks.treated
        if treated.any() and control.any():
            used[:, column] = weight[:, column] > 0
            low, high = (f[:, column] - values[:, stacks.reference_column] for f in filled)
            cells.append(
                (
                    difference(
                        _mean(stacks, treated, low, stack), _mean(stacks, control, high, stack)
                    ),
                    difference(
                        _mean(stacks, treated, high, stack), _mean(stacks, control, low, stack)
                    ),
                )
            )
    if not cells:
        return None
    lower, upper = (mean_bound(list(side)) for side in zip(*cells, strict=True))
    return WorstCase(lower, upper, used)


def _mean(stacks: Stacks, weight: Floats, change: Floats, stack: Codes) -> Bound:
    """Return a weighted mean and each firm's influence on it."""
    member = weight > 0
    share = weight[member] / weight.sum()
    influence = firm_influences(
        share, change[member], stack[member], stacks.firm[member], stacks.n_firms
    )
    return Bound(float(share @ change[member]), influence)
