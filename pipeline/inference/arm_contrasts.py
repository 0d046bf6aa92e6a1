"""Differences and other sums of the effects of several arms, with their joint covariance.

Arms share comparison firms, and clusters in which firms of both are. Each arm's effect is a sum of
its clusters' influences, so that the variance of sum_a w_a b_a is the sum over clusters of
(sum_a w_a psi_ga)^2, psi_ga cluster g's influence on arm a's effect, small-sample factor included:
what a regression of all arms at once, clustered alike, would give up to that factor.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arms import ARM_CONTRASTS
from pipeline.datasets.arrays import Codes
from pipeline.datasets.reasons import packed
from pipeline.datasets.store import conform, empty
from pipeline.effects.kept import Kept
from pipeline.effects.rows import ALL, Label, Row
from pipeline.effects.terms import ATT, Term
from pipeline.errors import Reason
from pipeline.inference.covariance import t_intervals
from pipeline.inference.stored import NUMBERED
from pipeline.params.analyses import clustering_levels
from pipeline.params.arms import Arms

# Effects whose sums are contrasts: the headline's average, and those by event time.
_FAMILIES = ("att", "event")

Weights = Mapping[str, float]


@dataclass(frozen=True)
class SumOfArms:
    """Hold a weighted sum of effects: errors from the joint covariance, and as if they had none."""

    estimate: float
    std_error: float
    std_error_apart: float
    n_clusters: int
    df: float


def weighted_sum(parts: Sequence[tuple[float, Kept]], term: Term) -> SumOfArms:
    """Return the weighted sum of one term of several results, each with its weight.

    Clusters are those of one level of PANEL, the same by name in all results.
    """
    influences = [_by_name(kept, term) * weight for weight, kept in parts]
    together = pd.concat(influences).groupby(level=0).sum()
    apart = sum(float((own**2).sum()) for own in influences)
    names = {str(name) for _, kept in parts for name in kept.names[_with_rows(kept)]}
    small_sample = all(kept.small_sample for _, kept in parts)
    return SumOfArms(
        estimate=sum(weight * kept.by_cluster.estimate(term) for weight, kept in parts),
        std_error=float(np.sqrt((together**2).sum())),
        std_error_apart=float(np.sqrt(apart)),
        n_clusters=len(names),
        df=len(names) - 1 if small_sample else np.inf,
    )


def contrast_table(kept_by_arm: Mapping[str, Iterable[Kept]], arms: Arms) -> pd.DataFrame:
    """Return ARM_CONTRASTS: each contrast of every spec's average and effects by event time.

    `kept_by_arm` holds what every arm's results rest on. Where an arm lacks an effect, or clusters
    are not the same in all, the row has a reason.
    """
    found = {arm: _whole(results) for arm, results in kept_by_arm.items()}
    rows = [
        row
        for name, weights in arms.contrasts.items()
        for row in _contrast_rows(name, {arm: w for arm, w in weights.items() if w}, found)
    ]
    if not rows:
        return empty(ARM_CONTRASTS)
    return conform(ARM_CONTRASTS, pd.DataFrame(rows).reindex(columns=list(ARM_CONTRASTS.columns)))


_Place = tuple[str, str, str]


def _whole(results: Iterable[Kept]) -> dict[_Place, list[Kept]]:
    """Return results on all firms by outcome, design and spec."""
    found: dict[_Place, list[Kept]] = {}
    for kept in results:
        label = kept.label
        if {label.sample, label.grouping, label.subgroup} == {ALL}:
            place = (label.outcome, label.design, label.estimator)
            found.setdefault(place, []).append(kept)
    return found


def _contrast_rows(
    name: str, weights: Weights, found: Mapping[str, Mapping[_Place, list[Kept]]]
) -> Iterator[Row]:
    places = dict.fromkeys(place for arm in weights for place in found.get(arm, {}))
    for place in places:
        by_arm = {arm: found.get(arm, {}).get(place, []) for arm in weights}
        key = {"contrast": name} | dict(zip(("outcome", "design", "estimator"), place, strict=True))
        for term in _terms(by_arm):
            yield (
                key
                | {"term": term.family, "event_time": term.event_time}
                | _row(term, weights, by_arm)
            )


def _terms(by_arm: Mapping[str, list[Kept]]) -> list[Term]:
    kept = [result for results in by_arm.values() for result in results]
    every = dict.fromkeys(term for result in kept for term in result.by_cluster.terms)
    chosen = [t for t in every if t.family in _FAMILIES and t.cohort is None and t.year is None]
    return sorted(chosen, key=lambda t: (t != ATT, t.event_time or 0))


def _row(term: Term, weights: Weights, by_arm: Mapping[str, list[Kept]]) -> Row:
    parts = {arm: _holder(by_arm[arm], term) for arm in weights}
    known = [(weights[arm], kept) for arm, kept in parts.items() if kept is not None]
    if why := _why_none(parts):
        return packed(why)
    total, label = weighted_sum(known, term), known[0][1].label
    estimate, error = np.array([total.estimate]), np.array([total.std_error])
    shown = t_intervals(estimate, error, total.df, label.conf_level)
    return {
        "estimate": total.estimate,
        "std_error": total.std_error,
        "std_error_apart": total.std_error_apart,
        "df": total.df if np.isfinite(total.df) else np.nan,
        "p_value": shown.p_value[0],
        "conf_low": shown.low[0],
        "conf_high": shown.high[0],
        "n_clusters": total.n_clusters,
    }


def _holder(results: Sequence[Kept], term: Term) -> Kept | None:
    return next((kept for kept in results if term in kept.by_cluster.terms), None)


def _why_none(parts: Mapping[str, Kept | None]) -> Reason | None:
    """Say why arms' effects have no joint covariance; None where they have."""
    lacking = [arm for arm, kept in parts.items() if kept is None]
    if lacking:
        return Reason("arm_without_effect", {"arms": lacking})
    labels = [kept.label for kept in parts.values() if kept is not None]
    if len({_levels(label) for label in labels}) > 1 or not _is_named(labels[0]):
        return Reason("arms_without_common_clusters")
    return None


def _levels(label: Label) -> tuple[str | None, str | None]:
    return clustering_levels(label.cluster)


def _is_named(label: Label) -> bool:
    """Say whether clusters are of one level, whose names all arms share."""
    first, second = _levels(label)
    return second is None and first is not None and first not in NUMBERED


def _by_name(kept: Kept, term: Term) -> pd.Series:
    column = kept.by_cluster.terms.index(term)
    return pd.Series(kept.influence[:, column], index=kept.names[: len(kept.influence)])


def _with_rows(kept: Kept) -> Codes:
    return np.unique(kept.by_cluster.seen.firm)
