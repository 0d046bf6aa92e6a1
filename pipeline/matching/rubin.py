"""Rubin's B and R, and pseudo-R2: how well a probit still tells the groups apart.

As Stata's pstest: the score is fitted again, by probit, on the sample whose balance is judged.
B under 25 and R between 0.5 and 2 are usually called balanced (Rubin 2001,
doi:10.1023/A:1020363010465). After weights that meet every moment nothing is left to tell the
groups apart by: R would be one rounding error over another, and is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats
from pipeline.datasets.balance import GROUP_EMPTY, INDEX_CONSTANT, NO_FIT
from pipeline.params.match import MatchSection, conditioning_covariates
from pipeline.params.score import ScoreSection
from pipeline.selection.design_matrix import expanded_columns
from pipeline.selection.firm_stacks import FirmStacks
from pipeline.selection.likelihood import maximise

# Variance of a combination of standardised columns that is rounding error.
COLLINEAR = 1e-12

# Beyond these, a difference that weights have removed is rounding, and differs between machines.
DECIMALS = 8

# A fitted index that varies by no more than this standard deviation is what rounding leaves of it.
CONSTANT = 1e-6


@dataclass(frozen=True)
class Separation:
    """Hold Rubin's B (percent) and R, McFadden's pseudo-R2, and why R is missing."""

    rubin_b: float = np.nan
    rubin_r: float = np.nan
    pseudo_r2: float = np.nan
    reason: str | None = None


def separations(
    tables: FirmStacks, score: ScoreSection, match: MatchSection
) -> Iterator[tuple[str, str, Separation]]:
    """Yield every design, `before` and `after` matching, and how the groups are told apart there.

    Stacks together, on the covariates that the design conditions on; not of one without any.
    """
    found = dict[tuple[str, ...], Separation]()
    for name, design in match.designs.items():
        used = conditioning_covariates(design, score.models[design.score].covariates)
        if not used:
            continue
        firms, own = tables.of_model(design.score), tables.of_design(name)
        values = tables.covariates[used].iloc[firms["row"]]
        known = values.notna().all(axis=1).to_numpy()
        values, firms = values[known], firms[known]
        treated, weight = firms["treated"].to_numpy(), np.zeros(len(tables.firm))
        weight[own["row"]] = own["weight"]
        sample = (design.score, *used)
        after, before = weight[firms["row"]], np.ones(len(values))
        if tables.sampling is not None:
            before = _scaled(tables.sampling[firms["row"]], treated)
            after = _scaled(after, treated)
        if sample not in found:
            found[sample] = separation(values, treated, before)
        yield name, "before", found[sample]
        yield name, "after", separation(values, treated, after)


def _scaled(weight: Floats, treated: Flags) -> Floats:
    """Return weights of which the treated firms used have mean one: counted as so many firms."""
    own = weight[treated & (weight > 0)]
    return weight / own.mean() if len(own) else weight


def separation(covariates: pd.DataFrame, treated: Flags, weight: Floats) -> Separation:
    """Refit the score by probit on a weighted sample; compare its index between the groups.

    B = 100 |m1 - m0| / sqrt((v1 + v0) / 2) and R = v1 / v0, with weighted means m and variances
    v of the index, weights counting as frequencies: v = sum w (x - m)^2 / (sum w - 1). Where the
    index is constant but for rounding, B and pseudo-R2 are zero and R is missing.
    """
    kept = weight > 0
    if not (kept & treated).any() or not (kept & ~treated).any():
        return Separation(reason=GROUP_EMPTY)
    columns = np.array([values for *_, values in expanded_columns(covariates[kept])]).T
    one, w = treated[kept], weight[kept]
    optimum = maximise(_independent(columns), one, "probit", w)
    if optimum is None:
        return Separation(reason=NO_FIT)
    index = optimum.index
    if index.std() <= CONSTANT:
        return Separation(rubin_b=0.0, pseudo_r2=0.0, reason=INDEX_CONSTANT)
    means = [np.average(index[group], weights=w[group]) for group in (one, ~one)]
    v1, v0 = (_variance(index[group], w[group]) for group in (one, ~one))
    share = w[one].sum() / w.sum()
    null = w.sum() * (share * np.log(share) + (1 - share) * np.log(1 - share))
    b = 100 * abs(means[0] - means[1]) / np.sqrt((v1 + v0) / 2)
    return Separation(
        rubin_b=round(float(b), DECIMALS),
        rubin_r=round(float(v1 / v0), DECIMALS),
        pseudo_r2=round(float(1 - optimum.log_likelihood / null), DECIMALS),
    )


def _variance(values: Floats, weight: Floats) -> float:
    freedom = weight.sum() - 1
    mean = np.average(values, weights=weight)
    deviation = float((weight * np.square(values - mean)).sum())
    return deviation / freedom if freedom > 0 and deviation > 0 else float("nan")


def _independent(columns: Floats) -> Floats:
    """Return an intercept and standardised columns with the same span, collinear ones once."""
    standard = columns - columns.mean(axis=0)
    spread = np.sqrt(np.square(standard).mean(axis=0))
    standard /= np.where(spread > 0, spread, 1.0)
    values, vectors = np.linalg.eigh(standard.T @ standard / len(standard))
    kept = values > COLLINEAR * max(float(values.max(initial=0.0)), 1.0)
    # Column by column in memory: what follows reads whole columns.
    independent = np.ones((1 + int(kept.sum()), len(standard)))
    np.matmul(vectors[:, kept].T, standard.T, out=independent[1:])
    return independent.T
