"""Differences and other sums of the effects of several arms, with their joint covariance.

Arms share comparison firms, and clusters in which firms of both are. Each arm's effect is a sum of
its clusters' influences, so that the variance of sum_a w_a b_a is the sum over clusters of
(sum_a w_a psi_ga)^2, psi_ga cluster g's influence on arm a's effect, small-sample factor included:
what a regression of all arms at once, clustered alike, would give up to that factor. Where firms
near each other share shocks, clusters are places, and those within reach are summed over in pairs.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.datasets.arms import ARM_CONTRASTS, CONTRAST
from pipeline.datasets.arrays import Codes, Floats
from pipeline.datasets.reasons import packed, packed_remarks
from pipeline.datasets.store import conform, empty
from pipeline.effects.kept import Kept
from pipeline.effects.rows import ALL, Label, Row
from pipeline.effects.terms import ATT, Term
from pipeline.errors import Reason
from pipeline.inference.conley import NEGATIVE
from pipeline.inference.covariance import t_intervals
from pipeline.inference.joint_variance import joint_variance
from pipeline.inference.stored import NUMBERED
from pipeline.params.analyses import clustering_levels, is_two_way
from pipeline.params.arms import Arms

# TermEffects whose sums are contrasts: the headline's average, and those by event time.
_FAMILIES = ("att", "event")

# An effect that is zero because all others are measured against it.
_REFERENCE = "reference_period"

# Outcome, design and spec of effects.
Place = tuple[str, str, str]


@dataclass(frozen=True)
class TermEffects:
    """Hold the effects of one arm at one place: estimates, missing where there is none.

    `kept` is what those with a standard error rest on.
    """

    estimates: Mapping[Term, float]
    kept: Sequence[Kept]

    def holder(self, term: Term) -> Kept | None:
        """Return the result with a term's influences, None where it has no standard error."""
        return next((kept for kept in self.kept if term in kept.by_cluster.terms), None)


ByPlace = Mapping[Place, TermEffects]


@dataclass(frozen=True)
class Part:
    """Hold the weight of one term of one arm in a sum."""

    weight: float
    arm: str
    term: Term


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
    return sum_of_terms([(weight, kept, term) for weight, kept in parts])


def sum_of_terms(parts: Sequence[tuple[float, Kept, Term]]) -> SumOfArms:
    """Return the weighted sum of terms of results; several of one result count as one arm's."""
    results = list({id(kept): kept for _, kept, _ in parts}.values())
    own_names = [kept.names[: len(kept.influence)] for kept in results]
    code, names = pd.factorize(np.concatenate(own_names))
    codes = np.split(code, np.cumsum([len(own) for own in own_names])[:-1])
    by_arm = np.zeros((len(results), len(names)))
    for own, kept, at in zip(by_arm, results, codes, strict=True):
        np.add.at(own, at, sum(w * _influence(kept, term) for w, of, term in parts if of is kept))
    n_clusters = len(pd.unique(np.concatenate([kept.names[_with_rows(kept)] for kept in results])))
    small_sample = all(kept.small_sample for kept in results)
    return SumOfArms(
        estimate=sum(weight * kept.by_cluster.estimate(term) for weight, kept, term in parts),
        std_error=_root(joint_variance(by_arm.sum(axis=0), names, results)),
        std_error_apart=_root(sum(joint_variance(own, names, results) for own in by_arm)),
        n_clusters=n_clusters,
        df=n_clusters - 1 if small_sample else np.inf,
    )


def _root(variance: float) -> float:
    """Return a standard error, missing where a variance over pairs of places is negative."""
    return float(np.sqrt(variance)) if variance >= 0 else float("nan")


def contrast_rows(
    found: Mapping[str, ByPlace], arms: Arms, within: Mapping[str, Collection[tuple[str, str]]]
) -> list[Row]:
    """Return rows of ARM_CONTRASTS: named contrasts of every spec's average and event times.

    `found` holds every arm's effects, `within` by covariate the specs and designs that compare
    firms of one value of it, which triple differences ask for. Where an arm lacks an effect, or its
    error, or clusters are not the same in all, the row has a reason.
    """
    rows: list[Row] = []
    for name, weights in arms.contrasts.items():
        covariate = arms.triple_differences.get(name)
        own = _Contrast({arm: w for arm, w in weights.items() if w})
        if covariate is not None:
            own = replace(own, covariate=covariate, within=within[covariate])
        rows += _contrast_rows(name, own, found)
    return rows


@dataclass(frozen=True)
class _Contrast:
    """Hold the weights of arms; of a triple difference what it compares within, and where it is."""

    weights: Mapping[str, float]
    covariate: str | None = None
    within: Collection[tuple[str, str]] = ()

    def figures(self, term: Term, place: Place, found: Mapping[str, ByPlace]) -> Row:
        """Return a row's figures, or why there are none."""
        parts = [Part(weight, arm, term) for arm, weight in self.weights.items()]
        if self.covariate is None:
            return sum_figures(parts, place, found)
        _, design, estimator = place
        if (estimator, design) not in self.within:
            return packed(Reason("not_compared_within", {"covariate": self.covariate}))
        remark = Reason("triple_difference", {"covariate": self.covariate})
        return sum_figures(parts, place, found, [remark])


def as_contrasts(rows: Sequence[Row]) -> pd.DataFrame:
    """Return rows as ARM_CONTRASTS; what they do not say is missing."""
    if not rows:
        return empty(ARM_CONTRASTS)
    return conform(ARM_CONTRASTS, pd.DataFrame(rows).reindex(columns=list(ARM_CONTRASTS.columns)))


