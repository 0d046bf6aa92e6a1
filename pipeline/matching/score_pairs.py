"""Matched sets on the propensity score: one stack of a nearest-neighbour design."""

from dataclasses import replace

import numpy as np

from pipeline.errors import SupportError
from pipeline.matching.caliper import caliper_width
from pipeline.matching.nearest import match_nearest
from pipeline.matching.sets import MatchedSets
from pipeline.matching.stack import RiskSet, StackMatch, matched
from pipeline.params.match import NearestDesign


def match_on_score(risk_set: RiskSet, design: NearestDesign) -> StackMatch:
    """Match one stack: caliper over the whole risk set, then support and cells.

    Raises SupportError where no treated firm has a match.
    """
    score = risk_set.score(design.distance)
    caliper = caliper_width(score, risk_set.treated, design.caliper_sd, design.caliper_sd_of)
    sets = _match_usable(risk_set, design, caliper)
    if not len(sets.treated):
        _refuse_no_match(risk_set, design, caliper)
    return matched(risk_set, sets, caliper)


def _match_usable(risk_set: RiskSet, design: NearestDesign, caliper: float | None) -> MatchedSets:
    """Match the usable firms; return positions among all firms of the stack."""
    rows = np.flatnonzero(risk_set.usable)
    sets = match_nearest(
        risk_set.score(design.distance)[rows],
        risk_set.treated[rows],
        ratio=design.ratio,
        replacement=design.replacement,
        caliper=caliper,
        cells=None if risk_set.cells is None else risk_set.cells[rows],
        order=design.order,
        tie_tolerance=design.tie_tolerance,
    )
    return replace(sets, treated=rows[sets.treated], control=rows[sets.control])


def _refuse_no_match(risk_set: RiskSet, design: NearestDesign, caliper: float | None) -> None:
    """Say why nobody matched: counts, the caliper in score units, the nearest firm found."""
    treated, usable = risk_set.treated, risk_set.usable
    counts = (
        f"{risk_set.where}: no treated firm has a match ({(treated & usable).sum()} treated "
        f"and {(~treated & usable).sum()} comparison firms on support"
        f"{' and in exact cells of ' + ', '.join(design.exact) if design.exact else ''})"
    )
    anyone = design.model_copy(update={"replacement": True, "ratio": 1})
    found = _match_usable(risk_set, anyone, None)
    if not len(found.treated):
        raise SupportError(
            f"{counts}; none shares a cell with a comparison firm: use fewer exact covariates, "
            "a wider comparison pool or another support rule"
        )
    raise SupportError(
        f"{counts}; the nearest comparison firm is {found.distance.min():.4g} away; the caliper "
        f"is {caliper:.4g} ({design.caliper_sd:g} SD, {design.caliper_sd_of}, of the "
        f"{design.distance} score): widen caliper_sd or change the covariates"
    )
