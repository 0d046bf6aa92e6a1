"""Stacked regressions from moments of units by event time: no row and no column is made.

Regressors are values of the unit, whether it is treated or a covariate, at some entry years and
event times. With firm x stack and year x stack effects, w_i unit i's weights by event time, w_i+
their sum and z_i its values after a one, the normal equations of an entry year's coefficients by
event time are

    A_ts = sum_i (w_it 1[t = s] - w_it w_is / w_i+) z_i z_i',   r_t = sum_i w_it (y_it - mean_i) z_i

for event times but the reference, which all units have. The ones give year effects, which are
solved out; a regressor that counts at several entry years or event times is a sum. This is the
regression of `effects.least_squares`, equal to it to rounding. A unit's score is w_it u_it z_i less
what year effects take of it, u being residuals, which sum to zero by unit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.absorb import not_collinear
from pipeline.effects.estimated import Estimated
from pipeline.effects.least_squares import COLLINEAR, widen
from pipeline.effects.regression import CONSTANT_SHARE, LeastSquares, Regression
from pipeline.effects.sample import StackedSample
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.event_cells import cells_nested
from pipeline.estimators.stacked_regressors import Regressors

# Units whose products are formed at once: bounds memory.
_AT_ONCE = 50_000


@dataclass(frozen=True)
class _EntryYear:
    """Hold one entry year's units (u,), their values (u, q) and weights (u, T), and its equations.

    Values are less their weighted means, which year effects take, so that products keep digits.

    `free` (m,) are the event times with coefficients. `gram` (m q, m q) is of values by event time,
    and `raw` (m q,) their weighted squares; `year_effects` (m, m q) are the values' own, which are
    out of `gram`; `inverse` (m, m) is that of the equations of year effects.
    """

    units: Codes
    values: Floats
    weights: Floats
    free: Codes
    gram: Floats
    raw: Floats
    year_effects: Floats
    inverse: Floats

    def means(self, by_time: Floats) -> Floats:
        """Return each unit's weighted mean over event times of an array (u, T), (u, 1)."""
        total = self.weights.sum(axis=1, keepdims=True)
        return np.asarray((self.weights * by_time).sum(axis=1, keepdims=True) / total)


@dataclass(frozen=True)
class _Solved:
    """Hold the coefficients (k used,) of regressors, which are `estimable` (k,), and their fit.

    `places` (K, k used) say which values by entry year and event time a regressor is the sum of,
    `residuals` are by entry year (u, T), `explained` is what regressors explain of the outcome.
    """

    parts: list[_EntryYear]
    estimates: Floats
    estimable: Flags
    bread: Floats
    places: Floats
    residuals: list[Floats]
    explained: float


def fit_by_moments(
    regressors: Regressors, again: Callable[[], LeastSquares], by_entry: bool
) -> Estimated:
    """Return the coefficients of the sample's outcome on regressors, with influences.

    `again` is what few methods of inference read: the regression with its columns. `by_entry`:
    entry years have effects of their own. Raises IdentificationError where all regressors are
    collinear or the outcome does not vary within firms and years.
    """
    sample = regressors.sample
    solved = _solve(regressors, sample.values)
    _require_variation(solved, sample)
    named = [(i, term) for i, term in enumerate(regressors.terms) if term is not None]
    place = np.cumsum(solved.estimable) - 1
    columns = [int(place[i]) for i, _ in named if solved.estimable[i]]
    seen = sample.seen(by_entry)
    cells = sample.seen()
    return Estimated(
        terms=tuple(term for i, term in named if solved.estimable[i]),
        estimates=solved.estimates[columns],
        influence=_influence(solved, sample, columns),
        seen=seen,
        largest=float(np.abs(np.where(sample.observed, sample.values, 0.0)).max()),
        loadings=np.eye(len(solved.estimates))[:, columns],
        source=Regression(
            bread=solved.bread,
            n_obs=sample.n_rows,
            n_singletons=0,
            n_effects=(len(seen.firm), int(np.count_nonzero(sample.observed_years))),
            nested=partial(cells_nested, cells),
            again=again,
        ),
        reasons={term: COLLINEAR for i, term in named if not solved.estimable[i]},
    )


