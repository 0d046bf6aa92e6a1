"""Balance of covariates between treated and comparison firms, before and after matching.

Differences are divided by a standard deviation of the unmatched sample, the same before and
after, so that a smaller number means closer groups and not a wider sample. There are no
t-tests: they measure sample size (Imai, King & Stuart 2008,
doi:10.1111/j.1467-985X.2007.00527.x).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.datasets.balance import BALANCE
from pipeline.datasets.store import conform
from pipeline.matching.losses import effective_size
from pipeline.params.match import MatchSection, conditioning_covariates
from pipeline.params.score import ScoreSection
from pipeline.progress import track

KEY = ["stack", "firm_id"]

# Means and variances below this share of the largest value are rounding.
ROUNDING = 1e-12

# Differences, in standard deviations or in shares of a group, that weights have removed: as closely
# as they meet moments. What is left is the solver's, and differs between machines.
BALANCED = 1e-8


@dataclass(frozen=True)
class Measure:
    """Hold one column whose balance is measured, one entry per firm and stack.

    A number has no `category`. `rank` is the position of the value among the distinct values (for
    distribution functions), -1 where it is missing.
    """

    covariate: str
    category: str | None
    in_score: bool
    value: Floats
    rank: Integers
    binary: bool


@dataclass(frozen=True)
class TwoGroups:
    """Hold what one sample says of one column: firms with a value, weights, treated flags."""

    value: Floats
    rank: Integers
    firm: Integers
    treated: Flags
    weight: Floats


def measure_balance(
    scores: pd.DataFrame,
    covariates: pd.DataFrame,
    weights: pd.DataFrame,
    score: ScoreSection,
    match: MatchSection,
) -> pd.DataFrame:
    """Measure balance of every design: BALANCE, one row per covariate, sample and stack.

    Samples: `before` is the risk set of the design's score model, `on_support` its firms on
    common support, `after` the firms and weights of WEIGHTS. In the first two, comparison firms
    are weighted so that each stack's comparison mass equals its treated mass. Covariates in
    and out of the score, categories one by one, and the propensity score itself; per stack and over
    all stacks (`all`, rows being firms in stacks).
    """
    rows: list[dict[str, object]] = []
    names = ["unmatched", *match.designs]
    for name in track(names, "designs", len(names), name=str):
        design = match.designs.get(name)
        model = design.score if design else "unmatched"
        firms = _weigh(scores[scores["model"] == model], weights[weights["design"] == name])
        values = firms[KEY].merge(covariates, on=KEY, how="left", validate="one_to_one")
        in_score = (
            set(conditioning_covariates(design, score.models[model].covariates))
            if design
            else set[str]()
        )
        samples = _samples(firms)
        stacks = _stacks(firms)
        for measure in _measures(firms, values, score, in_score):
            for stack, members in stacks.items():
                found = _compare(measure, firms, samples, members, match.balance.denominator)
                rows += [{"design": name, "stack": stack, **row} for row in found]
    return conform(BALANCE, pd.DataFrame(rows))


def weighted_variance(value: Floats, weight: Floats) -> float:
    """Return the weighted variance; with equal weights that with divisor n-1.

    sum w (x - m)^2 / (S - sum(w^2) / S), S = sum w, as in cobalt and MatchIt. Missing (nan)
    where the weights leave no degree of freedom, zero where the values differ by rounding.
    """
    total = weight.sum()
    freedom = total - np.square(weight).sum() / total if total > 0 else 0.0
    if freedom <= 1e-12 * total:
        return float("nan")
    mean = np.average(value, weights=weight)
    variance = float((weight * np.square(value - mean)).sum() / freedom)
    return variance if np.sqrt(variance) > ROUNDING * np.abs(value).max() else 0.0


def ks_distance(rank: Integers, treated: Flags, weight: Floats) -> float:
    """Return the largest distance between the two weighted distribution functions.

    `rank` orders the values, equal values having equal rank.
    """
    mass = np.where(treated, weight / weight[treated].sum(), -weight / weight[~treated].sum())
    distance = float(np.abs(np.bincount(rank, weights=mass).cumsum()).max())
    return distance if distance > BALANCED else 0.0


def _weigh(risk_sets: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """Return a model's risk sets with firm codes and weights, 0 for firms the design leaves out."""
    used = weights[[*KEY, "weight"]]
    firms = risk_sets.merge(used, on=KEY, how="left", validate="one_to_one")
    codes = pd.factorize(firms["firm_id"])[0]
    return firms.assign(weight=firms["weight"].fillna(0.0), firm=codes)


def _samples(firms: pd.DataFrame) -> dict[str, Floats]:
    """Return the weights of each sample, one entry per row of `firms`."""
    return {
        "before": _level_weights(firms, np.ones(len(firms), dtype=bool)),
        "on_support": _level_weights(firms, firms["on_support"].to_numpy()),
        "after": firms["weight"].to_numpy(),
    }


def _level_weights(firms: pd.DataFrame, member: Flags) -> Floats:
    """Weight members so that each stack's comparison firms weigh as much as its treated."""
    treated = firms["treated"].to_numpy()
    stack = pd.factorize(firms["stack"])[0]
    n_treated = np.bincount(stack, weights=member & treated)
    n_control = np.bincount(stack, weights=member & ~treated)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.nan_to_num(n_treated / n_control, posinf=0.0)
    return np.where(member, np.where(treated, 1.0, level[stack]), 0.0)


