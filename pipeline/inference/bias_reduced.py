"""Bias-reduced linearization (CR2) after absorbed effects, with Satterthwaite degrees of freedom.

Residuals of cluster j are multiplied by A_j = B_j^(+1/2), B_j = (I-H)_j (I-H)_j', H being the hat
matrix of all regressors and both sets of effects, so that the variance is unbiased where errors
are independent and alike; the same working model gives the degrees of freedom. Bell & McCaffrey
(2002), Survey Methodology 28(2); Pustejovsky & Tipton (2018), doi:10.1080/07350015.2016.1247004.
Weights weigh, they are not inverse variances: rule of R's clubSandwich for weighted least squares.

H is never formed. With T the first set of effects, which lie within clusters, and R the second
set and the regressors without T, H = P_T + R M R'W. A firm whose weight is constant contributes
an eigenvector of B_j on which nothing depends; all else lies in the span of a few columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.absorb import dense_codes
from pipeline.effects.regression import Absorbed
from pipeline.effects.rows import Row, without_figures
from pipeline.errors import IdentificationError, Reason
from pipeline.inference.analytic import Inferred
from pipeline.inference.covariance import t_intervals
from pipeline.panel.panel_index import is_nested

# Eigenvalues of B_j and directions of its span below this are zero but for rounding.
RANK_TOLERANCE = 1e-10

# B_j is decomposed once per cluster; beyond this many dimensions that takes minutes.
MOST_DIMENSIONS = 3000

# The degrees of freedom compare all pairs of clusters.
MOST_CLUSTERS = 3000

INFERENCE = "bias_reduced"
_MISSING = ("std_error", "statistic", "df", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True)
class BiasReduced:
    """Hold standard errors and degrees of freedom of m combinations of coefficients, (m,)."""

    std_errors: Floats
    degrees: Floats


@dataclass(frozen=True)
class _Model:
    """Hold what clusters share: M (q, q), K = R'WWR (q, q), and M's product with the shares."""

    absorbed: Absorbed
    inverse: Floats
    cross: Floats
    direction: Floats


@dataclass(frozen=True)
class _Part:
    """Hold the rows of one cluster: positions, weights, firm codes from 0, and R (rows, q)."""

    rows: Codes
    weight: Floats
    firm: Codes
    columns: Floats


def bias_reduced(
    absorbed: Absorbed, residuals: Floats, clusters: Codes, shares: Floats
) -> BiasReduced:
    """Return CR2 standard errors and degrees of freedom of `shares`' b, shares (k used, m).

    `residuals` (n kept,) are those of the fit, `clusters` (n kept,) contain the first set of
    effects. With p_j the vector of (I-H)_j' A_j W_j R_j M c, V = sum_j (p_j'y)^2 and
    df = (sum p_j'p_j)^2 / sum_ij (p_i'p_j)^2, missing where all p_j are zero. Raises
    IdentificationError where the first effects cross clusters, or clusters are too many or too
    large.
    """
    _require_feasible(absorbed, clusters)
    model = _model(absorbed, clusters, shares)
    scores, own, down, across = [], [], [], []
    for part in _parts(absorbed, clusters):
        adjusted = _adjusted(model, part)
        spread = _less_firm_share(part, adjusted)
        scores.append(residuals[part.rows] @ adjusted)
        own.append((spread**2).sum(axis=0))
        down.append((part.weight[:, None] * part.columns).T @ spread)
        across.append(model.inverse @ (part.columns.T @ adjusted))
    variance = np.square(scores).sum(axis=0)
    degrees = _degrees(np.array(own), np.array(down), np.array(across), model.cross)
    return BiasReduced(np.sqrt(variance), degrees)


def _require_feasible(absorbed: Absorbed, clusters: Codes) -> None:
    if not is_nested(absorbed.effects.first, clusters):
        raise IdentificationError(Reason("bias_reduced_firms_move"))
    if np.count_nonzero(np.bincount(clusters)) > MOST_CLUSTERS:
        raise IdentificationError(Reason("bias_reduced_many_clusters", {"most": MOST_CLUSTERS}))


def _model(absorbed: Absorbed, clusters: Codes, shares: Floats) -> _Model:
    """Build M, block-diagonal as the regressors are free of both sets of effects, and K."""
    effects = absorbed.effects
    n_free, k = len(effects.free), absorbed.columns.shape[1]
    inverse = np.zeros((n_free + k, n_free + k))
    if n_free:
        inverse[:n_free, :n_free] = effects.solve(np.eye(n_free))
    inverse[n_free:, n_free:] = absorbed.bread
    cross = np.zeros_like(inverse)
    for part in _parts(absorbed, clusters):
        weighted = part.weight[:, None] * part.columns
        cross += weighted.T @ weighted
    direction = np.zeros((n_free + k, shares.shape[1]))
    direction[n_free:] = absorbed.bread @ shares
    return _Model(absorbed, inverse, cross, direction)


def _parts(absorbed: Absorbed, clusters: Codes) -> Iterator[_Part]:
    """Yield each cluster's rows with the columns R: second effects and regressors without T."""
    effects = absorbed.effects
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        firms, firm = np.unique(effects.first[rows], return_inverse=True)
        dummies = effects.second[rows][:, None] == effects.free
        means = effects.shares[firms][:, effects.free].toarray()
        columns = np.hstack([dummies - means[firm], absorbed.columns[rows]])
        yield _Part(rows, effects.weight[rows], firm, columns)


