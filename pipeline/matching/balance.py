"""Balance of covariates between treated and comparison firms, before and after matching.

Differences are divided by a standard deviation of the unmatched sample, the same before and
after, so that a smaller number means closer groups and not a wider sample. There are no
t-tests: they measure sample size (Imai, King & Stuart 2008,
doi:10.1111/j.1467-985X.2007.00527.x).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats
from pipeline.datasets.balance import BALANCE
from pipeline.datasets.store import conform
from pipeline.matching.balance_columns import BALANCED, Measured, MeasuredNumber, balance_column
from pipeline.matching.balance_rows import BalanceRows, balance_rows, level_weights
from pipeline.matching.losses import effective_size
from pipeline.matching.moments import CellMoments
from pipeline.params.match import MatchSection, conditioning_covariates
from pipeline.params.score import ScoreSection
from pipeline.progress import track
from pipeline.selection.firm_stacks import FirmStacks


@dataclass(frozen=True)
class _Design:
    """Hold the weights of one design by row, and the covariates that it conditions on."""

    name: str
    after: Floats
    in_score: set[str]


@dataclass(frozen=True)
class _Pool:
    """Hold the risk sets of one score model: members, weights before and on support, scores.

    `designs` are those that use the model. Weights are one array where all are on support.
    """

    member: Flags
    before: Floats
    on_support: Floats
    score: Floats
    designs: list[_Design]


@dataclass(frozen=True)
class _Figures:
    """Hold what one sample says of one column: moments, KS distances, effective comparison firms.

    Shapes are (columns, 2, stacks + 1), (columns, stacks + 1) and (stacks + 1,).
    """

    moments: CellMoments
    ks_distance: Floats
    ess_control: Floats


def measure_balance(tables: FirmStacks, score: ScoreSection, match: MatchSection) -> pd.DataFrame:
    """Measure balance of every design: BALANCE, one row per covariate, sample and stack.

    Samples: `before` is the risk set of the design's score model, `on_support` its firms on
    common support, `after` the firms and weights of WEIGHTS. In the first two, comparison firms
    are weighted so that each stack's comparison mass equals its treated mass. Covariates in
    and out of the score, categories one by one, and the propensity score itself; per stack and over
    all stacks (`all`, rows being firms in stacks).
    """
    rows = balance_rows(tables)
    designs = _designs(rows, tables, score, match)
    pools = [_pool(rows, tables.of_model(model), of) for model, of in designs.items()]
    parts = list[pd.DataFrame]()
    for name in track(score.covariates, "covariates", len(score.covariates), name=str):
        column = balance_column(tables.covariates[name], rows)
        for pool in pools:
            parts += _of_pool(name, column, rows, pool, match.balance.denominator)
    for pool in pools:
        if not np.isnan(pool.score).all():
            column = MeasuredNumber(pool.score, rows)
            parts += _of_pool("propensity_score", column, rows, pool, match.balance.denominator)
    return conform(BALANCE, pd.concat(parts))


def _designs(
    rows: BalanceRows, tables: FirmStacks, score: ScoreSection, match: MatchSection
) -> dict[str, list[_Design]]:
    """Return the designs by score model; `unmatched` has a model of that name."""
    found: dict[str, list[_Design]] = {}
    for name in ["unmatched", *match.designs]:
        design, in_score, model = match.designs.get(name), set[str](), "unmatched"
        if design is not None:
            model = design.score
            used = conditioning_covariates(design, score.models[model].covariates)
            in_score = {"propensity_score", *used}
        own = tables.of_design(name)
        after = np.zeros(len(rows.row))
        after[rows.place[own["row"]]] = own["weight"]
        found.setdefault(model, []).append(_Design(name, after, in_score))
    return found


def _pool(rows: BalanceRows, risk_sets: pd.DataFrame, designs: list[_Design]) -> _Pool:
    """Return a model's risk sets and their designs, whose weights outside of them do not count."""
    places = rows.place[risk_sets["row"]]
    member, on_support = np.zeros((2, len(rows.row)), dtype=np.bool_)
    member[places] = True
    on_support[places] = risk_sets["on_support"]
    score = np.full(len(rows.row), np.nan)
    score[places] = risk_sets["propensity_score"]
    before = level_weights(rows, member)
    supported = before if np.array_equal(member, on_support) else level_weights(rows, on_support)
    inside = [replace(one, after=np.where(member, one.after, 0.0)) for one in designs]
    return _Pool(member, before, supported, score, inside)