def _stacks(firms: pd.DataFrame) -> dict[str, Integers]:
    """Return row positions of each stack, and of all."""
    groups = firms.groupby("stack").indices.items()
    stacks = {str(stack): np.asarray(rows, dtype=np.int64) for stack, rows in groups}
    return {**stacks, "all": np.arange(len(firms))}


def _measures(
    firms: pd.DataFrame, covariates: pd.DataFrame, score: ScoreSection, in_score: set[str]
) -> Iterator[Measure]:
    """Yield the score, then every covariate, categories one by one."""
    if firms["propensity_score"].notna().any():
        yield _measure("propensity_score", None, True, firms["propensity_score"])
    for name in score.covariates:
        values = covariates[name]
        if pd.api.types.is_numeric_dtype(values):
            yield _measure(name, None, name in in_score, values)
            continue
        for category in sorted(values.dropna().unique()):
            member = (values == category).astype(float).where(values.notna())
            yield _measure(name, str(category), name in in_score, member)


def _measure(covariate: str, category: str | None, in_score: bool, values: pd.Series) -> Measure:
    rank, levels = pd.factorize(values.to_numpy(float), sort=True)
    binary = bool(np.isin(levels, (0.0, 1.0)).all())
    return Measure(
        covariate, category, in_score, values.to_numpy(float), rank.astype(np.int64), binary
    )


def _compare(
    measure: Measure,
    firms: pd.DataFrame,
    samples: dict[str, Floats],
    members: Integers,
    denominator: str,
) -> Iterator[dict[str, object]]:
    """Yield one row per sample of one column in one stack (or all)."""
    scale = bias_scale = float("nan")
    for sample, weight in samples.items():
        groups = _observed(measure, firms, weight, members)
        if sample == "before":
            scale = _unmatched_sd(groups, measure.binary, denominator)
            bias_scale = _unmatched_sd(groups, False, "pooled")
        yield {
            "covariate": measure.covariate,
            "category": measure.category,
            "sample": sample,
            "in_score": measure.in_score,
            **_contrast(groups, measure.binary, scale),
            "percent_bias": 100 * _std_difference(groups, bias_scale),
        }


def _observed(
    measure: Measure, firms: pd.DataFrame, weight: Floats, members: Integers
) -> TwoGroups:
    """Select the firms of a stack that are in the sample and have a value."""
    rows = members[(weight[members] > 0) & (measure.rank[members] >= 0)]
    return TwoGroups(
        value=measure.value[rows],
        rank=measure.rank[rows],
        firm=firms["firm"].to_numpy()[rows],
        treated=firms["treated"].to_numpy()[rows],
        weight=weight[rows],
    )


def _contrast(groups: TwoGroups, binary: bool, scale: float) -> dict[str, object]:
    """Compare the groups; what cannot be computed is missing."""
    one, zero = groups.treated, ~groups.treated
    row: dict[str, object] = {
        "n_treated": int(one.sum()),
        "n_control": int(zero.sum()),
        # a firm that serves several stacks is one firm, with its summed weight
        "ess_control": effective_size(
            np.asarray(np.bincount(groups.firm[zero], groups.weight[zero]))
        ),
        "mean_treated": _mean(groups, one),
        "mean_control": _mean(groups, zero),
        "std_diff": np.nan,
        "variance_ratio": np.nan,
        "ks_distance": np.nan,
    }
    if not one.any() or not zero.any():
        return row
    row["ks_distance"] = ks_distance(groups.rank, one, groups.weight)
    row["std_diff"] = _std_difference(groups, scale)
    if not binary:
        below = _variance(groups, zero, False)
        row["variance_ratio"] = _variance(groups, one, False) / below if below > 0 else np.nan
    return row


def _std_difference(groups: TwoGroups, scale: float) -> float:
    """Return the difference in means over an SD; zero where weights have removed it.

    Missing where the SD is missing or zero.
    """
    if not scale > 0:
        return float("nan")
    found = (_mean(groups, groups.treated) - _mean(groups, ~groups.treated)) / scale
    return 0.0 if abs(found) <= BALANCED else found


def _unmatched_sd(groups: TwoGroups, binary: bool, denominator: str) -> float:
    """Return the SD that differences are divided by, from the unmatched sample.

    `treated`: the treated firms' SD. `pooled`: sqrt((v1 + v0) / 2). sqrt(p (1 - p)) for binaries.
    """
    one = _variance(groups, groups.treated, binary)
    if denominator == "treated":
        return float(np.sqrt(one))
    return float(np.sqrt((one + _variance(groups, ~groups.treated, binary)) / 2))


def _variance(groups: TwoGroups, member: Flags, binary: bool) -> float:
    if binary:
        share = _mean(groups, member)
        return share * (1 - share)
    return weighted_variance(groups.value[member], groups.weight[member])


def _mean(groups: TwoGroups, member: Flags) -> float:
    if not member.any():
        return float("nan")
    values = groups.value[member]
    mean = float(np.average(values, weights=groups.weight[member]))
    return mean if abs(mean) > ROUNDING * np.abs(values).max() else 0.0
