"""Kernel matching: every comparison firm within the bandwidth, nearer ones weighing more."""

import numpy as np
import numpy.typing as npt

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.errors import SupportError
from pipeline.matching.pool import ComparisonPool, Pairs, list_pairs, sort_pool, window
from pipeline.matching.score_pairs import no_match_counts
from pipeline.matching.stack import RiskSet, StackMatch, weighted
from pipeline.params.match import KernelDesign
from pipeline.selection.frequency import Frequency, among, times_of

# Pairs whose weights are computed at once.
PAIRS_AT_ONCE = 5_000_000


def weigh_by_kernel(risk_set: RiskSet, design: KernelDesign) -> StackMatch:
    """Weight comparison firms by their distance to each treated firm on the score.

    Raises SupportError where no treated firm has a comparison firm within the bandwidth.
    """
    risk_set.require_both()
    rows = np.flatnonzero(risk_set.usable)
    weight = np.zeros(len(risk_set.firms))
    weight[rows] = kernel_weights(
        risk_set.score(design.distance)[rows],
        risk_set.treated[rows],
        bandwidth=design.bandwidth,
        cells=None if risk_set.cells is None else risk_set.cells[rows],
        frequency=among(risk_set.mass, risk_set.usable),
    )
    if not weight.any():
        raise SupportError(
            f"{no_match_counts(risk_set, design.exact)}; none has a comparison firm within the "
            f"bandwidth of {design.bandwidth:g} on the {design.distance} score; widen bandwidth or "
            f"change the covariates{risk_set.or_without}",
            reason=risk_set.no_match("no_match_within_bandwidth"),
        )
    return weighted(risk_set, weight)


def kernel_weights(
    score: Floats,
    treated: Flags,
    *,
    bandwidth: float,
    cells: npt.NDArray[np.integer] | None,
    frequency: Frequency = None,
) -> Floats:
    """Return the weight of each firm: matched treated 1, comparison firms the sum of their shares.

    Treated firm i gives comparison firm j the share K((s_i - s_j) / h) / sum_k K((s_i - s_k) / h)
    with the Epanechnikov kernel K(u) = 1 - u^2 for |u| < 1 (Heckman, Ichimura & Todd 1997,
    doi:10.2307/2971733). A treated firm with nobody within the bandwidth h has weight 0. Where
    firms count as often as `frequency` says, or by their sampling weights, weights are those of one
    of their copies.
    """
    pool, times = sort_pool(score, treated, cells), times_of(frequency, len(score))
    start, count = window(pool, np.full(len(pool.treated_row), bandwidth))
    shared = np.zeros(len(pool.control_row))
    found = np.zeros(len(pool.treated_row), dtype=bool)
    for owner in _portions(count):
        pairs = list_pairs(pool, owner, start[owner], count[owner])
        shares, matched = _shares(pool, pairs, owner, bandwidth, times)
        shared += shares
        found[owner] = matched
    weight = np.zeros(len(score))
    weight[pool.control_row] = shared
    weight[pool.treated_row] = found
    return weight


def _portions(count: Integers) -> list[Integers]:
    """Split treated firms into runs of about `PAIRS_AT_ONCE` pairs."""
    portion = np.cumsum(count) // PAIRS_AT_ONCE
    return np.split(np.arange(len(count)), np.flatnonzero(np.diff(portion)) + 1)


def _shares(
    pool: ComparisonPool, pairs: Pairs, owner: Integers, bandwidth: float, times: Floats
) -> tuple[Floats, Flags]:
    """Return what these treated firms give each comparison firm, and which of them gave."""
    kernel = np.maximum(1 - np.square(pairs.distance / bandwidth), 0.0)
    position = pairs.owner - (owner[0] if len(owner) else 0)  # owners are a run
    mass = kernel * times[pool.control_row][pairs.control]
    total = np.bincount(position, weights=mass, minlength=len(owner))
    matched = total > 0
    divisor = np.where(matched, total, 1.0) / times[pool.treated_row[owner]]
    share = kernel / divisor[position]
    given = np.bincount(pairs.control, weights=share, minlength=len(pool.control_row))
    return given.astype(np.float64), matched