def coefficients_by_moments(regressors: Regressors, values: Floats) -> Floats:
    """Return the coefficients (k,) of other outcomes (u, T); missing if collinear."""
    solved = _solve(regressors, values)
    return widen(solved.estimates, solved.estimable)


def _solve(regressors: Regressors, values: Floats) -> _Solved:
    sample = regressors.sample
    parts = list(_entry_years(regressors))
    places = _places(regressors, parts)
    gram = places.T @ _block_diagonal([part.gram for part in parts]) @ places
    estimable = not_collinear(gram, places.T @ np.concatenate([part.raw for part in parts]))
    if not estimable.any():
        raise IdentificationError(Reason("collinear"))
    used = np.flatnonzero(estimable)
    bread = np.asarray(np.linalg.inv(gram[np.ix_(used, used)]), dtype=np.float64)
    places = places[:, used]
    within = [_within(part, sample, values) for part in parts]
    moments = [_moments(part, own) for part, own in zip(parts, within, strict=True)]
    sums = np.concatenate(
        [of - part.year_effects.T @ ones for part, (ones, of) in zip(parts, moments, strict=True)]
    )
    estimates = bread @ (places.T @ sums)
    return _Solved(
        parts=parts,
        estimates=estimates,
        estimable=estimable,
        bread=bread,
        places=places,
        residuals=list(_residuals(parts, places, estimates, within, moments)),
        explained=float(estimates @ (places.T @ sums)),
    )


def _entry_years(regressors: Regressors) -> Iterator[_EntryYear]:
    """Yield the equations of each entry year with units."""
    sample = regressors.sample
    used, code = sample.observed.any(axis=1), sample.stacks.entry_years[1]
    values = [sample.stacks.treated[:, None].astype(np.float64)]
    values += [] if sample.covariates is None else [sample.covariates]
    by_unit = np.hstack(values)
    for position, seen in enumerate(sample.observed_years):
        units = np.flatnonzero(used & (code == position))
        free = np.flatnonzero(seen & (np.arange(len(seen)) != sample.stacks.reference_column))
        if len(units):
            weights = sample.weights[units]
            means = np.average(by_unit[units], axis=0, weights=weights.sum(axis=1))
            yield _equations(units, by_unit[units] - means, means, weights, free)


