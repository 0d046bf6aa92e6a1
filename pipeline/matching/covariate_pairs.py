"""Matched sets on covariates: one stack of a Mahalanobis design."""

from collections.abc import Iterator

import numpy as np

from pipeline.datasets.arrays import Floats, Integers
from pipeline.errors import EvaluationError, SupportError
from pipeline.matching.losses import count_shortage
from pipeline.matching.mahalanobis import (
    Space,
    choose_closest,
    choose_nearest,
    share_nearest,
    whiten,
)
from pipeline.matching.nearest import caliper_words, design_caliper, turns_by
from pipeline.matching.score_pairs import no_match_counts
from pipeline.matching.sets import MatchedSets, join_sets
from pipeline.matching.stack import RiskSet, StackMatch, matched
from pipeline.params.match import MahalanobisDesign


def match_on_covariates(risk_set: RiskSet, design: MahalanobisDesign) -> StackMatch:
    """Match one stack by Mahalanobis distance, within exact cells and a caliper on the score.

    The covariance, like the caliper, is that of the whole risk set. Raises SupportError where no
    treated firm has a match, DataError where a covariate is missing.
    """
    score = risk_set.score(design.distance)
    caliper = design_caliper(risk_set, design)
    width = np.inf if caliper is None else caliper
    space = Space(_points(risk_set, design), score, width)
    sets = join_sets([_match_cell(risk_set, design, space, rows) for rows in _cells(risk_set)])
    if not len(sets.treated):
        within = "in the same cell" if caliper is None else f"within {caliper_words(design, width)}"
        raise SupportError(
            f"{no_match_counts(risk_set, design.exact)}; none has a comparison firm {within}"
            f"{risk_set.or_without}",
            reason=risk_set.no_match("no_match_within_reach"),
        )
    return matched(risk_set, sets, caliper, count_shortage(risk_set, sets, design, caliper))


def _points(risk_set: RiskSet, design: MahalanobisDesign) -> Floats:
    """Return the whitened coordinates of all firms of the stack."""
    covariates = risk_set.covariates[design.covariates]
    try:
        return whiten(covariates, risk_set.treated, design.covariance_of == "pooled")
    except EvaluationError as error:
        raise error.at(risk_set.where) from None


def _cells(risk_set: RiskSet) -> Iterator[Integers]:
    """Yield the usable rows of each exact cell, all of them where there are none."""
    rows = np.flatnonzero(risk_set.usable)
    if risk_set.cells is None:
        yield rows
        return
    cells = risk_set.cells[rows]
    order = np.argsort(cells, kind="stable")
    yield from np.split(rows[order], np.flatnonzero(np.diff(cells[order])) + 1)


def _match_cell(
    risk_set: RiskSet, design: MahalanobisDesign, space: Space, rows: Integers
) -> MatchedSets:
    """Match the firms of one cell; return positions among all firms of the stack."""
    treated, control = rows[risk_set.treated[rows]], rows[~risk_set.treated[rows]]
    if design.replacement:
        return share_nearest(space, treated, control, design.ratio, design.tie_tolerance)
    if design.order == "closest":
        return choose_closest(space, treated, control, design.ratio)
    rng = risk_set.generator(design.order_seed)
    turns = treated[turns_by(design.order, space.score[treated], rng)]
    return choose_nearest(space, turns, control, design.ratio)
