"""Density of scores and percentiles, as Stata's `kdensity` and `_pctile` define them."""

import numpy as np

from pipeline.datasets.arrays import Floats


def kernel_density(points: Floats, at: Floats) -> Floats:
    """Return the Epanechnikov density of `points` at `at`, shapes (n,) and (m,), by sums of powers.

    Width 0.9 min(SD, IQR / 1.349) n^-1/5, the SD alone where the quartiles are equal; the kernel
    is 0.75 (1 - z^2 / 5) / sqrt(5) for |z| < sqrt(5), z in widths.
    """
    ordered = np.sort(points)
    quarters = stata_percentile(ordered, 0.75) - stata_percentile(ordered, 0.25)
    spread = min(ordered.std(ddof=1), quarters / 1.349) or ordered.std(ddof=1)
    reach = np.sqrt(5) * 0.9 * spread * len(ordered) ** -0.2
    centred = ordered - ordered.mean()
    where = at - ordered.mean()
    low = np.searchsorted(centred, where - reach, side="right")
    high = np.searchsorted(centred, where + reach, side="left")
    n, first, second = (np.concatenate([[0.0], np.cumsum(centred**power)]) for power in (0, 1, 2))
    count, total, squares = n[high] - n[low], first[high] - first[low], second[high] - second[low]
    distances = where**2 * count - 2 * where * total + squares
    return np.asarray(0.75 * (count - distances / reach**2) / (reach * len(ordered)))


def stata_percentile(values: Floats, share: float) -> float:
    """Return a percentile as Stata's `_pctile`: the mean of two values where the rank is whole."""
    ordered = np.sort(values)
    rank = round(share * len(ordered), 9)
    above = ordered[min(int(np.floor(rank)), len(ordered) - 1)]
    return float((ordered[int(rank) - 1] + above) / 2 if rank == int(rank) and rank > 0 else above)