def _of_pool(
    covariate: str, column: Measured, rows: BalanceRows, pool: _Pool, denominator: str
) -> Iterator[pd.DataFrame]:
    """Yield the rows of one column in every sample of the designs of a pool."""
    before = on_support = _figures(column, rows, pool.before)
    if pool.on_support is not pool.before:
        on_support = _figures(column, rows, pool.on_support)
    binary = column.binary(pool.member)
    scale = _unmatched_sd(before.moments, binary, denominator)
    bias_scale = _unmatched_sd(before.moments, False, "pooled")
    has, categories = column.categories(pool.member)
    stacks = np.append(rows.has_stack(pool.member), True)
    names = [stack for stack, there in zip([*rows.stacks, "all"], stacks, strict=True) if there]
    for design in pool.designs:
        after = _figures(column, rows, design.after)
        for sample, found in (("before", before), ("on_support", on_support), ("after", after)):
            figures = _contrasts(found, binary, scale, bias_scale)
            yield pd.DataFrame(
                {
                    "design": design.name,
                    "covariate": covariate,
                    "category": np.repeat(np.array(categories, dtype=object), len(names)),
                    "stack": np.tile(np.array(names, dtype=object), len(categories)),
                    "sample": sample,
                    "in_score": covariate in design.in_score,
                    "of_matched": False,
                    **{name: of[has][:, stacks].ravel() for name, of in figures.items()},
                }
            )


def _figures(column: Measured, rows: BalanceRows, weight: Floats) -> _Figures:
    """Sum a column over the firms of a sample that have a value."""
    observed = np.where(column.known, weight, 0.0)
    moments = column.moments(observed)
    # a firm that serves several stacks is one firm, with its summed weight
    control = np.where(rows.treated, 0.0, observed)
    together = effective_size(np.asarray(np.bincount(rows.firm, weights=control)))
    return _Figures(
        moments=moments,
        ks_distance=column.ks_distances(observed, moments),
        ess_control=np.append(moments.effective_size[0, 0, :-1], together),
    )


def _contrasts(
    found: _Figures, binary: bool, scale: Floats, bias_scale: Floats
) -> dict[str, Floats]:
    """Compare the groups, shape (columns, stacks + 1); what cannot be computed is missing."""
    moments = found.moments
    n_control, n_treated = moments.n.swapaxes(0, 1)
    means, variances = moments.means, moments.variances(False)
    ratio = np.full(n_treated.shape, np.nan)
    if not binary:
        np.divide(variances[:, 1], variances[:, 0], out=ratio, where=variances[:, 0] > 0)
    return {
        "mean_treated": means[:, 1],
        "mean_control": means[:, 0],
        "std_diff": _std_difference(means, scale),
        "percent_bias": 100 * _std_difference(means, bias_scale),
        "variance_ratio": ratio,
        "ks_distance": np.where((n_treated > 0) & (n_control > 0), found.ks_distance, np.nan),
        "n_treated": n_treated,
        "n_control": n_control,
        "ess_control": np.broadcast_to(found.ess_control, n_treated.shape),
    }


def _std_difference(means: Floats, scale: Floats) -> Floats:
    """Return differences in means over an SD; zero where weights have removed them.

    Missing where the SD is missing or zero.
    """
    found = np.full(scale.shape, np.nan)
    np.divide(means[:, 1] - means[:, 0], scale, out=found, where=scale > 0)
    return np.where(np.abs(found) <= BALANCED, 0.0, found)


def _unmatched_sd(before: CellMoments, binary: bool, denominator: str) -> Floats:
    """Return the SD that differences are divided by, from the unmatched sample.

    `treated`: the treated firms' SD. `pooled`: sqrt((v1 + v0) / 2). sqrt(p (1 - p)) for binaries.
    """
    zero, one = before.variances(binary).swapaxes(0, 1)
    return np.asarray(np.sqrt(one if denominator == "treated" else (one + zero) / 2))
