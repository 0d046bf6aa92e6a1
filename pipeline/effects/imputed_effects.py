"""Effects of single firm-years, and what each firm's effects add to the influence on averages.

An imputed effect is not estimated again, so that its error is taken from the mean in its cell, an
entry year in a year: conservative where effects differ within it. Borusyak, Jaravel & Spiess
(2024), doi:10.1093/restud/rdae007, equation 8, take that mean over clusters, by squared weight, so
that what a firm adds depends on the clusters that inference asks for.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Floats


@dataclass(frozen=True)
class ImputedEffects:
    """Hold the effects of n treated firm-years: whose, in which cell, and their part in c averages.

    `weights` has shape (n, c); an average is a column times `effect`.
    """

    firm: Codes
    cell: Codes
    effect: Floats
    weights: Floats

    def influence(self, clusters: Codes) -> Floats:
        """Return each firm's weighted sums of effects less their cell's mean, (F, c).

        `clusters` is the cluster of each firm (F,), over which means are taken.
        """
        code = np.asarray(clusters[self.firm], dtype=np.intp)
        pair = self.cell * (int(code.max(initial=-1)) + 1) + code
        first, within = np.unique(pair, return_index=True, return_inverse=True)[1:]
        owner = self.cell[first]
        sums = np.zeros((len(clusters), self.weights.shape[1]))
        for column, weight in enumerate(self.weights.T):
            left = self.effect - self._means(weight, owner, within)[self.cell]
            sums[:, column] = np.bincount(self.firm, weight * left, len(clusters))
        return sums

    def _means(self, weight: Floats, owner: Codes, within: Codes) -> Floats:
        """Return each cell's mean: sum_c V_c (sum v tau)_c / sum_c V_c^2, V_c = sum v in c."""
        total, weighted = np.bincount(within, weight), np.bincount(within, weight * self.effect)
        above, below = np.bincount(owner, total * weighted), np.bincount(owner, total**2)
        return np.asarray(np.divide(above, below, out=np.zeros_like(above), where=below > 0))