def effects_by_place(estimates: pd.DataFrame, kept: Iterable[Kept]) -> dict[Place, TermEffects]:
    """Return averages and effects by event time on all firms, of ESTIMATES and what they rest on.

    The reference year, of which no effect is estimated, is left out.
    """
    places = ["outcome", "design", "estimator"]
    everyone = (estimates[["sample", "grouping", "subgroup"]] == ALL).all(axis=1)
    plain = estimates[["cohort", "year", "last_event_time"]].isna().all(axis=1)
    wanted = estimates["term"].isin(_FAMILIES) & (estimates["reason"] != _REFERENCE)
    found: dict[Place, dict[Term, float]] = {}
    for row in estimates[everyone & plain & wanted].to_dict("records"):
        time = None if pd.isna(row["event_time"]) else int(row["event_time"])
        own = found.setdefault(tuple(row[name] for name in places), {})
        term = Term(row["term"], event_time=time)
        # rows of other methods of inference have the same estimate, or none
        if np.isnan(own.get(term, np.nan)):
            own[term] = row["estimate"]
    results = _on_all_firms(kept)
    return {place: TermEffects(own, results.get(place, [])) for place, own in found.items()}


def _on_all_firms(results: Iterable[Kept]) -> dict[Place, list[Kept]]:
    found: dict[Place, list[Kept]] = {}
    for kept in results:
        label = kept.label
        if {label.sample, label.grouping, label.subgroup} == {ALL}:
            place = (label.outcome, label.design, label.estimator)
            found.setdefault(place, []).append(kept)
    return found


def places_of(arms: Iterable[str], found: Mapping[str, ByPlace]) -> list[Place]:
    """Return the outcomes, designs and specs of which some arm has effects."""
    return list(dict.fromkeys(place for arm in arms for place in found.get(arm, {})))


def terms_at(place: Place, arms: Iterable[str], found: Mapping[str, ByPlace]) -> list[Term]:
    """Return the average and the effects by event time of which an arm has a row, in this order."""
    here = [found[arm][place] for arm in arms if place in found.get(arm, {})]
    every = dict.fromkeys(term for effects in here for term in effects.estimates)
    return sorted(every, key=lambda t: (t != ATT, t.event_time or 0))


def key_of(estimand: str, contrast: str, place: Place, term: Term) -> Row:
    """Return the key of a row of ARM_CONTRASTS but for its exposure."""
    outcome, design, estimator = place
    where = {"outcome": outcome, "design": design, "estimator": estimator}
    what = {"estimand": estimand, "contrast": contrast, "exposure": None}
    return what | where | {"term": term.family, "event_time": term.event_time}


def sum_figures(
    parts: Sequence[Part],
    place: Place,
    found: Mapping[str, ByPlace],
    remarks: Iterable[Reason] = (),
) -> Row:
    """Return a sum as columns of ARM_CONTRASTS, or what of it there is, and the reason."""
    nothing = TermEffects({}, ())
    of_parts = [(part, found.get(part.arm, {}).get(place, nothing)) for part in parts]
    effects = {part: own.estimates.get(part.term, np.nan) for part, own in of_parts}
    if lacking := _arms_where(parts, lambda part: bool(np.isnan(effects[part]))):
        return packed(Reason("arm_without_effect", {"arms": lacking}))
    said = {"remarks": packed_remarks(remarks)}
    estimate = {"estimate": sum(part.weight * effect for part, effect in effects.items())}
    held = {part: own.holder(part.term) for part, own in of_parts}
    if unsure := _arms_where(parts, lambda part: held[part] is None):
        return estimate | said | packed(Reason("arm_without_error", {"arms": unsure}))
    known = [(part.weight, kept, part.term) for part, kept in held.items() if kept is not None]
    if not share_clusters([kept for _, kept, _ in known]):
        return estimate | said | packed(Reason("arms_without_common_clusters"))
    total = sum_of_terms(known)
    if np.isnan(total.std_error):
        return estimate | said | packed(NEGATIVE)
    return _figures(total, known[0][1].label.conf_level) | said


def share_clusters(results: Sequence[Kept]) -> bool:
    """Say whether clusters of several results are of one level, whose names all share."""
    labels = [kept.label for kept in results]
    return len({label.cluster for label in labels}) == 1 and _is_named(labels[0])


def _arms_where(parts: Sequence[Part], lacks: Callable[[Part], bool]) -> list[str]:
    return list(dict.fromkeys(part.arm for part in parts if lacks(part)))


def _figures(total: SumOfArms, conf_level: float) -> Row:
    estimate, error = np.array([total.estimate]), np.array([total.std_error])
    shown = t_intervals(estimate, error, total.df, conf_level)
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


def _contrast_rows(name: str, contrast: _Contrast, found: Mapping[str, ByPlace]) -> Iterator[Row]:
    for place in places_of(contrast.weights, found):
        for term in terms_at(place, contrast.weights, found):
            yield key_of(CONTRAST, name, place, term) | contrast.figures(term, place, found)


def _is_named(label: Label) -> bool:
    """Say whether clusters are of one level of PANEL."""
    return not is_two_way(label.cluster) and clustering_levels(label.cluster)[0] not in NUMBERED


def _influence(kept: Kept, term: Term) -> Floats:
    """Return the influences (G,) on one term."""
    return kept.influence[:, kept.by_cluster.terms.index(term)]


def _with_rows(kept: Kept) -> Codes:
    return np.unique(kept.by_cluster.seen.firm)