def _equations(
    units: Codes, values: Floats, means: Floats, weights: Floats, free: Codes
) -> _EntryYear:
    """Form the normal equations of ones and values by event time, and solve the ones out.

    Values are less `means` (q,), squares are not: they say what is collinear.
    """
    m, q = len(free), values.shape[1] + 1
    equations, raw = np.zeros((m * q, m * q)), np.zeros((m, q))
    for start in range(0, len(units), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        own = weights[rows][:, free]
        z = np.column_stack([np.ones(len(own)), values[rows]])
        root = own / np.sqrt(weights[rows].sum(axis=1, keepdims=True))
        products = (root[:, :, None] * z[:, None, :]).reshape(len(own), m * q)
        equations -= products.T @ products
        for time in range(m):
            block = slice(time * q, (time + 1) * q)
            of_time = (z * own[:, [time]]).T @ z
            equations[block, block] += of_time
            raw[time, 1:] += (own[:, [time]] * (values[rows] + means) ** 2).sum(axis=0)
    ones = np.arange(m) * q
    others = np.setdiff1d(np.arange(m * q), ones)
    inverse = np.linalg.inv(equations[np.ix_(ones, ones)])
    year_effects = inverse @ equations[np.ix_(ones, others)]
    gram = equations[np.ix_(others, others)] - equations[np.ix_(others, ones)] @ year_effects
    return _EntryYear(units, values, weights, free, gram, raw[:, 1:].ravel(), year_effects, inverse)


def _places(regressors: Regressors, parts: list[_EntryYear]) -> Floats:
    """Say of each regressor at which entry years and event times which value counts, (K, k)."""
    sample = regressors.sample
    code = sample.stacks.entry_years[1]
    blocks = []
    for part in parts:
        own, q = int(code[part.units[0]]), part.values.shape[1]
        block = np.zeros((len(part.free), q, len(regressors.parts)))
        for column, regressor in enumerate(regressors.parts):
            value = 0 if regressor.value is None else 1 + regressor.value
            block[:, value, column] = regressor.cells[own, part.free]
        blocks.append(block.reshape(-1, len(regressors.parts)))
    return np.vstack(blocks)


def _block_diagonal(blocks: list[Floats]) -> Floats:
    ends = np.cumsum([len(block) for block in blocks])
    whole = np.zeros((int(ends[-1]), int(ends[-1])))
    for end, block in zip(ends, blocks, strict=True):
        whole[end - len(block) : end, end - len(block) : end] = block
    return whole


def _within(part: _EntryYear, sample: StackedSample, values: Floats) -> Floats:
    """Return outcomes less their unit's mean, (u, T); zero where a unit does not enter."""
    observed = sample.observed[part.units]
    own = np.where(observed, values[part.units], 0.0)
    return np.where(observed, own - part.means(own), 0.0)


def _moments(part: _EntryYear, within: Floats) -> tuple[Floats, Floats]:
    """Return the weighted sums of outcomes: by event time (m,), and times values (m q,)."""
    weighted = (part.weights * within)[:, part.free]
    return weighted.sum(axis=0), (weighted.T @ part.values).ravel()


def _residuals(
    parts: list[_EntryYear],
    places: Floats,
    estimates: Floats,
    within: list[Floats],
    moments: list[tuple[Floats, Floats]],
) -> Iterator[Floats]:
    """Yield, by entry year, what regressors and effects leave of the outcome, (u, T)."""
    exact, slopes = _fitted_exactly(parts, places), _by_part(places @ estimates, parts)
    for part, own, (ones, _), is_exact, slope in zip(
        parts, within, moments, exact, slopes, strict=True
    ):
        if is_exact:
            yield np.zeros_like(own)
            continue
        years = part.inverse @ ones - part.year_effects @ slope
        fitted = np.zeros(own.shape)
        fitted[:, part.free] = years + part.values @ slope.reshape(len(part.free), -1).T
        yield np.where(part.weights > 0, own - fitted + part.means(fitted), 0.0)


def _by_part(rows: Floats, parts: list[_EntryYear]) -> list[Floats]:
    """Return rows (K, ...) by entry year."""
    return np.split(rows, np.cumsum([len(part.raw) for part in parts])[:-1])


def _fitted_exactly(parts: list[_EntryYear], places: Floats) -> Iterator[bool]:
    """Say of each entry year whether its own effects and regressors fit any outcomes of its rows.

    What is left of them is rounding then.
    """
    counts = np.array([block.any(axis=0) for block in _by_part(places, parts)])
    own = (counts & (counts.sum(axis=0) == 1)).sum(axis=1)
    for part, n_regressors in zip(parts, own, strict=True):
        n_rows = np.count_nonzero(part.weights)
        yield bool(n_rows <= len(part.units) + len(part.free) + n_regressors)


def _influence(solved: _Solved, sample: StackedSample, columns: list[int]) -> Floats:
    """Return each firm's influence on some coefficients, (F, p); none where the fit is exact."""
    influence = np.zeros((sample.stacks.n_firms, len(columns)))
    if not columns or _is_saturated(solved, sample):
        return influence
    spread = _by_part(solved.places @ solved.bread[:, columns], solved.parts)
    for part, residuals, own in zip(solved.parts, solved.residuals, spread, strict=True):
        score = (part.weights * residuals)[:, part.free]
        by_unit = -score @ (part.year_effects @ own)
        for time, shares in enumerate(own.reshape(len(part.free), -1, len(columns))):
            by_unit += score[:, [time]] * (part.values @ shares)
        influence[sample.stacks.firm[part.units]] += by_unit  # a firm is once in a stack
    return influence


def _is_saturated(solved: _Solved, sample: StackedSample) -> bool:
    """Say whether rows are no more than effects and regressors, which then fit anything."""
    effects = sum(len(part.units) + len(part.free) for part in solved.parts)
    return sample.n_rows <= effects + len(solved.estimates)


def _require_variation(solved: _Solved, sample: StackedSample) -> None:
    """Raise IdentificationError where firm and year effects leave nothing of the outcome."""
    left = sum(
        float((part.weights * residuals**2).sum())
        for part, residuals in zip(solved.parts, solved.residuals, strict=True)
    )
    whole = float((sample.weights * np.where(sample.observed, sample.values, 0.0) ** 2).sum())
    if left + solved.explained <= CONSTANT_SHARE * whole:
        raise IdentificationError(Reason("no_outcome_variation"))