def _adjusted(model: _Model, part: _Part) -> Floats:
    """Return A_j W_j R_j M c, shape (rows, m)."""
    weighted = part.weight[:, None] * part.columns
    basis = _basis(part, weighted)
    spread = _less_firm_share(part, basis)
    inside = model.inverse @ (part.columns.T @ basis)
    mixed = (weighted.T @ spread).T @ inside
    square = spread.T @ spread - mixed - mixed.T + inside.T @ model.cross @ inside
    values, vectors = np.linalg.eigh((square + square.T) / 2)
    kept = values > RANK_TOLERANCE
    root = np.zeros(len(values))
    root[kept] = 1 / np.sqrt(values[kept])
    target = vectors.T @ (basis.T @ (weighted @ model.direction))
    return np.asarray(basis @ (vectors @ (root[:, None] * target)))


def _basis(part: _Part, weighted: Floats) -> Floats:
    """Return orthonormal columns whose span B_j leaves invariant and where R and WR lie."""
    columns = np.hstack([part.columns, weighted, *_uneven_firms(part)])
    columns = columns[:, (columns != 0).any(axis=0)]
    if min(columns.shape) > MOST_DIMENSIONS:
        found = {"n": min(columns.shape), "most": MOST_DIMENSIONS}
        raise IdentificationError(Reason("bias_reduced_many_dimensions", found))
    scaled = columns / np.sqrt((columns**2).sum(axis=0))
    left, size, _ = np.linalg.svd(scaled, full_matrices=False)
    return np.asarray(left[:, size > RANK_TOLERANCE * size[:1].max(initial=0)])


def _uneven_firms(part: _Part) -> list[Floats]:
    """Return, for firms whose weight varies, their indicators and their weights as columns."""
    n_firms = int(part.firm.max()) + 1
    least, most = np.full(n_firms, np.inf), np.zeros(n_firms)
    np.minimum.at(least, part.firm, part.weight)
    np.maximum.at(most, part.firm, part.weight)
    uneven = np.flatnonzero(most - least > RANK_TOLERANCE * most)
    member = (part.firm[:, None] == uneven).astype(np.float64)
    return [member, member * part.weight[:, None]]


def _less_firm_share(part: _Part, columns: Floats) -> Floats:
    """Return (I - P_T)' columns: less each firm's weighted share of the firm's sum."""
    n_firms = int(part.firm.max()) + 1
    sums = np.zeros((n_firms, columns.shape[1]))
    np.add.at(sums, part.firm, columns)
    share = part.weight / np.bincount(part.firm, part.weight)[part.firm]
    return np.asarray(columns - share[:, None] * sums[part.firm])


def _degrees(own: Floats, down: Floats, across: Floats, cross: Floats) -> Floats:
    """Return df (m,) from p_i'p_j = [i=j] own_j - h_i'g_j - h_j'g_i + g_i'K g_j."""
    degrees = np.empty(own.shape[1])
    for term in range(own.shape[1]):
        h, g = down[:, :, term], across[:, :, term]
        mixed = h @ g.T
        products = np.diag(own[:, term]) - mixed - mixed.T + g @ cross @ g.T
        spread = (products**2).sum()
        degrees[term] = np.trace(products) ** 2 / spread if spread > 0 else np.nan
    return degrees


def bias_reduced_rows(rows: list[Row], inferred: Inferred) -> list[Row]:
    """Return a row for every analytic one with a standard error, of a least-squares regression.

    `rows` are those of the result's terms, in their order, and what else the result says.
    """
    estimated, regression = inferred.estimated, inferred.estimated.regression
    assert regression is not None, "of least squares only"
    behind = regression.least_squares
    used = np.flatnonzero(np.isfinite(inferred.known_errors))
    if not len(used):
        return []
    group = dense_codes(inferred.clusters[0][estimated.seen.firm_by_row])
    shares = estimated.loadings[:, used]
    try:
        found = bias_reduced(behind.absorbed, behind.residuals, group, shares)
    except IdentificationError as error:
        return [without_figures(rows[i], INFERENCE, error.reason, *_MISSING) for i in used]
    pairs = zip(used, found.std_errors, found.degrees, strict=True)
    return [_row(rows[i], float(error), float(df)) for i, error, df in pairs]


def _row(analytic: Row, error: float, df: float) -> Row:
    shown = t_intervals(
        np.array([analytic["estimate"]]), np.array([error]), df, analytic["conf_level"]
    )
    return analytic | {
        "inference": INFERENCE,
        "std_error": error,
        "statistic": shown.statistic[0],
        "df": df,
        "p_value": shown.p_value[0],
        "conf_low": shown.low[0],
        "conf_high": shown.high[0],
        "remarks": (*analytic["remarks"], Reason("bias_reduced")),
    }
