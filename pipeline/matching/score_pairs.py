"""Matched sets on the propensity score: one stack of a nearest-neighbour or radius design."""

from dataclasses import replace

import numpy as np

from pipeline.errors import SupportError
from pipeline.matching.losses import count_shortage
from pipeline.matching.nearest import caliper_words, design_caliper, match_nearest, match_radius
from pipeline.matching.sets import MatchedSets
from pipeline.matching.stack import RiskSet, StackMatch, matched
from pipeline.params.match import NearestDesign, RadiusDesign


def match_on_score(risk_set: RiskSet, design: NearestDesign | RadiusDesign) -> StackMatch:
    """Match one stack: caliper over the whole risk set, then support and cells.

    Raises SupportError where no treated firm has a match, or all have the same score.
    """
    caliper = design_caliper(risk_set, design)
    rows = np.flatnonzero(risk_set.usable)
    if isinstance(design, NearestDesign) and not design.replacement:
        _refuse_one_score(risk_set, rows, design)
    found = _match_rows(risk_set, rows, design, caliper)
    sets = replace(found, treated=rows[found.treated], control=rows[found.control])
    if not len(sets.treated):
        _refuse_no_match(risk_set, rows, design, caliper)
    if isinstance(design, RadiusDesign):
        return matched(risk_set, sets, caliper)
    return matched(risk_set, sets, caliper, count_shortage(risk_set, sets, design, caliper))


def _refuse_one_score(risk_set: RiskSet, rows: np.ndarray, design: NearestDesign) -> None:
    """Refuse to choose by row order alone."""
    score, treated = risk_set.score(design.distance)[rows], risk_set.treated[rows]
    n_treated, n_control = int(treated.sum()), int((~treated).sum())
    if n_treated and n_control > 1 and score.min() == score.max():
        raise SupportError(
            f"{risk_set.where}: all {n_treated} treated and {n_control} comparison firms have the "
            f"same {design.distance} score, so that the order of rows alone would choose; put "
            "covariates that differ into the score, or use replacement: true, which shares the "
            "weight",
            reason=risk_set.because("scores_all_equal", n_treated, n_control),
        )


def _match_rows(
    risk_set: RiskSet,
    rows: np.ndarray,
    design: NearestDesign | RadiusDesign,
    caliper: float | None,
) -> MatchedSets:
    """Match the firms in `rows`; return positions among them."""
    score, treated = risk_set.score(design.distance)[rows], risk_set.treated[rows]
    cells = None if risk_set.cells is None else risk_set.cells[rows]
    if isinstance(design, RadiusDesign):
        width = np.inf if caliper is None else caliper
        return match_radius(score, treated, caliper=width, cells=cells)
    return match_nearest(
        score,
        treated,
        ratio=design.ratio,
        replacement=design.replacement,
        caliper=caliper,
        cells=cells,
        order=design.order,
        tie_tolerance=design.tie_tolerance,
        ratio_range=design.ratio_range,
        rng=risk_set.generator(design.order_seed),
    )


def _refuse_no_match(
    risk_set: RiskSet, rows: np.ndarray, design: NearestDesign | RadiusDesign, caliper: float | None
) -> None:
    """Say why nobody matched: counts, the caliper in score units, the nearest firm found."""
    counts = no_match_counts(risk_set, design.exact)
    found = match_nearest(
        risk_set.score(design.distance)[rows],
        risk_set.treated[rows],
        ratio=1,
        replacement=True,
        caliper=None,
        cells=None if risk_set.cells is None else risk_set.cells[rows],
        order="data",
        tie_tolerance=0.0,
    )
    if not len(found.treated) or caliper is None:
        raise SupportError(
            f"{counts}; none shares a cell with a comparison firm: use fewer exact covariates, "
            "a wider comparison pool (controls_from of its score model, treatment.comparison) or "
            f"another support rule{risk_set.or_without}",
            reason=risk_set.no_match("no_match_within_cells"),
        )
    raise SupportError(
        f"{counts}; the nearest comparison firm is {found.distance.min():.4g} away; the caliper "
        f"is {caliper_words(design, caliper)} or change the covariates{risk_set.or_without}",
        reason=risk_set.no_match("no_match_within_caliper"),
    )


def no_match_counts(risk_set: RiskSet, exact: list[str]) -> str:
    """Return that nobody matched, with the firms that could have."""
    treated, usable = risk_set.treated, risk_set.usable
    n_treated, n_control = risk_set.count(treated & usable), risk_set.count(~treated & usable)
    cells = f" and in exact cells of {', '.join(exact)}" if exact else ""
    return (
        f"{risk_set.where}: no treated firm has a match ({n_treated} treated "
        f"and {n_control} comparison firms on support{cells})"
    )
