"""Share a change among the settings that made it.

A setting moves a figure by another amount the more of the others are changed already. Shapley's
value is the mean over all orders in which the settings could have been changed; the values add up
to the whole. It needs every combination: of many settings each is changed alone, and last.
Shapley (1953), "A value for n-person games", doi:10.1515/9781400881970-018.
"""

from collections.abc import Mapping
from itertools import combinations
from math import factorial

Chosen = frozenset[int]

# Combinations double with each setting.
MOST_SHARED = 3


def asked_combinations(n_settings: int) -> list[Chosen]:
    """Return the combinations to be made: every one, or none, each alone, each last, and all."""
    numbers = range(n_settings)
    everything = frozenset(numbers)
    if n_settings <= MOST_SHARED:
        return [frozenset(c) for size in range(n_settings + 1) for c in combinations(numbers, size)]
    alone = [frozenset({number}) for number in numbers]
    return [frozenset(), *alone, *(everything - one for one in alone), everything]


def shapley_values(values: Mapping[Chosen, float], n_settings: int) -> list[float]:
    """Return each setting's share of the change from none to all, given every combination."""
    everything = frozenset(range(n_settings))
    return [_share(values, number, everything - {number}) for number in range(n_settings)]


def _share(values: Mapping[Chosen, float], number: int, others: Chosen) -> float:
    n_settings = len(others) + 1
    share = 0.0
    for size in range(n_settings):
        weight = factorial(size) * factorial(n_settings - size - 1) / factorial(n_settings)
        for chosen in combinations(sorted(others), size):
            changed = frozenset(chosen)
            share += weight * (values[changed | {number}] - values[changed])
    return share


def alone_and_last(values: Mapping[Chosen, float], n_settings: int) -> list[tuple[float, float]]:
    """Return what each setting moves before any other is changed, and after all others are."""
    everything = frozenset(range(n_settings))
    return [
        (
            values[frozenset({number})] - values[frozenset()],
            values[everything] - values[everything - {number}],
        )
        for number in range(n_settings)
    ]
