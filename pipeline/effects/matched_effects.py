"""Averages of matched firms' effects, each firm with one difference, with what they rest on.

They are no sums of influences by firm: how much an average would vary is told by how firms near one
another differ, and by how often they are used, which inference reads here.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.matching.neighbours import ScoredFirms
from pipeline.matching.sets import MatchedSets
from pipeline.selection.estimated_score import EstimatedScore

Estimand = Literal["ate", "att"]


@dataclass(frozen=True)
class Rules:
    """Say how firms are matched: `ratio` neighbours of the other group, ties within `tolerance`.

    `variance`: `robust` measures each firm's outcome variance against `own_neighbours` other firms
    of its group, `homoskedastic` takes one for all from the matched pairs. Stata's vce(robust,
    nn(2)), its default, is one other firm on a score (where its two include the firm itself) and
    two on covariates; vce(iid) is `homoskedastic`.
    """

    ratio: int = 1
    own_neighbours: int = 1
    tolerance: float = 1e-10
    variance: Literal["robust", "homoskedastic"] = "robust"


@dataclass(frozen=True)
class MatchedEffect:
    """Hold an average effect among n firms, by the firms matched with each.

    `effect` (n,) is y1 - y0 of each firm, `of` marks the firms averaged. `score` is the fit on
    which they are matched, None where it is taken as known.
    """

    firms: ScoredFirms
    estimand: Estimand
    rules: Rules
    matches: MatchedSets
    effect: Floats
    of: Flags
    score: EstimatedScore | None

    @property
    def estimate(self) -> float:
        """Return the average effect."""
        return float(self.effect[self.of].mean())

    @property
    def n_averaged(self) -> int:
        """Return the number of firms averaged."""
        return int(self.of.sum())

    @property
    def n_matches(self) -> int:
        """Return the number of firms that serve as a match of those averaged."""
        return len(np.unique(self.matches.control[self.of[self.matches.treated]]))


@dataclass(frozen=True)
class MatchedEffects:
    """Hold c averages, each of one term among the firms of one entry year; firms are in one."""

    effects: tuple[MatchedEffect, ...]
