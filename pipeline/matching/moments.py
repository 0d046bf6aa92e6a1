"""Weighted moments of columns, by stack and group and of stacks together.

Each firm is summed once: the moments of all stacks follow from those of each (Chan, Golub & LeVeque
1983, doi:10.1080/00031305.1983.10483115).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats

# Means and variances below this share of the largest value are rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class CellMoments:
    """Hold moments, shape (columns, 2, stacks + 1): comparison firms, then treated; last of all.

    `n` counts firms with a value and a weight, `weight` sums weights w and `squares` w^2, `mean` is
    missing without any, `deviation` sums w (x - mean)^2, `largest` is the largest absolute value.
    """

    n: Floats
    weight: Floats
    squares: Floats
    mean: Floats
    deviation: Floats
    largest: Floats

    @property
    def means(self) -> Floats:
        """Return weighted means; what rounding leaves of zero is zero."""
        return np.where(np.abs(self.mean) <= ROUNDING * self.largest, 0.0, self.mean)

    @property
    def effective_size(self) -> Floats:
        """Return (sum w)^2 / sum(w^2) (Kish 1965), 0 without weight, of firms that count once."""
        squares = np.where(self.squares > 0, self.squares, 1.0)
        return np.asarray(np.square(self.weight) / squares)

    def variances(self, binary: bool) -> Floats:
        """Return p (1 - p) of binaries, else weighted variances; with equal weights that by n - 1.

        sum w (x - m)^2 / (S - sum(w^2) / S), S = sum w, as in cobalt and MatchIt. Missing where the
        weights leave no degree of freedom, zero where the values differ by rounding.
        """
        if binary:
            return self.means * (1 - self.means)
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = self.weight - self.squares / self.weight
            variance = self.deviation / np.where(freedom > 1e-12 * self.weight, freedom, np.nan)
        return np.where(np.sqrt(variance) <= ROUNDING * self.largest, 0.0, variance)


def moments_of_numbers(value: Floats, weight: Floats, bounds: Codes) -> CellMoments:
    """Return the moments of one column; values without weight may be missing.

    `bounds` (2 stacks + 1,) part the rows into comparison and treated firms of each stack.
    """
    cells = [_of_cell(value[first:last], weight[first:last]) for first, last in pairwise(bounds)]
    return _with_all(np.array(cells).T.reshape(6, 1, -1, 2).swapaxes(-1, -2))


def moments_of_categories(
    category: Codes, weight: Floats, cell: Codes, shape: Codes
) -> CellMoments:
    """Return the moments of indicators, one for each category; -1 where it is missing.

    `cell` (n,) numbers comparison and treated firms of each stack; `shape` says how many cells and
    categories there are.
    """
    known = np.flatnonzero((category >= 0) & (weight > 0))
    of, w = cell[known], weight[known]
    place = of * shape[1] + category[known]

    def by_category(values: Floats | None) -> Floats:
        return np.bincount(place, values, int(np.prod(shape))).astype(np.float64).reshape(shape)

    inside, count = by_category(w), by_category(None)
    total = inside.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        share = inside / total
    parts = [
        np.broadcast_to(count.sum(axis=1, keepdims=True), shape),
        np.broadcast_to(total, shape),
        np.broadcast_to(np.bincount(of, w * w, int(shape[0]))[:, None], shape),
        share,
        np.where(total > 0, inside * np.square(1 - share) + (total - inside) * np.square(share), 0),
        (count > 0).astype(np.float64),
    ]
    return _with_all(np.stack(parts).swapaxes(1, 2).reshape(6, shape[1], -1, 2).swapaxes(-1, -2))


def _of_cell(value: Floats, weight: Floats) -> tuple[float, ...]:
    """Return the moments of the rows of one cell that have a weight."""
    used: Flags = weight > 0
    if not used.all():
        value, weight = value[used], weight[used]
    if not len(value):
        return (0.0, 0.0, 0.0, np.nan, 0.0, 0.0)
    total = weight.sum()
    mean = (weight * value).sum() / total
    deviation = (weight * np.square(value - mean)).sum()
    squares = np.square(weight).sum()
    return (len(value), total, squares, mean, deviation, np.abs(value).max())


def _with_all(parts: Floats) -> CellMoments:
    """Append the moments of stacks together to those (6, columns, 2, stacks) of each."""
    n, weight, squares, mean, deviation, largest = parts
    total = weight.sum(axis=-1)
    known = np.where(weight > 0, mean, 0.0)
    with np.errstate(invalid="ignore"):
        centre = (weight * known).sum(axis=-1) / total
    between = weight * np.square(known - np.nan_to_num(centre)[..., None])
    spread = (deviation + between).sum(axis=-1)
    sums = (n.sum(axis=-1), total, squares.sum(axis=-1), centre, spread, largest.max(axis=-1))
    of_each = (n, weight, squares, mean, deviation, largest)
    pairs = zip(of_each, sums, strict=True)
    return CellMoments(*(np.concatenate([own, whole[..., None]], axis=-1) for own, whole in pairs))
