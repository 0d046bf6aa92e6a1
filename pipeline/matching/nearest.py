"""Nearest-neighbour and radius matching on a score, within exact cells and a caliper.

Rules that decide between equally good matches are stated at `match_nearest`, because results
depend on them.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.matching.greedy import choose_closest_first, choose_in_turn
from pipeline.matching.pool import ComparisonPool, Pairs, insertion, pairs_within, sort_pool
from pipeline.matching.sets import MatchedSets, make_sets
from pipeline.matching.stack import RiskSet
from pipeline.params.design_rules import CaliperDesign

Order = Literal["largest", "smallest", "closest", "data", "random"]

CaliperBase = Literal["all", "pooled", "treated"]


def match_nearest(
    score: Floats,
    treated: Flags,
    *,
    ratio: int,
    replacement: bool,
    caliper: float | None,
    cells: npt.NDArray[np.integer] | None,
    order: Order,
    tie_tolerance: float,
    ratio_range: tuple[int, int] | None = None,
    rng: np.random.Generator | None = None,
) -> MatchedSets:
    """Match each treated firm to its `ratio` nearest comparison firms on the score.

    `score`, `treated` and `cells` have one entry per firm; `caliper` and `tie_tolerance` are in
    score units; firms of different cells are never matched. A treated firm with no comparison
    firm within the caliper stays unmatched; one with fewer than `ratio` takes those there are.

    Without replacement: greedy. Treated firms choose in `order` of their score, equal scores in
    row order (`closest`: the closest pair left is made first; `random`: a permutation drawn from
    `rng`); of equally distant comparison firms the earlier row is taken. For `ratio` above 1
    everyone chooses once before anyone chooses again, as in MatchIt (Ho, Imai, King & Stuart
    2011, doi:10.18637/jss.v042.i08). `ratio_range` varies the ratio between two bounds, see
    `ratios`. `tie_tolerance` plays no part.
    With replacement: comparison firms no farther than the `ratio`-th nearest plus
    `tie_tolerance` share the weight equally (Abadie & Imbens 2006,
    doi:10.1111/j.1468-0262.2006.00655.x); `order` plays no part.

    Raises SupportError where ties would make too many pairs to store.
    """
    pool, width = sort_pool(score, treated, cells), np.inf if caliper is None else caliper
    if replacement:
        reach = np.minimum(_kth_distance(pool, ratio) + tie_tolerance, width)
        return _sets(pool, pairs_within(pool, reach))
    allowed = ratios(score, treated, ratio, ratio_range)
    if order == "closest":
        return _sets(pool, choose_closest_first(pool, allowed, width))
    turns = turns_by(order, pool.treated_score, rng)
    return _sets(pool, choose_in_turn(pool, turns, allowed, width))


def match_radius(
    score: Floats, treated: Flags, *, caliper: float, cells: npt.NDArray[np.integer] | None
) -> MatchedSets:
    """Match each treated firm to all comparison firms within the caliper, equally weighted.

    Dehejia & Wahba (2002), doi:10.1162/003465302317331982; the caliper is inclusive.
    """
    pool = sort_pool(score, treated, cells)
    return _sets(pool, pairs_within(pool, np.full(len(pool.treated_row), caliper)))


def within_reach(
    score: Floats,
    treated: Flags,
    caliper: float | None,
    cells: npt.NDArray[np.integer] | None,
) -> int:
    """Count treated firms with a comparison firm of their cell within the caliper."""
    nearest = _kth_distance(sort_pool(score, treated, cells), 1)
    return int(((nearest >= 0) & (nearest <= (np.inf if caliper is None else caliper))).sum())


def _sets(pool: ComparisonPool, pairs: Pairs) -> MatchedSets:
    return make_sets(pool.treated_row[pairs.owner], pool.control_row[pairs.control], pairs.distance)


def _kth_distance(pool: ComparisonPool, ratio: int) -> Floats:
    """Return each treated firm's distance to the `ratio`-th nearest firm of its cell.

    Where the cell has fewer firms it is the farthest of them; minus infinity where it has none.
    """
    at = insertion(pool, pool.treated_score)[:, None]
    neighbours = at + np.arange(-ratio, ratio)
    inside = (neighbours >= pool.first[:, None]) & (neighbours < pool.last[:, None])
    if not len(pool.control_row):
        return np.full(len(pool.treated_row), -np.inf)
    near = pool.control_score[np.clip(neighbours, 0, len(pool.control_row) - 1)]
    distance = np.sort(np.where(inside, np.abs(near - pool.treated_score[:, None]), np.inf))
    kth = np.minimum(ratio, inside.sum(axis=1)) - 1
    found = distance[np.arange(len(kth)), np.maximum(kth, 0)]
    return np.where(kth >= 0, found, -np.inf)


def turns_by(order: Order, score: Floats, rng: np.random.Generator | None) -> Integers:
    """Return positions of treated firms in the order in which they choose.

    `score` has one entry per treated firm in row order; equal scores choose in row order.
    `random` draws a permutation from `rng`. Raises ValueError for `closest`, which has no order.
    """
    if order == "random":
        if rng is None:
            raise ValueError("a random order needs a random generator")
        return rng.permutation(len(score))
    if order == "data":
        return np.arange(len(score))
    if order == "closest":
        raise ValueError("closest pairs first is no order of treated firms")
    return np.argsort(-score if order == "largest" else score, kind="stable")


def ratios(score: Floats, treated: Flags, ratio: int, between: tuple[int, int] | None) -> Integers:
    """Return how many comparison firms each treated firm may choose, in row order.

    Without `between` everyone `ratio`. Otherwise `ratio` on average, and as many treated firms
    as possible at either bound: those with scores like the comparison firms' get the most
    (extremal matching; Ming & Rosenbaum 2000, doi:10.1111/j.0006-341X.2000.00118.x).
    """
    n = int(treated.sum())
    if between is None or n == 0:
        return np.full(n, ratio)
    least, most = between
    n_most = min((ratio * n - least * (n - 1)) // (most - least), n - 1)
    n_least = n - n_most - 1
    middle = ratio * n - least * n_least - most * n_most
    ascending = np.repeat([least, middle, most], [n_least, 1, n_most])
    if middle == 0:
        # Nobody stays without a choice: the next in line gives one up, as in MatchIt.
        ascending[n_least : n_least + 2] += np.array([1, -1])
    above = score[treated].mean() > score[~treated].mean()
    found = np.empty(n, np.int64)
    found[np.argsort(-score[treated] if above else score[treated], kind="stable")] = ascending
    return found


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
