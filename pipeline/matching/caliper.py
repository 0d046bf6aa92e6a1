"""Width of a caliper: how far apart the scores of a matched pair may be."""

from typing import Literal

import numpy as np

from pipeline.matching.sets import Flags, Floats

CaliperBase = Literal["all", "pooled", "treated"]


def caliper_width(
    score: Floats, treated: Flags, caliper_sd: float | None, of: CaliperBase
) -> float | None:
    """Return `caliper_sd` standard deviations of the score, in score units; None means none.

    Standard deviations divide by n-1 and are taken over the whole risk set of a stack, before
    support and cells. `pooled` is sqrt((v1 + v0) / 2), Rosenbaum & Rubin's (1985,
    doi:10.1080/00031305.1985.10479383); `all` and `treated` are those of the rows named.
    A group of fewer than two firms has no standard deviation, and the width is then zero.
    """
    if caliper_sd is None:
        return None
    if of == "pooled":
        spread = np.sqrt((_variance(score[treated]) + _variance(score[~treated])) / 2)
    else:
        spread = np.sqrt(_variance(score[treated] if of == "treated" else score))
    return float(caliper_sd * spread)


def _variance(values: Floats) -> float:
    return float(np.var(values, ddof=1)) if len(values) > 1 else 0.0
