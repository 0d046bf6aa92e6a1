"""Counts, means and spreads of firms that count more than once, as in draws of clusters.

A frequency has one entry per firm: how often it counts. None counts each once.
"""

import numpy as np

from pipeline.datasets.arrays import Flags, Floats

Frequency = Floats | None


def times_of(frequency: Frequency, n_firms: int) -> Floats:
    """Return how often each of `n_firms` counts."""
    return np.ones(n_firms) if frequency is None else frequency


def weighted_times(frequency: Frequency, weight: Frequency) -> Frequency:
    """Return how much each firm counts: as often as `frequency` says, times its weight."""
    if frequency is None or weight is None:
        return weight if frequency is None else frequency
    return frequency * weight


def counted(firms: Flags, frequency: Frequency) -> int:
    """Return how many firms are marked."""
    return int(firms.sum() if frequency is None else frequency[firms].sum())


def number(n_firms: int, frequency: Frequency) -> int:
    """Return how many firms there are, of `n_firms` that differ."""
    return n_firms if frequency is None else int(frequency.sum())


def total(values: Floats, frequency: Frequency) -> float:
    """Return the sum of values (n,)."""
    return float(values.sum() if frequency is None else _product(frequency, values))


def mean(values: Floats, frequency: Frequency) -> float:
    """Return the mean of values (n,)."""
    if frequency is None:
        return float(values.mean())
    return float(_product(frequency, values) / frequency.sum())


def spread(values: Floats, frequency: Frequency) -> float:
    """Return the standard deviation of values (n,), dividing by the number of firms."""
    if frequency is None:
        return float(values.std())
    return float(np.sqrt(mean(np.square(values - mean(values, frequency)), frequency)))


def _product(frequency: Floats, values: Floats) -> float:
    """Return the sum of products, in this thread: see `likelihood`."""
    return float(np.einsum("i,i->", frequency, values))


def with_copies(values: Floats, frequency: Frequency) -> Floats:
    """Return values, each as often as it counts: for ranks and quantiles, which no weight gives."""
    return values if frequency is None else np.repeat(values, frequency.astype(np.int64))


def among(frequency: Frequency, firms: Flags) -> Frequency:
    """Return the frequency of the marked firms."""
    return None if frequency is None else frequency[firms]
