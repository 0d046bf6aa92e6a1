"""Common support: which firms have counterparts in the other group, and what became of treated.

Where treated firms are lost the effect is that on the matched treated, so that who they are has
to be shown.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.datasets.balance import SUPPORT
from pipeline.datasets.store import conform
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreModel
from pipeline.selection.firm_stacks import FirmStacks
from pipeline.selection.frequency import Frequency, among, times_of, with_copies

Overlap = Literal["none", "min_max", "comparison_maximum", "comparison_range", "treated_range"]

# SUPPORT is published, and a mean over one or two firms is no statistic.
FEWEST_SHOWN = 3


def support_by_stack(scored: pd.DataFrame, model: ScoreModel, frequency: Frequency = None) -> Flags:
    """Apply a model's support rule within each stack, one flag per row of `scored`.

    On the index, since probabilities round at 0 and 1; `bound` is on the probability itself.
    Rules that count firms count each as often as `frequency` says.
    """
    if model.support == "bound":
        return _within_bounds(scored, model)
    on_support = np.ones(len(scored), dtype=bool)
    if model.support == "none":
        return on_support
    for rows in scored.groupby("stack").indices.values():
        times = None if frequency is None else frequency[rows]
        on_support[rows] = _kept(scored.iloc[rows], model, times)
    return on_support


def _within_bounds(scored: pd.DataFrame, model: ScoreModel) -> Flags:
    """Mark the firms with a probability within the bounds of a model, on either side inclusive."""
    score, treated = scored["propensity_score"].to_numpy(), scored["treated"].to_numpy()
    kept = np.ones(len(scored), dtype=np.bool_)
    if model.score_bound is not None:
        kept &= score <= model.score_bound
    if model.score_floor is not None:
        nobody = np.zeros(len(scored), dtype=np.bool_)
        spared = {"both": nobody, "treated": ~treated, "comparison": treated}
        kept &= (score >= model.score_floor) | spared[str(model.score_floor_of)]
    return kept


def _kept(stack: pd.DataFrame, model: ScoreModel, frequency: Frequency) -> Flags:
    score, treated = stack["linear_score"].to_numpy(), stack["treated"].to_numpy()
    share = model.trim_share or 0.0
    match model.support:
        case "trim":
            return below_highest_scores(score, treated, share, frequency)
        case "bound":
            raise ValueError("bounds are on the probability itself, in all stacks alike")
        case "density":
            return densest(stack["propensity_score"].to_numpy(), treated, share, frequency)
        case overlap:
            return common_support(score, treated, overlap)


def common_support(score: Floats, treated: Flags, rule: Overlap) -> Flags:
    """Mark the firms on common support, one flag per firm of `score`.

    `min_max` keeps both groups between the larger of the two minima and the smaller of the two
    maxima (Dehejia & Wahba 1999, doi:10.1080/01621459.1999.10473858); `comparison_maximum`
    drops treated firms above every comparison firm; `comparison_range` treated firms above or
    below all of them; `treated_range` comparison firms above or below all treated firms; `none`
    keeps all. Bounds are inclusive. MatchIt's `discard` calls `min_max` both, `comparison_range`
    treated and `treated_range` control; psmatch2's `common` is `comparison_range`.
    """
    if rule == "none":
        return np.ones(len(score), dtype=bool)
    one, zero = score[treated], score[~treated]
    if rule == "comparison_maximum":
        return np.asarray(~treated | (score <= zero.max()))
    if rule in ("comparison_range", "treated_range"):
        within = zero if rule == "comparison_range" else one
        return np.asarray((score >= within.min()) & (score <= within.max()))
    low, high = max(one.min(), zero.min()), min(one.max(), zero.max())
    return np.asarray((score >= low) & (score <= high))


def below_highest_scores(
    score: Floats, treated: Flags, share: float, frequency: Frequency = None
) -> Flags:
    """Mark all firms but the share of treated firms with the highest scores, rounded down.

    Treated firms tied with the highest score that stays are kept too.
    """
    ordered = np.sort(with_copies(score[treated], among(frequency, treated)))[::-1]
    highest_kept = ordered[int(share * len(ordered))]
    return np.asarray(~treated | (score <= highest_kept))


def densest(score: Floats, treated: Flags, share: float, frequency: Frequency = None) -> Flags:
    """Mark all firms but the share of treated where comparison scores are least dense.

    As psmatch2's `trim`: the density of comparison scores at each treated score, by Stata's
    `kdensity` (Epanechnikov; width 0.9 min(SD, IQR / 1.349) n^-1/5); treated firms below its
    percentile 100 `share` are dropped, and those where it is zero. Smith & Todd (2005),
    doi:10.1016/j.jeconom.2004.04.011.
    """
    density = kernel_density(
        with_copies(score[~treated], among(frequency, ~treated)), score[treated]
    )
    least = stata_percentile(with_copies(density, among(frequency, treated)), share)
    kept = np.ones(len(score), dtype=bool)
    kept[treated] = (density > 0) & (density >= least)
    return kept


def treated_fates(tables: FirmStacks, match: MatchSection) -> pd.DataFrame:
    """Return SUPPORT: what became of the treated of every design, and their mean covariates.

    A treated firm of the risk sets is kept, or lost for the first of these reasons that holds: it
    lacks a covariate of the score, is off support, has no match (cell or caliper).
    """
    covariates = tables.covariates
    numbers = covariates[["stack", *covariates.columns[2:][_numeric(covariates)]]]
    parts = []
    mass = times_of(tables.sampling, len(numbers))
    for name, row, fate in treated_by_fate(tables, match):
        parts.append(_means(numbers.iloc[row].assign(fate=fate), mass[row]).assign(design=name))
    columns = list(SUPPORT.columns)
    return conform(SUPPORT, pd.concat([pd.DataFrame(columns=columns), *parts])[columns])


def treated_by_fate(
    tables: FirmStacks, match: MatchSection
) -> Iterator[tuple[str, Codes, NDArray[np.str_]]]:
    """Yield each design with the treated firms of the risk sets: rows of COVARIATES, and fates.

    Firms that are lost stand there twice, with all lost together.
    """
    everyone = tables.of_model("unmatched")
    row = everyone.loc[everyone["treated"], "row"].to_numpy()
    for name, design in match.designs.items():
        scored = tables.of_model(design.score)
        has_score, on_support, kept = (
            np.isin(row, table["row"])
            for table in (scored, scored[scored["on_support"]], tables.of_design(name))
        )
        fate = np.select(
            [kept, ~has_score, ~on_support], ["kept", "no_covariate", "off_support"], "no_match"
        )
        lost = row[fate != "kept"]
        yield name, np.concatenate([row, lost]), np.append(fate, np.full(len(lost), "lost"))


def _numeric(covariates: pd.DataFrame) -> list[bool]:
    return [pd.api.types.is_numeric_dtype(covariates[name]) for name in covariates.columns[2:]]


def _means(firms: pd.DataFrame, mass: Floats) -> pd.DataFrame:
    """Return count and mean covariates by stack and fate, and of stacks together.

    Firms count by their `mass` (n,). A mean over fewer than `FEWEST_SHOWN` firms is missing: it
    would tell a firm's own value.
    """
    by_stack = pd.concat(
        [firms.assign(stack=firms["stack"].astype(str)), firms.assign(stack="all")]
    )
    groups = by_stack.groupby(["stack", "fate"])
    means = _weighted_means(by_stack, np.tile(mass, 2)).where(groups.count() >= FEWEST_SHOWN)
    size = groups.size().rename("n_treated").reset_index()
    long = means.reset_index().melt(["stack", "fate"], var_name="covariate", value_name="mean")
    return long.merge(size, on=["stack", "fate"])


def _weighted_means(firms: pd.DataFrame, mass: Floats) -> pd.DataFrame:
    """Return the means of covariates by stack and fate, each over the firms that have it."""
    by = ["stack", "fate"]
    groups = firms.groupby(by)
    if (mass == 1).all():
        return groups.mean()
    values = firms.drop(columns=by)
    keys = [firms[name] for name in by]
    known = values.notna().mul(mass, axis=0).groupby(keys).sum()
    return values.mul(mass, axis=0).groupby(keys).sum() / known


def kernel_density(points: Floats, at: Floats) -> Floats:
    """Return the Epanechnikov density of `points` at `at`, shapes (n,) and (m,), by sums of powers.

    Width 0.9 min(SD, IQR / 1.349) n^-1/5, the SD alone where the quartiles are equal; the kernel
    is 0.75 (1 - z^2 / 5) / sqrt(5) for |z| < sqrt(5), z in widths.
    """
    ordered = np.sort(points)
    quarters = stata_percentile(ordered, 0.75) - stata_percentile(ordered, 0.25)
    spread = min(ordered.std(ddof=1), quarters / 1.349) or ordered.std(ddof=1)
    reach = np.sqrt(5) * 0.9 * spread * len(ordered) ** -0.2
    centred = ordered - ordered.mean()
    where = at - ordered.mean()
    low = np.searchsorted(centred, where - reach, side="right")
    high = np.searchsorted(centred, where + reach, side="left")
    n, first, second = (np.concatenate([[0.0], np.cumsum(centred**power)]) for power in (0, 1, 2))
    count, total, squares = n[high] - n[low], first[high] - first[low], second[high] - second[low]
    distances = where**2 * count - 2 * where * total + squares
    return np.asarray(0.75 * (count - distances / reach**2) / (reach * len(ordered)))


def stata_percentile(values: Floats, share: float) -> float:
    """Return a percentile as Stata's `_pctile`: the mean of two values where the rank is whole."""
    ordered = np.sort(values)
    rank = round(share * len(ordered), 9)
    above = ordered[min(int(np.floor(rank)), len(ordered) - 1)]
    return float((ordered[int(rank) - 1] + above) / 2 if rank == int(rank) and rank > 0 else above)
