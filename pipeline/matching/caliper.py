"""Width of a caliper: how far apart the scores of a matched pair may be."""

from typing import Literal

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.matching.stack import RiskSet
from pipeline.params.design_rules import CaliperDesign

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


def design_caliper(risk_set: RiskSet, design: CaliperDesign) -> float | None:
    """Return the width of a design's caliper in score units, given as such or in SDs.

    `caliper_sd_of: on_support` takes the SD over all firms on support, as MatchIt does after it
    has discarded firms.
    """
    if design.caliper is not None:
        return design.caliper
    score, treated = risk_set.score(design.distance), risk_set.treated
    if design.caliper_sd_of != "on_support":
        return caliper_width(score, treated, design.caliper_sd, design.caliper_sd_of)
    kept = risk_set.on_support
    return caliper_width(score[kept], treated[kept], design.caliper_sd, "all")


def caliper_words(design: CaliperDesign, width: float) -> str:
    """Return a caliper as a message names it: its width, what it is measured in, its key."""
    if design.caliper is not None:
        return f"{width:.4g} (of the {design.distance} score): widen caliper"
    return (
        f"{width:.4g} ({design.caliper_sd:g} SD, {design.caliper_sd_of}, of the "
        f"{design.distance} score): widen caliper_sd"
    )


def _variance(values: Floats) -> float:
    return float(np.var(values, ddof=1)) if len(values) > 1 else 0.0
